"""Points to clusters."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import Array, place_of

_LONGEST = 1e150  # its square is a finite float64
_MOST = 2**31 - 1


def dbscan(
    points: NDArray[np.float64],
    *,
    eps: float,
    min_samples: int,
    offsets: NDArray[np.int64] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[np.int32]:
    """Clusters of points that lie close together, and noise (DBSCAN; Ester, Kriegel, Sander, Xu, KDD 1996).

    points       float64 [n, 2], (x, y) in any unit, finite; their coordinates extend over at most 2**30 eps
    eps          distance up to which, itself included, points are neighbours; in the unit of the points,
                 1e-150 .. 1e150. Neighbours have dx * dx + dy * dy <= eps * eps in float64.
    min_samples  a point with at least this many neighbours, itself included, is a core point
    offsets      int64 [groups + 1], ascending from 0 to n: group g is points[offsets[g] : offsets[g + 1]], may be empty
                 and knows nothing of the others. None: one group.

    Returns int32 [n]: the cluster of each point, counted from 0 in every group in the order of the clusters' first core
    points; -1 for noise. A point that is no core point belongs to the lowest cluster that has a core point within eps.
    These are the labels that scikit-learn gives.

    On a device, points that are not finite are noise, and so are all points where offsets do not ascend from 0 to n. It
    compares all points of a group with each other: meant for groups of up to some 10,000 points.
    """
    place = place_of(points, offsets, threads=threads, stream=stream)
    points = place.take("points", points, ("float64",), ("n", 2))
    if offsets is None:
        offsets = place.bring(np.array([0, len(points)], np.int64))
    offsets = place.take("offsets", offsets, ("int64",), ("groups + 1",))
    _check_offsets(offsets, len(points))
    if not 1.0 / _LONGEST <= eps <= _LONGEST:
        raise ValueError(f"eps is {eps}, expected {1.0 / _LONGEST:g} to {_LONGEST:g}")
    if min_samples < 1:
        raise ValueError(f"min_samples is {min_samples}, expected 1 or more")
    low, high = _extremes("points", points)
    if high - low > 2.0**30 * eps:
        raise ValueError(f"points extend from {low:g} to {high:g}, expected at most 2**30 eps = {2.0**30 * eps:g}")
    labels = place.empty((len(points),), np.int32)
    place.native.dbscan(points, offsets, eps, min(min_samples, _MOST), labels, place.lane)
    return labels


def kmeans(
    points: NDArray[np.float64],
    k: int,
    *,
    max_iterations: int = 300,
    tolerance: float = 0.0,
    threads: int = 1,
    stream: Any = None,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """K centres, each the mean of the points that are nearer to it than to any other (Lloyd's algorithm).

    points          float64 [n, 1] or [n, 2] in any unit, finite, at most 1e150 from 0
    k               1 .. n
    max_iterations  1 or more
    tolerance       in the unit of the points: centres that all move by this or less have settled

    There is no chance in it. The first centre is the point farthest from the mean of all, each further one the point
    farthest from the centres before it, always the first of equals; that is also the order of the clusters. A point
    between two centres belongs to the lower cluster. A centre without points stays where it is.

    Returns labels int32 [n], the nearest centre of each point, and centres float64 [k, 1 or 2]. On a device, a point
    that is not finite spoils centres, which are then nan.
    """
    place = place_of(points, threads=threads, stream=stream)
    points = place.take("points", points, ("float64",), ("n", "1 or 2"))
    if points.shape[1] not in (1, 2):
        raise TypeError(f"points is float64 {list(points.shape)}, expected float64 [n, 1 or 2], C-contiguous")
    if not 1 <= k <= len(points):
        raise ValueError(f"k is {k}, expected 1 to {len(points)}, the number of points")
    if max_iterations < 1:
        raise ValueError(f"max_iterations is {max_iterations}, expected 1 or more")
    if not 0.0 <= tolerance < math.inf:
        raise ValueError(f"tolerance is {tolerance}, expected a finite value of at least 0")
    low, high = _extremes("points", points)
    if max(-low, high) > _LONGEST:
        raise ValueError(f"points extend from {low:g} to {high:g}, expected -{_LONGEST:g} to {_LONGEST:g}")
    labels, centres = place.empty((len(points),), np.int32), place.empty((k, points.shape[1]), np.float64)
    place.native.kmeans(points, min(max_iterations, _MOST), tolerance, labels, centres, place.lane)
    return labels, centres


def gap_outliers(
    places: NDArray[np.float64], *, ratio: float, threads: int = 1, stream: Any = None
) -> NDArray[np.uint8]:
    """Those of a row of places, as the centres of vertebrae along x or along y, that lie apart from their neighbours.

    Chen, Peng, Li, Cheng, Wei (AASCE 2019, "Accurate Automated Keypoint Detections for Spinal Curvature Estimation",
    2.3) remove outliers "by the gap ratio of the X-axis and Y-axis distance among the adjacent centers"; which ratio,
    and of what to what, they do not say. Here the gap between neighbours is compared with the median gap, and a place
    is an outlier if each of its gaps (one at either end) is more than `ratio` times as wide. Call it for x and for y;
    what one of them marks is an outlier.

    places  float64 [n], finite, in any unit, neighbours next to each other (not necessarily ascending)
    ratio   1 or more; the paper gives none, so that there is no default

    Returns uint8 [n]: 1 for an outlier, else 0. Fewer than 3 places have none: one gap has no other to compare with. On
    a device, neither have places of which one is not finite.
    """
    place = place_of(places, threads=threads, stream=stream)
    places = place.take("places", places, ("float64",), ("n",))
    if not 1.0 <= ratio < math.inf:
        raise ValueError(f"ratio is {ratio}, expected a finite value of at least 1")
    _extremes("places", places)
    gaps, outliers = place.empty((len(places),), np.float64), place.empty((len(places),), np.uint8)
    place.native.gap_outliers(places, ratio, gaps, outliers, place.lane)
    return outliers


def _check_offsets(offsets: Array, n: int) -> None:
    """ValueError for none; on the host, also where they do not ascend from 0 to n."""
    if len(offsets) < (1 if n == 0 else 2):
        raise ValueError(f"offsets is {list(offsets.shape)}, expected the begin of every group and the end of the last")
    if not isinstance(offsets, np.ndarray):
        return
    if offsets[0] != 0 or offsets[-1] != n or (offsets[1:] < offsets[:-1]).any():
        raise ValueError(f"offsets is {offsets}, expected to ascend from 0 to {n}, the number of points")


def _extremes(name: str, points: Array) -> tuple[float, float]:
    """Least and greatest coordinate; ValueError where one is not finite. 0 and 0 on a device, where nobody looks."""
    if points.size == 0 or not isinstance(points, np.ndarray):
        return 0.0, 0.0
    low, high = float(points.min()), float(points.max())
    if not math.isfinite(low) or not math.isfinite(high):
        row = int(np.argmin(np.isfinite(points).reshape(len(points), -1).all(axis=1)))
        raise ValueError(f"{name} has {points[row].tolist()} in row {row}, expected finite values")
    return low, high
