"""Curves against NumPy and SciPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, dst, idct, idst

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

Floats = NDArray[np.float64]

COEFFICIENT, STEPS = 0.01, 65_000


def rows() -> list[Row]:
    return [fit_row(6), fit_row(9), fit_many_row(), evaluate_row(), heat_row(), heat_free_row(), heat_many_row()]


def centreline(n: int) -> Floats:
    """The column of a spine in each row of a film."""
    rng = np.random.default_rng(0)
    return 1500.0 + 200.0 * np.sin(np.arange(n) / 400.0) + np.cumsum(rng.normal(0.0, 0.5, n))


def fit_row(degree: int) -> Row:
    """The midline of a film of 3000 rows. The error is against Legendre.fit, most of it that of the latter."""
    x, y = np.arange(3000.0), centreline(3000)

    def ours(threads: int) -> tuple[Any, ...]:
        curves = kernels.fit_polynomial(x, y, degree=degree, threads=threads)
        return *kernels.evaluate_polynomial(curves, x, threads=threads), curves

    def numpy() -> Floats:
        curve = np.polynomial.Legendre.fit(x, y, degree)
        values: Floats = curve(x)
        curve.deriv()(x)
        return values

    return Row(f"fit, values, slopes, degree {degree}", "3000 points", ours, {"NumPy": numpy}, numpy())


def fit_many_row() -> Row:
    """The four corners of 17 vertebrae of 64 films, each a curve of degree 6."""
    curves, each = 256, 17
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0.0, 3000.0, (curves, each)), axis=1)
    y = 1500.0 + 200.0 * np.sin(x / 400.0) + rng.normal(0.0, 3.0, x.shape)
    offsets = np.arange(curves + 1) * each
    flat_x, flat_y = x.ravel(), y.ravel()

    def ours(threads: int) -> tuple[Any, ...]:
        fitted = kernels.fit_polynomial(flat_x, flat_y, degree=6, offsets=offsets, threads=threads)
        return *kernels.evaluate_polynomial(fitted, flat_x, offsets=offsets, threads=threads), fitted

    def numpy() -> Floats:
        fits = [np.polynomial.Legendre.fit(a, b, 6) for a, b in zip(x, y, strict=True)]
        return np.concatenate([fit(a) for fit, a in zip(fits, x, strict=True)])

    return Row("fit and values, degree 6", f"{curves} of {each} points", ours, {"NumPy": numpy}, numpy(), (1, 2))


def evaluate_row() -> Row:
    x, y = np.arange(3000.0), centreline(3000)
    curves = kernels.fit_polynomial(x, y, degree=9)
    peer = np.polynomial.Legendre.fit(x, y, 9)
    many = np.linspace(0.0, 2999.0, 1_000_000)
    return Row(
        "values and slopes, degree 9",
        "1000000 points",
        lambda threads: kernels.evaluate_polynomial(curves, many, threads=threads),
        {"NumPy": lambda: (peer(many), peer.deriv()(many))},
        peer(many),
        (1, 2),
    )


def heat_row() -> Row:
    """Fixed ends. Euler's steps are vectorised as far as they can be, in place and without a temporary."""
    values = centreline(3000)
    return Row(
        "smooth_heat, fixed ends",
        f"3000, {STEPS} steps",
        lambda _threads: kernels.smooth_heat(values),
        {"SciPy": lambda: scipy_fixed(values), "steps": lambda: euler(values)},
        reference.smooth_heat(values),
    )


def heat_free_row() -> Row:
    values = centreline(3000)
    return Row(
        "smooth_heat, free ends",
        f"3000, {STEPS} steps",
        lambda _threads: kernels.smooth_heat(values, ends="free"),
        {"SciPy": lambda: scipy_free(values)},
        reference.smooth_heat(values, ends="free"),
    )


def heat_many_row() -> Row:
    curves, each = 64, 1000
    lines = np.stack([centreline(each) + film for film in range(curves)])
    values = lines.ravel()
    offsets = np.arange(curves + 1) * each
    return Row(
        "smooth_heat, many curves",
        f"{curves} of {each}, {STEPS} steps",
        lambda threads: kernels.smooth_heat(values, offsets=offsets, threads=threads),
        {"SciPy": lambda: scipy_fixed(lines)},
        scipy_fixed(lines).ravel(),
        (1, 2),
    )


def scipy_fixed(values: Floats) -> Floats:
    """[..., n], all curves at once."""
    length = values.shape[-1] - 1
    line = values[..., :1] + (values[..., -1:] - values[..., :1]) * (np.arange(length + 1) / length)
    modes = dst((values - line)[..., 1:-1], type=1)
    modes *= (1.0 - 4.0 * COEFFICIENT * np.sin(np.pi * np.arange(1, length) / (2 * length)) ** 2) ** STEPS
    line[..., 1:-1] += idst(modes, type=1)
    return line


def scipy_free(values: Floats) -> Floats:
    modes = dct(values)
    modes *= (1.0 - 4.0 * COEFFICIENT * np.sin(np.pi * np.arange(len(values)) / (2 * len(values))) ** 2) ** STEPS
    smoothed: Floats = idct(modes)
    return smoothed


def euler(values: Floats) -> Floats:
    curve, flow, change = values.copy(), np.empty(len(values) - 1), np.empty(len(values) - 2)
    for _ in range(STEPS):
        np.subtract(curve[1:], curve[:-1], out=flow)
        np.subtract(flow[1:], flow[:-1], out=change)
        change *= COEFFICIENT
        curve[1:-1] += change
    return curve
