"""Cobb angles from the corners of the vertebrae in a frontal radiograph.

Corners are float64 [n, 4, 2]: n vertebrae from head to foot, each TL, TR, BL, BR as seen in the image, a point being
(x, y) with x to the right and y down.

clinical_curves   every curve of the spine, end-plate to end-plate (Cobb 1948), in millimetres, named by anatomy
aasce_angles      the three angles of the AASCE 2019 challenge, in pixels: to compare with published results only
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.findings import LEVELS, T1_TO_L5, Region, Side

Points = NDArray[np.float64]

NAMED_LEVELS = LEVELS[LEVELS.index("T1") :]
"""Levels whose curves have a region; the regions below do not cover cervical curves."""
LAST_PROXIMAL_THORACIC, LAST_MAIN_THORACIC = LEVELS.index("T5"), LEVELS.index("T11")

TIE_DECIMALS = 6
"""Angles are compared in millionths of a degree, so that the last bit of a float does not choose between vertebrae
of equal tilt; of these the ones that make the shorter curve are taken."""
AASCE_COSINE_DECIMALS = 8

_Turn = tuple[int, int]
"""Upper and lower end vertebra."""
_Chain = tuple[float, tuple[_Turn, ...]]
"""By how much its turns exceed the threshold in sum, and the turns."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve of the spine; `upper`, `lower` and `apex` are indices into the vertebrae.

    degrees   Cobb angle, 0..180
    convex    the side of the image, not of the patient, towards which the curve bulges
    line      the two end-plate lines, float64 [4, 2] in the frame of the corners:
              left and right end of the upper one, left and right end of the lower one
    """

    region: Region
    degrees: float
    upper: int
    lower: int
    apex: int
    convex: Side
    line: Points


def clinical_curves(corners_mm: Points, levels: Sequence[str], *, threshold_deg: float = 10.0) -> tuple[Curve, ...]:
    """All curves of at least `threshold_deg`, top to bottom; neighbours bulge to opposite sides and share a vertebra.

    A curve runs from the upper end-plate of its upper end vertebra to the lower end-plate of its lower end vertebra;
    the end vertebrae are those that make it largest, a shared one those that make both largest in sum. A reversal of
    tilt below the threshold makes no curve of its own and does not divide the one around it. 10 degrees is the least
    that the Scoliosis Research Society calls scoliosis. Angles need square pixels, so multiply pixels by their
    spacing first; any unit will do.

    corners_mm   float64 [n, 4, 2], n >= 2
    levels       the n vertebrae's names from head to foot, within T1..S1

    Raises ValueError for another type or shape, values that are not finite, an end-plate without length, levels that
    do not fit, or a threshold that is not positive.
    """
    _check_corners(corners_mm)
    _check_levels(levels, len(corners_mm))
    if not threshold_deg > 0:
        raise ValueError(f"threshold_deg is {threshold_deg}, expected more than 0")
    turns = _turns_deg(corners_mm)
    return tuple(
        _curve(corners_mm, levels, ends, float(turns[ends])) for ends in _alternating_turns(turns, threshold_deg)
    )


def _turns_deg(corners: Points) -> NDArray[np.float64]:
    """Turn from the upper end-plate of vertebra u to the lower end-plate of l: [u, l], degrees -180..180.

    Positive is clockwise on the screen. Worked example: T6 slopes 20 degrees down to the right of the image (+20),
    T12 slopes 25 degrees up (-25). The turn is -25 - 20 = -45: a Cobb angle of 45 degrees. The two lines meet on the
    right, so that side is concave and the curve bulges to the left of the image.
    """
    count = len(corners)
    upper, lower = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 2]
    for name, plate in (("upper", upper), ("lower", lower)):
        if (empty := np.flatnonzero(~plate.any(axis=1))).size:
            raise ValueError(f"the {name} end-plate of vertebra {empty[0]} has no length")
    plates = np.ascontiguousarray(np.concatenate([upper, lower]))
    magnitude = kernels.angle_matrix(plates)[:count, count:]
    cross = upper[:, None, 0] * lower[None, :, 1] - upper[:, None, 1] * lower[None, :, 0]
    turns: NDArray[np.float64] = np.where(cross < 0, -magnitude, magnitude)
    return turns.round(TIE_DECIMALS)


def _alternating_turns(turns: NDArray[np.float64], threshold: float) -> tuple[_Turn, ...]:
    """The chain of turns of alternating sign, each starting where the last one ended, that exceeds the threshold most.

    What counts is the sum of (|turn| - threshold). Dividing a turn at a reversal of w degrees wins 2 (w - threshold),
    so a reversal within a curve divides it once it exceeds the threshold: no scan direction, no order of extremes.
    Without the subtraction a small curve that owes its size to one wedged vertebra would be worth more than the
    degrees it takes from the large curve beside it.

    Solved from the top: the best chain that ends at a vertebra with a turn of a given sign.
    """
    nothing: _Chain = (0.0, ())
    best: dict[tuple[int, bool], _Chain] = {}
    for lower in range(1, len(turns)):
        for upper in reversed(range(lower)):
            turn = float(turns[upper, lower])
            if abs(turn) < threshold:
                continue
            before, chain = best.get((upper, turn < 0), nothing)
            total = before + abs(turn) - threshold
            if (lower, turn > 0) not in best or total > best[lower, turn > 0][0]:
                best[lower, turn > 0] = (total, (*chain, (upper, lower)))
    return max(best.values(), key=lambda scored: scored[0], default=nothing)[1]


def _curve(corners: Points, levels: Sequence[str], ends: _Turn, turn: float) -> Curve:
    upper, lower = ends
    convex: Side = "left" if turn < 0 else "right"
    apex = _apex(corners.mean(axis=1), upper, lower, convex)
    line = np.concatenate([corners[upper, :2], corners[lower, 2:]])
    return Curve(_region(levels[apex]), abs(turn), upper, lower, apex, convex, line)


def _apex(centres: Points, upper: int, lower: int, convex: Side) -> int:
    """The vertebra between the end vertebrae that bulges farthest from the line through their centres.

    This is the regional apex of the Scoliosis Research Society's three-dimensional terminology (Stokes 1994). The
    global apex, farthest from the vertical through the sacrum, needs a sacrum in the image and an upright patient.
    Two adjacent end vertebrae have none between them: then the upper one.
    """
    if lower - upper < 2:
        return upper
    chord = centres[lower] - centres[upper]
    beyond = centres[upper + 1 : lower] - centres[upper]
    to_the_left = chord[0] * beyond[:, 1] - chord[1] * beyond[:, 0]
    return upper + 1 + int(np.argmax(to_the_left if convex == "left" else -to_the_left))


def _region(apex: str) -> Region:
    """SRS regions as Lenke (2001) uses them: apex to T5, T6 to T11, T12 and below."""
    place = LEVELS.index(apex)
    if place <= LAST_PROXIMAL_THORACIC:
        return "proximal_thoracic"
    return "main_thoracic" if place <= LAST_MAIN_THORACIC else "thoracolumbar_lumbar"


def aasce_angles(corners_px: Points, image_height_px: float) -> NDArray[np.float64]:
    """The AASCE 2019 challenge's three angles, float64 [3] in degrees 0..180, by the challenge's own rule.

    It is no clinical Cobb angle: it measures between the mid-lines of vertebrae instead of end-plates, in pixels
    even where they are not square, and in an S-shaped spine it asks in which half of the image the curve lies, so a
    margin changes the result. The first angle is the largest, the others depend on the spine's shape; "proximal
    thoracic, main thoracic, lumbar" are names that the challenge printed, not what is measured.

    corners_px        float64 [17, 4, 2], T1..L5
    image_height_px   height of the image that these pixels count in

    Raises ValueError for another type or shape, values that are not finite, or a vertebra without width.
    """
    _check_corners(corners_px)
    if len(corners_px) != len(T1_TO_L5) or not 0 < image_height_px < np.inf:
        raise ValueError(
            f"got {len(corners_px)} vertebrae and an image height of {image_height_px}, expected {len(T1_TO_L5)} "
            "and a positive height"
        )
    angles = _aasce_angle_matrix(kernels.tilt_vectors(np.ascontiguousarray(corners_px)))
    plates = np.stack([(corners_px[:, 0] + corners_px[:, 1]) / 2, (corners_px[:, 2] + corners_px[:, 3]) / 2], axis=1)
    upper = int(angles.max(axis=0).argmax())
    lower = int(angles[:, upper].argmax())
    if not _is_s_shaped(plates.reshape(-1, 2)):
        return np.array([angles[upper, lower], angles[0, upper], angles[-1, lower]])
    above = angles[upper, : upper + 1]
    if plates[upper, 1, 1] + plates[lower, 1, 1] < image_height_px:
        third = angles[lower, lower:].max()
    else:
        most_turned = int(above.argmax())
        third = angles[most_turned, : most_turned + 1].max()
    return np.array([angles[upper, lower], above.max(), third])


def _aasce_angle_matrix(vectors: Points) -> NDArray[np.float64]:
    """acos of the cosine rounded to 8 decimals, as in the challenge: below 0.006 degrees the angle is 0."""
    x, y = vectors.T
    length = np.hypot(x, y)
    if (empty := np.flatnonzero(length == 0)).size:
        raise ValueError(f"vertebra {empty[0]} has no width")
    cosine = (np.outer(x, x) + np.outer(y, y)) / np.outer(length, length)
    angles: NDArray[np.float64] = np.degrees(np.arccos(np.round(cosine, AASCE_COSINE_DECIMALS)))
    return angles


def _is_s_shaped(plates: Points) -> bool:
    """End-plate mid-points [34, 2] on both sides of the line from first to last; the last vertebra does not count.

    Where first and last share their x or their y, the challenge's formula divides 0 by 0 and takes that for an S.
    """
    span = plates[0] - plates[-1]
    if not span.all():
        return True
    along = (plates[:-2] - plates[-1]) / span
    aside = along[:, 1] - along[:, 0]
    return bool((aside > 0).any() and (aside < 0).any())


def _check_corners(corners: Points) -> None:
    if corners.dtype != np.float64 or corners.ndim != 3 or corners.shape[1:] != (4, 2) or len(corners) < 2:
        raise ValueError(
            f"corners are {corners.dtype} {list(corners.shape)}, expected float64 [n, 4, 2] with n of 2 or more"
        )
    if (unknown := np.flatnonzero(~np.isfinite(corners).all(axis=(1, 2)))).size:
        raise ValueError(f"vertebra {unknown[0]} has a corner that is not finite")


def _check_levels(levels: Sequence[str], count: int) -> None:
    if len(levels) != count:
        raise ValueError(f"{len(levels)} levels for {count} vertebrae")
    if list(levels) != [level for level in NAMED_LEVELS if level in levels]:
        raise ValueError(f"levels are {list(levels)}, expected some of {NAMED_LEVELS[0]}..{NAMED_LEVELS[-1]} in order")
