"""Boxes that overlap.

Boxes are float32 [n, 4] as (x0, y0, x1, y1) in any unit, x to the right and y down, up to but not including x1 and y1:
a box whose x1 is not above its x0, or y1 not above its y0, is empty. Rotated boxes are float32 [n, 5] as
(cx, cy, width, height, radians): turned about their centre, positive clockwise on the screen, -1e6 .. 1e6. An empty
box overlaps nothing, not even itself.

Functions that choose boxes take `offsets`, int64 [groups + 1], ascending from 0 to n: group g is
boxes[offsets[g] : offsets[g + 1]], may be empty and knows nothing of the others; a class of an image, or an image of
a batch. None is one group. They return kept int32 [n] and counts int32 [groups]: group g keeps the boxes
kept[offsets[g] : offsets[g] + counts[g]], and -1 stands behind them.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.groups import take_offsets
from spinert.kernels.residence import Array, Place, place_of

_MOST = 2**31 - 2
_MOST_RADIANS = 1e6


def iou(a: NDArray[np.float32], b: NDArray[np.float32], *, threads: int = 1, stream: Any = None) -> NDArray[np.float32]:
    """Intersection over union of each a with each b.

    a, b  boxes, float32 [n, 4] and [m, 4]

    Returns float32 [n, m], 0..1; nan for a box with a value that is not finite.
    """
    return _overlaps("iou", a, b, 4, threads, stream)


def rotated_iou(
    a: NDArray[np.float32], b: NDArray[np.float32], *, threads: int = 1, stream: Any = None
) -> NDArray[np.float32]:
    """Intersection over union of each rotated a with each rotated b.

    a, b  rotated boxes, float32 [n, 5] and [m, 5]

    Returns float32 [n, m], 0..1, good to 1e-7 unless a side is a million times another; nan for a box with a value that
    is not finite or an angle out of range.
    """
    return _overlaps("rotated_iou", a, b, 5, threads, stream)


def nms(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    threshold: float,
    offsets: NDArray[np.int64] | None = None,
    max_keep: int | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Non-maximum suppression: in the order of the scores, a box stays unless it overlaps one that stays too much.

    boxes      float32 [n, 4]
    scores     float32 [n]; the highest first, the first of equals first
    threshold  0..1; a box goes if intersection > threshold * union, in float64
    max_keep   the most boxes of a group that stay; None: all

    Returns (kept, counts), the boxes of a group from the highest score on. ValueError for a score that is nan or a box
    with a value that is not finite; on a device such a box goes and no other because of it.
    """
    return _suppress("nms", boxes, scores, 4, threshold, offsets, max_keep, threads, stream)


