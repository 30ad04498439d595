"""Connected components, in NumPy."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def label_components(mask: NDArray[np.uint8], *, connectivity: int) -> tuple[NDArray[np.int32], int]:
    """(labels, count)."""
    return label_classes((mask != 0).astype(np.uint8), connectivity=connectivity)


def label_classes(classes: NDArray[np.uint8], *, connectivity: int) -> tuple[NDArray[np.int32], int]:
    """Each voxel takes the lowest index of its neighbours' until none has a lower one, and so that of the first."""
    first = np.where(classes != 0, np.arange(classes.size).reshape(classes.shape), -1)
    while True:
        before = first.copy()
        for here, there in _neighbours(classes.ndim, corners=connectivity in (8, 26)):
            same = (classes[here] == classes[there]) & (classes[here] != 0)
            first[here] = np.where(same, np.minimum(first[here], first[there]), first[here])
        if (first == before).all():
            break
    firsts = np.unique(first[first >= 0])
    return np.where(classes != 0, np.searchsorted(firsts, first) + 1, 0).astype(np.int32), len(firsts)


def _neighbours(axes: int, *, corners: bool) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Pairs of views: a voxel of the first lies beside the one at the same place of the second."""
    steps = [step for step in product((-1, 0, 1), repeat=axes) if any(step) and (corners or np.abs(step).sum() == 1)]
    view = {-1: slice(None, -1), 0: slice(None), 1: slice(1, None)}
    return [(tuple(view[-s] for s in step), tuple(view[s] for s in step)) for step in steps]


def component_statistics(
    labels: NDArray[np.int32], count: int, values: Array | None = None, *, slope: float = 1.0, intercept: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int32], Array, Array]:
    """(voxels, boxes, centroids, means), one label after another; means nan without values."""
    axes = labels.ndim
    voxels, boxes = np.zeros(count, np.int64), np.zeros((count, 2 * axes), np.int32)
    centroids, means = np.full((count, axes), np.nan), np.full(count, np.nan)
    for i in range(count):
        places = np.argwhere(labels == i + 1)[:, ::-1]
        if len(places) == 0:
            continue
        voxels[i] = len(places)
        boxes[i] = [*places.min(axis=0), *(places.max(axis=0) + 1)]
        centroids[i] = places.sum(axis=0) / len(places)
        if values is not None:
            means[i] = slope * (values[labels == i + 1].astype(np.float64).sum() / len(places)) + intercept
    return voxels, boxes, centroids, means


def keep_components(labels: NDArray[np.int32], keep: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Of the labels' shape."""
    new = np.where(keep, np.cumsum(keep), 0)
    known = (labels >= 1) & (labels <= len(keep))
    return np.where(known, np.append(new, 0)[np.where(known, labels - 1, 0)], 0).astype(np.int32)
