"""Angles between the middle vectors of the most tilted vertebrae: Chen et al., AASCE 2019 (LNCS 11963), section 3.2.

The most tilted vertebrae above and below the apex are V1 and V2; the main thoracic angle, MT, lies between their middle
vectors. The most tilted vertebra above V1 is V0, the most tilted below V2 is V3; the proximal thoracic angle, PT, lies
between V0 and V1, the thoracolumbar one, TL, between V2 and V3.

What the paper leaves open, and what is done here:
- The middle vector of a vertebra goes from the middle of its left side to the middle of its right side.
- The apex is the vertebra, neither the first nor the last, whose centre lies farthest from the line through the first
  and the last centre; of equal ones the uppermost.
- Most tilted has a direction. Above the apex a vertebra counts by how far it leans into the curve, below it by how far
  it leans the other way; V0 and V3 lean most against V1 and V2. Without a direction V0 would mostly be the neighbour of
  V1, and PT nothing. Of equally tilted vertebrae the one nearest to the apex is taken.
- V0 is V1 itself, and PT is 0, where no vertebra above V1 leans against it; so with V3, V2 and TL.

The three stand for the challenge's: MT for the largest, PT for the upper and TL for the lower one. They are measured in
the unit of the corners; no clinical Cobb angle, which is measured between end-plates.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels

Points = NDArray[np.float64]


class Selected(NamedTuple):
    """Indices of the vertebrae between which angles are measured, from head to foot: v0 <= v1 < v2 <= v3."""

    v0: int
    v1: int
    v2: int
    v3: int


def select(corners: Points) -> Selected:
    """The four vertebrae of a spine.

    corners   float64 [n, 4, 2], n >= 3, (x, y) of TL, TR, BL, BR from head to foot

    Raises ValueError for another shape, a value that is not finite or a vertebra without width.
    """
    vectors = _vectors(corners)
    centres = corners.mean(axis=1)
    axis, away = centres[-1] - centres[0], centres[1:-1] - centres[0]
    aside = axis[0] * away[:, 1] - axis[1] * away[:, 0]  # positive where the vertebra lies to the left of the axis
    apex = 1 + int(np.argmax(np.abs(aside)))
    # clockwise positive; in a curve that bulges to the left of the image the vertebrae above the apex lean clockwise
    lean = np.arctan2(vectors[:, 1], vectors[:, 0]) * (1.0 if aside[apex - 1] >= 0 else -1.0)
    v1 = _last_largest(lean[:apex])
    v2 = apex + 1 + int(np.argmax(-lean[apex + 1 :]))
    return Selected(_last_largest(-lean[: v1 + 1]), v1, v2, v2 + int(np.argmax(lean[v2:])))


def measure(corners: Points, selected: Selected) -> tuple[float, float, float]:
    """MT, PT and TL in degrees, 0..180: between V1 and V2, V0 and V1, V2 and V3.

    corners   as for `select`, of the same vertebrae. Raises ValueError as it does.
    """
    degrees = kernels.angle_matrix(_vectors(corners))
    v0, v1, v2, v3 = selected
    return float(degrees[v1, v2]), float(degrees[v0, v1]), float(degrees[v2, v3])


def _vectors(corners: Points) -> Points:
    if corners.dtype != np.float64 or corners.ndim != 3 or corners.shape[1:] != (4, 2) or len(corners) < 3:
        raise ValueError(
            f"corners are {corners.dtype} {list(corners.shape)}, expected float64 [n, 4, 2] with n of 3 or more"
        )
    if (unknown := np.flatnonzero(~np.isfinite(corners).all(axis=(1, 2)))).size:
        raise ValueError(f"vertebra {unknown[0]} has a corner that is not finite")
    vectors = kernels.tilt_vectors(np.ascontiguousarray(corners))
    if (empty := np.flatnonzero(~vectors.any(axis=1))).size:
        raise ValueError(f"vertebra {empty[0]} has no width")
    return vectors


def _last_largest(values: Points) -> int:
    return len(values) - 1 - int(np.argmax(values[::-1]))
