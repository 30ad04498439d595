"""What must come back from a film with known corners, and how near."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Vertebra
from spinert.image import Image
from spinert.runtime.landmark_findings import landmark_findings
from tests.phantoms import spine_corners

DEGREES = 0.5

SINGLE = np.array([0, -4, -9, -15, -20, -16, -10, -2, 8, 16, 22, 14, 8, 4, 2, 0, 3], np.float64)
DOUBLE = np.interp(np.arange(17), [0, 4, 10, 16], [14.0, 20.0, -21.0, 13.0])
MILD = np.interp(np.arange(17), [0, 5, 12, 16], [-2.0, -7.0, 8.0, 1.0])
TILTS = {"single": SINGLE, "double": DOUBLE, "mild": MILD}


def spine(tilts: NDArray[np.float64], size: tuple[int, int], share: float = 0.86) -> NDArray[np.float64]:
    """A spine of `share` of a film's height in its middle, float64 [n, 4, 2].

    Vertebrae are a fifth flatter than a phantom's, so that they do not touch where they are drawn small.
    """
    corners = spine_corners(tilts, (0.0, 0.0), 1000.0)
    middles = (corners + corners[:, [2, 3, 0, 1]]) / 2
    corners = middles + (corners - middles) * 0.8
    corners *= share * size[0] / np.ptp(corners[..., 1])
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    return corners - (low + high) / 2 + (np.array(size[::-1]) - 1) / 2


def vertebrae(findings: Sequence[Finding]) -> list[Vertebra]:
    return [finding for finding in findings if isinstance(finding, Vertebra)]


def curves(findings: Sequence[Finding]) -> list[CobbAngle]:
    return [finding for finding in findings if isinstance(finding, CobbAngle)]


def aasce(findings: Sequence[Finding]) -> list[AasceAngles]:
    return [finding for finding in findings if isinstance(finding, AasceAngles)]


def assert_truth(findings: Sequence[Finding], corners: NDArray[np.float64], image: Image, pixels: float) -> None:
    """Levels and end vertebrae exactly, angles to half a degree, corners to so many pixels, nothing flagged."""
    want = landmark_findings(
        image, corners, np.ones(len(corners)), T1_TO_L5, least_confidence=0.5, least_cobb_degrees=10.0
    )
    assert [v.level for v in vertebrae(findings)] == list(T1_TO_L5)
    assert np.abs(np.array([v.corners_px for v in vertebrae(findings)]) - corners).max() < pixels
    assert [(c.name, c.upper, c.apex, c.lower) for c in curves(findings)] == [
        (c.name, c.upper, c.apex, c.lower) for c in curves(want)
    ]
    assert len(curves(want)) > 0
    for got, true in zip(curves(findings), curves(want), strict=True):
        assert got.degrees == pytest.approx(true.degrees, abs=DEGREES)
    assert np.allclose([a.degrees for a in aasce(findings)], [a.degrees for a in aasce(want)], atol=DEGREES)
    assert [f.flags for f in findings] == [()] * len(findings)
