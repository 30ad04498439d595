"""Polynomials, smoothing by heat and slopes of curves."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded

Make = Callable[[Any, Any], Callable[[], None]]

DEGREE, COEFFICIENT, STEPS, POINTS = 9, 0.01, 65_000, 19


def rows(*, small: bool) -> list[Row]:
    """One film's centreline, and those of 64 films; `small` for a run whose times nobody looks at."""
    shapes = [(2, 40)] if small else [(1, 3000), (64, 3000)]
    makers = (fit_row, evaluate_row, smooth_row, slopes_row)
    return [maker(curves, each) for maker in makers for curves, each in shapes]


def centrelines(cuda: Any, stream: Any, curves: int, each: int) -> tuple[Any, Any, Any]:
    """Rows, columns and offsets of all of them."""
    x = np.tile(np.arange(float(each)), curves)
    y = 1500.0 + 200.0 * np.sin(x / 400.0) + np.random.default_rng(0).normal(0.0, 1.0, len(x))
    offsets = np.arange(curves + 1, dtype=np.int64) * each
    return uploaded(cuda, stream, x), uploaded(cuda, stream, y), uploaded(cuda, stream, offsets)


def polynomials(cuda: Any, stream: Any, curves: int) -> tuple[Any, Any, Any]:
    shapes = ((curves, 2), "float64"), ((curves, DEGREE + 1, 3), "float64"), ((curves,), "int32")
    interval, terms, degrees = (cuda.empty(shape, dtype, stream) for shape, dtype in shapes)
    return interval, terms, degrees


def fit_row(curves: int, each: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        x, y, offsets = centrelines(cuda, stream, curves, each)
        fitted = polynomials(cuda, stream, curves)
        return lambda: cuda.fit_polynomial(x, y, None, offsets, *fitted, stream)

    return Row("fit_polynomial", f"{curves}x{each}", 16 * curves * each, make)


def evaluate_row(curves: int, each: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        x, y, offsets = centrelines(cuda, stream, curves, each)
        interval, terms, degrees = polynomials(cuda, stream, curves)
        cuda.fit_polynomial(x, y, None, offsets, interval, terms, degrees, stream)
        slopes = cuda.empty((curves * each,), "float64", stream)
        return lambda: cuda.evaluate_polynomial(interval, terms, x, offsets, None, y, slopes, stream)

    return Row("evaluate_polynomial", f"{curves}x{each}", 24 * curves * each, make)


def smooth_row(curves: int, each: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        _, y, offsets = centrelines(cuda, stream, curves, each)
        smoothed = cuda.empty((curves * each,), "float64", stream)
        return lambda: cuda.smooth_heat(y, offsets, COEFFICIENT, STEPS, False, smoothed, stream)

    return Row("smooth_heat", f"{curves}x{each}", 16 * curves * each, make)


def slopes_row(curves: int, each: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        _, y, offsets = centrelines(cuda, stream, curves, each)
        slopes = cuda.empty((curves, POINTS), "float64", stream)
        return lambda: cuda.even_slopes(y, offsets, slopes, stream)

    return Row("even_slopes", f"{curves}x{each}", 40 * curves * POINTS, make)
