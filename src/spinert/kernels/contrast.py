"""Contrast of grey images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import Array, Place, place_of

_MOST_TILES = 256


def equalize_histogram(images: NDArray[np.uint8], *, threads: int = 1, stream: Any = None) -> NDArray[np.uint8]:
    """Grey levels spread out so that each has about as many pixels: OpenCV's equalizeHist, to the last grey level.

    images  uint8 [n, rows, columns], each by its own histogram, or [rows, columns]

    The lowest level of an image becomes 0, the highest 255; an image of one level stays as it is. The call needs 1280
    bytes for each image.
    """
    place = place_of(images, threads=threads, stream=stream)
    images = _take_images(place, images, ("uint8",))
    out = place.empty(images.shape, np.uint8)
    place.native.equalize_histogram(images, out, place.lane)
    return out


def clahe(
    images: NDArray[Any], *, clip_limit: float, tiles: tuple[int, int] = (8, 8), threads: int = 1, stream: Any = None
) -> NDArray[Any]:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994): OpenCV's createCLAHE.

    images      uint8 or uint16 [n, rows, columns], each by itself, or [rows, columns]
    clip_limit  how many times the average a level's count may be before the rest is shared among all levels, so that
                noise of even regions is not blown up; 0 clips nothing
    tiles       (rows, columns) of tiles with a histogram each, 1 .. 256 of both; OpenCV has them the other way round.
                Levels are interpolated between the centres of the tiles. Tiles that do not divide the image reach
                beyond it, where its pixels are mirrored.

    Returns the dtype and shape of `images`, equal to OpenCV's to the last grey level. The call needs a table for every
    tile, as many values as the image's highest level is, and a histogram of them for every thread: 0.1 MiB for 8 x 8
    tiles of 8 bits, 0.6 MiB of 12 bits, 9 MiB of 16; on a device 0.1 MiB for 8 bits and 24 MiB for any others.
    """
    place = place_of(images, threads=threads, stream=stream)
    images = _take_images(place, images, ("uint8", "uint16"))
    if not 0.0 <= clip_limit < np.inf:
        raise ValueError(f"clip_limit is {clip_limit}, expected a finite value of at least 0")
    if not all(1 <= count <= _MOST_TILES for count in tiles):
        raise ValueError(f"tiles is {tiles}, expected (rows, columns) of 1 to {_MOST_TILES}")
    out = place.empty(images.shape, images.dtype.name)
    place.native.clahe(images, clip_limit, *tiles, out, place.lane)
    return out


def _take_images(place: Place, images: Array, dtypes: tuple[str, ...]) -> Array:
    one = len(getattr(images, "shape", ())) == 2
    axes = ("rows", "columns") if one else ("n", "rows", "columns")
    images = place.take("images", images, dtypes, axes)
    if 0 in images.shape[-2:]:
        raise ValueError(f"images has shape {list(images.shape)}, expected at least one pixel in an image")
    return images
