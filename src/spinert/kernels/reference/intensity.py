"""Stored values to a network's input, in float64."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Slices = float | Array


def to_hu(stored: NDArray[np.integer], slope: Slices, intercept: Slices) -> Array:
    """The shape of `stored`; slope and intercept hold for all of it or for one slice each."""
    by_slice = (-1,) + (1,) * (stored.ndim - 1)
    slopes, intercepts = (np.asarray(value, np.float64).reshape(by_slice) for value in (slope, intercept))
    return np.asarray(stored * slopes + intercepts)


def window_hu(
    stored: NDArray[np.integer],
    *,
    slope: Slices,
    intercept: Slices,
    low: float,
    high: float,
    outside: float | None = None,
) -> Array:
    """0..1; for uint8 the kernel rounds 255 times as much."""
    hu = to_hu(stored, slope, intercept)
    window = (np.clip(hu, low, high) - low) / (high - low)
    return window if outside is None else np.where((low <= hu) & (hu <= high), window, outside)


def standardize_hu(
    stored: NDArray[np.integer],
    *,
    slope: Slices,
    intercept: Slices,
    mean: float,
    sd: float,
    low: float = -math.inf,
    high: float = math.inf,
    outside: float | None = None,
) -> Array:
    """(HU - mean) / sd."""
    hu = to_hu(stored, slope, intercept)
    values = (np.clip(hu, low, high) - mean) / sd
    return values if outside is None else np.where((low <= hu) & (hu <= high), values, outside)


def zscore_hu(
    stored: NDArray[np.integer],
    *,
    slope: Slices,
    intercept: Slices,
    low: float = -math.inf,
    high: float = math.inf,
    mask: NDArray[np.uint8] | None = None,
) -> tuple[Array, Array]:
    """(values, moments [3])."""
    hu = np.clip(to_hu(stored, slope, intercept), low, high)
    counted = hu.ravel() if mask is None else hu[mask != 0]
    mean = math.fsum(counted) / counted.size
    sd = math.sqrt(math.fsum((counted - mean) ** 2) / counted.size)
    values = (hu - mean) / sd if sd > 0.0 else np.zeros(hu.shape)
    return values, np.array([counted.size, mean, sd])


def threshold_mask(
    stored: NDArray[np.integer], *, slope: Slices, intercept: Slices, low: float, high: float = math.inf
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """(mask, box [axes, 2])."""
    hu = to_hu(stored, slope, intercept)
    mask = ((low <= hu) & (hu <= high)).astype(np.uint8)
    if not mask.any():
        return mask, np.zeros((stored.ndim, 2), np.int64)
    return mask, np.array([(places.min(), places.max() + 1) for places in mask.nonzero()], np.int64)
