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


ROUGH = np.array([6.0, -4.0])
"""How far off the rough vertebrae are, in mm; they are some 70 high."""


def gathered(corners: np.ndarray, votes: Votes, found: list[int], *, shift: int = 0) -> Gathered:
    """With clusters at these places, taken for the vertebrae `shift` further down."""
    places = np.array(found, np.int64)
    centres = corners.mean(axis=1)
    return gather(votes, corners + ROUGH, centres, places.astype(float), places + shift, reach=0.4, numbers=NUMBERS)


def test_a_level_without_a_cluster_has_the_corners_that_it_would_have_had(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    every = gathered(corners, votes, list(range(17)))
    assert (every.votes > EACH / 2).all()
    assert np.abs(every.corners - corners).max() < 8
    for found in ([0, 1, 2, 4, 5, 9, 16], list(range(2, 15)), [8]):
        some = gathered(corners, votes, found)
        np.testing.assert_allclose(some.corners, every.corners, atol=0.2)
        np.testing.assert_allclose(some.votes, every.votes, atol=0.3)


def test_the_covariance_holds_the_votes_own_and_how_far_they_are_apart(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    found = gathered(corners, votes, list(range(17)))
    for v in (0, 8, 16):
        own = votes.points[v * EACH : (v + 1) * EACH, 0, 0]
        expected = np.trace(np.cov(own.T, bias=True) + 25 * np.eye(2))
        # the rough vertebra, a pitch uncertain, has a hundredth of the weight or less
        assert expected * 0.8 < np.trace(found.covariance[v, 0]) < expected + 0.01 * 130**2


def test_a_level_without_votes_is_the_rough_one(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    unsure = votes._replace(spread=votes.spread.copy())
    unsure.spread[7 * EACH : 8 * EACH, 0, 2] = 0.5
    found = gathered(corners, unsure, [0, 16])
    assert np.flatnonzero(found.votes == 0).tolist() == [7]
    np.testing.assert_array_equal(found.corners[7], corners[7] + ROUGH)
    assert np.trace(found.covariance[7, 0]) > 50 * np.trace(found.covariance[6, 0])


@pytest.mark.parametrize(("spread", "most"), [(0.39, 13.0), (0.3999, 0.25), (0.4, 0.0)])
def test_what_hardly_counts_hardly_moves_a_corner(corners: np.ndarray, spread: float, most: float) -> None:
    """Two votes, 20 mm off: as they get less certain the vertebra comes to lie where it lies without them."""
    votes = votes_for(corners)
    some = votes._replace(points=votes.points.copy(), spread=votes.spread.copy())
    some.spread[7 * EACH : 8 * EACH] = 0.5
    some.spread[7 * EACH : 7 * EACH + 2] = spread
    some.points[7 * EACH : 8 * EACH] += 20.0
    moved = np.abs(gathered(corners, some, [0, 16]).corners[7] - (corners[7] + ROUGH)).max()
    assert moved <= most


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
    assert (found.votes[:12] > 0).all()
    assert (found.votes[12:] == 0).all()
    np.testing.assert_array_equal(found.corners[12:], corners[12:] + ROUGH)


def test_vertebrae_beyond_the_levels_are_nobody_s(corners: np.ndarray) -> None:
    votes = votes_for(corners)
    found = gathered(corners, votes, list(range(17)), shift=1)
    assert np.flatnonzero(found.votes == 0).tolist() == [0]
    there = gathered(corners, votes, list(range(17))).corners[:16]
    assert np.abs(found.corners[1:] - there).max() < 2.5  # the rough ones are a vertebra away
