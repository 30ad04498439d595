"""Landmark checks: every fault is named on the vertebra that has it, and sound spines pass."""

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spinert.evaluate.datasets.aasce import known_label_errors, read_films
from spinert.image import Image
from spinert.runtime.landmark_checks import check_landmarks
from tests.phantoms import random_tilts, spine_corners

Points = NDArray[np.float64]
V = 7
"""The vertebra that the tests damage."""


def film(rows: int = 2200, columns: int = 1000, spacing_mm: tuple[float, float] | None = None) -> Image:
    pixels = np.broadcast_to(np.uint8(0), (rows, columns))
    return Image(pixels, "DX", spacing_mm=spacing_mm, spacing_kind="none" if spacing_mm is None else "calibrated")


def spine() -> Points:
    return spine_corners(20 * np.sin(np.linspace(0, 6, 17)))


def flagged(corners: Points, check: str) -> list[int]:
    return [v for v, failed in enumerate(check_landmarks(corners, film())) if check in failed]


def test_sound_spines_fail_no_check() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        corners = spine_corners(random_tilts(rng, 55.0), (1000.0, 120.0))
        assert not any(check_landmarks(corners, film(columns=2000)))


def test_curve_of_110_degrees_fails_no_check() -> None:
    corners = spine_corners(np.interp(np.arange(17), [0, 4, 12, 16], [40, 55, -55, -30]), (1500.0, 120.0))
    assert not any(check_landmarks(corners, film(columns=2000)))


def test_corners_that_are_no_numbers_are_flagged_and_spoil_no_other_vertebra() -> None:
    corners = spine()
    corners[V, 2, 1], corners[0, 0, 0] = np.nan, np.inf
    failed = check_landmarks(corners, film())
    assert failed[V] == failed[0] == ("not_finite",)
    assert not any(failed[v] for v in range(17) if v not in (0, V))
    assert check_landmarks(np.full((17, 4, 2), np.nan), film()) == (("not_finite",),) * 17


def test_corner_outside_the_image_is_flagged() -> None:
    corners = spine()
    assert not any(check_landmarks(corners, film()))
    rightmost = int(corners[:, :, 0].max(axis=1).argmax())
    border = corners[..., 0].max()
    columns = int(np.floor(border + 0.5))
    assert "outside_image" in check_landmarks(corners, film(columns=columns))[rightmost]
    assert not any(check_landmarks(corners, film(columns=columns + 1)))
    assert flagged(corners - np.array([0.0, corners[..., 1].min() + 0.6]), "outside_image")[0] == 0


def test_swapped_sides_are_flagged() -> None:
    corners = spine()
    corners[V] = corners[V, [1, 0, 3, 2]]
    assert flagged(corners, "left_right_swapped") == [V]
    corners[V] = spine()[V, [2, 3, 0, 1]]
    assert flagged(corners, "top_bottom_swapped") == [V]


def test_crossing_or_dented_outline_is_flagged() -> None:
    corners = spine()
    corners[V] = corners[V, [1, 0, 2, 3]]
    assert flagged(corners, "corners_crossing") == [V]
    corners = spine()
    corners[V, 3] = corners[V].mean(axis=0) - (corners[V, 3] - corners[V].mean(axis=0)) * 0.1
    assert flagged(corners, "corners_crossing") == [V]


def test_flat_tall_and_wedged_vertebrae_are_implausible() -> None:
    upright = spine_corners(np.zeros(17))
    centre = upright[V].mean(axis=0)
    for stretch in ([1.0, 0.2], [0.5, 1.0]):
        corners = upright.copy()
        corners[V] = centre + (corners[V] - centre) * stretch
        assert flagged(corners, "implausible_shape") == [V]
    width = upright[V, 1, 0] - upright[V, 0, 0]
    for wedge_deg, implausible in ((20, []), (30, [V])):
        corners = upright.copy()
        corners[V, 3, 1] -= width * np.tan(np.radians(wedge_deg))
        assert flagged(corners, "implausible_shape") == implausible
    corners = upright.copy()
    corners[V, 3, 0] -= 0.5 * width
    assert flagged(corners, "implausible_shape") == [V]


def test_shape_is_judged_in_millimetres() -> None:
    corners_px = spine_corners(np.zeros(17)) * np.array([0.5, 1.0])
    assert not any(check_landmarks(corners_px, film(spacing_mm=(0.2, 0.4))))
    assert all("implausible_shape" in failed for failed in check_landmarks(corners_px, film()))


def test_exchanged_vertebrae_are_out_of_order() -> None:
    corners = spine()
    corners[[V, V + 1]] = corners[[V + 1, V]]
    assert flagged(corners, "out_of_order") == [V, V + 1]


def test_vertebra_found_twice_overlaps_its_copy() -> None:
    corners = np.insert(spine(), V, spine()[V] + 2.0, axis=0)
    assert flagged(corners, "overlaps_neighbour") == [V, V + 1]
    assert flagged(corners, "spacing_jump") == [V, V + 1]


def test_gap_of_a_skipped_vertebra_is_a_spacing_jump() -> None:
    assert flagged(np.delete(spine(), V, axis=0), "spacing_jump") == [V - 1, V]


def test_vertebra_of_another_size_is_a_size_jump() -> None:
    corners = spine()
    centre = corners[V].mean(axis=0)
    for factor in (0.4, 2.4):
        corners[V] = centre + (spine()[V] - centre) * factor
        assert flagged(corners, "size_jump") == [V]


def test_corners_fallen_into_one_point_are_flagged_everywhere() -> None:
    assert all(check_landmarks(np.full((17, 4, 2), 500.0), film()))
    one = spine()
    one[V] = one[V].mean(axis=0)
    assert set(check_landmarks(one, film())[V]) == {"implausible_shape", "size_jump"}


def test_one_vertebra_has_no_neighbours_to_differ_from() -> None:
    assert check_landmarks(spine()[:1], film()) == ((),)


def test_corners_of_another_shape_are_refused() -> None:
    for shape in ((17, 8), (17, 2, 4), (0, 4, 2)):
        with pytest.raises(ValueError, match="expected"):
            check_landmarks(np.zeros(shape), film())


def test_hand_labels_pass_and_known_label_errors_are_found() -> None:
    shared = os.environ.get("SPINERT_SHARED")
    if shared is None:
        pytest.skip(reason="SPINERT_SHARED names no folder with data/aasce")
    folder = Path(shared) / "data" / "aasce"
    wrong = known_label_errors(folder)
    sound_flagged, order_flagged = [], []
    for labelled in read_films(folder, with_label_errors=True):
        with PIL.Image.open(labelled.path) as image:
            columns, rows = image.size
        failed = check_landmarks(labelled.corners_px, film(rows, columns))
        if labelled.row not in wrong:
            sound_flagged.extend(map(bool, failed))
        elif (np.diff(labelled.corners_px.mean(axis=1)[:, 1]) <= 0).any():
            order_flagged.append(any("out_of_order" in names for names in failed))
    assert np.mean(sound_flagged) < 0.003
    assert len(order_flagged) == 24
    assert all(order_flagged)
