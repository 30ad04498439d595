"""Landmarks that cannot be: checks of vertebral corners against anatomy, before any angle is believed.

Each check has a name that goes into the flags of a finding. The bounds lie just outside what people draw: of 436
hand-labelled films of scoliosis (AASCE 2019, without the known label errors) all checks together flag 14 films and
21 of 7412 vertebrae, some of these mislabelled and some truly misshapen. A network has to be clearly wrong to be
flagged, but so is a hemivertebra; what passes is not thereby right.
"""

import numpy as np
from numpy.typing import NDArray

from spinert.image import Image

HEIGHT_TO_WIDTH = (0.15, 1.2)
"""Of one vertebra; a healthy one has 0.5 (T1) to 0.8, a crushed or half-hidden one less."""
LARGEST_WEDGE_DEG = 25.0
"""Between the two end-plates of one vertebra; one corner that is off by its height makes about 30."""
LARGEST_PLATE_RATIO = 1.6
"""Of the longer to the shorter end-plate; one corner that is off by half the width makes at least 1.5."""
HEIGHT_RATIO, WIDTH_RATIO = (0.42, 2.2), (0.67, 1.5)
"""A vertebra's size to the median of its neighbours up to two levels away."""
SPACING_RATIO = (0.55, 1.6)
"""A distance of neighbouring centres to the median of the distances near it; a vertebra left out makes 2."""
LARGEST_OVERLAP = 0.2
"""How far a vertebra may reach into the next one, in heights."""

LEAST_MEDIAN_HEIGHT_TO_WIDTH = 0.45
"""Of a whole spine as a network finds it. On a film that shows only some of the levels it must find, they are squeezed
together: of 149 AASCE films cropped to 60 % of their height nineteen in twenty are below this, of the whole films one
in a hundred."""


def check_landmarks(corners_px: NDArray[np.float64], image: Image) -> tuple[tuple[str, ...], ...]:
    """Names of the checks that each vertebra fails; empty where nothing is wrong.

    corners_px   float64 [n, 4, 2], (x, y) in pixels of `image`, from head to foot, TL, TR, BL, BR as seen in it;
                 values may be NaN or infinite
    image        gives the borders and the spacing: shapes are judged with square pixels

    not_finite          a corner is no number; the vertebra takes part in no other check
    outside_image       a corner lies outside the image
    left_right_swapped  the right side lies left of the left side
    top_bottom_swapped  the lower end-plate lies above the upper one
    corners_crossing    the outline crosses itself or is dented
    implausible_shape   too flat or too tall for its width, or end-plates too far from parallel or equal length
    out_of_order        its centre is not below the one above it; both are flagged
    overlaps_neighbour  it reaches into the next one; both are flagged
    size_jump           much larger or smaller than the vertebrae around it
    spacing_jump        much nearer to or farther from a neighbour than is usual here: one was skipped or taken
                        twice; both are flagged

    Raises ValueError for another shape.
    """
    if corners_px.ndim != 3 or corners_px.shape[1:] != (4, 2) or not len(corners_px):
        raise ValueError(f"corners have shape {list(corners_px.shape)}, expected [n, 4, 2] with n of 1 or more")
    finite: NDArray[np.bool_] = np.all(np.isfinite(corners_px), axis=(1, 2))
    known_px = np.where(finite[:, None, None], corners_px, np.nan)
    failed = {
        "not_finite": ~finite,
        "outside_image": _outside(known_px, image.shape),
        **_each(image.to_mm(known_px)),
        **_beside_neighbours(image.to_mm(known_px)),
    }
    return tuple(tuple(name for name, mask in failed.items() if mask[v]) for v in range(len(corners_px)))


def is_squeezed(corners_px: NDArray[np.float64], image: Image) -> bool:
    """Whether the vertebrae together are flatter than a spine's: the film probably shows fewer of them.

    corners_px and image are those of `check_landmarks`.
    """
    top, bottom, left, right = _midpoints(image.to_mm(corners_px))
    height, width = np.linalg.norm(bottom - top, axis=1), np.linalg.norm(right - left, axis=1)
    return _median(height.tolist()) < LEAST_MEDIAN_HEIGHT_TO_WIDTH * _median(width.tolist())


