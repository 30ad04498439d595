"""Grey values of an image that is stored in colour though it shows none."""

import numpy as np
from numpy.typing import NDArray

from spinert.errors import BadStudy

ROUNDING = 2
"""Largest difference between the channels of a grey image, in stored values: what YCbCr to RGB rounds."""


def grey_of(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [rows, columns, 3] with equal channels -> uint8 [rows, columns]. Raises BadStudy where it shows colour."""
    green = colour[..., 1]
    wide = green.astype(np.int16)
    difference = max(int(np.abs(colour[..., channel] - wide).max()) for channel in (0, 2))
    if difference > ROUNDING:
        raise BadStudy(
            f"image is in colour: its channels differ by up to {difference} of 255, a radiograph is grey",
            "give the radiograph itself, not a photograph or a screen shot with coloured marks",
        )
    return np.ascontiguousarray(green)
