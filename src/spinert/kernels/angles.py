"""Vectors along vertebrae and the angles between them."""

import numpy as np
from numpy.typing import NDArray

from spinert.kernels import _cpu
from spinert.kernels.arguments import check_array


def tilt_vectors(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left-to-right direction of each vertebra: (TR + BR) / 2 - (TL + BL) / 2.

    corners  float64 [n, 4, 2], (x, y) of TL, TR, BL, BR in any unit

    Returns float64 [n, 2], (x, y) in the same unit.
    """
    check_array("corners", corners, ("float64",), ("n", 4, 2))
    vectors = np.empty((len(corners), 2), np.float64)
    _cpu.tilt_vectors(corners, vectors)
    return vectors


def angle_matrix(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle between each two vectors, atan2(|a x b|, a . b).

    vectors  float64 [n, 2]

    Returns float64 [n, n] in degrees, 0..180, good to 1e-12 for lengths of 1e-150 to 1e150, and symmetric. A vector of
    length 0 has angle 0 to any other; one with a value that is not finite has nan.
    """
    check_array("vectors", vectors, ("float64",), ("n", 2))
    degrees = np.empty((len(vectors), len(vectors)), np.float64)
    _cpu.angle_matrix(vectors, degrees)
    return degrees
