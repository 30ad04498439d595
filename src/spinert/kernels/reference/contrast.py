"""Contrast of grey images, in float64 and whole numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.integer]


def equalize_histogram(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[rows, columns]; the lowest level becomes 0 and the highest 255."""
    counts = np.bincount(image.ravel(), minlength=256)
    lowest = int(image.min())
    if counts[lowest] == image.size:
        return image.copy()
    counts[lowest] = 0
    table = np.rint(counts.cumsum() * (255.0 / counts.sum()))
    return np.asarray(table.astype(np.uint8)[image])


def clahe(image: Grey, *, clip_limit: float, tiles: tuple[int, int]) -> Grey:
    """[rows, columns], uint8 or uint16."""
    rows, columns = image.shape
    even = rows % tiles[0] == 0 and columns % tiles[1] == 0
    # where one axis does not divide, the other one grows too, by a whole tile's worth of ones if it divides
    pad = [(0, 0 if even else count - length % count) for length, count in zip(image.shape, tiles, strict=True)]
    padded = np.pad(image, pad, mode="reflect")
    height, width = padded.shape[0] // tiles[0], padded.shape[1] // tiles[1]
    tables = np.array(
        [
            [
                tile_table(padded[y * height : (y + 1) * height, x * width : (x + 1) * width], clip_limit)
                for x in range(tiles[1])
            ]
            for y in range(tiles[0])
        ]
    )
    above, below, down = _between(rows, height, tiles[0])
    left, right, across = _between(columns, width, tiles[1])
    down = down[:, None]
    upper = tables[above[:, None], left, image] * (1.0 - across) + tables[above[:, None], right, image] * across
    lower = tables[below[:, None], left, image] * (1.0 - across) + tables[below[:, None], right, image] * across
    return np.asarray(np.rint(upper * (1.0 - down) + lower * down).astype(image.dtype))


def tile_table(tile: Grey, clip_limit: float) -> NDArray[np.float64]:
    """New level of each level, [256] or [65536]."""
    levels = int(np.iinfo(tile.dtype).max) + 1
    counts = np.bincount(tile.ravel(), minlength=levels)
    if clip_limit > 0.0:
        limit = max(int(clip_limit * tile.size / levels), 1)
        excess = int(np.maximum(counts - limit, 0).sum())
        share, singles = divmod(excess, levels)
        counts = np.minimum(counts, limit) + share
        counts[:: max(levels // max(singles, 1), 1)][:singles] += 1
    return np.asarray(np.minimum(np.rint(counts.cumsum() * ((levels - 1.0) / tile.size)), levels - 1.0))


def _between(length: int, tile: int, tiles: int) -> tuple[Any, Any, NDArray[np.float64]]:
    """The tile whose centre lies before each place, the one behind, and the weight of the latter."""
    place = np.arange(length) / tile - 0.5
    before = np.floor(place).astype(int)
    return np.maximum(before, 0), np.minimum(before + 1, tiles - 1), place - before
