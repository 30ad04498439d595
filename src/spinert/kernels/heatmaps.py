"""Heat-maps to points."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import Array, Place, place_of


def soft_argmax(
    heatmaps: NDArray[np.float32], *, radius: int = 3, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean position under the softmax of each map, and how much of it lies around the highest cell.

    heatmaps  float32 [n, height, width], logits
    radius    cells in x and in y around the highest cell (the first of equals) that count for the confidence

    Returns xy float32 [n, 2] in cells and confidence float32 [n], 0..1. A map with a value that is not finite has
    xy = nan and confidence = 0.
    """
    place = place_of(heatmaps, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    if radius < 0:
        raise ValueError(f"radius is {radius}, expected 0 or more cells")
    xy, confidence = place.empty((len(heatmaps), 2), np.float32), place.empty((len(heatmaps),), np.float32)
    place.native.soft_argmax(heatmaps, radius, xy, confidence, place.lane)
    return xy, confidence


def peak(
    heatmaps: NDArray[np.float32], *, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Highest cell of each map (the first of equals), refined to a fraction of a cell.

    In x and in y, a parabola through the cell and its two neighbours moves the point to its vertex, by half a cell at
    most; not along an axis on which the cell lies at the border.

    heatmaps  float32 [n, height, width], logits

    Returns xy float32 [n, 2] in cells and the cell's value float32 [n]. A map with a value that is not finite has nan
    in both.
    """
    place = place_of(heatmaps, threads=threads, stream=stream)
    heatmaps = _take_maps(place, heatmaps)
    xy, value = place.empty((len(heatmaps), 2), np.float32), place.empty((len(heatmaps),), np.float32)
    place.native.peak(heatmaps, xy, value, place.lane)
    return xy, value


def _take_maps(place: Place, heatmaps: Array) -> Array:
    heatmaps = place.take("heatmaps", heatmaps, ("float32",), ("n", "height", "width"))
    if 0 in heatmaps.shape[1:]:
        raise ValueError(f"heatmaps has shape {list(heatmaps.shape)}, expected at least one cell in a map")
    return heatmaps
