"""Clusters of points against scikit-learn."""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, KMeans

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference


def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    even = rng.uniform(0.0, 1000.0, (100_000, 2))
    heaps = rng.uniform(0.0, 1000.0, (200, 2))[rng.integers(0, 200, 100_000)] + rng.normal(0.0, 5.0, (100_000, 2))
    return [
        dbscan_groups_row(),
        dbscan_row("even", even, 5.0),
        dbscan_row("heaps", heaps, 1.0),
        kmeans_row(),
        gap_outliers_row(),
    ]


def dbscan_groups_row() -> Row:
    """The landmarks of a spine: what the patches of a film said of each corner, and every tenth of it gone astray."""
    rng = np.random.default_rng(0)
    groups, each, eps, min_samples = 68, 50, 4.0, 5
    points = rng.uniform(0.0, 500.0, (groups, 1, 2)) + rng.normal(0.0, 3.0, (groups, each, 2))
    points[:, ::10] = rng.uniform(0.0, 500.0, points[:, ::10].shape)
    together = np.ascontiguousarray(points.reshape(-1, 2))
    offsets = np.arange(groups + 1) * each
    peer = DBSCAN(eps=eps, min_samples=min_samples)
    return Row(
        "dbscan, many groups",
        f"{groups} of {each} points",
        lambda threads: kernels.dbscan(together, eps=eps, min_samples=min_samples, offsets=offsets, threads=threads),
        {"sklearn": lambda: np.concatenate([peer.fit(group).labels_ for group in points])},
        reference.dbscan(together, eps=eps, min_samples=min_samples, offsets=offsets),
        (1, 2),
    )


def dbscan_row(name: str, points: NDArray[np.float64], eps: float) -> Row:
    peer = DBSCAN(eps=eps, min_samples=5)
    return Row(
        f"dbscan, {name}",
        f"{len(points)} points",
        lambda threads: kernels.dbscan(points, eps=eps, min_samples=5, threads=threads),
        {"sklearn": lambda: peer.fit(points).labels_},
        peer.fit(points).labels_,
    )


def kmeans_row() -> Row:
    """One of the four corners of 17 vertebrae; scikit-learn begins with the same centres."""
    rng = np.random.default_rng(0)
    places = np.stack([250.0 + 40.0 * np.sin(np.arange(17.0) / 4.0), 30.0 * np.arange(17.0)], axis=1)
    points = (places[:, None] + rng.normal(0.0, 3.0, (17, 50, 2))).reshape(-1, 2)
    peer = KMeans(17, init=reference.farthest_points(points, 17), n_init=1, tol=0.0)
    return Row(
        "kmeans, k = 17",
        f"{len(points)} points",
        lambda _threads: kernels.kmeans(points, 17)[::-1],
        {"sklearn": lambda: peer.fit(points).cluster_centers_},
        reference.kmeans(points, 17)[1],
    )


def gap_outliers_row() -> Row:
    """The centres of 17 vertebrae along y, two of them gone astray."""
    places = 30.0 * np.arange(17.0)
    places[[4, 11]] += 400.0

    def numpy_outliers() -> NDArray[np.bool_]:
        gaps = np.abs(np.diff(places))
        wide = np.concatenate([[True], gaps > 3.0 * np.median(gaps), [True]])
        return wide[1:] & wide[:-1]

    return Row(
        "gap_outliers",
        "17 places",
        lambda _threads: kernels.gap_outliers(places, ratio=3.0),
        {"NumPy": numpy_outliers},
        reference.gap_outliers(places, ratio=3.0),
    )
