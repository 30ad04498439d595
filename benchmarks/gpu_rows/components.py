"""Components of a mask: every voxel read and labelled, with a few passes over the labels in between."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded


def rows(*, small: bool) -> list[Row]:
    """A volume of noise, in which components are many and winding, and its statistics."""
    side = 12 if small else 256
    return [label_row(side, share=0.1), label_row(side, share=0.5), statistics_row(side)]


def blobs(side: int, share: float) -> Any:
    return (np.random.default_rng(0).random((side, side, side)) < share).astype(np.uint8)


def label_row(side: int, share: float) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        mask = uploaded(cuda, stream, blobs(side, share))
        labels, count = cuda.empty(mask.shape, "int32", stream), cuda.empty((1,), "int32", stream)
        return lambda: cuda.label_components(mask, True, labels, count, stream)

    return Row("label_components", f"{side}^3, {share:.0%} set, 26", 5 * side**3, make)


def statistics_row(side: int) -> Row:
    """A grid of cubes, so that the number of components is known beforehand."""
    edge = max(2, side // 8)
    count = (side // edge) ** 3

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        cube = np.arange(side) // edge
        place = (cube[:, None, None] * (side // edge) + cube[:, None]) * (side // edge) + cube + 1
        labels = uploaded(cuda, stream, np.where(place <= count, place, 0).astype(np.int32))
        voxels, boxes = cuda.empty((count,), "int64", stream), cuda.empty((count, 6), "int32", stream)
        centroids = cuda.empty((count, 3), "float64", stream)
        return lambda: cuda.component_statistics(labels, voxels, boxes, centroids, stream)

    return Row("component_statistics", f"{side}^3, {count} cubes", 4 * side**3, make)
