"""Every level gathers its own votes, whether or not they formed a cluster."""

import numpy as np
import pytest

from spinert.runtime.clustering import Clustering
from spinert.runtime.gathering import Gathered, gather
from spinert.runtime.patches import Votes
from tests import phantoms

NUMBERS = Clustering(largest_spread=0.4)
EACH = 6


@pytest.fixture(scope="module")
def corners() -> np.ndarray:
    return phantoms.spine_corners(phantoms.random_tilts(np.random.default_rng(3), 25.0), (500.0, 100.0))


def votes_for(corners: np.ndarray) -> Votes:
    """Six sure ones for each vertebra, off by a tenth of a pitch at most."""
    points = np.repeat(corners, EACH, axis=0)[:, None]
    points = points + np.random.default_rng(0).uniform(-8, 8, points.shape)
    covariance = np.tile(np.eye(2) * 25.0, (*points.shape[:3], 1, 1))
    return Votes(points, covariance, np.full(points.shape[:3], 0.2))


def gathered(corners: np.ndarray, votes: Votes, found: list[int]) -> Gathered:
    places = np.array(found, np.int64)
    return gather(votes, corners.mean(axis=1), places.astype(float), places, 17, reach=0.4, numbers=NUMBERS)


def test_a_level_without_a_cluster_has_the_corners_that_it_would_have_had(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    every = gathered(corners, votes, list(range(17)))
    assert every.votes.tolist() == [EACH] * 17
    assert np.abs(every.corners - corners).max() < 8
    for found in ([0, 1, 2, 4, 5, 9, 16], list(range(2, 15)), [8]):
        some = gathered(corners, votes, found)
        np.testing.assert_array_equal(some.corners, every.corners)
        np.testing.assert_array_equal(some.covariance, every.covariance)


def test_the_covariance_holds_the_votes_own_and_how_far_they_are_apart(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    found = gathered(corners, votes, list(range(17)))
    own = votes.points[:EACH, 0, 0]
    np.testing.assert_allclose(found.covariance[0, 0], np.cov(own.T, bias=True) + 25 * np.eye(2))


def test_a_level_without_votes_is_left_open(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    unsure = votes._replace(spread=votes.spread.copy())
    unsure.spread[7 * EACH : 8 * EACH, 0, 2] = 0.5
    found = gathered(corners, unsure, [0, 16])
    assert found.votes.tolist() == [EACH] * 7 + [0] + [EACH] * 9
    assert np.isnan(found.corners[7]).all()


@pytest.mark.parametrize("turned", [False, True])
def test_beyond_the_found_ones_a_level_must_follow_its_neighbour(corners: np.ndarray, turned: bool) -> None:
    """The way down ends where a vertebra is turned by 60 degrees, or where two lie in the place of one."""
    votes = votes_for(corners)
    odd = votes.points[12 * EACH : 13 * EACH, 0]
    middle = corners[12].mean(axis=0)
    if turned:
        angle = np.radians(60)
        odd[:] = (odd - middle) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + middle
    else:
        odd[:] += (corners[11].mean(axis=0) - middle) * 0.38
        votes.points[11 * EACH : 12 * EACH, 0] += (middle - corners[11].mean(axis=0)) * 0.3
    found = gathered(corners, votes, list(range(3, 11)) if turned else list(range(3, 12)))
    assert found.votes[:12].tolist() == [EACH] * 12
    assert found.votes[12:].tolist() == [0] * 5


def test_vertebrae_beyond_the_levels_are_nobody_s(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    places = np.arange(17)
    found = gather(votes, corners.mean(axis=1), places.astype(float), places + 1, 17, reach=0.4, numbers=NUMBERS)
    assert found.votes.tolist() == [0] + [EACH] * 16
    np.testing.assert_array_equal(found.corners[1:], gathered(corners, votes, list(places)).corners[:16])
