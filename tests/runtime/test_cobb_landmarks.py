"""Geometry of the pipeline: a network that answers with a phantom's true corners must give the true angles."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import bundle as bundles
from spinert import kernels
from spinert.errors import BadBundle, BadNetwork
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Vertebra
from spinert.image import Image
from spinert.runtime import pipelines
from spinert.runtime.cobb import aasce_angles
from spinert.runtime.infer import Examined, load
from tests.bundles import SETTINGS, SIZE, heatmaps_at, write_bundle
from tests.phantoms import spine_corners

THORACIC_CURVE = np.array([0, -4, -9, -15, -20, -16, -10, -2, 8, 16, 22, 14, 8, 4, 2, 0, 0], np.float64)
"""T5 tilts -20 and T11 +22 degrees: one curve of 42 degrees with its apex near T8, between two smaller ones."""


def examine(
    folder: Path, corners_px: NDArray[np.float64], image: Image, heatmaps: NDArray[np.float32] | None = None
) -> Examined:
    """Run the whole pipeline on `image` with a network that always finds `corners_px`."""
    plane = kernels.prepare_radiograph(image.pixels, size=SIZE, mm_per_pixel_xy=image.mm_per_pixel_xy).map
    if heatmaps is None:
        heatmaps = heatmaps_at(plane.to_network(corners_px))
    write_bundle(folder, heatmaps)
    with load(folder, threads=1) as model:
        return model.infer_images([image])


def film(**fields: Any) -> Image:
    pixels = np.random.default_rng(0).integers(0, 4096, (1000, 500)).astype(np.uint16)
    return Image(pixels, "DX", **fields)


def spine() -> NDArray[np.float64]:
    return spine_corners(THORACIC_CURVE, (250.0, 120.0), 780.0)


def curves(examined: Examined) -> list[CobbAngle]:
    return [finding for finding in examined.result.findings if isinstance(finding, CobbAngle)]


def vertebrae(examined: Examined) -> list[Vertebra]:
    return [finding for finding in examined.result.findings if isinstance(finding, Vertebra)]


def test_corners_come_back_in_pixels_of_the_stored_image(tmp_path: Path) -> None:
    found = vertebrae(examine(tmp_path / "b", spine(), film()))
    assert tuple(v.level for v in found) == T1_TO_L5
    # a two-hundredth of a heat-map cell, which is 20 pixels here
    assert np.abs(np.array([v.corners_px for v in found]) - spine()).max() < 0.1


def test_the_curve_has_its_true_angle_vertebrae_and_apex(tmp_path: Path) -> None:
    (main,) = (c for c in curves(examine(tmp_path / "b", spine(), film())) if c.name == "main_thoracic")
    assert main.degrees == pytest.approx(42.0, abs=0.5)
    assert (main.upper, main.apex, main.lower) == ("T5", "T8", "T11")


def test_angles_are_measured_in_millimetres(tmp_path: Path) -> None:
    spacing = (0.14, 0.20)
    corners_px = spine_corners(THORACIC_CURVE, (50.0, 9.0), 115.0) / (0.20, 0.14)
    found = curves(examine(tmp_path / "b", corners_px, film(spacing_mm=spacing, spacing_kind="detector_plane")))
    assert max(curve.degrees for curve in found) == pytest.approx(42.0, abs=0.5)


def test_the_challenge_rule_is_applied_to_pixels(tmp_path: Path) -> None:
    found = examine(tmp_path / "b", spine(), film()).result.findings[-1]
    assert isinstance(found, AasceAngles)
    assert np.allclose(found.degrees, aasce_angles(spine(), 1000), atol=0.5)


@pytest.mark.parametrize(
    ("orientation", "side"),
    [(("L", "F"), "left"), (("R", "F"), "right"), (None, None)],
    ids=["usual", "mirrored", "none"],
)
def test_the_side_is_the_patients_or_is_not_stated(tmp_path: Path, orientation: Any, side: str | None) -> None:
    # T5 rises and T11 falls to the right: the curve bulges to the right of the image, in the usual view the left side
    found = curves(examine(tmp_path / "b", spine(), film(orientation=orientation)))
    assert next(curve for curve in found if curve.name == "main_thoracic").side == side


def test_the_lines_are_end_plates_of_the_end_vertebrae(tmp_path: Path) -> None:
    main = next(c for c in curves(examine(tmp_path / "b", spine(), film())) if c.name == "main_thoracic")
    assert np.abs(np.array(main.line_px[:2]) - spine()[4, :2]).max() < 0.1
    assert np.abs(np.array(main.line_px[2:]) - spine()[10, 2:]).max() < 0.1


def test_a_flat_heatmap_flags_its_vertebra_and_what_is_made_of_it(tmp_path: Path) -> None:
    image = film()
    plane = kernels.prepare_radiograph(image.pixels, size=SIZE).map
    heatmaps = heatmaps_at(plane.to_network(spine()))
    heatmaps[4 * 6] *= 0.01
    examined = examine(tmp_path / "b", spine(), image, heatmaps)
    flags = {v.level: v.flags for v in vertebrae(examined)}
    assert "low_confidence" in flags["T7"]
    assert flags["T4"] == ()
    assert all(curve.flags == ("uncertain_vertebra",) for curve in curves(examined) if curve.apex == "T8")
    assert any("T7 (" in warning for warning in examined.result.warnings)


def test_a_flagged_vertebra_beside_a_curve_flags_it(tmp_path: Path) -> None:
    # With L1, the true end vertebra, found badly, the curve ended at T12: a smaller angle, and it looked sound.
    tilts = np.array([0, 5, 10, 15, 20, 16, 11, 6, 0, -6, -11, -18, -8, -6, -4, -2, 0], np.float64)
    image, corners = film(), spine_corners(tilts, (250.0, 120.0), 780.0)
    heatmaps = heatmaps_at(kernels.prepare_radiograph(image.pixels, size=SIZE).map.to_network(corners))
    heatmaps[4 * 12] *= 0.01
    (main,) = (c for c in curves(examine(tmp_path / "b", corners, image, heatmaps)) if c.name == "main_thoracic")
    assert main.lower == "T12"
    assert main.flags == ("uncertain_vertebra",)


def test_swapped_corners_are_flagged_never_silent(tmp_path: Path) -> None:
    swapped = spine()
    swapped[8] = swapped[8][[1, 0, 3, 2]]
    examined = examine(tmp_path / "b", swapped, film())
    assert next(v for v in vertebrae(examined) if v.level == "T9").flags
    assert examined.result.warnings


def test_seventeen_vertebrae_squeezed_into_a_film_of_fewer_are_all_flagged(tmp_path: Path) -> None:
    # on a film cropped to some levels a network still finds all of them, flat, each well in line with the others
    middle = spine().mean(axis=(0, 1))
    examined = examine(tmp_path / "b", (spine() - middle) * (1.0, 0.55) + middle, film())
    assert all("squeezed_spine" in v.flags for v in vertebrae(examined))
    assert all(curve.flags for curve in curves(examined))


def test_flat_heatmaps_give_flagged_vertebrae_and_no_angle(tmp_path: Path) -> None:
    examined = examine(tmp_path / "b", spine(), film(), np.zeros((68, 48, 24), np.float32))
    assert all("low_confidence" in v.flags and "implausible_shape" in v.flags for v in vertebrae(examined))
    assert len(examined.result.findings) == 17
    assert examined.result.warnings


def test_heatmaps_that_are_not_finite_end_in_an_error(tmp_path: Path) -> None:
    heatmaps = heatmaps_at(np.full((68, 2), 40.0))
    heatmaps[3, 5, 5] = np.nan
    with pytest.raises(BadNetwork, match="1 of 68 heat-maps hold values that are not finite"):
        examine(tmp_path / "b", spine(), film(), heatmaps)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_names": ("T1", "T3")}, "expected consecutive vertebrae"),
        ({"class_names": ("T1", "T2")}, r"expected \[N, 1, H, W\] -> \[N, 8, H/s, W/s\]"),
        ({"settings": {"least_confidence": 0.5}}, "missing required field"),
        # out of range they ended in "a bug in spinert" at the first film
        ({"settings": {**SETTINGS, "preparation": {"percentiles": [99, 1]}}}, "first must be below the second"),
        ({"settings": {**SETTINGS, "confidence_radius_cells": -3}}, "confidence_radius_cells"),
        ({"settings": {**SETTINGS, "least_confidence": 35}}, "least_confidence"),
        ({"settings": {**SETTINGS, "least_cobb_degrees": 0}}, "least_cobb_degrees"),
        ({"pipeline": "tea"}, "no pipeline 'tea', only: .*cobb_landmarks"),
    ],
)
def test_a_bundle_that_does_not_fit_the_steps_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    manifest = write_bundle(tmp_path / "b", np.zeros((68, 48, 24), np.float32)).manifest
    with pytest.raises(BadBundle, match=message):
        pipelines.settings_of(msgspec.structs.replace(manifest, **change))
    assert bundles.load(tmp_path / "b").name == "truth"
