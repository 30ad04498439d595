"""The radiograph as it is shown: eight-bit grey, bone bright, square pixels, at the size of a screen.

stored value -> VOI window (PS3.3 C.11.2.1.2, linear) or percentiles -> 0..255 -> inversion -> resize
"""

from typing import NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from spinert.image import Image

HEIGHT = 1400
WIDEST = 1900
PERCENTILES = (0.5, 99.5)
SAMPLED = 512
"""Rows and columns looked at for the percentiles of a picture; a picture needs no more."""


class Film(NamedTuple):
    """`picture` is mode L; `scale_xy` is display pixels per stored pixel on each axis."""

    picture: PIL.Image.Image
    scale_xy: tuple[float, float]

    def to_display(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """(x, y) [..., 2] of the stored image -> of the picture; (0, 0) is the centre of the top-left pixel in both."""
        shown: NDArray[np.float64] = (points_px + 0.5) * np.asarray(self.scale_xy) - 0.5
        return shown


def film(image: Image) -> Film:
    """The whole image, `HEIGHT` pixels high, or `WIDEST` wide where that is the tighter limit."""
    rows, columns = image.shape
    mm_x, mm_y = image.mm_per_pixel_xy
    scale = min(HEIGHT / (rows * mm_y), WIDEST / (columns * mm_x))
    size = max(1, round(columns * mm_x * scale)), max(1, round(rows * mm_y * scale))
    grey = PIL.Image.fromarray(_table(image)[image.pixels])
    return Film(grey.resize(size, PIL.Image.Resampling.BICUBIC), (size[0] / columns, size[1] / rows))


def _table(image: Image) -> NDArray[np.uint8]:
    """Grey value of every stored value: uint8 [256] or [65536]."""
    low, high = _stored_range(image)
    stored = np.arange(np.iinfo(image.pixels.dtype).max + 1, dtype=np.float64)
    share = np.clip((stored - low) / max(high - low, 1e-9), 0.0, 1.0)
    return np.round((1.0 - share if image.inverted else share) * 255.0).astype(np.uint8)


def _stored_range(image: Image) -> tuple[float, float]:
    """Stored values shown as the two ends of the grey scale: the VOI window, unless it misses the picture."""
    rows, columns = image.shape
    sample = image.pixels[:: -(-rows // SAMPLED), :: -(-columns // SAMPLED)]
    low, high = (float(value) for value in np.percentile(sample, PERCENTILES))
    if image.window is None:
        return low, high
    centre, width = image.window
    slope, intercept = image.rescale
    modality = centre - 0.5 - (width - 1.0) / 2.0, centre - 0.5 + (width - 1.0) / 2.0
    window_low, window_high = sorted((value - intercept) / slope for value in modality)
    if window_high <= low or window_low >= high:
        return low, high
    return window_low, window_high
