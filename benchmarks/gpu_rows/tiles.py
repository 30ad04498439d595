"""Overlapping tiles of a volume."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row


def rows(*, small: bool) -> list[Row]:
    """Tiles of four classes into a slab of a volume, and the slab's slices to their results."""
    classes, edge, side = (2, 8, 16) if small else (4, 96, 256)
    return [
        add_row(classes, edge, side, "float32"),
        add_row(classes, edge, side, "float16"),
        slices_row("label_slices", classes, edge, side, "uint8"),
        slices_row("half_slices", classes, edge, side, "float16"),
    ]


def add_row(classes: int, edge: int, side: int, dtype: str) -> Row:
    """Added to what earlier tiles left: the sums are read and written."""
    voxels = classes * edge**3

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        tile = cuda.empty((classes, edge, edge, edge), dtype, stream)
        cuda.upload(np.ones(tile.shape, dtype), tile)
        weights = cuda.empty((1, edge), "float32", stream)
        cuda.upload(np.ones((1, edge), np.float32), weights)
        ring = zeros(cuda, stream, (classes, edge, side, side))
        at, all_added = (0, side // 3, side // 3), (edge, edge, edge)
        return lambda: cuda.add_tile(tile, weights, weights, weights, (0, 0, 0), at, all_added, ring, stream)

    moved = voxels * (np.dtype(dtype).itemsize + 8)
    return Row("add_tile", f"{classes} x {edge}x{edge}x{edge} {dtype}", moved, make)


def slices_row(kernel: str, classes: int, depth: int, side: int, dtype: str) -> Row:
    voxels = depth * side * side

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        ring = zeros(cuda, stream, (classes, depth, side, side))
        shape = (depth, side, side) if kernel == "label_slices" else (classes, depth, side, side)
        out = cuda.empty(shape, dtype, stream)
        settings = (0.0,) if kernel == "label_slices" else ()
        return lambda: getattr(cuda, kernel)(ring, 0, 0, depth, *settings, out, stream)

    result = voxels if kernel == "label_slices" else 2 * classes * voxels
    return Row(kernel, f"{classes} x {depth}x{side}x{side}", 4 * classes * voxels + result, make)


def zeros(cuda: Any, stream: Any, shape: tuple[int, ...]) -> Any:
    array = cuda.empty(shape, "float32", stream)
    cuda.upload(np.zeros(shape, np.float32), array)
    return array
