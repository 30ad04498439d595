"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def percentile_values(pixels: NDArray[np.integer], percentiles: tuple[float, float]) -> tuple[int, int]:
    """Smallest values whose cumulative share of all pixels reaches each percentile."""
    in_order = np.sort(pixels, axis=None)
    low, high = (max(1, int(np.ceil(percent * pixels.size / 100.0))) for percent in percentiles)
    return int(in_order[low - 1]), int(in_order[high - 1])


def resize_weights(inputs: int, outputs: int) -> Array:
    """[outputs, inputs]: area average when the axis shrinks, linear between centres when it grows."""
    step = inputs / outputs
    source = np.arange(inputs)
    if outputs <= inputs:
        begin = np.arange(outputs)[:, None] * step
        overlap = np.minimum(begin + step, source + 1) - np.maximum(begin, source)
        return np.asarray(np.clip(overlap, 0.0, None) / step)
    centre = np.clip((np.arange(outputs)[:, None] + 0.5) * step - 0.5, 0.0, inputs - 1)
    return np.asarray(np.clip(1.0 - np.abs(centre - source), 0.0, None))


def fitted_shape(
    shape: tuple[int, int], size: tuple[int, int], mm_per_pixel_xy: tuple[float, float]
) -> tuple[int, int]:
    """(rows, columns) of an image within `size`, its proportions in mm kept."""
    mm = shape[0] * mm_per_pixel_xy[1], shape[1] * mm_per_pixel_xy[0]
    scale = min(size[0] / mm[0], size[1] / mm[1])
    rows, columns = (min(max(round(length * scale), 1), limit) for length, limit in zip(mm, size, strict=True))
    return rows, columns


def prepare_radiograph(
    pixels: NDArray[np.integer],
    *,
    size: tuple[int, int],
    inverted: bool = False,
    mm_per_pixel_xy: tuple[float, float] = (1.0, 1.0),
    percentiles: tuple[float, float] = (1.0, 99.0),
) -> Array:
    """The pixels of `Prepared`, float64 [height, width]."""
    low, high = percentile_values(pixels, percentiles)
    windowed = np.clip((pixels.astype(np.float64) - low) / max(high - low, 1), 0.0, 1.0) * (high > low)
    rows, columns = fitted_shape(pixels.shape, size, mm_per_pixel_xy)
    image = resize_weights(pixels.shape[0], rows) @ windowed @ resize_weights(pixels.shape[1], columns).T
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    out = np.zeros(size)
    out[top : top + rows, left : left + columns] = 1.0 - image if inverted else image
    return out


def soft_argmax(heatmaps: NDArray[np.floating], *, radius: int = 3) -> tuple[Array, Array]:
    """(xy [n, 2], confidence [n])."""
    n, height, width = heatmaps.shape
    xy, confidence = np.full((n, 2), np.nan), np.zeros(n)
    y, x = np.mgrid[:height, :width]
    for i, heatmap in enumerate(heatmaps.astype(np.float64)):
        if not np.isfinite(heatmap).all():
            continue
        top_y, top_x = np.unravel_index(np.argmax(heatmap), heatmap.shape)
        weights = np.exp(heatmap - heatmap.max())
        weights /= weights.sum()
        xy[i] = (weights * x).sum(), (weights * y).sum()
        confidence[i] = weights[(abs(x - top_x) <= radius) & (abs(y - top_y) <= radius)].sum()
    return xy, confidence


def peak(heatmaps: NDArray[np.floating]) -> tuple[Array, Array]:
    """(xy [n, 2], value [n])."""
    n, height, width = heatmaps.shape
    xy, value = np.full((n, 2), np.nan), np.full(n, np.nan)
    for i, heatmap in enumerate(heatmaps.astype(np.float64)):
        if not np.isfinite(heatmap).all():
            continue
        y, x = (int(k) for k in np.unravel_index(np.argmax(heatmap), heatmap.shape))
        step_x = _vertex(*heatmap[y, x - 1 : x + 2]) if 0 < x < width - 1 else 0.0
        step_y = _vertex(*heatmap[y - 1 : y + 2, x]) if 0 < y < height - 1 else 0.0
        xy[i] = x + step_x, y + step_y
        value[i] = heatmap[y, x]
    return xy, value


def _vertex(before: float, middle: float, after: float) -> float:
    curvature = before - 2.0 * middle + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0.0 else 0.0


def tilt_vectors(corners: Array) -> Array:
    """[n, 2]."""
    top_left, top_right, bottom_left, bottom_right = corners.transpose(1, 0, 2)
    return np.asarray((top_right + bottom_right) / 2.0 - (top_left + bottom_left) / 2.0)


def angle_matrix(vectors: Array) -> Array:
    """[n, n], degrees."""
    x, y = vectors.T
    cross = np.abs(np.multiply.outer(x, y) - np.multiply.outer(y, x))
    dot = np.multiply.outer(x, x) + np.multiply.outer(y, y)
    return np.asarray(np.degrees(np.arctan2(cross, dot)))


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


def _mean(points: Array) -> Array:
    """Summed in the order of the points, where np.mean sums in blocks."""
    return np.asarray(points.cumsum(axis=0)[-1] / len(points))


def _squared_distances(points: Array, centres: Array) -> Array:
    """[points, centres]."""
    return np.asarray(((points[:, None] - centres) ** 2).sum(axis=2))
