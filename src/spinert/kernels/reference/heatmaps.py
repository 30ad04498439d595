"""Heat-maps to points, in float64."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Maps = NDArray[np.floating[Any]]


def soft_moments(heatmaps: Maps, *, temperature: float = 1.0, radius: int = 3) -> tuple[Array, Array, Array]:
    """(points [n, axes], confidence [n], covariance [n, axes, axes])."""
    n, axes = len(heatmaps), heatmaps.ndim - 1
    points, confidence, covariance = np.full((n, axes), np.nan), np.zeros(n), np.full((n, axes, axes), np.nan)
    cells = _cells(heatmaps)
    for i in _finite(heatmaps):
        logits = heatmaps[i].astype(np.float64).ravel() / temperature
        weights = np.exp(logits - logits.max())
        weights /= weights.sum()
        points[i] = weights @ cells
        confidence[i] = weights[(abs(cells - cells[np.argmax(logits)]) <= radius).all(axis=1)].sum()
        covariance[i] = (weights[:, None] * (cells - points[i])).T @ (cells - points[i])
    return points, confidence, covariance


def soft_argmax(heatmaps: Maps, *, temperature: float = 1.0, radius: int = 3) -> tuple[Array, Array]:
    """(points [n, axes], confidence [n])."""
    points, confidence, _ = soft_moments(heatmaps, temperature=temperature, radius=radius)
    return points, confidence


def mean_above(
    heatmaps: Maps, threshold: float, *, mask: NDArray[Any] | None = None
) -> tuple[Array, NDArray[np.int64], Array]:
    """(points [n, axes], count [n], confidence [n])."""
    n, axes = len(heatmaps), heatmaps.ndim - 1
    points, count, confidence = np.full((n, axes), np.nan), np.zeros(n, np.int64), np.zeros(n)
    masks = np.ones(heatmaps.shape, bool) if mask is None else np.repeat(mask != 0, n // len(mask), axis=0)
    cells = _cells(heatmaps)
    for i in _finite(heatmaps):
        above = (heatmaps[i] > threshold) & masks[i]
        if above.any():
            points[i], count[i] = cells[above.ravel()].mean(axis=0), above.sum()
            confidence[i] = heatmaps[i][above].mean(dtype=np.float64)
    return points, count, confidence


def peak(heatmaps: Maps) -> tuple[Array, Array]:
    """(points [n, axes], value [n])."""
    n, axes = len(heatmaps), heatmaps.ndim - 1
    points, value = np.full((n, axes), np.nan), np.full(n, np.nan)
    for i in _finite(heatmaps):
        cell = np.unravel_index(np.argmax(heatmaps[i]), heatmaps.shape[1:])
        points[i], value[i] = _refined(heatmaps[i], cell), heatmaps[i][cell]
    return points, value


def top_peaks(
    heatmaps: Maps, k: int, *, min_distance: float, threshold: float
) -> tuple[Array, Array, NDArray[np.int64]]:
    """(points [n, k, axes], values [n, k], count [n])."""
    n, axes = len(heatmaps), heatmaps.ndim - 1
    points, values, count = np.full((n, k, axes), np.nan), np.full((n, k), np.nan), np.zeros(n, np.int64)
    for i in _finite(heatmaps):
        taken: list[NDArray[np.int64]] = []
        candidates = np.argwhere(_is_peak(heatmaps[i]) & (heatmaps[i] > threshold))  # in the order of memory
        for cell in sorted(candidates, key=lambda cell: -float(heatmaps[i][tuple(cell)])):
            if len(taken) < k and all(np.linalg.norm(cell - other) >= min_distance for other in taken):
                points[i, len(taken)] = _refined(heatmaps[i], tuple(cell))
                values[i, len(taken)] = heatmaps[i][tuple(cell)]
                taken.append(cell)
        count[i] = len(taken)
    return points, values, count


def _finite(heatmaps: Maps) -> list[int]:
    return [i for i, heatmap in enumerate(heatmaps) if np.isfinite(heatmap).all()]


def _cells(heatmaps: Maps) -> Array:
    """[cells of a map, axes] as (x, y) or (x, y, z), in the order of memory."""
    return np.argwhere(np.ones(heatmaps.shape[1:]))[:, ::-1].astype(np.float64)


def _is_peak(heatmap: NDArray[Any]) -> NDArray[np.bool_]:
    padded = np.pad(heatmap.astype(np.float64), 1, constant_values=-np.inf)
    peaks = np.ones(heatmap.shape, bool)
    for shift in itertools.product((-1, 0, 1), repeat=heatmap.ndim):
        neighbour = padded[tuple(slice(1 + s, 1 + s + size) for s, size in zip(shift, heatmap.shape, strict=True))]
        if shift < (0,) * heatmap.ndim:
            peaks &= neighbour < heatmap
        elif any(shift):
            peaks &= neighbour <= heatmap
    return peaks


def _refined(heatmap: NDArray[Any], cell: tuple[Any, ...]) -> list[float]:
    steps = []
    for axis, size in enumerate(heatmap.shape):
        before, after = list(cell), list(cell)
        before[axis], after[axis] = max(cell[axis] - 1, 0), min(cell[axis] + 1, size - 1)
        inside = 0 < cell[axis] < size - 1
        three = (float(heatmap[tuple(place)]) for place in (before, cell, after))
        steps.append(_vertex(*three) if inside else 0.0)
    return [float(place) + step for place, step in zip(cell, steps, strict=True)][::-1]


def _vertex(before: float, middle: float, after: float) -> float:
    curvature = before - 2.0 * middle + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0.0 else 0.0
