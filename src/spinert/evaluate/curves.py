"""Curves that were found, each against the labelled curve that it is.

Two curves are the same where they bulge to the same side and at least half of the vertebrae of the shorter one are in
the other; the names of end vertebrae may differ, as they do between readers and where all levels are off by one. Where
no labelled curve of 10 degrees is there, as with a found curve of 11 degrees that is one of 9, the truth is the
labelled angle between the end-plates that the found one names.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5, CobbAngle, Finding, Interval
from spinert.image import Image
from spinert.runtime import cobb
from spinert.runtime.differences import turn_degrees

LEAST_DEGREES = 10.0
"""From here on the Scoliosis Research Society calls a curve scoliosis."""


class Paired(NamedTuple):
    """One found curve in degrees, its 95 % interval where it has one, and the labelled angle."""

    degrees: float
    interval: Interval | None
    labelled: float


def pair(image: Image, findings: Sequence[Finding], corners_px: NDArray[np.float64]) -> list[Paired]:
    """Each found curve within T1..L5 of one film; `corners_px` float64 [17, 4, 2] are the labelled corners."""
    found = [each for each in findings if isinstance(each, CobbAngle) and {each.upper, each.lower} <= set(T1_TO_L5)]
    if not found:
        return []
    corners = image.to_mm(corners_px)
    labelled = cobb.clinical_curves(corners, T1_TO_L5, threshold_deg=LEAST_DEGREES)
    return [Paired(each.degrees, each.degrees_95, _truth(image, each, labelled, corners)) for each in found]


def _truth(image: Image, found: CobbAngle, labelled: Sequence[cobb.Curve], corners: NDArray[np.float64]) -> float:
    upper, lower = T1_TO_L5.index(found.upper), T1_TO_L5.index(found.lower)
    turn = turn_degrees(image.to_mm(np.array(found.line_px)))
    shared = {
        curve: (min(lower, curve.lower) - max(upper, curve.upper)) / min(lower - upper, curve.lower - curve.upper)
        for curve in labelled
        if turn * turn_degrees(curve.line) > 0
    }
    best = max(shared, key=lambda curve: shared[curve], default=None)
    if best is not None and shared[best] >= 0.5:
        return best.degrees
    return abs(turn_degrees(np.concatenate([corners[upper, :2], corners[lower, 2:]])))
