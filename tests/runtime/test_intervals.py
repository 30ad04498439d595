"""Spread of corners to spread of angles, against many draws."""

import numpy as np
import pytest

from spinert.findings import T1_TO_L5
from spinert.runtime import cobb
from spinert.runtime.intervals import Spread, aasce_deviations, curve_deviation, interval, plate_deviation
from tests import phantoms


def covariances(rng: np.random.Generator, *shape: int) -> np.ndarray:
    root = rng.normal(0, 0.6, (*shape, 2, 2))
    return root @ root.swapaxes(-1, -2)


def drawn(rng: np.random.Generator, points: np.ndarray, covariance: np.ndarray, n: int) -> np.ndarray:
    noise = np.linalg.cholesky(covariance) @ rng.standard_normal((n, *points.shape, 1))
    return points + noise[..., 0]


@pytest.mark.parametrize("seed", range(4))
def test_an_end_plate_turns_as_draws_of_its_ends_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends, covariance = np.array([[0.0, 0.0], [40.0, 9.0]]), covariances(rng, 2)
    along = np.diff(drawn(rng, ends, covariance, 40_000), axis=1)[:, 0]
    turned = np.degrees(np.arctan2(along[:, 1], along[:, 0])).std()
    assert plate_deviation(*ends, *covariance) == pytest.approx(turned, rel=0.03)


def test_a_curve_spreads_by_both_its_end_plates() -> None:
    rng = np.random.default_rng(0)
    corners = phantoms.spine_corners(np.linspace(20, -25, 17))
    covariance = covariances(rng, 17, 4)
    (curve,) = cobb.clinical_curves(corners, T1_TO_L5)
    plates = drawn(rng, corners, covariance, 20_000)
    upper, lower = (plates[:, v, b] - plates[:, v, a] for v, a, b in ((curve.upper, 0, 1), (curve.lower, 2, 3)))
    turn = np.degrees(np.arctan2(upper[:, 1], upper[:, 0]) - np.arctan2(lower[:, 1], lower[:, 0]))
    assert curve_deviation(corners, covariance, curve.upper, curve.lower) == pytest.approx(turn.std(), rel=0.03)


def test_the_challenge_s_angles_spread_as_draws_do_and_the_same_every_time() -> None:
    rng = np.random.default_rng(1)
    corners = phantoms.spine_corners(phantoms.random_tilts(rng))
    covariance = covariances(rng, 17, 4)
    many = np.array([cobb.aasce_angles(one, 2400.0) for one in drawn(rng, corners, covariance, 1500)])
    spread = aasce_deviations(corners, covariance, 2400.0)
    np.testing.assert_allclose(spread, many.std(axis=0), rtol=0.35)
    np.testing.assert_array_equal(spread, aasce_deviations(corners, covariance, 2400.0))


@pytest.mark.parametrize(
    ("degrees", "deviation", "expected"),
    [
        (40.0, 2.0, (40 - 1.959964 * 5, 40 + 1.959964 * 5)),
        (1.0, 2.0, (0.0, 1 + 1.959964 * 5)),
        (179.0, 2.0, (169.2, 180.0)),
    ],
)
def test_an_interval_has_both_parts_and_stays_an_angle(
    degrees: float, deviation: float, expected: tuple[float, float]
) -> None:
    assert interval(degrees, deviation, Spread(scale=2.0, floor_degrees=3.0)) == pytest.approx(expected, abs=0.011)
