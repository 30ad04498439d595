"""Curves along a spine, for the tests of what is done with them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert import kernels

Floats = NDArray[np.float64]

COUNTS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 67, 131)
SPINE = (0.0, 3000.0)


def spine(n: int, seed: int = 0, rows: tuple[float, float] = SPINE) -> tuple[Floats, Floats, Floats]:
    """Rows, columns and weights of n points along a wavy line."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(*rows, n))
    wave = 200.0 * np.sin(6.0 * (x - rows[0]) / (rows[1] - rows[0]))
    return x, 1500.0 + wave + rng.normal(0.0, 3.0, n), rng.uniform(0.1, 3.0, n)


def wandering(n: int, seed: int = 0) -> Floats:
    """The columns of a centre line, row by row."""
    return 1500.0 + np.cumsum(np.random.default_rng(seed).normal(0.0, 1.0, n))


def ragged(counts: tuple[int, ...] = COUNTS) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])


def values_of(
    place: Any, curves: kernels.Curves, at: Floats, ends: Floats | None = None, **keywords: Any
) -> tuple[Floats, Floats]:
    """`evaluate_polynomial` where `place` is; the arrays of the curves are arguments of their own for that."""

    def evaluate(interval: Any, terms: Any, degrees: Any, x: Any, ends: Any = None, **others: Any) -> Any:
        return kernels.evaluate_polynomial(kernels.Curves(interval, terms, degrees), x, ends=ends, **others)

    values: tuple[Floats, Floats] = place.run(evaluate, *curves, at, ends, **keywords)
    return values
