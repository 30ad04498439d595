"""Votes to vertebrae, against the steps of the paper written slowly with scikit-learn."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans

from spinert.runtime import clustering
from spinert.runtime.clustering import Clustering, cluster, squeezed, straighten
from tests import phantoms

NUMBERS = Clustering()


def spine(seed: int, *, largest: float = 25.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return phantoms.spine_corners(phantoms.random_tilts(rng, largest), (500.0, 100.0))


def voted(corners: np.ndarray, seed: int, *, each: int = 6, noise: float = 0.03) -> tuple[np.ndarray, ...]:
    """`each` votes for every vertebra with noise in pitches, shuffled, as patches of one vertebra."""
    rng = np.random.default_rng(seed)
    pitch = np.linalg.norm(np.diff(corners.mean(axis=1), axis=0), axis=1).mean()
    points = np.repeat(corners, each, axis=0)[:, None]
    points = points + rng.normal(0, noise * pitch, points.shape)
    points = points[rng.permutation(len(points))]
    covariance = np.tile(np.eye(2) * (0.1 * pitch) ** 2, (*points.shape[:3], 1, 1))
    return points, covariance, np.full(points.shape[:3], 0.2)


def slow(points: np.ndarray, centres: np.ndarray, numbers: Clustering) -> np.ndarray:
    """Section 2.3 step by step, for votes without misplaced ones: corners [v, 4, 2]."""
    straight = straighten(points[:, 0], centres)
    counts, groups = [], []
    for c in range(4):
        group = np.column_stack([straight.along[:, c], straight.across[:, c]])
        labels = DBSCAN(eps=numbers.eps, min_samples=numbers.min_samples).fit_predict(group)
        counts.append(labels.max() + 1)
        groups.append((group, labels >= 0))
    k = int(np.median(counts))
    columns = []
    for c, (group, kept) in enumerate(groups):
        start = np.array(
            [[level, group[kept, 1].mean()] for level in np.linspace(*np.percentile(group[kept, 0], (0, 100)), k)]
        )
        means = KMeans(k, init=start, n_init=1).fit(group[kept])
        order = means.cluster_centers_[:, 0].argsort()
        columns.append([points[kept, 0, c][means.labels_ == label].mean(axis=0) for label in order])
    return np.array(columns).swapaxes(0, 1)


@pytest.mark.parametrize("seed", range(6))
def test_the_steps_are_those_of_the_paper(seed: int) -> None:
    corners = spine(seed)
    votes = voted(corners, seed)
    found = cluster(*votes, corners.mean(axis=1), NUMBERS)
    # all votes are equally sure, so that the weighted mean is the mean
    np.testing.assert_allclose(found.corners, slow(votes[0], corners.mean(axis=1), NUMBERS), atol=1e-6)
    assert found.votes.tolist() == [6] * 17
    np.testing.assert_allclose(found.along, np.arange(17), atol=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_the_spread_of_the_votes_and_their_own_are_in_the_covariance(seed: int) -> None:
    corners = spine(seed)
    points, covariance, spread = voted(corners, seed, each=200, noise=0.04)
    found = cluster(points, covariance, spread, corners.mean(axis=1), NUMBERS)
    pitch = np.linalg.norm(np.diff(corners.mean(axis=1), axis=0), axis=1).mean()
    expected = np.eye(2) * ((0.1 * pitch) ** 2 + (0.04 * pitch) ** 2)
    np.testing.assert_allclose(found.covariance.mean(axis=(0, 1)), expected, atol=0.1 * expected[0, 0])


def test_stray_votes_move_no_corner() -> None:
    corners = spine(1)
    points, covariance, spread = voted(corners, 1)
    clean = cluster(points, covariance, spread, corners.mean(axis=1), NUMBERS)
    rng = np.random.default_rng(0)
    strays = rng.uniform(corners.min(axis=(0, 1)) - 300, corners.max(axis=(0, 1)) + 300, (40, 1, 1, 2))
    strays = strays + corners[5] - corners[5].mean(axis=0)
    mixed = cluster(
        np.concatenate([points, strays]),
        np.concatenate([covariance, covariance[:40]]),
        np.concatenate([spread, spread[:40]]),
        corners.mean(axis=1),
        NUMBERS,
    )
    pitch = np.linalg.norm(np.diff(corners.mean(axis=1), axis=0), axis=1).mean()
    matched = [np.linalg.norm(mixed.corners - quad, axis=-1).max(axis=1).min() for quad in clean.corners]
    assert max(matched) < 0.1 * pitch


def test_unsure_and_unfinished_votes_do_not_count() -> None:
    corners = spine(2)
    points, covariance, spread = voted(corners, 2)
    spread[:20] = 0.9
    points[20:40] = np.nan
    kept = cluster(points[40:], covariance[40:], spread[40:], corners.mean(axis=1), NUMBERS)
    np.testing.assert_array_equal(
        cluster(points, covariance, spread, corners.mean(axis=1), NUMBERS).corners, kept.corners
    )


def test_a_first_cluster_too_far_away_is_dropped() -> None:
    corners = spine(3)
    far = corners[:1] - 2.2 * (corners[1] - corners[0]).mean(axis=0)
    votes = voted(np.concatenate([far, corners]), 3)
    found = cluster(*votes, corners.mean(axis=1), NUMBERS)
    assert len(found.corners) == 17
    assert np.abs(found.corners[0] - corners[0]).max() < 10


def test_too_few_votes_are_no_vertebra() -> None:
    corners = spine(0)
    points, covariance, spread = voted(corners, 0, each=1)
    found = cluster(points[:2], covariance[:2], spread[:2], corners.mean(axis=1), NUMBERS)
    assert found.corners.shape == (0, 4, 2)
    assert found.votes.shape == found.along.shape == (0,)


def test_a_vertebra_needs_all_four_corners() -> None:
    corners = spine(4)
    points, covariance, spread = voted(corners, 4)
    of_eighth = np.linalg.norm(points[:, 0].mean(axis=1) - corners[8].mean(axis=0), axis=1) < 30
    points[of_eighth, 0, 2] += (corners[8] - corners[7]).mean(axis=0) * 0.45  # its lower left corner lies between two
    found = cluster(points, covariance, spread, corners.mean(axis=1), NUMBERS)
    assert all(np.abs(found.along - 8).min() > 0.5 or np.ptp(quad[:, 1]) < 200 for quad in found.corners)
    assert len(found.corners) >= 15


@pytest.mark.parametrize(("shear", "told"), [(0.0, False), (0.1, False), (0.8, True)])
def test_a_squeezed_vertebra_is_told_by_its_diagonals(shear: float, told: bool) -> None:
    quad = np.array([[0.0, 0.0], [30.0, 0.0], [20.0 * shear, 20.0], [30.0 + 20.0 * shear, 20.0]])
    assert squeezed(quad[None], 1.4).tolist() == [told]


def test_squeezed_vertebrae_do_not_vote_where_that_is_asked_for() -> None:
    corners = spine(0)
    points, covariance, spread = voted(corners, 0)
    leaning = points.copy()
    leaning[:, :, 2:, 0] += 60.0
    both = tuple(np.concatenate(pair) for pair in ((points, leaning), (covariance,) * 2, (spread,) * 2))
    numbers = Clustering(squeezed_ratio=1.35)
    found = cluster(*both, corners.mean(axis=1), numbers)
    np.testing.assert_allclose(
        found.corners, cluster(points, covariance, spread, corners.mean(axis=1), NUMBERS).corners, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(4))
def test_straightening_follows_the_spine(seed: int) -> None:
    centres = spine(seed, largest=40.0).mean(axis=1)
    at = np.random.default_rng(seed).uniform(0, 16, 50)
    on_line = np.stack([np.interp(at, np.arange(17), centres[:, axis]) for axis in (0, 1)], axis=1)
    straight = straighten(on_line, centres)
    np.testing.assert_allclose(straight.along, at, atol=1e-9)
    np.testing.assert_allclose(straight.across, 0, atol=1e-9)


def test_the_line_goes_on_beyond_its_ends_but_not_far() -> None:
    centres = np.array([[0.0, 0.0], [0.0, 10.0], [0.0, 20.0]])
    straight = straighten(np.array([[3.0, -12.0], [-4.0, 33.0], [0.0, 900.0]]), centres)
    np.testing.assert_allclose(straight.along, [-1.2, 3.3, 2 + clustering._BEYOND])
    np.testing.assert_allclose(straight.across[:2], [0.3, -0.4])
