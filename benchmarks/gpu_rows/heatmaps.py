"""Heat-maps to points."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row


def rows(*, small: bool) -> list[Row]:
    """One film's corners, and sixteen films'; `small` for a run whose times nobody looks at."""
    shapes = [(2, 16, 8)] if small else [(68, 256, 128), (1088, 256, 128)]
    return [row(kernel, shape) for kernel in ("soft_argmax", "peak") for shape in shapes]


def row(kernel: str, shape: tuple[int, int, int]) -> Row:
    n, height, width = shape

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        y, x = np.mgrid[:height, :width].astype(np.float32)
        hill = 15.0 - ((x - width / 2) ** 2 + (y - height / 3) ** 2) / 8.0
        noise = np.random.default_rng(0).normal(0.0, 1.0, shape).astype(np.float32)
        maps = cuda.empty(shape, "float32", stream)
        cuda.upload((np.maximum(hill, 0.0) + noise).astype(np.float32), maps)
        xy, scalar = cuda.empty((n, 2), "float32", stream), cuda.empty((n,), "float32", stream)
        settings = (3,) if kernel == "soft_argmax" else ()
        return lambda: getattr(cuda, kernel)(maps, *settings, xy, scalar, stream)

    return Row(kernel, "x".join(map(str, shape)), 4 * n * (height * width + 3), make)
