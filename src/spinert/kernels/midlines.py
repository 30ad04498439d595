"""The line in the middle of a mask, from its left and right border."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import place_of

Floats = NDArray[np.float64]


def mask_midline(mask: NDArray[np.uint8], *, threads: int = 1, stream: Any = None) -> tuple[Floats, Floats]:
    """Middle of a mask's left and right border in each row (Dubost et al., CSI 2019, LNCS 11963).

    mask  uint8 [rows, columns]; what is not 0 is the mask

    Returns midline float64 [rows] and borders float64 [rows, 2], the first and the last column of the mask, in pixels;
    nan in a row without. Holes count as mask, pieces beside each other as one: keep the largest component first.
    """
    place = place_of(mask, threads=threads, stream=stream)
    mask = place.take("mask", mask, ("uint8",), ("rows", "columns"))
    midline, borders = place.empty((len(mask),), np.float64), place.empty((len(mask), 2), np.float64)
    place.native.mask_midline(mask, midline, borders, place.lane)
    return midline, borders


def border_midpoints(borders: Floats, *, threads: int = 1, stream: Any = None) -> Floats:
    """Midpoints between each border point and the nearest one of the other border, both ways (Zhao et al., CSI 2019,
    LNCS 11963): the middle of a shape that lies aslant, which the middle of its rows is not.

    borders  float64 [rows, 2], left and right column of each row in pixels, nan in a row without: from `mask_midline`

    Returns float64 [2, rows, 2]: (x, y) in pixels, from each left point to the nearest right one, then from each right
    point to the nearest left one; nan in a row without. Of points equally near it is that of the nearer row, then the
    upper one. A point looks no farther than its partner in its own row, so time goes with rows * width.
    """
    place = place_of(borders, threads=threads, stream=stream)
    borders = place.take("borders", borders, ("float64",), ("rows", 2))
    midpoints = place.empty((2, len(borders), 2), np.float64)
    place.native.border_midpoints(borders, midpoints, place.lane)
    return midpoints
