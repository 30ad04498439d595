"""From the spread of corners to a 95 % interval of an angle.

The spread that a network states of itself is only in proportion to its errors. Two numbers, fitted on films that it was
not trained on, make intervals of it that hold as often as they say: `scale` for what grows with the spread, `floor` for
what every angle has, such as the disagreement of readers.
"""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.findings import Interval

Floats = NDArray[np.float64]

_Z_95 = 1.959964
_DRAWS = 64
_LARGEST = 180.0


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the interval of a kind of angle follows from the standard deviation that its corners give it."""

    scale: Annotated[float, msgspec.Meta(ge=0)]
    floor_degrees: Annotated[float, msgspec.Meta(ge=0)]


class Intervals(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of the curves, and of each of the challenge's three angles."""

    cobb: Spread
    aasce: tuple[Spread, Spread, Spread]


def interval(degrees: float, deviation: float, spread: Spread) -> Interval:
    """(low, high) within 0..180, to a hundredth of a degree. `deviation`: standard deviation from the corners."""
    half = float(half_width(np.array(deviation), spread))
    return round(max(degrees - half, 0.0), 2), round(min(degrees + half, _LARGEST), 2)


def half_width(deviation: Floats, spread: Spread) -> Floats:
    """Of the intervals of angles whose corners give them these standard deviations; degrees, any shape."""
    return np.asarray(_Z_95 * np.hypot(spread.scale * deviation, spread.floor_degrees))


def plate_deviation(left: Floats, right: Floats, covariance_left: Floats, covariance_right: Floats) -> float:
    """Standard deviation in degrees of an end-plate's direction.

    left, right  float64 [2], its ends; covariance [2, 2] of each, in the same unit squared, taken as independent
    """
    along = right - left
    length = np.linalg.norm(along)
    across = np.array([-along[1], along[0]]) / length
    variance = across @ (covariance_left + covariance_right) @ across
    return float(np.degrees(np.sqrt(max(variance, 0.0)) / length))


def curve_deviation(corners: Floats, covariance: Floats, upper: int, lower: int) -> float:
    """Of a Cobb angle in degrees: upper end-plate of vertebra `upper` against lower end-plate of vertebra `lower`.

    corners  float64 [n, 4, 2] in mm;  covariance [n, 4, 2, 2] in mm squared
    """
    a = plate_deviation(*corners[upper, :2], *covariance[upper, :2])
    b = plate_deviation(*corners[lower, 2:], *covariance[lower, 2:])
    return float(np.hypot(a, b))


def aasce_deviations(corners_px: Floats, covariance_px: Floats, height_px: float) -> Floats:
    """Of the challenge's three angles, float64 [3] in degrees, over draws of all corners that are the same every time.

    The challenge's rule jumps from one pair of vertebrae to another, so that no derivative says how far it spreads.

    corners_px  float64 [17, 4, 2] in pixels, covariance_px [17, 4, 2, 2];  height_px: of the image
    """
    root = np.linalg.cholesky(covariance_px + 1e-9 * np.eye(2))
    draws = np.random.default_rng(0).standard_normal((_DRAWS, *corners_px.shape))
    drawn = corners_px + (root @ draws[..., None])[..., 0]
    degrees, _ = kernels.challenge_angles(np.ascontiguousarray(drawn), np.full(_DRAWS, float(height_px)))
    return np.asarray(np.nanstd(degrees, axis=0))