def rotated_nms(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    threshold: float,
    offsets: NDArray[np.int64] | None = None,
    max_keep: int | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Non-maximum suppression of rotated boxes, as `nms` does it.

    boxes  float32 [n, 5]

    The vertebra detector of Tao, Xu, Wu (AASCE challenge, MICCAI 2019) needs it; the paper states no threshold.
    """
    return _suppress("rotated_nms", boxes, scores, 5, threshold, offsets, max_keep, threads, stream)


def neighbour_overlap(
    boxes: NDArray[np.float32],
    *,
    threshold: float = 0.36,
    offsets: NDArray[np.int64] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Boxes of vertebrae without those squeezed between two others or astray (Chen, Peng, Li, Cheng, Xiao, section 3.1
    on RetinaNet; AASCE challenge, MICCAI 2019).

    From top to bottom by y0 + y1 (the first of equals first), a box goes if its intersection over union with the box
    before and that with the box after are both above the threshold, or if its top-left corner lies farther from that
    of the box before than the box is wide. The paper leaves open what becomes of neighbours of a box that goes: here
    every box is judged by its neighbours as they were detected, so that one astray does not take all below with it.
    The first and the last have one neighbour and are never squeezed; the first is never astray.

    boxes      float32 [n, 4], a group for each spine
    threshold  0 or more

    Returns (kept, counts), the boxes of a spine from top to bottom. ValueError for a box with a value that is not
    finite; on a device such a box goes and is nobody's neighbour.
    """
    return _judge("neighbour_overlap", boxes, "threshold", threshold, offsets, threads, stream)


def neighbour_shift(
    boxes: NDArray[np.float32],
    *,
    widths: float = 0.5,
    offsets: NDArray[np.int64] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Boxes of vertebrae that stand over a neighbour (outlier rejection of Khanal, Dahal, Adhikari, Khanal, section 4;
    AASCE challenge, MICCAI 2019).

    From top to bottom by y0 + y1 (the first of equals first), a box goes if its centre lies more than `widths` of its
    own width from those of both neighbours in x; the first and the last are judged by their one neighbour, a box
    without any stays. Neighbours are the boxes as detected, whatever becomes of them.

    boxes   float32 [n, 4], a group for each spine
    widths  0 or more

    Returns (kept, counts), the boxes of a spine from top to bottom. ValueError for a box with a value that is not
    finite; on a device such a box goes and is nobody's neighbour.
    """
    return _judge("neighbour_shift", boxes, "widths", widths, offsets, threads, stream)


def _overlaps(kernel: str, a: Array, b: Array, values: int, threads: int, stream: Any) -> NDArray[np.float32]:
    place = place_of(a, b, threads=threads, stream=stream)
    a, b = place.take("a", a, ("float32",), ("n", values)), place.take("b", b, ("float32",), ("m", values))
    out = place.empty((len(a), len(b)), np.float32)
    getattr(place.native, kernel)(a, b, out, place.lane)
    return out


def _suppress(
    kernel: str,
    boxes: Array,
    scores: Array,
    values: int,
    threshold: float,
    offsets: Array | None,
    max_keep: int | None,
    threads: int,
    stream: Any,
) -> tuple[Array, Array]:
    place = place_of(boxes, scores, offsets, threads=threads, stream=stream)
    boxes = _take_boxes(place, boxes, values)
    scores = place.take("scores", scores, ("float32",), (len(boxes),))
    if isinstance(scores, np.ndarray) and np.isnan(scores).any():
        raise ValueError(f"scores is nan in row {int(np.isnan(scores).argmax())}, expected a number")
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"threshold is {threshold}, expected 0 to 1")
    if max_keep is not None and max_keep < 0:
        raise ValueError(f"max_keep is {max_keep}, expected 0 or more")
    most = min(len(boxes) if max_keep is None else max_keep, _MOST)
    offsets, kept, counts = _groups(place, offsets, len(boxes))
    getattr(place.native, kernel)(boxes, scores, offsets, threshold, most, kept, counts, place.lane)
    return kept, counts


def _judge(
    kernel: str, boxes: Array, name: str, limit: float, offsets: Array | None, threads: int, stream: Any
) -> tuple[Array, Array]:
    place = place_of(boxes, offsets, threads=threads, stream=stream)
    boxes = _take_boxes(place, boxes, 4)
    if not 0.0 <= limit < math.inf:
        raise ValueError(f"{name} is {limit}, expected a finite value of at least 0")
    offsets, kept, counts = _groups(place, offsets, len(boxes))
    getattr(place.native, kernel)(boxes, offsets, limit, kept, counts, place.lane)
    return kept, counts


def _take_boxes(place: Place, boxes: Array, values: int) -> Array:
    boxes = place.take("boxes", boxes, ("float32",), ("n", values))
    if not isinstance(boxes, np.ndarray):
        return boxes
    if not np.isfinite(boxes).all():
        row = int(np.argmin(np.isfinite(boxes).all(axis=1)))
        raise ValueError(f"boxes has {boxes[row].tolist()} in row {row}, expected finite values")
    if values == 5 and (beyond := np.abs(boxes[:, 4]) > _MOST_RADIANS).any():
        row = int(np.argmax(beyond))
        raise ValueError(f"boxes has an angle of {boxes[row, 4]} in row {row}, expected -1e6 to 1e6 radians")
    return boxes


def _groups(place: Place, offsets: Array | None, n: int) -> tuple[Array, Array, Array]:
    """(offsets, kept, counts), the latter two not initialised."""
    offsets, groups = take_offsets(place, offsets, n, "boxes")
    return offsets, place.empty((n,), np.int32), place.empty((groups,), np.int32)
