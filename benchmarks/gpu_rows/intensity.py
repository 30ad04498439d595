"""Stored values of a CT to network input."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row

LOW, HIGH = -200.0, 1300.0
RESCALE = (np.ones(1), np.full(1, -1024.0))


def rows(*, small: bool) -> list[Row]:
    shape = (3, 16, 8) if small else (300, 512, 512)
    windows = [window_row(dtype, shape) for dtype in ("float32", "float16", "uint8")]
    return [*windows, zscore_row(shape), mask_row(shape)]


def stored_values(cuda: Any, stream: Any, shape: tuple[int, ...]) -> Any:
    stored = cuda.empty(shape, "int16", stream)
    cuda.upload(np.random.default_rng(0).integers(0, 4096, shape, np.int16), stored)
    return stored


def window_row(dtype: str, shape: tuple[int, ...]) -> Row:
    top = 255.0 if dtype == "uint8" else 1.0
    grading = (LOW, HIGH, LOW, top / (HIGH - LOW), 0.0, False)

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        stored, out = stored_values(cuda, stream, shape), cuda.empty(shape, dtype, stream)
        return lambda: cuda.rescale_hu(stored, *RESCALE, *grading, out, stream)

    moved = int(np.prod(shape)) * (2 + np.dtype(dtype).itemsize)
    return Row(f"window_hu to {dtype}", "x".join(map(str, shape)), moved, make)


def zscore_row(shape: tuple[int, ...]) -> Row:
    """The volume is read twice, and counted once."""

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        stored, out = stored_values(cuda, stream, shape), cuda.empty(shape, "float32", stream)
        moments = cuda.empty((3,), "float64", stream)
        return lambda: cuda.zscore_hu(stored, *RESCALE, -np.inf, np.inf, None, moments, out, stream)

    return Row("zscore_hu to float32", "x".join(map(str, shape)), int(np.prod(shape)) * 6, make)


def mask_row(shape: tuple[int, ...]) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        stored, mask = stored_values(cuda, stream, shape), cuda.empty(shape, "uint8", stream)
        box = cuda.empty((3, 2), "int64", stream)
        return lambda: cuda.threshold_mask(stored, *RESCALE, 200.0, np.inf, mask, box, stream)

    return Row("threshold_mask", "x".join(map(str, shape)), int(np.prod(shape)) * 3, make)
