"""Heat-maps to points, in float64."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
