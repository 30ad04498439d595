"""The line in the middle of a mask, in float64."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mask_midline(mask: NDArray[np.uint8]) -> tuple[Array, Array]:
    """(midline [rows], borders [rows, 2])."""
    borders = np.full((len(mask), 2), np.nan)
    for row, values in enumerate(mask):
        columns = np.flatnonzero(values)
        if len(columns):
            borders[row] = columns[0], columns[-1]
    return borders.mean(axis=1), borders


def border_midpoints(borders: Array) -> Array:
    """[2, rows, 2]; all distances at once."""
    midpoints = np.full((2, len(borders), 2), np.nan)
    rows = np.flatnonzero(np.isfinite(borders).all(axis=1))
    for way in (0, 1):
        own, other = borders[rows, way], borders[rows, 1 - way]
        down = np.abs(rows[:, None] - rows)
        distance = (own[:, None] - other) ** 2 + down**2
        for i, row in enumerate(rows):
            nearest = np.lexsort((rows, down[i], distance[i]))[0]
            midpoints[way, row] = (own[i] + other[nearest]) / 2.0, (row + rows[nearest]) / 2.0
    return midpoints
