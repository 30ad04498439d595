"""Boxes that overlap against NumPy and OpenCV."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from benchmarks.made_boxes import Boxes, detected, scattered, turned
from spinert import kernels
from spinert.kernels import reference

THRESHOLD = 0.5


def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    return [
        iou_row(scattered(rng, 1000), scattered(rng, 1000)),
        nms_row("a spine", detected(rng, 6000), rng.random(6000, np.float32)),
        nms_row("few overlap", scattered(rng, 6000), rng.random(6000, np.float32)),
        nms_batch_row(rng),
        rotated_iou_row(turned(rng, detected(rng, 100)), turned(rng, detected(rng, 100))),
        rotated_nms_row(turned(rng, detected(rng, 1000)), rng.random(1000, np.float32)),
        neighbours_row(rng),
    ]


def iou_row(a: Boxes, b: Boxes) -> Row:
    return Row(
        "iou",
        f"{len(a)} x {len(b)} boxes",
        lambda threads: kernels.iou(a, b, threads=threads),
        {"NumPy": lambda: numpy_iou(a, b)},
        reference.iou(a, b),
        (1, 2),
    )


def numpy_iou(a: Boxes, b: Boxes) -> Boxes:
    """Value by value in float32: twice as fast as over pairs of values."""
    width = np.minimum(a[:, 2, None], b[:, 2]) - np.maximum(a[:, 0, None], b[:, 0])
    height = np.minimum(a[:, 3, None], b[:, 3]) - np.maximum(a[:, 1, None], b[:, 1])
    shared = np.maximum(width, 0, out=width)
    shared *= np.maximum(height, 0, out=height)
    area_a, area_b = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]), (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return shared / (area_a[:, None] + area_b - shared)


def nms_row(name: str, boxes: Boxes, scores: NDArray[np.float32]) -> Row:
    return Row(
        f"nms, {name}",
        f"{len(boxes)} boxes",
        lambda threads: kernels.nms(boxes, scores, threshold=THRESHOLD, threads=threads),
        {"NumPy": lambda: numpy_nms(boxes, scores), "OpenCV": lambda: opencv_nms(boxes, scores)},
        reference.nms(boxes, scores, threshold=THRESHOLD)[0],
    )


def nms_batch_row(rng: np.random.Generator) -> Row:
    """Eight films of 6000 boxes in one call."""
    groups, each = 8, 6000
    boxes = np.concatenate([scattered(rng, each) for _ in range(groups)])
    scores, offsets = rng.random(len(boxes), np.float32), np.arange(groups + 1) * each
    parts = [slice(begin, begin + each) for begin in offsets[:-1]]
    return Row(
        "nms, many groups",
        f"{groups} of {each} boxes",
        lambda threads: kernels.nms(boxes, scores, threshold=THRESHOLD, offsets=offsets, threads=threads),
        {"OpenCV": lambda: np.concatenate([opencv_nms(boxes[part], scores[part]) for part in parts])},
        None,
        (1, 2),
    )


def numpy_nms(boxes: Boxes, scores: NDArray[np.float32]) -> NDArray[Any]:
    """The vectorised form in wide use: the best box against all that are left."""
    left, top, right, bottom = boxes.T
    area = (right - left) * (bottom - top)
    order = scores.argsort()[::-1]
    kept = []
    while order.size > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
        order = rest[shared / (area[best] + area[rest] - shared) <= THRESHOLD]
    return np.array(kept)


def opencv_nms(boxes: Boxes, scores: NDArray[np.float32]) -> NDArray[Any]:
    sized = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    return np.asarray(cv2.dnn.NMSBoxes(sized, scores, 0.0, THRESHOLD))


def rotated_iou_row(a: Boxes, b: Boxes) -> Row:
    return Row(
        "rotated_iou",
        f"{len(a)} x {len(b)} boxes",
        lambda threads: kernels.rotated_iou(a, b, threads=threads),
        {"OpenCV": lambda: opencv_rotated_iou(a, b)},
        reference.rotated_iou(a, b),
        (1, 2),
    )


def as_rectangles(boxes: Boxes) -> list[Any]:
    return [((x, y), (w, h), angle) for x, y, w, h, angle in np.c_[boxes[:, :4], np.degrees(boxes[:, 4])].tolist()]


def opencv_rotated_iou(a: Boxes, b: Boxes) -> Boxes:
    overlap = np.zeros((len(a), len(b)), np.float32)
    rectangles_b = as_rectangles(b)
    for i, p in enumerate(as_rectangles(a)):
        for j, q in enumerate(rectangles_b):
            kind, polygon = cv2.rotatedRectangleIntersection(p, q)
            if kind != cv2.INTERSECT_NONE:
                shared = cv2.contourArea(polygon)
                overlap[i, j] = shared / (p[1][0] * p[1][1] + q[1][0] * q[1][1] - shared)
    return overlap


def rotated_nms_row(boxes: Boxes, scores: NDArray[np.float32]) -> Row:
    rectangles = as_rectangles(boxes)
    return Row(
        "rotated_nms, a spine",
        f"{len(boxes)} boxes",
        lambda threads: kernels.rotated_nms(boxes, scores, threshold=THRESHOLD, threads=threads),
        {"OpenCV": lambda: np.asarray(cv2.dnn.NMSBoxesRotated(rectangles, scores.tolist(), 0.0, THRESHOLD))},
        None,
    )


def neighbours_row(rng: np.random.Generator) -> Row:
    """A batch of films with the boxes that suppression left."""
    groups, each = 64, 20
    boxes = np.concatenate([detected(rng, each) for _ in range(groups)])
    offsets = np.arange(groups + 1) * each
    return Row(
        "neighbour_overlap",
        f"{groups} of {each} boxes",
        lambda threads: kernels.neighbour_overlap(boxes, offsets=offsets, threads=threads),
        {"NumPy": lambda: reference.neighbour_overlap(boxes, offsets=offsets)[0]},
        reference.neighbour_overlap(boxes, offsets=offsets)[0],
    )
