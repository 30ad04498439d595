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
    _check_end_plates(corners_mm)
    vertebrae, turns, counts = kernels.end_vertebrae(np.ascontiguousarray(corners_mm[None]), threshold=threshold_deg)
    found = zip(vertebrae[0, : counts[0]].tolist(), turns[0, : counts[0]].tolist(), strict=True)
    return tuple(_curve(corners_mm, levels, ends, turn) for ends, turn in found)


def _curve(corners: Points, levels: Sequence[str], vertebrae: list[int], turn: float) -> Curve:
    """`turn` goes from the upper end-plate of the upper end vertebra to the lower one of the lower, clockwise positive.

    Worked example: T6 slopes 20 degrees down to the right of the image (+20), T12 slopes 25 degrees up (-25). The turn
    is -25 - 20 = -45: a Cobb angle of 45 degrees. The two lines meet on the right, so that side is concave and the
    curve bulges to the left of the image.
    """
    upper, lower, apex = vertebrae
    convex: Side = "left" if turn < 0 else "right"
    line = np.concatenate([corners[upper, :2], corners[lower, 2:]])
    return Curve(_region(levels[apex]), abs(turn), upper, lower, apex, convex, line)


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
    corners_px = np.ascontiguousarray(corners_px)
    if (empty := np.flatnonzero(~kernels.tilt_vectors(corners_px).any(axis=1))).size:
        raise ValueError(f"vertebra {empty[0]} has no width")
    degrees: NDArray[np.float64] = kernels.challenge_angles(corners_px[None], np.array([float(image_height_px)]))[0][0]
    return degrees


def _check_corners(corners: Points) -> None:
    if corners.dtype != np.float64 or corners.ndim != 3 or corners.shape[1:] != (4, 2) or len(corners) < 2:
        raise ValueError(
            f"corners are {corners.dtype} {list(corners.shape)}, expected float64 [n, 4, 2] with n of 2 or more"
        )
    if (unknown := np.flatnonzero(~np.isfinite(corners).all(axis=(1, 2)))).size:
        raise ValueError(f"vertebra {unknown[0]} has a corner that is not finite")


def _check_end_plates(corners: Points) -> None:
    for name, plate in (("upper", corners[:, 1] - corners[:, 0]), ("lower", corners[:, 3] - corners[:, 2])):
        if (empty := np.flatnonzero(~plate.any(axis=1))).size:
            raise ValueError(f"the {name} end-plate of vertebra {empty[0]} has no length")


def _check_levels(levels: Sequence[str], count: int) -> None:
    if len(levels) != count:
        raise ValueError(f"{len(levels)} levels for {count} vertebrae")
    if list(levels) != [level for level in NAMED_LEVELS if level in levels]:
        raise ValueError(f"levels are {list(levels)}, expected some of {NAMED_LEVELS[0]}..{NAMED_LEVELS[-1]} in order")
