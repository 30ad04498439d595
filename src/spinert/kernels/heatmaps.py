"""Heat-maps to points."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import Array, Place, place_of

_COLDEST, _WARMEST = 1e-30, 1e30


class SoftMoments(NamedTuple):
    """The distribution softmax(map / temperature) of each map: its mean, concentration and spread."""

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    covariance: NDArray[np.float32]


def soft_argmax(
    heatmaps: NDArray[np.float32],
    *,
    temperature: float = 1.0,
    radius: int = 3,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean position under softmax(map / temperature), and how much of it lies around the highest cell.

    heatmaps     float32 [n, height, width] or [n, depth, height, width], logits
    temperature  1e-30..1e30; below 1 the mean moves towards the highest cell, above 1 towards the middle of the map
    radius       cells along every axis around the highest cell (the first of equals) that count for the confidence

    Returns points float32 [n, 2] as (x, y) or [n, 3] as (x, y, z) in cells, and confidence float32 [n], 0..1. A map
    with a value that is not finite has points = nan and confidence = 0.
    """
    place = place_of(heatmaps, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    _check_softmax(temperature, radius)
    points, confidence = _empty_points(place, heatmaps), place.empty(heatmaps.shape[:1], np.float32)
    place.native.soft_argmax(heatmaps, temperature, radius, points, confidence, place.lane)
    return points, confidence


def soft_moments(
    heatmaps: NDArray[np.float32],
    *,
    temperature: float = 1.0,
    radius: int = 3,
    threads: int = 1,
    stream: Any = None,
) -> SoftMoments:
    """`soft_argmax` with the covariance of the position as well: how far, and along which direction, it is uncertain.

    Arguments, points and confidence are those of `soft_argmax`, to the last bit. Covariance is float32 [n, 2, 2] or
    [n, 3, 3] in cells squared, axes in the order x, y, z: symmetric, nan where points is.
    """
    place = place_of(heatmaps, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    _check_softmax(temperature, radius)
    n, axes = len(heatmaps), heatmaps.ndim - 1
    points, confidence = _empty_points(place, heatmaps), place.empty((n,), np.float32)
    covariance = place.empty((n, axes, axes), np.float32)
    place.native.soft_moments(heatmaps, temperature, radius, points, confidence, covariance, place.lane)
    return SoftMoments(points, confidence, covariance)


def mean_above(
    heatmaps: NDArray[np.float32],
    threshold: float,
    *,
    mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Mean position of the cells above a threshold, every one of them counting alike.

    heatmaps   float32 [n, height, width] or [n, depth, height, width], probabilities or logits
    threshold  in the unit of the maps; a cell that equals it does not count
    mask       uint8 or bool [m, height, width] or [m, depth, height, width]: only cells where it is not 0 count. n is a
               multiple of m; mask j is for the maps j * n / m and following. None: all cells count.

    Returns points float32 [n, 2] as (x, y) or [n, 3] as (x, y, z) in cells, the number of cells int32 [n], and
    confidence float32 [n], their mean value. A map without such a cell, or with a value anywhere that is not finite,
    has points = nan, count = 0 and confidence = 0.

    Zhong et al., A Coarse-to-Fine Deep Heatmap Regression Method for Adolescent Idiopathic Scoliosis Assessment (2019),
    "Local Stage Heatmap Regression": threshold 0.5 on four corner maps under the mask of their vertebra.
    """
    place = place_of(heatmaps, mask, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    if math.isnan(threshold):
        raise ValueError("threshold is nan, expected a number")
    if mask is not None:
        mask = _take_mask(place, mask, heatmaps)
    n = len(heatmaps)
    points = _empty_points(place, heatmaps)
    count, confidence = place.empty((n,), np.int32), place.empty((n,), np.float32)
    place.native.mean_above(heatmaps, threshold, mask, points, count, confidence, place.lane)
    return points, count, confidence


def peak(
    heatmaps: NDArray[np.float32], *, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Highest cell of each map (the first of equals), refined to a fraction of a cell.

    Along every axis, a parabola through the cell and its two neighbours moves the point to its vertex, by half a cell
    at most; not along an axis on which the cell lies at the border.

    heatmaps  float32 [n, height, width] or [n, depth, height, width], logits

    Returns points float32 [n, 2] as (x, y) or [n, 3] as (x, y, z) in cells and the cell's value float32 [n]. A map with
    a value that is not finite has nan in both.
    """
    place = place_of(heatmaps, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    points, value = _empty_points(place, heatmaps), place.empty(heatmaps.shape[:1], np.float32)
    place.native.peak(heatmaps, points, value, place.lane)
    return points, value


def top_peaks(
    heatmaps: NDArray[np.float32],
    k: int,
    *,
    min_distance: float,
    threshold: float,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """The k highest peaks of each map that lie some distance apart, refined as in `peak`.

    A peak is a cell above the threshold that none of its 8 (3-D: 26) neighbours exceeds and none of those before it in
    memory equals. The highest peak is taken first (the first of equals), then again and again the highest one of those
    that are min_distance or farther from every one taken.

    heatmaps      float32 [n, height, width] or [n, depth, height, width], logits
    k             1 or more
    min_distance  Euclidean, from cell to cell before they are refined; 1 or more, and at 1 every peak is taken
    threshold     in the unit of the maps; a cell that equals it is no peak. -inf: no threshold.

    Returns points float32 [n, k, 2] as (x, y) or [n, k, 3] as (x, y, z) in cells, the cells' values float32 [n, k], and
    the number of peaks int32 [n]; from there on points and values are nan. A map with a value that is not finite has
    no peaks.
    """
    place = place_of(heatmaps, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    if k < 1:
        raise ValueError(f"k is {k}, expected 1 or more")
    if not min_distance >= 1.0:
        raise ValueError(f"min_distance is {min_distance}, expected 1 or more cells")
    if math.isnan(threshold):
        raise ValueError("threshold is nan, expected a number")
    n = len(heatmaps)
    points = place.empty((n, k, heatmaps.ndim - 1), np.float32)
    values, count = place.empty((n, k), np.float32), place.empty((n,), np.int32)
    place.native.top_peaks(heatmaps, min_distance, threshold, points, values, count, place.lane)
    return points, values, count


def _take_maps(place: Place, heatmaps: Array) -> Array:
    volumes = getattr(heatmaps, "ndim", 3) == 4
    shape = ("n", "depth", "height", "width") if volumes else ("n", "height", "width")
    heatmaps = place.take("heatmaps", heatmaps, ("float32",), shape)
    if 0 in heatmaps.shape[1:]:
        raise ValueError(f"heatmaps has shape {list(heatmaps.shape)}, expected at least one cell in a map")
    return heatmaps


def _take_mask(place: Place, mask: Array, heatmaps: Array) -> Array:
    mask = place.take("mask", mask, ("uint8", "bool"), ("m", *heatmaps.shape[1:]))
    if len(mask) == 0 or len(heatmaps) % len(mask):
        raise ValueError(f"mask has m = {len(mask)}, expected a divisor of the {len(heatmaps)} heat-maps")
    return mask.view(np.uint8) if isinstance(mask, np.ndarray) else mask


def _check_softmax(temperature: float, radius: int) -> None:
    if not _COLDEST <= temperature <= _WARMEST:
        raise ValueError(f"temperature is {temperature}, expected {_COLDEST:g} to {_WARMEST:g}")
    if radius < 0:
        raise ValueError(f"radius is {radius}, expected 0 or more cells")


def _empty_points(place: Place, heatmaps: Array) -> NDArray[np.float32]:
    return place.empty((len(heatmaps), heatmaps.ndim - 1), np.float32)
