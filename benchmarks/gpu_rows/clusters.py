"""Points to clusters: bound by waiting, not by memory; their times are what counts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded


def rows(*, small: bool) -> list[Row]:
    """The corners of a film, the corners of sixteen films, one large group; and the means of a film."""
    dbscan = [(3, 9)] if small else [(68, 50), (1088, 50), (1, 10_000)]
    return [*(dbscan_row(groups, each) for groups, each in dbscan), kmeans_row(40 if small else 850, 17)]


def dbscan_row(groups: int, each: int) -> Row:
    n = groups * each

    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        rng = np.random.default_rng(0)
        centres = np.repeat(rng.uniform(0.0, 500.0, (groups, 2)), each, axis=0)
        points = uploaded(cuda, stream, centres + rng.normal(0.0, 3.0, (n, 2)))
        offsets = uploaded(cuda, stream, np.arange(groups + 1, dtype=np.int64) * each)
        labels = cuda.empty((n,), "int32", stream)
        return lambda: cuda.dbscan(points, offsets, 1.0, 5, labels, stream)

    return Row("dbscan", f"{groups} of {each} points", 20 * n + 8 * (groups + 1), make)


def kmeans_row(n: int, k: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        rng = np.random.default_rng(0)
        places = np.stack([250.0 + 40.0 * np.sin(np.arange(k) / 4.0), 30.0 * np.arange(k)], axis=1)
        points = uploaded(cuda, stream, places[np.arange(n) % k] + rng.normal(0.0, 3.0, (n, 2)))
        labels, centres = cuda.empty((n,), "int32", stream), cuda.empty((k, 2), "float64", stream)
        return lambda: cuda.kmeans(points, 300, 0.0, labels, centres, stream)

    return Row("kmeans", f"{n} points, k = {k}", 20 * n + 16 * k, make)
