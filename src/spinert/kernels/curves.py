"""Curves along a spine: polynomials of least squares, smoothing by heat, slopes.

Several curves are taken in one call: `offsets`, int64 [curves + 1], ascends from 0 to n, and curve c has the values
offsets[c] .. offsets[c + 1] of each array; a curve may have none and knows nothing of the others, nor of a value there
that is not finite. Without offsets there is one curve.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.groups import take_offsets
from spinert.kernels.residence import place_of

_MOST_DEGREE = 9

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]


class Curves(NamedTuple):
    """Polynomials y(x), each in a basis that is orthogonal over the points it was fitted to.

    interval  float64 [curves, 2], middle and scale: t = (x - middle) * scale is -1..1 over the points
    terms     float64 [curves, degree + 1, 3], coefficient c, shift a and ratio b of each basis polynomial p:
              p[0] = 1, p[1] = t - a[0], p[k + 1] = (t - a[k]) p[k] - b[k] p[k - 1]; y is the sum of c[k] p[k]
    degrees   int32 [curves], the degree that the points of each curve determine; -1: none, and all else is nan
    """

    interval: Floats
    terms: Floats
    degrees: NDArray[np.int32]


def fit_polynomial(
    x: Floats,
    y: Floats,
    weights: Floats | None = None,
    *,
    degree: int,
    offsets: Offsets | None = None,
    threads: int = 1,
    stream: Any = None,
) -> Curves:
    """Polynomials of weighted least squares: the smallest sum of weight * (y - polynomial(x))**2.

    x, y     float64 [n] in any unit; for a spine x is the image's row and y its column
    weights  float64 [n], 0 or more; None: 1. A point of weight 0 is none, also where its x or y is nan.
    degree   0..9
    offsets  int64 [curves + 1]; None: one curve

    Each curve has its own orthogonal basis (Forsythe, J. SIAM 5, 1957), so that pixel coordinates of thousands lose
    nothing to a high degree. Points at fewer than degree + 1 places determine a lower degree only: basis polynomials
    below 1e-12 at all of them are left out, and `Curves.degrees` tells. A curve without points, with a weight below 0
    or with a value that is not finite has degree -1 and is nan.
    """
    place = place_of(x, y, weights, offsets, threads=threads, stream=stream)
    x = place.take("x", x, ("float64",), ("n",))
    y = place.take("y", y, ("float64",), (len(x),))
    if weights is not None:
        weights = place.take("weights", weights, ("float64",), (len(x),))
    if not 0 <= degree <= _MOST_DEGREE:
        raise ValueError(f"degree is {degree}, expected 0 to {_MOST_DEGREE}")
    offsets, count = take_offsets(place, offsets, len(x), "points")
    fitted = Curves(
        place.empty((count, 2), np.float64),
        place.empty((count, degree + 1, 3), np.float64),
        place.empty((count,), np.int32),
    )
    place.native.fit_polynomial(x, y, weights, offsets, *fitted, place.lane)
    return fitted


def evaluate_polynomial(
    curves: Curves,
    x: Floats,
    *,
    ends: Floats | None = None,
    offsets: Offsets | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[Floats, Floats]:
    """Values and slopes of polynomials.

    curves   from `fit_polynomial`
    x        float64 [n]
    ends     float64 [curves, 2], (low, high) in the unit of x: beyond them a curve goes on along its tangent there,
             where a polynomial of high degree would leave the spine at once. None: it does not.
    offsets  int64 [curves + 1]: curve c is asked for at x[offsets[c] : offsets[c + 1]]; None: there is one curve

    Returns y float64 [n] and dy/dx float64 [n]. An x that is not finite has nan in both.
    """
    interval, terms, _ = curves
    place = place_of(interval, terms, x, ends, offsets, threads=threads, stream=stream)
    terms = place.take("curves.terms", terms, ("float64",), ("curves", "degree + 1", 3))
    if not 1 <= terms.shape[1] <= _MOST_DEGREE + 1:
        raise ValueError(f"curves has degree {terms.shape[1] - 1}, expected 0 to {_MOST_DEGREE}")
    interval = place.take("curves.interval", interval, ("float64",), (len(terms), 2))
    x = place.take("x", x, ("float64",), ("n",))
    if ends is not None:
        ends = place.take("ends", ends, ("float64",), (len(terms), 2))
    offsets, count = take_offsets(place, offsets, len(x), "values of x")
    if count != len(terms):
        raise ValueError(f"offsets are for {count} curves, expected {len(terms)}")
    y, slopes = place.empty((len(x),), np.float64), place.empty((len(x),), np.float64)
    place.native.evaluate_polynomial(interval, terms, x, offsets, ends, y, slopes, place.lane)
    return y, slopes


def smooth_heat(
    values: Floats,
    *,
    coefficient: float = 0.01,
    steps: int = 65_000,
    ends: Literal["fixed", "free"] = "fixed",
    offsets: Offsets | None = None,
    threads: int = 1,
    stream: Any = None,
) -> Floats:
    """Curves smoothed by the heat equation: what explicit Euler steps of it make of them, found at once.

    values       float64 [n], samples of the curves at even distances, in any unit
    coefficient  of heat transfer, 0..0.5: a step adds coefficient * (before - 2 * sample + after) to every sample
    steps        0 or more. The defaults are those of Dubost et al. (CSI 2019, LNCS 11963), who smooth the centreline
                 of a spine by 65,000 steps; that is about a Gaussian of sqrt(2 * coefficient * steps) = 36 samples.
    ends         "fixed": the first and the last sample stay, as they do where only samples with two neighbours are
                 stepped. "free": they have a neighbour beyond that is always their equal, so that the curve ends level.
                 The paper does not say which.
    offsets      int64 [curves + 1]; None: one curve

    Steps multiply every mode of a curve (sines between fixed ends, cosines between free ones) by the power of a known
    factor. The result is that of the steps up to their own rounding, for any number of them; the time goes with
    n * the modes that are left, which many steps make few. Returns float64 [n]; a curve with a value that is not finite
    is nan throughout.
    """
    place = place_of(values, offsets, threads=threads, stream=stream)
    values = place.take("values", values, ("float64",), ("n",))
    if not 0.0 <= coefficient <= 0.5:
        raise ValueError(f"coefficient is {coefficient}, expected 0 to 0.5, beyond which the steps diverge")
    if not 0 <= steps < 2**53:
        raise ValueError(f"steps is {steps}, expected 0 or more and fewer than 2**53")
    if ends not in ("fixed", "free"):
        raise ValueError(f"ends is {ends!r}, expected 'fixed' or 'free'")
    offsets, _ = take_offsets(place, offsets, len(values), "values")
    smoothed = place.empty((len(values),), np.float64)
    place.native.smooth_heat(values, offsets, coefficient, steps, ends == "free", smoothed, place.lane)
    return smoothed


def even_slopes(
    values: Floats, *, points: int = 19, offsets: Offsets | None = None, threads: int = 1, stream: Any = None
) -> Floats:
    """Slopes of curves at points at even distances, the first and the last sample among them.

    values   float64 [n], samples of the curves at distance 1
    points   2 or more; 19 as Dubost et al. (CSI 2019, LNCS 11963): the spaces between 17 vertebrae, and both ends
    offsets  int64 [curves + 1]; None: one curve

    The slope of a sample is half the difference of its neighbours, that of an end the difference from its only one;
    between samples it is linear. Returns float64 [curves, points]; a curve of fewer than 2 samples has nan, and so have
    points beside a sample that is nan.
    """
    place = place_of(values, offsets, threads=threads, stream=stream)
    values = place.take("values", values, ("float64",), ("n",))
    if not 2 <= points < 2**31:
        raise ValueError(f"points is {points}, expected 2 or more and fewer than 2**31")
    offsets, count = take_offsets(place, offsets, len(values), "values")
    slopes = place.empty((count, points), np.float64)
    place.native.even_slopes(values, offsets, slopes, place.lane)
    return slopes
