"""Vectors along vertebrae and the angles between them, in float64."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def tilt_vectors(corners: Array) -> Array:
    """[n, 2]."""
    top_left, top_right, bottom_left, bottom_right = corners.transpose(1, 0, 2)
    return np.asarray((top_right + bottom_right) / 2.0 - (top_left + bottom_left) / 2.0)


def angle_matrix(vectors: Array) -> Array:
    """[n, n], degrees."""
    x, y = vectors.T
    cross = np.abs(np.multiply.outer(x, y) - np.multiply.outer(y, x))
    dot = np.multiply.outer(x, x) + np.multiply.outer(y, y)
    return np.asarray(np.degrees(np.arctan2(cross, dot)))
