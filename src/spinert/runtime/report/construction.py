"""How a Cobb angle is drawn: two end-plate lines produced beyond the spine, and the arc between them.

The arc is centred where the two lines meet, so it spans exactly the angle; it lies on the convex side, outside every
vertebra of the curve, where nothing else is. Points are (x, y) in a frame with square pixels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

OVERHANG = 0.25
"""How far a line goes past the vertebra on the concave side, in end-plate widths."""
ARC_POINTS = 61
AGREEMENT_DEG = 1.0
"""An arc that would show another angle than the finding by more than this is not drawn."""


class Construction(NamedTuple):
    """`upper` and `lower` [2, 2], from the concave to the convex side; `arc` [n, 2] or None where no true arc exists.

    The value stands at `label`, or further along `outward` (unit vector).
    """

    upper: Points
    lower: Points
    arc: Points | None
    label: Points
    outward: Points


def construct(line: Points, corners: Points, degrees: float, clearance: float) -> Construction:
    """The drawing of one angle.

    line       [4, 2], end-plate lines: upper left, upper right, lower left, lower right
    corners    [v, 4, 2] of the vertebrae of the curve;  clearance: least distance from them to the arc
    """
    meeting = _meeting_point(line)
    if meeting is not None:
        away_upper, away_lower = _unit(line[:2].mean(axis=0) - meeting), _unit(line[2:].mean(axis=0) - meeting)
        turn = _signed_angle(away_upper, away_lower)
        if abs(abs(np.degrees(turn)) - degrees) <= AGREEMENT_DEG:
            return _with_arc(line, corners, meeting, away_upper, turn, clearance)
    return _without_arc(line, clearance)


def _with_arc(
    line: Points, corners: Points, meeting: Points, away_upper: Points, turn: float, clearance: float
) -> Construction:
    radius = float(np.linalg.norm(corners.reshape(-1, 2) - meeting, axis=1).max()) + clearance
    start = np.arctan2(away_upper[1], away_upper[0])
    at = start + np.linspace(0.0, turn, ARC_POINTS)
    directions = np.stack([np.cos(at), np.sin(at)], axis=-1)
    arc = meeting + radius * directions
    ends = []
    for plate, outer in ((line[:2], directions[0]), (line[2:], directions[-1])):
        near = float(np.linalg.norm(plate - meeting, axis=1).min())
        width = float(np.linalg.norm(plate[1] - plate[0]))
        inner = max(0.0, near - OVERHANG * width)
        ends.append(meeting + np.outer([inner, radius + 0.1 * width], outer))
    middle = ARC_POINTS // 2
    return Construction(ends[0], ends[1], arc, arc[middle], directions[middle])


def _without_arc(line: Points, clearance: float) -> Construction:
    """Parallel lines, or lines that meet between the two vertebrae: both produced to both sides."""
    plates = [line[:2], line[2:]]
    produced = []
    for plate in plates:
        along = _unit(plate[1] - plate[0])
        produced.append(np.stack([plate[0] - along * clearance, plate[1] + along * clearance]))
    label = (produced[0][1] + produced[1][1]) / 2
    return Construction(produced[0], produced[1], None, label, np.array([1.0, 0.0]))


def _meeting_point(line: Points) -> Points | None:
    """Where the two lines cross, None where they are parallel."""
    along_upper, along_lower = line[1] - line[0], line[3] - line[2]
    determinant = _cross(along_upper, along_lower)
    if abs(determinant) < 1e-6 * np.linalg.norm(along_upper) * np.linalg.norm(along_lower):
        return None
    meeting: Points = line[0] + along_upper * (_cross(line[2] - line[0], along_lower) / determinant)
    return meeting


def _signed_angle(a: Points, b: Points) -> float:
    return float(np.arctan2(_cross(a, b), a @ b))


def _cross(a: Points, b: Points) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _unit(vector: Points) -> Points:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
