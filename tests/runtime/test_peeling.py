"""Steps of the peeling crop, against slow references of what its docstring says."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.runtime.film_regions import Region
from spinert.runtime.peeling import (
    Ends,
    Peeling,
    box_locations,
    has_settled,
    longest_run,
    peeled,
    spine_ends,
    without_outliers,
)


def locations(seed: int, missing: int = 4, astray: int = 3) -> NDArray[np.float64]:
    """Of 17 vertebrae 20 px apart, some missing, some far from where they belong."""
    rng = np.random.default_rng(seed)
    points = np.stack([100 + 15 * np.sin(np.arange(17) / 3), 30 + 20.0 * np.arange(17)], axis=1)
    points += rng.normal(0, 1.5, points.shape)
    points[rng.choice(17, astray, replace=False)] += rng.normal(0, 60, (astray, 2))
    points[rng.choice(17, missing, replace=False)] = np.nan
    return points


def slow_without_outliers(points: NDArray[np.float64], steps: float) -> list[bool]:
    known = [k for k in range(len(points)) if np.isfinite(points[k]).all()]
    distances = []
    for a, b in itertools.pairwise(known):
        distances.append(np.hypot(*(points[b] - points[a])) / (b - a))
    limit = steps * np.median(distances)
    kept = [False] * len(points)
    for k in known:
        before, after = [j for j in known if j < k], [j for j in known if j > k]
        a, b = (
            (before[-1], after[0]) if before and after else (after[0], after[1]) if after else (before[-2], before[-1])
        )
        line = points[a] + (points[b] - points[a]) / (b - a) * (k - a)
        kept[k] = bool(np.hypot(*(points[k] - line)) <= limit)
    return kept


def slow_longest_run(points: NDArray[np.float64], continuity: float) -> list[int]:
    known = [k for k in range(len(points)) if np.isfinite(points[k]).all()]
    steps = [(points[b][1] - points[a][1]) / (b - a) for a, b in itertools.pairwise(known)]
    usual = np.median(steps)
    best: list[int] = []
    for start in range(len(known)):
        run = [known[start]]
        for n in range(start, len(steps)):
            if not (steps[n] > 0 and usual / continuity <= steps[n] <= usual * continuity):
                break
            run.append(known[n + 1])
        best = run if len(run) > len(best) else best
    return best


@pytest.mark.parametrize("seed", range(8))
def test_outliers_and_runs_are_those_of_the_slow_references(seed: int) -> None:
    points = locations(seed)
    cleaned = without_outliers(points, 1.0)
    assert np.isfinite(cleaned).all(axis=1).tolist() == slow_without_outliers(points, 1.0)
    assert longest_run(points, 2.0).tolist() == slow_longest_run(points, 2.0)
    assert longest_run(cleaned, 2.0).tolist() == slow_longest_run(cleaned, 2.0)


def test_end_plates_lie_half_a_step_beyond_and_a_step_for_each_missing_channel() -> None:
    points = np.stack([np.full(17, 50.0), 30 + 20.0 * np.arange(17)], axis=1)
    whole = Ends(20.0, 360.0, 50.0)
    assert spine_ends(points, Peeling()) == pytest.approx(whole)
    points[[0, 1, 8, 16]] = np.nan
    assert spine_ends(points, Peeling()) == pytest.approx(whole)
    points[2] += (60.0, 0.0)
    assert spine_ends(points, Peeling()) == pytest.approx(whole)


def test_too_few_locations_tell_no_ends() -> None:
    points = np.full((17, 2), np.nan)
    assert spine_ends(points, Peeling()) is None
    points[3:7] = [[5, 10], [5, 20], [5, 30], [5, 40]]
    assert spine_ends(points, Peeling()) is None


def test_the_region_has_its_proportions_in_mm_and_its_margin_within_the_one_before() -> None:
    peeling = Peeling(aspect=2.0, margin=(0.0, 0.0))
    film = Region(0, 1000, 0, 1000)
    region = peeled(film, Ends(99.5, 499.5, 500.0), peeling, (0.5, 1.0))
    # 400 rows are 400 mm: 200 mm wide, which are 400 columns
    assert region == Region(100, 500, 300, 701)
    wide = peeled(film, Ends(99.5, 499.5, 500.0), Peeling(aspect=2.0, margin=(0.1, 0.5)), (0.5, 1.0))
    assert wide == Region(0, 700, 260, 741)
    assert peeled(Region(0, 600, 400, 1000), Ends(99.5, 499.5, 500.0), peeling, (0.5, 1.0)) == Region(
        100, 500, 400, 701
    )


def test_the_peeling_has_settled_when_no_side_moves_much() -> None:
    before = Region(0, 1000, 0, 500)
    assert has_settled(before, Region(19, 981, 10, 490), Peeling(least_narrowing=0.02), 1000)
    assert not has_settled(before, Region(19, 981, 10, 480), Peeling(least_narrowing=0.02), 1000)


def test_a_location_is_the_mean_of_the_cells_above_the_threshold() -> None:
    maps = np.zeros((2, 8, 6), np.float32)
    maps[0, 2:5, 1:3] = 0.6
    maps[0, 7, 5] = 0.5
    found = box_locations(maps, 0.5)
    assert found[0].tolist() == [1.5, 3.0]
    assert np.isnan(found[1]).all()
