"""A spine's tilts from its mask, by the kernels in the order in which two published systems use such steps."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels

cv2 = pytest.importorskip("cv2", reason="needs OpenCV to draw a mask")
from tests import phantoms  # noqa: E402 - it draws with OpenCV, too


def spine_mask(tilts_deg: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What a network would mark of a spine with these tilts: all between its left and its right corners."""
    corners = phantoms.spine_corners(tilts_deg, top_px=(500.0, 120.0), length_px=1800.0)
    left, right = corners[:, [0, 2]].reshape(-1, 2), corners[:, [1, 3]].reshape(-1, 2)
    mask = np.zeros((2100, 1000), np.uint8)
    cv2.fillPoly(mask, [np.round(np.concatenate([left, right[::-1]])).astype(np.int32)], 1)
    return mask


@pytest.mark.parametrize("largest", [0.0, 15.0, 30.0])
def test_the_centreline_of_a_spine_has_the_tilts_of_its_vertebrae(place: Any, largest: float) -> None:
    """Mask, mid-line, heat and slopes at even points (Dubost), within the two degrees that smoothing takes off."""
    tilts = largest * np.sin(np.linspace(0.0, 2.0 * np.pi, 17))
    midline, _ = place.run(kernels.mask_midline, spine_mask(tilts))
    smoothed = place.run(kernels.smooth_heat, midline[np.isfinite(midline)])
    slopes = place.run(kernels.even_slopes, smoothed)
    found = np.degrees(np.arctan(slopes))
    assert np.ptp(found) == pytest.approx(np.ptp(tilts), abs=2.5)


@pytest.mark.parametrize("largest", [0.0, 15.0, 30.0])
def test_a_polynomial_through_the_midpoints_has_the_tilts_of_the_vertebrae(place: Any, largest: float) -> None:
    """Mask, borders, nearest midpoints both ways, least squares (Zhao)."""
    tilts = largest * np.sin(np.linspace(0.0, 2.0 * np.pi, 17))
    _, borders = place.run(kernels.mask_midline, spine_mask(tilts))
    x, y = place.run(kernels.border_midpoints, borders).reshape(-1, 2).T.copy()
    weights = np.isfinite(x).astype(np.float64)
    curves = kernels.fit_polynomial(y, x, weights, degree=6)
    _, slopes = kernels.evaluate_polynomial(curves, np.linspace(np.nanmin(y), np.nanmax(y), 100))
    found = np.degrees(np.arctan(slopes))
    assert np.ptp(found) == pytest.approx(np.ptp(tilts), abs=2.5)
