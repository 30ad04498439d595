"""Votes: what the voxels round a vertebra, or the slices through it, say of it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.groups import take_offsets
from spinert.kernels.residence import place_of


def gaussian_mean(
    volume: NDArray[np.float32],
    centres: NDArray[np.float64],
    *,
    cube: int = 10,
    sigma: float,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[np.float64]:
    """Mean of the voxels in a cube round each centre, weighted by a Gaussian of their distance from it.

    This is the score of a vertebra in Nicolaes et al. (CSI 2019, LNCS 11963, section 3.3): of the probabilities of a
    fracture in a cube of 10 voxels of 1 mm round its centroid; the paper does not tell its sigma.

    volume   float32 [slices, rows, columns]; voxels are taken for cubes
    centres  float64 [n, 3], (z, y, x) in voxels, (0, 0, 0) the centre of the first voxel
    cube     voxels along an edge, 1 or more: those whose centre lies in [centre - cube / 2, centre + cube / 2) on each
             axis, which for any centre are as many. An even cube round a whole number reaches one voxel farther down.
    sigma    in voxels, above 0

    Voxels outside the volume do not exist: neither they nor their weights count. Returns float64 [n]. A centre whose
    cube has no voxel in the volume has nan, and so has one that is not finite or whose cube holds nan.
    """
    place = place_of(volume, centres, threads=threads, stream=stream)
    volume = place.take("volume", volume, ("float32",), ("slices", "rows", "columns"))
    centres = place.take("centres", centres, ("float64",), ("n", 3))
    if not 1 <= cube < 2**30:
        raise ValueError(f"cube is {cube}, expected 1 or more voxels")
    if not 0.0 < sigma < math.inf:
        raise ValueError(f"sigma is {sigma}, expected a finite value above 0")
    means = place.empty((len(centres),), np.float64)
    place.native.gaussian_mean(volume, centres, cube, sigma, means, place.lane)
    return means


def vertebra_votes(
    probabilities: NDArray[np.float32],
    *,
    threshold: int,
    offsets: NDArray[np.int64] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The lesion of each vertebra that most of its slices show (Peng et al., Learning-based bone quality
    classification method for spinal metastasis, section 3.5).

    probabilities  float32 [slices, classes] of any scale; class 0 is the normal one. A slice votes for its highest
                   class, the first of equals; one with nan does not vote.
    threshold      slices, 0 or more: a lesion with more of them than this is the vertebra's
    offsets        int64 [vertebrae + 1], ascending from 0 to the number of slices: vertebra v is in slices
                   offsets[v] .. offsets[v + 1]; None: one vertebra. A slice through two vertebrae is listed twice.

    Returns labels int32 [vertebrae], the class above 0 with most slices (the first of equals) if these are more than
    the threshold, else 0; and counts int32 [vertebrae, classes], how many slices voted for each class.
    """
    place = place_of(probabilities, offsets, threads=threads, stream=stream)
    probabilities = place.take("probabilities", probabilities, ("float32",), ("slices", "classes"))
    if probabilities.shape[1] < 1:
        raise ValueError(f"probabilities has shape {list(probabilities.shape)}, expected at least one class")
    if threshold < 0:
        raise ValueError(f"threshold is {threshold}, expected 0 or more slices")
    offsets, count = take_offsets(place, offsets, len(probabilities), "slices")
    labels = place.empty((count,), np.int32)
    counts = place.empty((count, probabilities.shape[1]), np.int32)
    place.native.vertebra_votes(probabilities, offsets, min(threshold, 2**31), labels, counts, place.lane)
    return labels, counts
