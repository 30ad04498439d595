"""The corners of every level from all votes about its place.

Clusters tell how many vertebrae there are and where about. Whether one forms can hang on a single vote, and a spine
with a vertebra less has other angles: so once the places are known, a vertebra takes all sure votes near its own,
clustered or not. Without this step a grey value more or less, or a network of 8 bits, moved angles by 20 degrees.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.runtime.clustering import Clustering, mean_of, straighten, sure_votes
from spinert.runtime.patches import Votes

CORNERS = 4

Floats = NDArray[np.float64]


class Gathered(NamedTuple):
    """Of each level: `corners` float64 [n, 4, 2] in mm, their `covariance` [n, 4, 2, 2] in mm squared, and the number
    of `votes` [n]; nan where there is none."""

    corners: Floats
    covariance: Floats
    votes: NDArray[np.int64]


def gather(
    votes: Votes,
    centres: Floats,
    along: Floats,
    level: NDArray[np.int64],
    count: int,
    *,
    reach: float,
    numbers: Clustering,
) -> Gathered:
    """Corners of `count` levels.

    Between the first and the last vertebra that was found each level is looked for. Beyond them the next one is taken
    only where it follows its neighbour as a vertebra does: by `end_gap` and `end_turn_degrees` of the clustering.

    centres  float64 [r, 2] in mm: the rough spine, along which places are measured
    along    float64 [v], v >= 1: the places of the vertebrae that were found;  level: which one each is, ascending
    reach    in vertebrae: votes this far from a place belong to it
    """
    sure = sure_votes(votes.points, votes.spread, numbers)
    points, covariance = votes.points[sure], votes.covariance[sure]
    middle = straighten(points.mean(axis=1), centres).along
    corners = np.full((count, CORNERS, 2), np.nan)
    spreads = np.full((count, CORNERS, 2, 2), np.nan)
    votes_of = np.zeros(count, np.int64)

    def take(v: int, place: float) -> bool:
        near = np.abs(middle - place) < reach
        if not near.any():
            return False
        for c in range(CORNERS):
            corners[v, c], spreads[v, c] = mean_of(points[near, c], covariance[near, c])
        votes_of[v] = near.sum()
        return True

    first, last = int(level[0]), int(level[-1])
    for v in range(max(first, 0), min(last, count - 1) + 1):
        take(v, float(np.interp(v, level, along)))
    pitch = float(np.median(np.linalg.norm(np.diff(centres, axis=0), axis=1)))
    for end, place, step in ((first, along[0], -1), (last, along[-1], 1)):
        v = end + step
        while 0 <= v < count and 0 <= v - step < count:
            place = place + step
            if not (take(v, place) and _follows(corners[v], corners[v - step], pitch, numbers)):
                corners[v], spreads[v], votes_of[v] = np.nan, np.nan, 0
                break
            place = float(middle[np.abs(middle - place) < reach].mean())
            v += step
    return Gathered(corners, spreads, votes_of)


def _follows(quad: Floats, neighbour: Floats, pitch: float, numbers: Clustering) -> bool:
    """Whether a vertebra [4, 2] lies from its neighbour about as far as most do, and turned no further than they."""
    low, high = numbers.end_gap
    gap = float(np.linalg.norm(quad.mean(axis=0) - neighbour.mean(axis=0)))
    a, b = (one[[1, 3]].mean(axis=0) - one[[0, 2]].mean(axis=0) for one in (quad, neighbour))
    turn = np.degrees(np.arctan2(abs(a[0] * b[1] - a[1] * b[0]), a @ b))
    return low * pitch <= gap <= high * pitch and bool(turn <= numbers.end_turn_degrees)
