"""Contrast of radiographs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row


def rows(*, small: bool) -> list[Row]:
    shapes = [(1, 16, 8)] if small else [(1, 3000, 1500), (8, 3000, 1500)]
    return [
        row(kernel, dtype, shape)
        for kernel, dtype in (("equalize_histogram", "uint8"), ("clahe", "uint8"), ("clahe", "uint16"))
        for shape in shapes
    ]


def row(kernel: str, dtype: str, shape: tuple[int, int, int]) -> Row:
    """Bytes are those of the images, read once and written once; both kernels read them twice."""
    settings = (2.0, 8, 8) if kernel == "clahe" else ()

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        light = np.random.default_rng(0).normal(0.4, 0.1, shape).clip(0.0, 1.0) * np.iinfo(dtype).max
        images, out = cuda.empty(shape, dtype, stream), cuda.empty(shape, dtype, stream)
        cuda.upload(light.astype(dtype), images)
        return lambda: getattr(cuda, kernel)(images, *settings, out, stream)

    moved = 2 * int(np.prod(shape)) * np.dtype(dtype).itemsize
    return Row(f"{kernel}, {dtype}", "x".join(map(str, shape)), moved, make)
