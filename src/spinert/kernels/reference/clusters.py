"""Points to clusters, in float64."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def dbscan(
    points: Array, *, eps: float, min_samples: int, offsets: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """[n]; all distances of a group at once."""
    labels = np.full(len(points), -1, np.int32)
    for begin, end in pairwise([0, len(points)] if offsets is None else offsets.tolist()):
        labels[begin:end] = _clusters(points[begin:end], eps, min_samples)
    return labels


def _clusters(points: Array, eps: float, min_samples: int) -> NDArray[np.int32]:
    near = ((points[:, None] - points) ** 2).sum(axis=2) <= eps * eps
    core = near.sum(axis=1) >= min_samples
    labels = np.full(len(points), -1, np.int32)
    clusters = 0
    for first in np.flatnonzero(core):
        if labels[first] >= 0:
            continue
        member = np.arange(len(points)) == first
        while (reached := core & near[member].any(axis=0)).sum() > member.sum():
            member = reached
        # border points go to the first cluster that reaches them
        labels[near[member].any(axis=0) & (labels < 0)] = clusters
        clusters += 1
    return labels


def kmeans(
    points: Array, k: int, *, max_iterations: int = 300, tolerance: float = 0.0
) -> tuple[NDArray[np.int32], Array]:
    """(labels [n], centres [k, 1 or 2])."""
    centres = farthest_points(points, k)
    for _ in range(max_iterations):
        labels = _squared_distances(points, centres).argmin(axis=1)
        members = [points[labels == cluster] for cluster in range(k)]
        moved = np.stack([_mean(own) if len(own) else was for own, was in zip(members, centres, strict=True)])
        steps = ((moved - centres) ** 2).sum(axis=1)
        centres = moved
        if steps.max() <= tolerance * tolerance:
            break
    return _squared_distances(points, centres).argmin(axis=1).astype(np.int32), centres


def farthest_points(points: Array, k: int) -> Array:
    """Centres that `kmeans` begins with, [k, 1 or 2]."""
    centres = points[[_squared_distances(points, _mean(points)[None])[:, 0].argmax()]]
    while len(centres) < k:
        farthest = _squared_distances(points, centres).min(axis=1).argmax()
        centres = np.concatenate([centres, points[[farthest]]])
    return centres


def gap_outliers(places: Array, *, ratio: float) -> NDArray[np.uint8]:
    """[n]."""
    if len(places) < 3:
        return np.zeros(len(places), np.uint8)
    gaps = abs(np.diff(places))
    ordered = np.sort(gaps)
    wide = gaps > ratio * (0.5 * ordered[(len(gaps) - 1) // 2] + 0.5 * ordered[len(gaps) // 2])
    return np.asarray(np.append(True, wide) & np.append(wide, True), np.uint8)


def _mean(points: Array) -> Array:
    """Summed in the order of the points, where np.mean sums in blocks."""
    return np.asarray(points.cumsum(axis=0)[-1] / len(points))


def _squared_distances(points: Array, centres: Array) -> Array:
    """[points, centres]."""
    return np.asarray(((points[:, None] - centres) ** 2).sum(axis=2))
