"""Overlapping tiles to one volume, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def blend_tiles(
    tiles: Sequence[NDArray[Any]],
    positions: NDArray[np.int64],
    shape: tuple[int, int, int],
    weights: tuple[Array, Array, Array],
) -> Array:
    """Means [classes, z, y, x] of tiles [classes, patch z, patch y, patch x]; sums and weights of the whole volume."""
    z, y, x = weights
    weight = z[:, None, None] * y[:, None] * x
    total, sums = np.zeros(shape), np.zeros((len(tiles[0]), *shape))
    for tile, position in zip(tiles, positions, strict=True):
        here = tuple(slice(begin, begin + length) for begin, length in zip(position, weight.shape, strict=True))
        total[here] += weight
        sums[(slice(None), *here)] += weight * tile.astype(np.float64)
    return np.asarray(sums / total)
