"""From dense votes for corners to vertebrae (Chen et al., AASCE 2019, section 2.3).

For each of the four corners by itself: DBSCAN, clusters sorted from head to foot, abnormal first and last ones dropped.
The median of the four counts is the number of vertebrae; K-means; outliers by the ratio of gaps dropped; K-means again;
the last three clusters checked. Then corners are joined to vertebrae.

The paper's "Y" is here the way along the spine and its "X" the way across, both in pitches of the rough spine: in an
image of a steep curve the y of neighbours differs little. Numbers that the paper does not give are settings.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels

CORNERS = 4
_BEYOND = 2.5

Floats = NDArray[np.float64]


class Clustering(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the steps, lengths in pitches of the rough spine. The paper states none of them."""

    largest_spread: float = 0.32
    """Votes that are less certain do not count."""
    eps: float = 0.2
    min_samples: int = 3
    end_gap: tuple[float, float] = (0.5, 1.6)
    """The first or last cluster is dropped where its gap is not within these shares of the median gap,"""
    end_turn_degrees: float = 50.0
    """or where the way to it turns by more than this."""
    gap_ratio: float = 1.7
    across_ratio: float = 0.6
    least_gap: float = 0.5
    """Of the last three clusters, one is suppressed that is nearer than this to the one above."""
    largest_misfit: float = 0.6
    """Of a corner, where the corners of most vertebrae would have it; corners of two vertebrae are not joined."""
    squeezed_ratio: float | None = None
    """With it, votes of patches are left out where a vertebra's longer diagonal exceeds the shorter by this ratio."""


class Straight(NamedTuple):
    """Points along and across a rough spine, in its vertebrae: `along` is a place as in `patches`."""

    along: Floats
    across: Floats


class Found(NamedTuple):
    """Vertebrae from head to foot: `corners` float64 [v, 4, 2] in mm, their `covariance` [v, 4, 2, 2] in mm squared
    (of the mean of the votes: spread of the votes and their own together), `along` [v] and the number of `votes` [v] of
    the corner that has the fewest."""

    corners: Floats
    covariance: Floats
    along: Floats
    votes: NDArray[np.int64]


def straighten(points: Floats, centres: Floats) -> Straight:
    """Points [..., 2] in mm by the nearest piece of the line through the rough centres [n, 2].

    At both ends the line goes on for a few vertebrae and no further: beyond a steep end it would come near to other
    parts of the spine.
    """
    start, step = centres[:-1], np.diff(centres, axis=0)
    length = np.linalg.norm(step, axis=1)
    offset = points[..., None, :] - start
    share = (offset * step).sum(-1) / length**2
    low, high = np.zeros(len(step)), np.ones(len(step))
    low[0], high[-1] = -_BEYOND, 1.0 + _BEYOND
    inside = np.clip(share, low, high)
    distance = np.linalg.norm(offset - inside[..., None] * step, axis=-1)
    piece = distance.argmin(axis=-1)
    at = np.take_along_axis(inside, piece[..., None], -1)[..., 0] + piece
    side = offset[..., 0] * step[:, 1] - offset[..., 1] * step[:, 0]
    across = np.take_along_axis(side, piece[..., None], -1)[..., 0] / length[piece] ** 2
    return Straight(at, across)


def cluster(points: Floats, covariance: Floats, spread: Floats, centres: Floats, numbers: Clustering) -> Found:
    """Votes to vertebrae.

    points, covariance, spread   as of `patches.Votes`, with any number of patches
    centres                      float64 [n, 2] in mm: rough centres from head to foot
    """
    sure = sure_votes(points, spread, numbers)
    quads, spreads = points[sure], covariance[sure]
    if len(quads) < numbers.min_samples:
        return _nothing()
    straight = straighten(quads, centres)
    groups = [np.column_stack([straight.along[:, c], straight.across[:, c]]) for c in range(CORNERS)]
    labels = _labels(groups, numbers)
    return _join(quads, spreads, straight, labels, numbers)


