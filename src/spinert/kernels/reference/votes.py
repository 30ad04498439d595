"""Votes of voxels and of slices, in float64."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gaussian_mean(volume: NDArray[np.floating], centres: Array, *, cube: int = 10, sigma: float) -> Array:
    """[n]."""
    return np.array([_mean_near(volume.astype(np.float64), centre, cube, sigma) for centre in centres])


def _mean_near(volume: Array, centre: Array, cube: int, sigma: float) -> float:
    if not np.isfinite(centre).all():
        return np.nan
    zyx = [np.arange(size) for size in volume.shape]
    near = [(axis >= c - cube / 2.0) & (axis < c + cube / 2.0) for axis, c in zip(zyx, centre, strict=True)]
    voxels = volume[np.ix_(*near)]
    if voxels.size == 0:
        return np.nan
    z, y, x = np.meshgrid(*(axis[of] - c for axis, of, c in zip(zyx, near, centre, strict=True)), indexing="ij")
    squared = z**2 + y**2 + x**2
    return float(np.average(voxels, weights=np.exp(-(squared - squared.min()) / (2.0 * sigma**2))))


def vertebra_votes(
    probabilities: NDArray[np.floating], *, threshold: int, offsets: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(labels [vertebrae], counts [vertebrae, classes])."""
    slices, classes = probabilities.shape
    labels, counts = [], []
    for first, last in pairwise([0, slices] if offsets is None else offsets.tolist()):
        own = probabilities[first:last]
        votes = own[~np.isnan(own).any(axis=1)].argmax(axis=1)
        counts.append(np.bincount(votes, minlength=classes))
        lesion = 1 + int(counts[-1][1:].argmax()) if classes > 1 else 0
        labels.append(lesion if lesion > 0 and counts[-1][lesion] > threshold else 0)
    return np.array(labels, np.int32), np.array(counts, np.int32).reshape(-1, classes)
