"""Boxes that overlap."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded
from benchmarks.made_boxes import Boxes, detected, scattered, turned

THRESHOLD = 0.5


def rows(*, small: bool) -> list[Row]:
    """What a detector says of a film, and boxes all over it; `small` for a run whose times nobody looks at."""
    rng = np.random.default_rng(0)
    some, many, film = (20, 40, 40) if small else (1000, 4000, 6000)
    return [
        overlap_row("iou", scattered(rng, many)),
        overlap_row("rotated_iou", turned(rng, detected(rng, some))),
        suppression_row("nms", "a spine", detected(rng, film)),
        suppression_row("nms", "few overlap", scattered(rng, film)),
        suppression_row("rotated_nms", "a spine", turned(rng, detected(rng, some))),
        column_row(detected(rng, some)),
    ]


def overlap_row(kernel: str, boxes: Boxes) -> Row:
    n, values = boxes.shape

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        a, out = uploaded(cuda, stream, boxes), cuda.empty((n, n), "float32", stream)
        return lambda: getattr(cuda, kernel)(a, a, out, stream)

    return Row(kernel, f"{n} x {n} boxes", 4 * n * (2 * values + n), make)


def suppression_row(kernel: str, name: str, boxes: Boxes) -> Row:
    n, values = boxes.shape

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        taken = uploaded(cuda, stream, boxes)
        scores = uploaded(cuda, stream, np.random.default_rng(1).random(n, np.float32))
        kept, counts = cuda.empty((n,), "int32", stream), cuda.empty((1,), "int32", stream)
        return lambda: getattr(cuda, kernel)(taken, scores, None, THRESHOLD, n, kept, counts, stream)

    return Row(f"{kernel}, {name}", f"{n} boxes", 4 * n * (values + 2) + 4, make)


def column_row(boxes: Boxes) -> Row:
    """Groups of 20."""
    n = len(boxes)
    offsets = np.arange(0, n + 1, 20)

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        taken, groups = uploaded(cuda, stream, boxes), uploaded(cuda, stream, offsets)
        kept, counts = cuda.empty((n,), "int32", stream), cuda.empty((len(offsets) - 1,), "int32", stream)
        return lambda: cuda.neighbour_overlap(taken, groups, 0.36, kept, counts, stream)

    return Row("neighbour_overlap", f"{len(offsets) - 1} of 20 boxes", 4 * n * 5 + 12 * len(offsets), make)
