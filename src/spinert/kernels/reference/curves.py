"""Curves along a spine, in float64."""

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.polynomial import Legendre
from numpy.typing import NDArray

Array = NDArray[np.float64]
Offsets = NDArray[np.int64]


def fit_polynomial(
    x: Array, y: Array, weights: Array | None = None, *, degree: int, offsets: Offsets | None = None
) -> list[Legendre]:
    """One for each curve, of the degree that its points determine."""
    weights = np.ones(len(x)) if weights is None else weights
    return [_fit(x[own], y[own], weights[own], degree) for own in _groups(offsets, len(x))]


def _fit(x: Array, y: Array, weights: Array, degree: int) -> Legendre:
    counts = weights != 0.0
    x, y, weights = x[counts], y[counts], weights[counts]
    if len(x) == 0 or not np.isfinite([x, y, weights]).all() or (weights < 0.0).any():
        return Legendre([np.nan])
    places = len(np.unique(x))
    if places == 1:
        return Legendre([np.average(y, weights=weights)])
    # polyfit weighs the residuals, not their squares
    return Legendre.fit(x, y, min(degree, places - 1), w=np.sqrt(weights))


def evaluate_polynomial(
    curves: list[Legendre], x: Array, *, ends: Array | None = None, offsets: Offsets | None = None
) -> tuple[Array, Array]:
    """(y [n], slopes [n])."""
    y, slopes = np.empty(len(x)), np.empty(len(x))
    for c, own in enumerate(_groups(offsets, len(x))):
        within = x[own] if ends is None else np.clip(x[own], *ends[c])
        slopes[own] = curves[c].deriv()(within)
        y[own] = curves[c](within) + slopes[own] * (x[own] - within)
    return y, slopes


def smooth_heat(
    values: Array,
    *,
    coefficient: float = 0.01,
    steps: int = 65_000,
    ends: Literal["fixed", "free"] = "fixed",
    offsets: Offsets | None = None,
) -> Array:
    """[n]; step by step."""
    smoothed = values.copy()
    for own in _groups(offsets, len(values)):
        curve = smoothed[own]
        if not np.isfinite(curve).all():
            curve[:] = np.nan
        for _ in range(steps if len(curve) > 1 else 0):
            flow = coefficient * np.diff(curve)
            if ends == "fixed":
                curve[1:-1] += np.diff(flow)
            else:
                curve += np.diff(flow, prepend=0.0, append=0.0)
    return smoothed


def even_slopes(values: Array, *, points: int = 19, offsets: Offsets | None = None) -> Array:
    """[curves, points]."""
    slopes = [_even_slopes(values[own], points) for own in _groups(offsets, len(values))]
    return np.array(slopes).reshape(-1, points)


def _even_slopes(curve: Array, points: int) -> Array:
    if len(curve) < 2:
        return np.full(points, np.nan)
    return np.interp(np.linspace(0.0, len(curve) - 1.0, points), np.arange(len(curve)), np.gradient(curve))


def _groups(offsets: Offsets | None, n: int) -> list[slice]:
    return [slice(first, last) for first, last in pairwise([0, n] if offsets is None else offsets.tolist())]
