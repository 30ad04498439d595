"""Intervals that are fitted hold as many angles as they should, on folds that had no say in them."""

import numpy as np
import pytest

from examples.cross_validate import Angles, cross_fitted, deviations, fit, held
from spinert.runtime.intervals import Spread, interval


def drawn(count: int, scale: float, floor: float) -> Angles:
    """Angles off by a normal error, the deviation of which is that of such a spread."""
    rng = np.random.default_rng(0)
    deviation = rng.gamma(2.0, 1.0, count)
    error = np.abs(rng.normal(0.0, np.hypot(scale * deviation, floor)))
    return Angles(error, deviation, rng.integers(0, 5, count))


def test_the_spread_that_angles_were_drawn_with_is_found() -> None:
    angles = drawn(20_000, 1.5, 2.0)
    spread = fit(angles)
    assert spread.scale == pytest.approx(1.5, rel=0.15)
    assert spread.floor_degrees == pytest.approx(2.0, rel=0.15)
    assert held(angles, spread).mean() == pytest.approx(0.95, abs=0.002)


def test_other_folds_decide_what_a_fold_is_held_by() -> None:
    angles = drawn(5_000, 1.5, 2.0)
    assert cross_fitted(angles)[0] == pytest.approx(95.0, abs=1.0)
    worse = angles._replace(error=np.where(angles.fold == 0, 10.0, 1.0) * angles.error)
    own = worse.fold == 0
    assert held(worse.of(own), fit(worse.of(own))).mean() == pytest.approx(0.95, abs=0.01)
    assert held(worse.of(own), fit(worse.of(~own))).mean() < 0.3


@pytest.mark.parametrize("degrees", [1.0, 40.0])
def test_deviations_are_taken_back_out_of_intervals(degrees: float) -> None:
    """At 1 degree the lower end is cut off at 0."""
    spread = Spread(scale=0.7, floor_degrees=1.3)
    high = interval(degrees, 2.5, spread)[1]
    assert deviations(np.array([degrees]), np.array([high]), spread) == pytest.approx(2.5, abs=0.02)
