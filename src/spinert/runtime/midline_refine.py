"""Corners brought in line with the curve of the spine.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (CSI 2019),
"Polynomial Curve Refine": a polynomial of degree 9 through the centres of the vertebrae, straight beyond the first and
the last, fitted again without the centres far from it; an end-plate that does not stand upright on the curve where it
crosses it is turned about that place.

Left open by the paper, chosen here: how far is far (a share of the median distance of neighbours), which plates are
"unusual" (by degrees from the curve's normal) and how far they turn "closing to" the normal (a share of the way).
"""

from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.runtime.boxes import Positive, Share

ROUNDS_OF_NEWTON = 30


class CurveRefine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the refinement."""

    degree: Annotated[int, msgspec.Meta(ge=1, le=9)] = 9
    most_rounds: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Of fitting and leaving out."""
    far: Positive = 0.25
    """In median distances of neighbouring vertebrae; a centre farther from the curve along x is left out."""
    odd_degrees: Positive = 10.0
    """A plate that stands askew by more is turned."""
    turn: Share = 1.0
    """Of the way to the normal of the curve."""


class SpineCurve(NamedTuple):
    """x(y): the polynomial, and the rows (first, last) beyond which it goes on straight."""

    polynomial: kernels.Curves
    ends: NDArray[np.float64]

    def at(self, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and slope dx/dy at rows of any shape."""
        flat = np.ascontiguousarray(y, np.float64).reshape(-1)
        x, slope = kernels.evaluate_polynomial(self.polynomial, flat, ends=self.ends)
        return x.reshape(y.shape), slope.reshape(y.shape)


def fit_spine(centres: NDArray[np.float64], refine: CurveRefine) -> SpineCurve:
    """The curve through centres [n, 2] of vertebrae in square pixels, several for a vertebra or one; n of 2 or more.

    Fitted, and again without the centres that are far from it, until none is; never to fewer than degree + 2 centres.
    """
    rows = np.sort(centres[:, 1])
    # neighbours: several centres of one vertebra lie closer than a tenth of the even distance
    steps = np.diff(rows)
    apart = steps[steps > 0.1 * (rows[-1] - rows[0]) / len(rows)]
    limit = refine.far * float(np.median(apart)) if len(apart) else np.inf
    kept = np.ones(len(centres), bool)
    for _ in range(refine.most_rounds):
        y = np.ascontiguousarray(centres[kept, 1])
        curve = SpineCurve(
            kernels.fit_polynomial(y, np.ascontiguousarray(centres[kept, 0]), degree=refine.degree),
            np.array([[y.min(), y.max()]]),
        )
        near = np.abs(curve.at(centres[:, 1])[0] - centres[:, 0]) <= limit
        if (near == kept).all() or np.count_nonzero(near) < refine.degree + 2:
            break
        kept = near
    return curve


def straighten_plates(corners: NDArray[np.float64], curve: SpineCurve, refine: CurveRefine) -> NDArray[np.float64]:
    """Corners [n, 4, 2] in square pixels with the odd end-plates turned towards the normal of the curve.

    A plate turns about the place where its line meets the curve; one that meets it farther away than half its length
    beyond its ends stays.
    """
    plates = corners.reshape(-1, 2, 2)
    left, across = plates[:, 0], plates[:, 1] - plates[:, 0]
    t, slope = _crossings(left, across, curve)
    # the tangent is (slope, 1), the normal that points to the right (1, -slope)
    off = np.arctan2(-slope, 1.0) - np.arctan2(across[:, 1], across[:, 0])
    off = (off + np.pi / 2) % np.pi - np.pi / 2
    odd = np.isfinite(t) & (t >= -0.5) & (t <= 1.5) & (np.abs(off) > np.radians(refine.odd_degrees))
    angle = np.where(odd, refine.turn * off, 0.0)
    pivot = left + np.where(odd, t, 0.0)[:, None] * across
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    arms = plates - pivot[:, None]
    turned = np.stack([cos * arms[..., 0] - sin * arms[..., 1], sin * arms[..., 0] + cos * arms[..., 1]], axis=-1)
    return np.where(odd[:, None, None], pivot[:, None] + turned, plates).reshape(corners.shape)


def _crossings(
    left: NDArray[np.float64], across: NDArray[np.float64], curve: SpineCurve
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """t where left + t * across meets the curve, from the middle on, nan where it is not found; the slope there."""
    t = np.full(len(left), 0.5)
    scale = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS_OF_NEWTON):
            x, slope = curve.at(left[:, 1] + t * across[:, 1])
            miss = left[:, 0] + t * across[:, 0] - x
            t = np.clip(t - miss / (across[:, 0] - slope * across[:, 1]), -4.0, 5.0)
        x, slope = curve.at(left[:, 1] + t * across[:, 1])
        miss = left[:, 0] + t * across[:, 0] - x
        return np.where(np.abs(miss) < 1e-6 * scale, t, np.nan), slope