def sure_votes(points: Floats, spread: Floats, numbers: Clustering) -> NDArray[np.bool_]:
    """Which of the votes [..] for vertebrae, points [.., 4, 2] and spread [.., 4], count."""
    sure = (spread < numbers.largest_spread).all(axis=-1) & np.isfinite(points).all(axis=(-2, -1))
    if numbers.squeezed_ratio is not None:
        sure &= ~squeezed(points, numbers.squeezed_ratio)
    return np.asarray(sure)


def squeezed(quads: Floats, ratio: float) -> NDArray[np.bool_]:
    """Vertebrae [..., 4, 2] whose diagonals differ by more than this ratio: a trapezium or a parallelogram, where a
    rectangle is expected."""
    one = np.linalg.norm(quads[..., 3, :] - quads[..., 0, :], axis=-1)
    other = np.linalg.norm(quads[..., 2, :] - quads[..., 1, :], axis=-1)
    return np.asarray(np.maximum(one, other) > ratio * np.minimum(one, other))


def _nothing() -> Found:
    return Found(np.empty((0, 4, 2)), np.empty((0, 4, 2, 2)), np.empty(0), np.empty(0, np.int64))


def _labels(groups: list[Floats], numbers: Clustering) -> list[NDArray[np.int64]]:
    """Cluster of each vote of each corner, numbered from head to foot; -1 for votes that are left out."""
    kept, counts = _dense(groups, numbers)
    count = int(np.median(counts))
    labels = [_kmeans(group, mask, count) for group, mask in zip(groups, kept, strict=True)]
    outliers = [_outliers(_centres(group, own), numbers) for group, own in zip(groups, labels, strict=True)]
    kept = [mask & ~np.isin(own, away) for mask, own, away in zip(kept, labels, outliers, strict=True)]
    count = int(np.median([count - len(away) for away in outliers]))
    labels = [_kmeans(group, mask, count) for group, mask in zip(groups, kept, strict=True)]
    return [_without_crowded_end(group, own, numbers) for group, own in zip(groups, labels, strict=True)]


def _dense(groups: list[Floats], numbers: Clustering) -> tuple[list[NDArray[np.bool_]], list[int]]:
    """Votes of each corner that lie in a cluster which is no abnormal end, and how many clusters these are."""
    offsets = np.cumsum([0, *map(len, groups)]).astype(np.int64)
    labels = kernels.dbscan(
        np.ascontiguousarray(np.concatenate(groups)), eps=numbers.eps, min_samples=numbers.min_samples, offsets=offsets
    )
    kept, counts = [], []
    for group, own in zip(groups, np.split(labels, offsets[1:-1]), strict=True):
        ends = _abnormal_ends(_centres(group, own), numbers)
        kept.append((own >= 0) & ~np.isin(own, ends))
        counts.append(int(own.max(initial=-1)) + 1 - len(ends))
    return kept, counts


def _centres(group: Floats, labels: NDArray[np.integer]) -> Floats:
    """Mean of each cluster, [k, 2]."""
    return np.array([group[labels == label].mean(axis=0) for label in range(labels.max(initial=-1) + 1)]).reshape(-1, 2)


def _abnormal_ends(centres: Floats, numbers: Clustering) -> list[int]:
    """Which of the first and last cluster, from head to foot, lie where none is expected; [k, 2] along and across."""
    if len(centres) < 4:
        return []
    order = centres[:, 0].argsort()
    step = np.diff(centres[order], axis=0)
    typical = np.median(step[:, 0])
    low, high = numbers.end_gap
    found = []
    for end, gap, neighbour in ((0, step[0], step[1]), (-1, step[-1], step[-2])):
        turn = np.degrees(abs(np.arctan2(gap[1], gap[0]) - np.arctan2(neighbour[1], neighbour[0])))
        if not low * typical <= gap[0] <= high * typical or turn > numbers.end_turn_degrees:
            found.append(int(order[end]))
    return found


