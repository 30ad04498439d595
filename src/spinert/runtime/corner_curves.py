"""Corners smoothed along the spine (Khanal et al., CSI 2019, section 4, "Curve Fitting")."""

import numpy as np
from numpy.typing import NDArray

from spinert import kernels


def smooth_corners(corners: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Each corner's x by the polynomial x(y) of all corners of its kind; y stays.

    corners  float64 [n, 4, 2] in any pixels
    degree   0..9, the paper's is 6

    The paper fits "a polynomial curve" to the landmarks and does not say to which together. One for both sides of the
    spine would leave no width, so each of TL, TR, BL and BR has its own, least squares over the vertebrae.
    Returns float64 [n, 4, 2].
    """
    count = len(corners)
    x, y = (np.ascontiguousarray(corners[..., axis].T).reshape(-1) for axis in (0, 1))
    each = np.arange(5, dtype=np.int64) * count
    curves = kernels.fit_polynomial(y, x, degree=degree, offsets=each)
    smooth, _ = kernels.evaluate_polynomial(curves, y, offsets=each)
    return np.stack([smooth.reshape(4, count).T, corners[..., 1]], axis=-1)