def _outside(corners_px: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The outer half of a border pixel belongs to the image."""
    rows, columns = shape
    beyond = (corners_px < -0.5) | (corners_px > np.array([columns, rows]) - 0.5)
    outside: NDArray[np.bool_] = np.any(beyond, axis=(1, 2))
    return outside


def _each(corners: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Checks of a vertebra by itself. NaN compares as False, so an unknown vertebra fails none."""
    top, bottom, left, right = _midpoints(corners)
    across, down = right - left, bottom - top
    height, width = np.linalg.norm(down, axis=1), np.linalg.norm(across, axis=1)
    low, high = HEIGHT_TO_WIDTH
    edge = np.diff(corners[:, [0, 1, 3, 2, 0]], axis=1)
    corner_turn = _cross(edge, np.roll(edge, -1, axis=1))
    upper, lower = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 2]
    wedge = np.degrees(np.arctan2(np.abs(_cross(upper, lower)), (upper * lower).sum(axis=1)))
    plates = np.stack([np.linalg.norm(upper, axis=1), np.linalg.norm(lower, axis=1)])
    misshapen = (
        (height <= low * width)
        | (height >= high * width)
        | (wedge > LARGEST_WEDGE_DEG)
        | (plates.max(axis=0) > LARGEST_PLATE_RATIO * plates.min(axis=0))
    )
    return {
        "left_right_swapped": across[:, 0] < 0,
        "top_bottom_swapped": down[:, 1] < 0,
        "corners_crossing": (corner_turn < 0).any(axis=1) & (corner_turn > 0).any(axis=1),
        "implausible_shape": misshapen,
    }


def _beside_neighbours(corners: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Checks of a vertebra against those above and below it."""
    top, bottom, left, right = _midpoints(corners)
    down = bottom - top
    height, width = np.linalg.norm(down, axis=1), np.linalg.norm(right - left, axis=1)
    step = np.diff(corners.mean(axis=1), axis=0)
    down_between = down[1:] + down[:-1]
    gap = ((top[1:] - bottom[:-1]) * down_between).sum(axis=1)
    least_gap = -LARGEST_OVERLAP * (height[1:] + height[:-1]) / 2 * np.linalg.norm(down_between, axis=1)
    return {
        "out_of_order": _both(step[:, 1] <= 0),
        "overlaps_neighbour": _both(gap < least_gap),
        "size_jump": _jumps(height, HEIGHT_RATIO) | _jumps(width, WIDTH_RATIO),
        "spacing_jump": spacing_jumps(corners.mean(axis=1)),
    }


def _midpoints(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Of the upper, lower, left and right edge, each [n, 2]."""
    top_left, top_right, bottom_left, bottom_right = corners.swapaxes(0, 1)
    return (
        (top_left + top_right) / 2,
        (bottom_left + bottom_right) / 2,
        (top_left + bottom_left) / 2,
        (top_right + bottom_right) / 2,
    )


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _jumps(lengths: NDArray[np.float64], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    """Lengths outside `bounds` times the median of the up to four known ones around them; NaN is no jump."""
    low, high = bounds
    values = lengths.tolist()
    jumps = np.zeros(len(values), bool)
    for at, length in enumerate(values):
        around = [other for other in values[max(0, at - 2) : at] + values[at + 1 : at + 3] if other > 0]
        if around:
            usual = _median(around)
            jumps[at] = length < low * usual or length > high * usual
    return jumps


def _median(values: list[float]) -> float:
    """Of at least one value. np.median imports numpy.ma when it is first called, which costs the first film 10 ms."""
    in_order = sorted(values)
    return (in_order[(len(in_order) - 1) // 2] + in_order[len(in_order) // 2]) / 2


def spacing_jumps(centres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the centres [n, 2], in mm from head to foot, is much nearer to or farther from its neighbour."""
    return _both(_jumps(np.linalg.norm(np.diff(centres, axis=0), axis=1), SPACING_RATIO))


def _both(between: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[n - 1] for the places between vertebrae -> [n], true for both vertebrae beside a true place."""
    if not len(between):
        return np.zeros(1, bool)
    return np.concatenate([between[:1], between[1:] | between[:-1], between[-1:]])