def _kmeans(group: Floats, mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """K-means of the votes in the mask, clusters numbered from head to foot; -1 outside."""
    labels = np.full(len(group), -1, np.int64)
    count = min(count, int(mask.sum()))
    if count > 0:
        own, centres = kernels.kmeans(np.ascontiguousarray(group[mask]), count)
        rank = np.empty(count, np.int64)
        rank[centres[:, 0].argsort(kind="stable")] = np.arange(count)
        labels[mask] = rank[own]
    return labels


def _outliers(centres: Floats, numbers: Clustering) -> NDArray[np.intp]:
    """Clusters that lie apart from each neighbour: along the spine by more than `gap_ratio` median gaps, or across it
    by more than `across_ratio`. Across, the gaps are compared with the median gap along: most of them are near 0."""
    if len(centres) < 3:
        return np.empty(0, np.intp)
    away = kernels.gap_outliers(np.ascontiguousarray(centres[:, 0]), ratio=numbers.gap_ratio).astype(bool)
    step = np.diff(centres, axis=0)
    wide = np.abs(step[:, 1]) > numbers.across_ratio * np.median(step[:, 0])
    away |= np.concatenate([[True], wide]) & np.concatenate([wide, [True]])
    return np.flatnonzero(away)


def _without_crowded_end(group: Floats, labels: NDArray[np.int64], numbers: Clustering) -> NDArray[np.int64]:
    along = _centres(group, labels)[:, 0]
    typical = np.median(np.diff(along)) if len(along) > 1 else 0.0
    crowded = [
        k for k in range(max(1, len(along) - 3), len(along)) if along[k] - along[k - 1] < numbers.least_gap * typical
    ]
    return np.where(np.isin(labels, crowded), -1, labels)


def _join(
    quads: Floats, covariance: Floats, straight: Straight, labels: list[NDArray[np.int64]], numbers: Clustering
) -> Found:
    """Clusters of the four corners to vertebrae: those whose middles fall together.

    A vertebra needs all four, and a shape like that of the vertebrae that single patches saw.
    """
    shape = _shape(np.stack([straight.along, straight.across], axis=-1))
    places = {
        (c, int(label)): np.array([straight.along[own == label, c].mean(), straight.across[own == label, c].mean()])
        for c, own in enumerate(labels)
        for label in np.unique(own[own >= 0])
    }
    rows: list[dict[int, int]] = []
    reached: list[list[float]] = []
    for middle, c, label in sorted((place[0] - shape[c, 0], c, label) for (c, label), place in places.items()):
        if rows and c not in rows[-1] and middle - np.mean(reached[-1]) < 0.5:
            rows[-1][c] = label
            reached[-1].append(middle)
        else:
            rows.append({c: label})
            reached.append([middle])
    whole = []
    for row, along in zip(rows, reached, strict=True):
        if len(row) == CORNERS:
            quad = np.array([places[c, row[c]] for c in range(CORNERS)])
            if np.abs(quad - quad.mean(axis=0) - shape).max() < numbers.largest_misfit:
                whole.append((row, float(np.mean(along))))
    corners, spreads = np.empty((len(whole), CORNERS, 2)), np.empty((len(whole), CORNERS, 2, 2))
    votes = np.empty((len(whole), CORNERS), np.int64)
    for v, (row, _) in enumerate(whole):
        for c in range(CORNERS):
            chosen = labels[c] == row[c]
            corners[v, c], spreads[v, c] = mean_of(quads[chosen, c], covariance[chosen, c])
            votes[v, c] = chosen.sum()
    return Found(corners, spreads, np.array([along for _, along in whole]), votes.min(axis=1, initial=10**9))


def _shape(quads: Floats) -> Floats:
    """Where the corners of most vertebrae lie about their middle, [4, 2] along and across; quads [n, 4, 2]."""
    return np.asarray(np.median(quads - quads.mean(axis=1, keepdims=True), axis=0))


def mean_of(points: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Mean of the votes, each by its certainty, and its covariance as if the votes were one sight of one corner.

    Patches overlap, so that their votes are no independent sights: their number does not make the mean surer.
    """
    weight = 1.0 / np.trace(covariance, axis1=-2, axis2=-1)
    weight /= weight.sum()
    mean = weight @ points
    apart = points - mean
    between = np.einsum("n,ni,nj->ij", weight, apart, apart)
    return mean, between + np.einsum("n,nij->ij", weight, covariance)
