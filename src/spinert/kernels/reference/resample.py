"""Volumes to other grids, in float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.resample import Grid

Array = NDArray[np.float64]


def linear_weights(inputs: int, outputs: int, step: float, origin: float) -> Array:
    """[outputs, inputs]: a triangle round each output's place, widened by the step where the axis shrinks."""
    centre = np.clip(origin + step * np.arange(outputs), 0.0, inputs - 1)
    weights = np.clip(1.0 - abs(np.arange(inputs) - centre[:, None]) / max(1.0, step), 0.0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def resample_volume(
    volume: NDArray[Any], grid: Grid, *, window: tuple[float, float, float, float] | None = None
) -> Array:
    """float64 [*grid.shape]; nan where a value that is not finite has a weight."""
    values = volume.astype(np.float64)
    if window is not None:
        slope, intercept, low, high = window
        values = (np.clip(slope * values + intercept, low, high) - low) / (high - low)
    for axis in range(3):
        weights = linear_weights(values.shape[axis], grid.shape[axis], grid.step[axis], grid.origin[axis])
        finite = np.isfinite(values)
        blended = np.tensordot(weights, np.where(finite, values, 0.0), (1, axis))
        if not finite.all():
            blended[np.tensordot(weights > 0.0, ~finite, (1, axis)) > 0] = np.nan
        values = np.moveaxis(blended, 0, axis)
    return values


def resample_labels(labels: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """The dtype of `labels` [*grid.shape]."""
    for axis in range(3):
        inputs = labels.shape[axis]
        centre = np.clip(grid.origin[axis] + grid.step[axis] * np.arange(grid.shape[axis]), 0.0, inputs - 1)
        labels = labels.take(np.floor(centre + 0.5).astype(np.int64).clip(0, inputs - 1), axis)
    return labels
