"""Votes of the voxels round a vertebra and of the slices through it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded

CUBE, SIGMA, VERTEBRAE, SLICES, CLASSES = 10, 3.0, 24, 40, 4


def rows(*, small: bool) -> list[Row]:
    """The vertebrae of one CT; `small` for a run whose times nobody looks at."""
    return [gaussian_row((20, 16, 16) if small else (600, 160, 160)), votes_row()]


def gaussian_row(shape: tuple[int, int, int]) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        rng = np.random.default_rng(0)
        volume = uploaded(cuda, stream, rng.random(shape, np.float32))
        centres = uploaded(cuda, stream, rng.uniform(0.3, 0.7, (VERTEBRAE, 3)) * shape)
        means = cuda.empty((VERTEBRAE,), "float64", stream)
        return lambda: cuda.gaussian_mean(volume, centres, CUBE, SIGMA, means, stream)

    return Row("gaussian_mean", f"{VERTEBRAE} cubes of {CUBE}", VERTEBRAE * (4 * CUBE**3 + 32), make)


def votes_row() -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        slices = np.random.default_rng(0).random((VERTEBRAE * SLICES, CLASSES), np.float32)
        probabilities = uploaded(cuda, stream, slices)
        offsets = uploaded(cuda, stream, np.arange(VERTEBRAE + 1, dtype=np.int64) * SLICES)
        labels, counts = (cuda.empty(of, "int32", stream) for of in ((VERTEBRAE,), (VERTEBRAE, CLASSES)))
        return lambda: cuda.vertebra_votes(probabilities, offsets, 8, labels, counts, stream)

    return Row("vertebra_votes", f"{VERTEBRAE} of {SLICES} slices", 4 * VERTEBRAE * CLASSES * (SLICES + 1), make)
