"""The AASCE 2019 challenge's rule: its own angles on its own labels, and spines for each of its branches."""

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spinert.evaluate.datasets.aasce import read_films
from spinert.runtime.cobb import aasce_angles
from tests.phantoms import spine_corners

Points = NDArray[np.float64]
BELOW_EVERYTHING, ABOVE_EVERYTHING = 1e6, 1.0
"""Image heights whose middle lies below, and above, the whole spine."""


def tilts(*knots: tuple[int, float]) -> Points:
    at, tilt = zip(*knots, strict=True)
    return np.interp(np.arange(17), at, tilt)


# 45 degrees between T7 and T12, 30 from T3 to T7, 40 from T12 to L3, 15 from T1 to T3
S_SHAPED = tilts((0, 5), (2, -10), (6, 20), (11, -25), (14, 15), (16, 5))


def placed(tilts_deg: Points, centre_x: Points) -> Points:
    """Vertebrae 40 high and 60 wide, 50 apart, at these x."""
    along = np.stack([np.cos(np.radians(tilts_deg)), np.sin(np.radians(tilts_deg))], axis=-1)
    down = along[:, ::-1] * np.array([-1.0, 1.0])
    centre = np.stack([centre_x, 100.0 + 50.0 * np.arange(17)], axis=-1)
    return np.stack([centre + x * 30 * along + y * 20 * down for y in (-1, 1) for x in (-1, 1)], axis=1)


def test_every_labelled_film_has_the_angles_that_the_challenge_printed() -> None:
    shared = os.environ.get("SPINERT_SHARED")
    if shared is None:
        pytest.skip(reason="SPINERT_SHARED names no folder with data/aasce")
    folder = Path(shared) / "data" / "aasce"
    printed = np.loadtxt(folder / "angles.csv", delimiter=",")
    films = read_films(folder, with_label_errors=True)
    assert len(films) == len(printed) == 481
    for film in films:
        with PIL.Image.open(film.path) as image:
            height = image.height
        assert np.abs(aasce_angles(film.corners_px, height) - printed[film.row]).max() < 0.006, film.path.name


def test_c_shaped_spine_measures_its_ends_against_the_end_vertebrae() -> None:
    corners = spine_corners(tilts((0, 10), (4, 25), (12, -20), (16, -12)))
    for height in (ABOVE_EVERYTHING, BELOW_EVERYTHING):
        assert aasce_angles(corners, height) == pytest.approx([45, 15, 8], abs=1e-4)


def test_s_shaped_spine_in_the_upper_half_takes_its_third_angle_from_below() -> None:
    assert aasce_angles(spine_corners(S_SHAPED), BELOW_EVERYTHING) == pytest.approx([45, 30, 40], abs=1e-4)


def test_s_shaped_spine_in_the_lower_half_takes_its_third_angle_from_above() -> None:
    assert aasce_angles(spine_corners(S_SHAPED), ABOVE_EVERYTHING) == pytest.approx([45, 30, 15], abs=1e-4)


def test_lower_end_plates_decide_about_the_half_of_the_image() -> None:
    corners = spine_corners(S_SHAPED)
    upper_plates, lower_plates = corners[[6, 11], :2, 1].mean(axis=1), corners[[6, 11], 2:, 1].mean(axis=1)
    assert upper_plates.sum() < lower_plates.sum()
    assert aasce_angles(corners, lower_plates.sum() + 0.1)[2] == pytest.approx(40, abs=1e-4)
    assert aasce_angles(corners, lower_plates.sum() - 0.1)[2] == pytest.approx(15, abs=1e-4)


def test_spine_that_starts_and_ends_at_the_same_x_counts_as_s_shaped() -> None:
    turned = tilts((0, 0), (2, -8), (5, 15), (12, -15), (14, 8), (16, 0))
    bow = -2.0 * np.arange(17) * (16 - np.arange(17))
    assert aasce_angles(placed(turned, bow), BELOW_EVERYTHING) == pytest.approx([30, 23, 23], abs=1e-4)
    bow[-1] += 1.0
    assert aasce_angles(placed(turned, bow), BELOW_EVERYTHING) == pytest.approx([30, 15, 15], abs=1e-4)


def test_first_of_equal_largest_angles_is_taken() -> None:
    waves = tilts((0, 0), (2, 20), (6, -20), (10, 20), (14, -20), (16, 0))
    same_ends = np.zeros(17)
    # T3 to T7, not to L3 (third angle 20), and not T11 (second angle 40)
    assert aasce_angles(placed(waves, same_ends), BELOW_EVERYTHING) == pytest.approx([40, 20, 40], abs=1e-4)


def test_angle_above_90_degrees_is_not_clipped() -> None:
    corners = spine_corners(tilts((0, 40), (4, 55), (12, -55), (16, -30)))
    assert aasce_angles(corners, BELOW_EVERYTHING) == pytest.approx([110, 15, 25], abs=1e-4)


def test_cosine_is_rounded_to_8_decimals_as_the_challenge_does() -> None:
    # cos 0.004 degrees = 1 - 2.4e-9 rounds to 1, cos 0.006 = 1 - 5.5e-9 to 1 - 1e-8, which is 0.0081 degrees
    assert aasce_angles(spine_corners(tilts((0, 0), (8, 0.004), (16, 0))), 1.0).max() == 0
    assert aasce_angles(spine_corners(tilts((0, 0), (8, 0.006), (16, 0))), 1.0).max() == pytest.approx(0.0081, abs=1e-4)


def test_straight_spine_has_no_angle() -> None:
    assert aasce_angles(spine_corners(np.zeros(17)), 1000.0).tolist() == [0, 0, 0]


def test_input_that_the_rule_does_not_cover_is_refused() -> None:
    corners = spine_corners(S_SHAPED)
    with pytest.raises(ValueError, match="got 16 vertebrae"):
        aasce_angles(corners[:16], 1000.0)
    with pytest.raises(ValueError, match=r"\[17, 2, 2\]"):
        aasce_angles(corners[:, :2], 1000.0)
    for height in (0.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="image height"):
            aasce_angles(corners, height)
    for value in (np.nan, np.inf):
        broken = corners.copy()
        broken[9, 1, 0] = value
        with pytest.raises(ValueError, match="vertebra 9 has a corner that is not finite"):
            aasce_angles(broken, 1000.0)
    collapsed = corners.copy()
    collapsed[4] = 7.0
    with pytest.raises(ValueError, match="vertebra 4 has no width"):
        aasce_angles(collapsed, 1000.0)
