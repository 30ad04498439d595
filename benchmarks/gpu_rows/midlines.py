"""The line in the middle of a mask."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded


def rows(*, small: bool) -> list[Row]:
    """One film's; `small` for a run whose times nobody looks at."""
    shape, width = ((30, 40), 8) if small else ((3000, 1500), 160)
    return [midline_row(shape, width), midpoints_row(shape[0], width)]


def middle(rows: int, columns: int) -> Any:
    return columns * (0.5 + 0.15 * np.sin(np.arange(rows)[:, None] / 400.0))


def midline_row(shape: tuple[int, int], width: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        mask = uploaded(cuda, stream, (abs(np.arange(shape[1]) - middle(*shape)) <= width / 2).astype(np.uint8))
        midline, borders = (cuda.empty(of, "float64", stream) for of in ((shape[0],), (shape[0], 2)))
        return lambda: cuda.mask_midline(mask, midline, borders, stream)

    # what lies between the borders is never read
    return Row("mask_midline", "x".join(map(str, shape)), shape[0] * (shape[1] - width + 24), make)


def midpoints_row(rows: int, width: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        borders = uploaded(cuda, stream, np.round(middle(rows, 1500) + np.array([-width / 2, width / 2])))
        midpoints = cuda.empty((2, rows, 2), "float64", stream)
        return lambda: cuda.border_midpoints(borders, midpoints, stream)

    return Row("border_midpoints", f"{rows} rows, {width} wide", 48 * rows, make)
