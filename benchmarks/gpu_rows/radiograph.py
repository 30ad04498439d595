"""A radiograph to a network's input."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_rows.row import Row


def rows(*, small: bool) -> list[Row]:
    """A film of 12 bits; `small` for a run whose times nobody looks at."""
    film, size = ((30, 15), (8, 4)) if small else ((3000, 1500), (1024, 512))
    return [ranks_row(film), resize_row(film, size)]


def pixels_of(film: tuple[int, int]) -> NDArray[np.uint16]:
    """A bright column with grain between black borders."""
    x = np.abs(np.linspace(-1.0, 1.0, film[1]))
    light = np.where(x > 0.8, 0.0, 0.15 + 0.6 * np.exp(-((x / 0.4) ** 2)))
    grain = np.random.default_rng(0).normal(0.0, 0.01, film) * (light > 0.0)
    return (np.clip(light + grain, 0.0, 1.0) * 4095).astype(np.uint16)


def ranks_row(film: tuple[int, int]) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        pixels, window = cuda.empty(film, "uint16", stream), cuda.empty((2,), "int32", stream)
        cuda.upload(pixels_of(film), pixels)
        count = film[0] * film[1]
        return lambda: cuda.order_statistics(pixels, count // 100 + 1, count * 99 // 100, window, stream)

    return Row("order_statistics", "x".join(map(str, film)), 2 * film[0] * film[1], make)


def resize_row(film: tuple[int, int], size: tuple[int, int]) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        pixels, window = cuda.empty(film, "uint16", stream), cuda.empty((2,), "int32", stream)
        out = cuda.empty(size, "float32", stream)
        cuda.upload(pixels_of(film), pixels)
        cuda.upload(np.array([10, 3000], np.int32), window)
        return lambda: cuda.window_resize(pixels, window, False, 0, 0, *size, out, stream)

    moved = 2 * film[0] * film[1] + 4 * size[0] * size[1]
    return Row("window_resize", f"{film[0]}x{film[1]} -> {size[0]}x{size[1]}", moved, make)
