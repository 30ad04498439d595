"""A radiograph to a network's input."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import place_of


class PlaneMap(NamedTuple):
    """Pixels of the network's input to pixels of the image, for each axis: image = origin + step * network."""

    step_x: float
    step_y: float
    origin_x: float
    origin_y: float

    def to_image(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(x, y) in network pixels [..., 2] -> (x, y) in image pixels [..., 2]."""
        return np.asarray(points, np.float64) * (self.step_x, self.step_y) + (self.origin_x, self.origin_y)

    def to_network(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(x, y) in image pixels [..., 2] -> (x, y) in network pixels [..., 2]."""
        return (np.asarray(points, np.float64) - (self.origin_x, self.origin_y)) / (self.step_x, self.step_y)


class Prepared(NamedTuple):
    """A network's input: float32 [height, width] in 0..1 and the way back to the image.

    `window` is int32 [2], the stored values that became 0 and 1 (before inversion). It lies where the pixels do: on a
    device it is known only once the work queued there is done, and nobody waits for that here.
    """

    pixels: NDArray[np.float32]
    map: PlaneMap
    window: NDArray[np.int32]

    @property
    def low(self) -> int:
        """The stored value that became 0; in host memory only."""
        return int(self.window[0])

    @property
    def high(self) -> int:
        """The stored value that became 1; in host memory only."""
        return int(self.window[1])


def prepare_radiograph(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    size: tuple[int, int],
    inverted: bool = False,
    mm_per_pixel_xy: tuple[float, float] = (1.0, 1.0),
    percentiles: tuple[float, float] = (1.0, 99.0),
    threads: int = 1,
    stream: Any = None,
) -> Prepared:
    """Window a radiograph by its percentiles and fit it into `size`, its proportions in mm kept.

    pixels           uint8 or uint16 [rows, columns], stored values
    size             (height, width) of the result; the image lies in its middle, the rest is 0
    inverted         bone is dark: the image becomes 1 - x
    mm_per_pixel_xy  spacing (x, y), any unit: only its ratio counts
    percentiles      the window is [low, high]: the smallest stored values that at least this share of all pixels does
                     not exceed. Values outside are clipped first, then the image is resized. low = high gives 0.

    An axis that shrinks takes the exact average over each pixel's area, one that grows is interpolated linearly between
    pixel centres, edges clamped.
    """
    place = place_of(pixels, threads=threads, stream=stream)
    pixels = place.take("pixels", pixels, ("uint8", "uint16"), ("rows", "columns"))
    if pixels.size == 0:
        raise ValueError(f"pixels has shape {list(pixels.shape)}, expected at least one pixel")
    if min(size) < 1:
        raise ValueError(f"size is {size}, expected (height, width) of at least 1")
    if not all(0.0 < mm < math.inf for mm in mm_per_pixel_xy):
        raise ValueError(f"mm_per_pixel_xy is {mm_per_pixel_xy}, expected two finite values above 0")
    if not 0.0 <= percentiles[0] <= percentiles[1] <= 100.0:
        raise ValueError(f"percentiles is {percentiles}, expected 0 <= low <= high <= 100")

    rank_low, rank_high = (max(1, math.ceil(percent * pixels.size / 100.0)) for percent in percentiles)
    window = place.empty((2,), np.int32)
    place.native.order_statistics(pixels, rank_low, rank_high, window, place.lane)

    rows, columns = pixels.shape
    height_mm, width_mm = rows * mm_per_pixel_xy[1], columns * mm_per_pixel_xy[0]
    scale = min(size[0] / height_mm, size[1] / width_mm)
    new_rows = min(max(round(height_mm * scale), 1), size[0])
    new_columns = min(max(round(width_mm * scale), 1), size[1])
    top, left = (size[0] - new_rows) // 2, (size[1] - new_columns) // 2
    out = place.empty(size, np.float32)
    place.native.window_resize(pixels, window, inverted, top, left, new_rows, new_columns, out, place.lane)

    step_x, step_y = columns / new_columns, rows / new_rows
    plane_map = PlaneMap(step_x, step_y, (0.5 - left) * step_x - 0.5, (0.5 - top) * step_y - 0.5)
    return Prepared(out, plane_map, window)
