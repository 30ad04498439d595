"""The corners of every level from all votes about its place.

Clusters tell how many vertebrae there are and where about. Whether one forms can hang on a single vote, and a spine
with a vertebra less has other angles: so once the places are known, a vertebra takes all votes near its own, clustered
or not. Nothing here hangs on one vote: a vote counts less the nearer it is to what would make it count nothing, and
the rough vertebra counts as a vote of little certainty, so that it decides where there is no other. Without this step a
grey value more or less, or a network of 8 bits, moved angles by 20 degrees.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.runtime.clustering import Clustering, straighten, sure_votes
from spinert.runtime.patches import Votes

CORNERS = 4
ROUGH_SPREAD = 1.0
"""How uncertain the corners of a rough vertebra are, in distances of vertebrae, as the spread of a vote is."""

Floats = NDArray[np.float64]


class Gathered(NamedTuple):
    """Of each level: `corners` float64 [n, 4, 2] in mm, their `covariance` [n, 4, 2, 2] in mm squared, and how many
    full votes they have [n]: 0 where the rough vertebra is all there is."""

    corners: Floats
    covariance: Floats
    votes: Floats


def gather(
    votes: Votes,
    rough: Floats,
    centres: Floats,
    along: Floats,
    level: NDArray[np.int64],
    *,
    reach: float,
    numbers: Clustering,
) -> Gathered:
    """Corners of all levels.

    Between the first and the last vertebra that was found each level is looked for. Beyond them the next one is taken
    only where it follows its neighbour as a vertebra does: by `end_gap` and `end_turn_degrees` of the clustering.

    rough    float64 [n, 4, 2] in mm: the corners of all levels by the coarse maps
    centres  float64 [n, 2] in mm: the line through their centres, along which places are measured
    along    float64 [v], v >= 1: the places of the vertebrae that were found;  level: which one each is, ascending
    reach    in vertebrae: votes this far from a place do not belong to it
    """
    count = len(rough)
    pitch = float(np.median(np.linalg.norm(np.diff(centres, axis=0), axis=1)))
    field = _Field(votes, centres, reach, numbers)
    found = Gathered(
        rough.copy(), np.tile(np.eye(2) * (ROUGH_SPREAD * pitch) ** 2 / 2, (count, CORNERS, 1, 1)), np.zeros(count)
    )
    first, last = int(level[0]), int(level[-1])
    for v in range(max(first, 0), min(last, count - 1) + 1):
        field.take(found, v, float(np.interp(v, level, along)))
    for end, place, step in ((first, along[0], -1), (last, along[-1], 1)):
        v = end + step
        while 0 <= v < count and 0 <= v - step < count:
            place += step
            before = Gathered(*(part[v].copy() for part in found))
            middle = field.take(found, v, float(place))
            if middle is None or not _follows(found.corners[v], found.corners[v - step], pitch, numbers):
                for part, old in zip(found, before, strict=True):
                    part[v] = old
                break
            place = middle
            v += step
    return found


class _Field:
    """All sure votes along the spine."""

    def __init__(self, votes: Votes, centres: Floats, reach: float, numbers: Clustering) -> None:
        sure = sure_votes(votes.points, votes.spread, numbers)
        self.points, self.covariance, self.spread = votes.points[sure], votes.covariance[sure], votes.spread[sure]
        self.middle = straighten(self.points.mean(axis=1), centres).along
        self.trust = 1.0 - (self.spread.max(axis=1, initial=0.0) / numbers.largest_spread) ** 2
        self.reach = reach

    def take(self, found: Gathered, v: int, place: float) -> float | None:
        """Put the votes about a place into level `v`. Returns where along the spine they lie, None without any."""
        share = self.trust * np.clip(2.0 - 2.0 * np.abs(self.middle - place) / self.reach, 0.0, 1.0)
        near = share > 0.0
        if not near.any():
            return None
        for c in range(CORNERS):
            weight = np.append(share[near] / self.spread[near, c] ** 2, ROUGH_SPREAD**-2)
            weight /= weight.sum()
            points = np.concatenate([self.points[near, c], found.corners[v, None, c]])
            own = np.concatenate([self.covariance[near, c], found.covariance[v, None, c]])
            mean = weight @ points
            apart = points - mean
            found.corners[v, c] = mean
            found.covariance[v, c] = np.einsum("n,ni,nj->ij", weight, apart, apart) + np.einsum(
                "n,nij->ij", weight, own
            )
        found.votes[v] = share.sum()
        return float(np.average(self.middle[near], weights=share[near]))


def _follows(quad: Floats, neighbour: Floats, pitch: float, numbers: Clustering) -> bool:
    """Whether a vertebra [4, 2] lies from its neighbour about as far as most do, and turned no further than they."""
    low, high = numbers.end_gap
    gap = float(np.linalg.norm(quad.mean(axis=0) - neighbour.mean(axis=0)))
    a, b = (one[[1, 3]].mean(axis=0) - one[[0, 2]].mean(axis=0) for one in (quad, neighbour))
    turn = np.degrees(np.arctan2(abs(a[0] * b[1] - a[1] * b[0]), a @ b))
    return low * pitch <= gap <= high * pitch and bool(turn <= numbers.end_turn_degrees)
