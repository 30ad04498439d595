"""Edges of a small grey picture by Canny's operator (IEEE TPAMI 8, 1986), and the direction that most of them share.

The direction is found as Zhao et al. (CSI 2019, LNCS 11963, section 2.3) find that of a vertebra: a flat Gaussian is
turned through half a turn, and its derivative across its long axis is laid over the edges.
"""

import math

import numpy as np
from numpy.typing import NDArray

from spinert import kernels

Floats = NDArray[np.float64]


def canny(picture: NDArray[np.float32] | Floats, *, sigma: float, low: float, high: float) -> NDArray[np.bool_]:
    """Edges one pixel thin: smooth, gradient, suppress what is no maximum across the edge, hysteresis.

    picture    [rows, columns] of at least 3 x 3, in any unit
    sigma      of the smoothing Gaussian in pixels, cut off at three of them; the border goes on beyond the picture
    low, high  0 < low <= high <= 1, shares of the picture's largest gradient: an edge has a pixel of at least `high`,
               and goes on over neighbours, corners too, of at least `low`

    Across the edge, the gradient must exceed that a pixel further on and reach that a pixel back, each interpolated
    between the two nearest neighbours. The outermost pixels are no edges. A picture of one grey value has none.
    """
    smooth = _smooth(np.asarray(picture, np.float64), sigma)
    down, right = np.asarray(np.gradient(smooth, axis=0)), np.asarray(np.gradient(smooth, axis=1))
    strength = np.hypot(right, down)
    largest = strength.max()
    # what float32 rounding leaves of an even picture is no gradient
    if not largest > 1e-5 * np.abs(smooth).max():
        return np.zeros(strength.shape, np.bool_)
    thin = _is_highest(strength, right, down)
    weak = thin & (strength >= low * largest)
    labels, count = kernels.label_components(weak, connectivity=8)
    strong = np.zeros(count + 1, np.bool_)
    strong[labels[weak & (strength >= high * largest)]] = True
    return np.asarray(strong[labels] & weak)


def direction_responses(edges: NDArray[np.bool_], *, long: float, short: float, directions: int) -> Floats:
    """How strongly the edges of pictures answer to the turned derivative of a flat Gaussian.

    edges        bool [n, rows, columns]
    long, short  sigma in pixels along the Gaussian's axes; the derivative is taken along the short one, at least 1
    directions   entry k is for the long axis turned by k * 180 / directions degrees from x towards y

    Returns float64 [n, directions]: the sum of squares of the filtered edge map over the whole plane. By Parseval's
    theorem that is a sum over the edges' power spectrum, so that no direction needs a convolution of its own. Time goes
    with directions * (rows + 6 long) * (columns + 6 long).
    """
    room = math.ceil(6.0 * max(long, short))
    size = edges.shape[1] + room, edges.shape[2] + room
    spectrum = np.fft.rfft2(edges.astype(np.float64), size)
    power = spectrum.real**2 + spectrum.imag**2
    # the half that a real picture's transform leaves out
    power[..., 1 : (size[1] + 1) // 2] *= 2.0
    power = power.reshape(len(edges), -1)
    y = 2.0 * np.pi * np.fft.fftfreq(size[0])[:, None]
    x = 2.0 * np.pi * np.fft.rfftfreq(size[1])
    responses = np.empty((len(edges), directions))
    for k in range(directions):
        angle = math.pi * k / directions
        along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        answer = across**2 * np.exp(-((long * along) ** 2) - (short * across) ** 2)
        responses[:, k] = power @ answer.ravel()
    return responses


def _smooth(picture: Floats, sigma: float) -> Floats:
    """Convolution with a Gaussian on both axes."""
    radius = math.ceil(3.0 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    for _ in range(2):
        padded = np.pad(picture, ((radius, radius), (0, 0)), mode="edge")
        picture = np.tensordot(weights, np.lib.stride_tricks.sliding_window_view(padded, len(weights), 0), (0, 2)).T
    return picture


def _is_highest(strength: Floats, right: Floats, down: Floats) -> NDArray[np.bool_]:
    """Whether the gradient is highest along its own direction."""
    rows, columns = strength.shape
    y, x = np.mgrid[1 : rows - 1, 1 : columns - 1]
    g_right, g_down = right[1:-1, 1:-1], down[1:-1, 1:-1]
    step_x, step_y = np.where(g_right < 0, -1, 1), np.where(g_down < 0, -1, 1)
    wide, high = np.abs(g_right), np.abs(g_down)
    level = wide >= high
    share = np.minimum(wide, high) / np.maximum(np.maximum(wide, high), np.finfo(np.float64).tiny)

    def beside(sign: int) -> Floats:
        """The strength one step along the gradient's larger part, between the straight and the slanted neighbour."""
        straight = strength[np.where(level, y, y + sign * step_y), np.where(level, x + sign * step_x, x)]
        slanted = strength[y + sign * step_y, x + sign * step_x]
        return np.asarray((1.0 - share) * straight + share * slanted)

    highest = np.zeros(strength.shape, np.bool_)
    own = strength[1:-1, 1:-1]
    highest[1:-1, 1:-1] = (own > beside(1)) & (own >= beside(-1))
    return highest
