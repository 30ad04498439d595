"""Counting found vertebrae against coarse maps, by brute force and where the maps are in two minds."""

import numpy as np
import pytest

from spinert.kernels import PlaneMap
from spinert.runtime.levels import count_levels, gaps_of
from tests import phantoms

PLANE = PlaneMap(2.0, 2.0, 5.0, 7.0)
STRIDE = 4.0


def maps_of(corners: np.ndarray, cells: tuple[int, int] = (128, 56)) -> np.ndarray:
    at = (PLANE.to_network(corners).reshape(-1, 2) + 0.5) / STRIDE - 0.5
    y, x = np.mgrid[0 : cells[0], 0 : cells[1]]
    return (-((x - at[:, :1, None]) ** 2 + (y - at[:, 1:, None]) ** 2) / 8).astype(np.float32)


@pytest.fixture
def corners() -> np.ndarray:
    return phantoms.spine_corners(phantoms.random_tilts(np.random.default_rng(5)), (200.0, 60.0), 880.0)


@pytest.mark.parametrize(("first", "last"), [(0, 17), (3, 17), (0, 12), (5, 8)])
def test_a_part_of_the_spine_is_counted(corners: np.ndarray, first: int, last: int) -> None:
    counted = count_levels(corners[first:last], np.ones(last - first - 1), maps_of(corners), PLANE, STRIDE)
    assert counted.levels.tolist() == list(range(first, last))
    assert counted.margin > 0


def test_vertebrae_above_the_first_level_count_below_zero(corners: np.ndarray) -> None:
    counted = count_levels(corners, np.ones(16), maps_of(corners)[8:], PLANE, STRIDE)
    assert counted.levels.tolist() == list(range(-2, 15))


def test_a_gap_is_counted_too(corners: np.ndarray) -> None:
    kept = np.array([0, 1, 2, 5, 6, 7])
    gaps = np.diff(kept + np.array([0.1, -0.1, 0, 0.2, 0, -0.2]))
    assert count_levels(corners[kept], gaps, maps_of(corners), PLANE, STRIDE).levels.tolist() == kept.tolist()


@pytest.mark.parametrize("gap", [2.4, 2.5, 2.7, 3.3])
def test_the_maps_say_how_many_a_gap_leaves_out(corners: np.ndarray, gap: float) -> None:
    kept = np.array([0, 1, 2, 5, 6, 7])
    gaps = np.array([1.0, 1.0, gap, 1.0, 1.0])
    assert count_levels(corners[kept], gaps, maps_of(corners), PLANE, STRIDE).levels.tolist() == kept.tolist()


def test_maps_leave_no_vertebra_out_where_places_follow_each_other(corners: np.ndarray) -> None:
    """The lower half of the maps is a vertebra off, and less sharp than the upper half."""
    moved = np.concatenate([corners[:9], corners[8:16]])
    maps = maps_of(moved)
    maps[4 * 9 :] *= 0.05
    counted = count_levels(corners, np.ones(16), maps, PLANE, STRIDE)
    assert counted.levels.tolist() == list(range(17))


def test_maps_in_two_minds_are_decided_by_all_together(corners: np.ndarray) -> None:
    """Each map has a second, lower peak one vertebra further down; a mean position would lie between the two."""
    below = np.concatenate([corners[1:], corners[-1:] * 2 - corners[-2:-1]])
    likely, other = maps_of(corners), maps_of(below) - 0.4
    counted = count_levels(corners, np.ones(16), np.maximum(likely, other), PLANE, STRIDE)
    assert counted.levels.tolist() == list(range(17))
    assert 0.2 < counted.margin < 1.0  # 0.4 for each vertebra, and one of them more is named


def test_the_score_is_the_mean_log_of_the_probability(corners: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(0, 3, (12, 128, 56)).astype(np.float32)
    found = corners[:3]
    share = np.exp(maps) / np.exp(maps).sum(axis=(1, 2), keepdims=True) * maps[0].size
    cells = (PLANE.to_network(found) + 0.5) / STRIDE - 0.5
    totals = {}
    for first in range(-2, 3):
        total = 0.0
        for v in range(3):
            if 0 <= v + first < 3:
                for c in range(4):
                    x, y = cells[v, c]
                    left, top = int(x), int(y)
                    logs = np.log(share[4 * (v + first) + c, top : top + 2, left : left + 2])
                    across = np.array([1 - (x - left), x - left])
                    total += np.array([1 - (y - top), y - top]) @ logs @ across / 4
        totals[first] = total
    best = max(totals, key=lambda first: totals[first])
    beside = max(totals.get(best + 1, 0.0), totals.get(best - 1, 0.0))
    counted = count_levels(found, np.ones(2), maps, PLANE, STRIDE)
    assert counted.levels[0] == best
    assert counted.margin == pytest.approx((totals[best] - beside) / 3, rel=1e-4)


def test_nothing_found_is_counted_as_nothing(corners: np.ndarray) -> None:
    counted = count_levels(np.empty((0, 4, 2)), np.empty(0), maps_of(corners), PLANE, STRIDE)
    assert counted.margin == 0
    assert gaps_of(np.empty((0, 2)), np.empty(0)).shape == (0,)


def test_a_gap_is_measured_in_the_steps_beside_it(corners: np.ndarray) -> None:
    """The rough spine says that two levels are left out where three are, and a distance that is a third too long."""
    kept = np.array([0, 1, 2, 3, 7, 8, 9])
    centres = corners[kept].mean(axis=1)
    gaps = gaps_of(centres, np.array([0.0, 0.9, 1.8, 2.8, 5.6, 6.4, 7.3]))
    np.testing.assert_allclose(gaps, np.diff(kept), atol=0.25)
    few = gaps_of(centres[2:5], np.array([1.8, 2.8, 5.6]))
    np.testing.assert_allclose(few, [1.0, 2.8])
