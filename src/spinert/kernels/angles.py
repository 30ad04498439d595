"""Vectors along vertebrae, the angles between them, and Cobb angles of whole spines.

Corners are float64 [..., 4, 2], (x, y) of TL, TR, BL, BR as seen in the image, x to the right and y down; vertebrae go
from head to foot.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import place_of

_CHALLENGE_VERTEBRAE = 17
_MOST_VERTEBRAE = 32


def tilt_vectors(corners: NDArray[np.float64], *, threads: int = 1, stream: Any = None) -> NDArray[np.float64]:
    """Left-to-right direction of each vertebra: (TR + BR) / 2 - (TL + BL) / 2.

    corners  float64 [n, 4, 2] in any unit

    Returns float64 [n, 2], (x, y) in the same unit.
    """
    place = place_of(corners, threads=threads, stream=stream)
    corners = place.take("corners", corners, ("float64",), ("n", 4, 2))
    vectors = place.empty((len(corners), 2), np.float64)
    place.native.tilt_vectors(corners, vectors, place.lane)
    return vectors


def angle_matrix(vectors: NDArray[np.float64], *, stream: Any = None) -> NDArray[np.float64]:
    """Angle between each two vectors, atan2(|a x b|, a . b).

    vectors  float64 [n, 2]

    Returns float64 [n, n] in degrees, 0..180, good to 1e-12 for lengths of 1e-150 to 1e150, and symmetric. A vector of
    length 0 has angle 0 to any other; one with a value that is not finite has nan.
    """
    place = place_of(vectors, stream=stream)
    vectors = place.take("vectors", vectors, ("float64",), ("n", 2))
    degrees = place.empty((len(vectors), len(vectors)), np.float64)
    place.native.angle_matrix(vectors, degrees, place.lane)
    return degrees


def angle_matrices(vectors: NDArray[np.float64], *, threads: int = 1, stream: Any = None) -> NDArray[np.float64]:
    """`angle_matrix` of each of n sets of m vectors.

    vectors  float64 [n, m, 2]

    Returns float64 [n, m, m] in degrees.
    """
    place = place_of(vectors, threads=threads, stream=stream)
    vectors = place.take("vectors", vectors, ("float64",), ("n", "m", 2))
    n, m = vectors.shape[:2]
    degrees = place.empty((n, m, m), np.float64)
    place.native.angle_matrices(vectors, degrees, place.lane)
    return degrees


def challenge_angles(
    corners: NDArray[np.float64], heights: NDArray[np.float64], *, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The AASCE 2019 challenge's three angles of n spines, by the challenge's own rule; `runtime.cobb` says what they
    are not.

    corners  float64 [n, 17, 4, 2] in pixels, T1..L5
    heights  float64 [n], height of each image in the same pixels

    Returns degrees float64 [n, 3], 0..180, and the upper and lower end vertebra of the first angle, int32 [n, 2]. A
    spine with a value that is not finite, a vertebra without width or a height that is not positive has nan and -1.
    """
    place = place_of(corners, heights, threads=threads, stream=stream)
    corners = place.take("corners", corners, ("float64",), ("n", _CHALLENGE_VERTEBRAE, 4, 2))
    heights = place.take("heights", heights, ("float64",), (len(corners),))
    degrees, ends = place.empty((len(corners), 3), np.float64), place.empty((len(corners), 2), np.int32)
    place.native.challenge_angles(corners, heights, degrees, ends, place.lane)
    return degrees, ends


def end_vertebrae(
    corners: NDArray[np.float64], *, threshold: float = 10.0, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """The curves of n spines of m vertebrae, end-plate to end-plate, by the rule of `runtime.cobb.clinical_curves`.

    A turn goes from the upper end-plate of a vertebra to the lower one of another farther down, positive clockwise on
    the screen; turns are compared in millionths of a degree. The curves are the chain of turns of alternating sign,
    each beginning where the last one ended, whose sum of |turn| - threshold is largest; of equal ones, the chain that
    ends highest, with a negative turn, and whose curves are shortest. The apex of a curve is the vertebra between its
    ends that bulges farthest from the line through their centres, the upper end where there is none between: the
    regional apex of the Scoliosis Research Society's three-dimensional terminology (Stokes 1994). Its global apex,
    farthest from the vertical through the sacrum, needs a sacrum in the image and an upright patient.

    corners    float64 [n, m, 4, 2] with square pixels, 2 <= m <= 32
    threshold  degrees, more than 0; a turn below it makes no curve

    Returns vertebrae int32 [n, m - 1, 3], the upper end, lower end and apex of each curve from head to foot and -1
    behind the last one; turns float64 [n, m - 1] in degrees, -180..180, nan behind the last one; counts int32 [n]. A
    spine with a value that is not finite or an end-plate without length has count -1.
    """
    place = place_of(corners, threads=threads, stream=stream)
    corners = place.take("corners", corners, ("float64",), ("n", "m", 4, 2))
    n, m = corners.shape[:2]
    if not 2 <= m <= _MOST_VERTEBRAE:
        raise ValueError(f"corners has {m} vertebrae to a spine, expected 2 to {_MOST_VERTEBRAE}")
    if not threshold > 0.0:
        raise ValueError(f"threshold is {threshold}, expected more than 0")
    vertebrae, turns = place.empty((n, m - 1, 3), np.int32), place.empty((n, m - 1), np.float64)
    counts = place.empty((n,), np.int32)
    place.native.end_vertebrae(corners, threshold, vertebrae, turns, counts, place.lane)
    return vertebrae, turns, counts
