"""Levelled discs of a volume, and rotated ROI align."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded

DISCS, VERTEBRAE = 6, 17


def rows(*, small: bool) -> list[Row]:
    """`small` for a run whose times nobody looks at."""
    return [discs_row((3, 8, 16) if small else (9, 112, 224)), features_row(3 if small else 256)]


def discs_row(size: tuple[int, int, int]) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        volume = uploaded(cuda, stream, np.random.default_rng(0).integers(0, 2000, (15, 448, 448), np.int16))
        maps = np.zeros((DISCS, 3, 4))
        maps[:, 0, 0] = maps[:, 1, 1] = maps[:, 2, 2] = 0.5
        maps[:, 0, 1], maps[:, 1, 0] = 0.1, -0.1
        maps[:, :, 3] = 100.0, 150.0, 3.0
        out = cuda.empty((DISCS, *size), "float32", stream)
        return lambda: cuda.crop_oblique(volume, maps, 0.0, out, stream)

    return Row("crop_oblique", f"{DISCS} of {'x'.join(map(str, size))}", int(4 * DISCS * np.prod(size)), make)


def features_row(channels: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        features = uploaded(cuda, stream, np.random.default_rng(0).random((channels, 256, 128), np.float32))
        maps = np.zeros((VERTEBRAE, 2, 3))
        maps[:, 0, 0] = maps[:, 1, 1] = 1.2
        maps[:, 0, 1], maps[:, 1, 0] = 0.3, -0.3
        maps[:, 0, 2], maps[:, 1, 2] = 40.0, np.linspace(10.0, 230.0, VERTEBRAE)
        out = cuda.empty((VERTEBRAE, channels, 14, 14), "float32", stream)
        return lambda: cuda.crop_rotated(features, maps, 2, 0.0, out, stream)

    return Row("crop_rotated", f"{VERTEBRAE} of {channels}x14x14, 2x2", 4 * VERTEBRAE * channels * 196, make)
