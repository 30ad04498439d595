"""Volumes to 1 mm."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded
from spinert.kernels import Grid

NO_WINDOW = (0.0, -np.inf, np.inf, 1.0)


def rows(*, small: bool) -> list[Row]:
    """A CT; `small` for a run whose times nobody looks at."""
    shape = (3, 20, 20) if small else (300, 512, 512)
    grid = Grid.of_spacing(shape, (1.0, 0.7, 0.7), (1.0, 1.0, 1.0))
    return [volume_row(shape, grid), labels_row(shape, grid)]


def volume_row(shape: tuple[int, int, int], grid: Grid) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        volume = uploaded(cuda, stream, np.random.default_rng(0).integers(0, 3000, shape, np.int16))
        out = cuda.empty(grid.shape, "float32", stream)
        return lambda: cuda.resample_volume(volume, grid.step, grid.origin, NO_WINDOW, out, stream)

    name = f"{'x'.join(map(str, shape))}, 0.7 mm"
    return Row("resample_volume", name, int(2 * np.prod(shape) + 4 * np.prod(grid.shape)), make)


def labels_row(shape: tuple[int, int, int], grid: Grid) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        labels = uploaded(cuda, stream, np.random.default_rng(0).integers(0, 25, shape, np.uint8))
        out = cuda.empty(grid.shape, "uint8", stream)
        return lambda: cuda.resample_labels(labels, grid.step, grid.origin, out, stream)

    name = f"{'x'.join(map(str, shape))}, 0.7 mm"
    return Row("resample_labels", name, int(2 * np.prod(grid.shape)), make)  # it reads what it needs
