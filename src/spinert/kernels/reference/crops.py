"""Crops of images and volumes along any directions, in float64."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.crops import Affine

Array = NDArray[np.float64]


def trilinear(volume: NDArray[Any], xyz: Array, outside: float) -> Array:
    """The volume at places [..., 3]; nan where a value that is not finite has a weight."""
    shape = np.array(volume.shape[::-1])
    inside = np.asarray(((xyz >= -0.5) & (xyz <= shape - 0.5)).all(axis=-1))
    places = np.clip(np.where(inside[..., None], xyz, 0.0), 0.0, shape - 1)
    low = np.floor(places).astype(np.int64)
    share = places - low
    total = np.zeros(places.shape[:-1])
    for corner in product((0, 1), repeat=3):
        weight = np.where(corner, share, 1.0 - share).prod(axis=-1)
        x, y, z = np.moveaxis(np.minimum(low + corner, shape - 1), -1, 0)
        value = volume[z, y, x].astype(np.float64)
        total += np.where(weight > 0.0, weight * np.where(np.isfinite(value), value, np.nan), 0.0)
    return np.where(inside, total, outside)


def crop_rotated(
    images: NDArray[Any], maps: Affine, size: tuple[int, int], *, samples: int = 1, outside: float = 0.0
) -> Array:
    """float64 [n, channels, height, width]."""
    lifted = np.zeros((len(maps.matrix), 3, 3))
    lifted[:, :2, :2], lifted[:, 2, 2] = maps.matrix, 1.0
    origin = np.pad(maps.origin, ((0, 0), (0, 1)))
    return _crop(images, Affine(lifted, origin), (len(images), *size), (samples, samples, 1), outside)


def crop_oblique(volume: NDArray[Any], maps: Affine, size: tuple[int, int, int], *, outside: float = 0.0) -> Array:
    """float64 [n, *size]."""
    return _crop(volume, maps, size, (1, 1, 1), outside)


def _crop(
    volume: NDArray[Any], maps: Affine, size: tuple[int, int, int], samples: tuple[int, int, int], outside: float
) -> Array:
    out = np.zeros((len(maps.matrix), *size))
    z, y, x = np.meshgrid(*map(np.arange, size), indexing="ij")
    for each in product(*map(range, samples)):
        inner = [(k + 0.5) / count - 0.5 for k, count in zip(each, samples, strict=True)]
        for crop, m, origin in zip(out, maps.matrix, maps.origin, strict=True):
            # one product after another, so that a place on the border is there to the last bit
            places = [
                row[0] * (x + inner[0]) + (row[1] * (y + inner[1]) + (row[2] * (z + inner[2]) + begin))
                for row, begin in zip(m, origin, strict=True)
            ]
            crop += trilinear(volume, np.stack(places, axis=-1), outside) / np.prod(samples)
    return out
