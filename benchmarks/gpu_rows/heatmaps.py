"""Heat-maps to points."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_rows.row import Row

PEAKS = 5
# arguments between the maps and the outputs, and the outputs for n maps of so many axes
KERNELS: dict[str, tuple[tuple[Any, ...], Callable[[int, int], list[tuple[tuple[int, ...], str]]]]] = {
    "soft_argmax": ((1.0, 3), lambda n, axes: [((n, axes), "float32"), ((n,), "float32")]),
    "soft_moments": (
        (1.0, 3),
        lambda n, axes: [((n, axes), "float32"), ((n,), "float32"), ((n, axes, axes), "float32")],
    ),
    "mean_above": ((0.5, None), lambda n, axes: [((n, axes), "float32"), ((n,), "int32"), ((n,), "float32")]),
    "peak": ((), lambda n, axes: [((n, axes), "float32"), ((n,), "float32")]),
    "top_peaks": (
        (5.0, 3.0),
        lambda n, axes: [((n, PEAKS, axes), "float32"), ((n, PEAKS), "float32"), ((n,), "int32")],
    ),
}


def rows(*, small: bool) -> list[Row]:
    """One film's corners, sixteen films', and volumes; `small` for a run whose times nobody looks at."""
    shapes = [(2, 16, 8), (1, 3, 8, 8)] if small else [(68, 256, 128), (1088, 256, 128), (4, 128, 256, 256)]
    return [row(kernel, shape) for kernel in KERNELS for shape in shapes]


def row(kernel: str, shape: tuple[int, ...]) -> Row:
    settings, outputs = KERNELS[kernel]
    made = outputs(shape[0], len(shape) - 1)
    moved = 4 * (int(np.prod(shape)) + sum(int(np.prod(each)) for each, _dtype in made))

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        maps = cuda.empty(shape, "float32", stream)
        cuda.upload(hills(shape), maps)
        results = [cuda.empty(*each, stream) for each in made]
        return lambda: getattr(cuda, kernel)(maps, *settings, *results, stream)

    return Row(kernel, "x".join(map(str, shape)), moved, make)


def hills(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A hill in each map, and noise around it: every cell counts."""
    squares = sum((axis - size / 3) ** 2 for axis, size in zip(np.indices(shape[1:]), shape[1:], strict=True))
    noise = np.random.default_rng(0).normal(0.0, 1.0, shape)
    return (np.maximum(15.0 - np.asarray(squares) / 8.0, 0.0) + noise).astype(np.float32)
