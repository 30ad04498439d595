"""Boxes that overlap, in float64."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Boxes = NDArray[np.float32]
Offsets = NDArray[np.int64]
Kept = tuple[NDArray[np.int32], NDArray[np.int32]]


def iou(a: Boxes, b: Boxes) -> Array:
    """[n, m]."""
    return _share_of_union(_intersections(a, b), _areas(a), _areas(b))


def _areas(boxes: Boxes) -> Array:
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    area = np.where((sides > 0.0).all(axis=1), sides.prod(axis=1), 0.0)
    return np.where(np.isfinite(boxes).all(axis=1), area, np.nan)


def _intersections(a: Boxes, b: Boxes) -> Array:
    a, b = a[:, None].astype(np.float64), b.astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.maximum(sides, 0.0).prod(axis=-1))


def _share_of_union(shared: Array, area_a: Array, area_b: Array) -> Array:
    union = area_a[:, None] + area_b - shared
    ratio = np.divide(shared, union, out=np.zeros_like(union), where=shared > 0.0)
    return np.where(np.isnan(union), np.nan, ratio)


def rotated_iou(a: Boxes, b: Boxes) -> Array:
    """[n, m]; each b clipped by the sides of each a."""
    area_a, area_b = _rotated_areas(a), _rotated_areas(b)
    shared = np.zeros((len(a), len(b)))
    for i, own in enumerate(a):
        (corners,) = _rotated_corners(own[None], own[:2])
        shared[i] = [_area(_clipped(other, corners)) for other in _rotated_corners(b, own[:2])]
    return _share_of_union(np.where(np.minimum.outer(area_a, area_b) > 0.0, shared, 0.0), area_a, area_b)


def _rotated_corners(boxes: Boxes, origin: Boxes) -> Array:
    """[n, 4, 2] from the origin, in the order in which they lie around the box."""
    x, y, width, height, radians = boxes.astype(np.float64).T
    along = np.stack([np.cos(radians), np.sin(radians)], axis=1) * width[:, None] / 2.0
    down = np.stack([-np.sin(radians), np.cos(radians)], axis=1) * height[:, None] / 2.0
    centre = np.stack([x, y], axis=1) - origin
    return np.stack(
        [centre - along - down, centre + along - down, centre + along + down, centre - along + down], axis=1
    )


def _rotated_areas(boxes: Boxes) -> Array:
    width, height = boxes.T[2:4].astype(np.float64)
    area = np.where((width > 0.0) & (height > 0.0), width * height, 0.0)
    return np.where(np.isfinite(boxes).all(axis=1), area, np.nan)


def _clipped(polygon: Array, box: Array) -> Array:
    """What of the polygon lies within the box (Sutherland, Hodgman 1974)."""
    for begin, end in zip(box, np.roll(box, -1, axis=0), strict=True):
        (dx, dy), (x, y) = end - begin, (polygon - begin).T
        inside = dx * y - dy * x
        polygon = _clipped_by_line(polygon, inside)
    return polygon


def _clipped_by_line(polygon: Array, inside: Array) -> Array:
    corners = []
    for i in range(len(polygon)):
        before = polygon[i - 1], inside[i - 1]
        here = polygon[i], inside[i]
        if (before[1] < 0.0) != (here[1] < 0.0):
            corners.append(before[0] + (here[0] - before[0]) * (before[1] / (before[1] - here[1])))
        if here[1] >= 0.0:
            corners.append(here[0])
    return np.array(corners).reshape(-1, 2)


def _area(polygon: Array) -> float:
    x, y = (polygon - polygon[:1]).T
    return float(np.abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2.0


def nms(
    boxes: Boxes,
    scores: NDArray[np.float32],
    *,
    threshold: float,
    offsets: Offsets | None = None,
    max_keep: int | None = None,
) -> Kept:
    """(kept [n], counts [groups]); every box against every other."""
    return _each_group(boxes, offsets, lambda g: _greedy(_covers(boxes[g], threshold), scores[g], max_keep))


def rotated_nms(
    boxes: Boxes,
    scores: NDArray[np.float32],
    *,
    threshold: float,
    offsets: Offsets | None = None,
    max_keep: int | None = None,
) -> Kept:
    """(kept [n], counts [groups]); every box against every other."""
    return _each_group(
        boxes, offsets, lambda g: _greedy(rotated_iou(boxes[g], boxes[g]) > threshold, scores[g], max_keep)
    )


def _covers(boxes: Boxes, threshold: float) -> NDArray[np.bool_]:
    """[n, n], whether the intersection is more than so much of the union."""
    shared, area = _intersections(boxes, boxes), _areas(boxes)
    return np.asarray(shared > threshold * (area[:, None] + area - shared))


def _greedy(covers: NDArray[np.bool_], scores: NDArray[np.float32], max_keep: int | None) -> list[int]:
    kept: list[int] = []
    for candidate in np.argsort(-scores, kind="stable").tolist():
        if not covers[kept, candidate].any():
            kept.append(candidate)
    return kept[:max_keep]


def neighbour_overlap(boxes: Boxes, *, threshold: float = 0.36, offsets: Offsets | None = None) -> Kept:
    """(kept [n], counts [groups])."""

    def stays(column: Boxes) -> list[bool]:
        covered = np.diag(_covers(column, threshold), 1)
        step = np.linalg.norm(np.diff(column[:, :2].astype(np.float64), axis=0), axis=1)
        width = column[:, 2].astype(np.float64) - column[:, 0]
        squeezed = np.r_[False, covered[:-1] & covered[1:], False][: len(column)]
        astray = np.r_[False, step > width[1:]]
        return list(~squeezed & ~astray)

    return _each_group(boxes, offsets, lambda group: _column(boxes[group], stays))


def neighbour_shift(boxes: Boxes, *, widths: float = 0.5, offsets: Offsets | None = None) -> Kept:
    """(kept [n], counts [groups])."""

    def stays(column: Boxes) -> list[bool]:
        left, right = column[:, [0, 2]].astype(np.float64).T
        gap = np.abs(np.diff((left + right) / 2.0))
        limit = widths * (right - left)
        near_above, near_below = np.r_[False, gap <= limit[1:]], np.r_[gap <= limit[:-1], False]
        return list(near_above | near_below) if len(column) > 1 else [True]

    return _each_group(boxes, offsets, lambda group: _column(boxes[group], stays))


def _column(boxes: Boxes, stays: Callable[[Boxes], list[bool]]) -> list[int]:
    """From top to bottom, the boxes that stay."""
    if len(boxes) == 0:
        return []
    downwards = np.argsort(boxes[:, 1] + boxes[:, 3], kind="stable")
    return [int(i) for i, stay in zip(downwards, stays(boxes[downwards]), strict=True) if stay]


def _each_group(boxes: Boxes, offsets: Offsets | None, places: Callable[[slice], list[int]]) -> Kept:
    kept, counts = np.full(len(boxes), -1, np.int32), []
    for begin, end in pairwise([0, len(boxes)] if offsets is None else offsets.tolist()):
        found = places(slice(begin, end))
        kept[begin : begin + len(found)] = np.array(found, np.int32) + begin
        counts.append(len(found))
    return kept, np.array(counts, np.int32)
