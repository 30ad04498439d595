"""How the vertebra at a place of the spine lies, from its edges: the correction of angles that a curve only suggests.

Zhao et al., "Automatic spine curvature estimation by a top-down approach" (CSI 2019, LNCS 11963), section 2.3: Canny
edges at the ends of the curve, a flat Gaussian turned through 180 degrees, the strongest response of its derivative.
"""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.runtime.edges import canny, direction_responses

Floats = NDArray[np.float64]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Sigma = Annotated[float, msgspec.Meta(ge=1, le=100)]


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The paper states no number but the half turn; lengths are in pixels of the network's input."""

    side_px: Annotated[int, msgspec.Meta(ge=8, le=512)]
    """Diameter of the disc around the place in which edges count: about the width of a vertebra, so that its end-plates
    are in it, and its sides, which point elsewhere, are hardly."""
    canny_sigma: Annotated[float, msgspec.Meta(ge=0.5, le=20)] = 1.4
    canny_low: Share = 0.1
    canny_high: Share = 0.3
    """Shares of the largest gradient in the crop."""
    long_px: Sigma
    short_px: Sigma
    """Sigma of the flat Gaussian along its axes."""
    directions: Annotated[int, msgspec.Meta(ge=8, le=1800)] = 180
    """In half a turn."""
    within_degrees: Annotated[float, msgspec.Meta(gt=0, le=90)] = 90.0
    """Only directions this near to the curve's normal are asked; 90, as in the paper: all."""

    def __post_init__(self) -> None:
        if self.canny_low > self.canny_high:
            raise ValueError(f"canny_low is {self.canny_low:g}, above canny_high, which is {self.canny_high:g}")
        if self.long_px <= self.short_px:
            raise ValueError(
                f"long_px is {self.long_px:g} and short_px {self.short_px:g}: the Gaussian is not flat along its axis"
            )


def vertebra_directions(pixels: NDArray[np.float32], places: Floats, normals: Floats, correction: Correction) -> Floats:
    """Directions of the vertebrae at some places of a prepared film.

    pixels   float32 [height, width], the network's input
    places   float64 [n, 2], (x, y) in its pixels
    normals  float64 [n], the direction across the curve at each place in degrees from x towards y, -90..90

    Returns float64 [n] in degrees from x towards y, within 90 of the normal; nan where there is no edge.
    """
    side = correction.side_px
    boxes = np.column_stack([places, np.full((len(places), 2), float(side)), np.zeros(len(places))])
    crops = kernels.crop_rotated(pixels[None], kernels.box_map(boxes, (side, side)), (side, side))[:, 0]
    sigma, low, high = correction.canny_sigma, correction.canny_low, correction.canny_high
    edges = np.stack([canny(crop, sigma=sigma, low=low, high=high) for crop in crops])
    edges &= _disc(side)
    responses = direction_responses(
        edges, long=correction.long_px, short=correction.short_px, directions=correction.directions
    )
    turned = np.arange(correction.directions) * (180.0 / correction.directions)
    # lines have no sense: each direction as the one of its two that is nearer to the normal
    away = (turned - normals[:, None] + 90.0) % 180.0 - 90.0
    responses[np.abs(away) > correction.within_degrees] = -1.0
    best = responses.argmax(axis=1)
    found = normals + away[np.arange(len(places)), best]
    return np.where(edges.any(axis=(1, 2)), found, np.nan)


def _disc(side: int) -> NDArray[np.bool_]:
    """Edges in the corners of a square would favour its diagonals."""
    from_middle = np.arange(side) - (side - 1) / 2.0
    return np.asarray(np.hypot(from_middle, from_middle[:, None]) <= side / 2.0)
