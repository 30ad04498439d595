"""ICC(2,1) against the example that its authors printed and a slow analysis of variance written from the text."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.evaluate.agreement import icc_2_1, limits_of_agreement

SHROUT_AND_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.float64
)
"""Table 2 of the paper: six targets by four judges."""


def slow_icc(ratings: NDArray[np.float64]) -> float:
    """Sums of squares of the two-way analysis one number at a time; the error is what total, rows, columns leave."""
    n, k = ratings.shape
    values = [[float(ratings[i, j]) for j in range(k)] for i in range(n)]
    grand = math.fsum(math.fsum(row) for row in values) / (n * k)
    total = math.fsum((value - grand) ** 2 for row in values for value in row)
    rows = math.fsum(k * (math.fsum(row) / k - grand) ** 2 for row in values)
    columns = math.fsum(n * (math.fsum(values[i][j] for i in range(n)) / n - grand) ** 2 for j in range(k))
    bms, jms = rows / (n - 1), columns / (k - 1)
    ems = (total - rows - columns) / ((n - 1) * (k - 1))
    return (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)


def test_icc_is_what_its_authors_printed() -> None:
    assert icc_2_1(SHROUT_AND_FLEISS) == pytest.approx(0.29, abs=0.005)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (30, 2), (6, 4), (90, 3)])
def test_icc_is_that_of_a_slow_analysis_of_variance(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[0])
    ratings = rng.normal(30, 20, (shape[0], 1)) + rng.normal(0, 4, shape) + rng.normal(0, 2, shape[1])
    assert icc_2_1(ratings) == pytest.approx(slow_icc(ratings), rel=1e-9)


def test_icc_of_equal_ratings_is_1_and_a_constant_shift_lowers_it() -> None:
    values = np.array([10.0, 20.0, 40.0, 55.0])
    assert icc_2_1(np.stack([values, values], axis=1)) == pytest.approx(1.0)
    assert icc_2_1(np.stack([values, values + 10.0], axis=1)) < 0.95


@pytest.mark.parametrize("ratings", [np.ones((1, 2)), np.ones((5, 1)), np.full((4, 2), 7.0)])
def test_icc_without_enough_targets_raters_or_spread_is_nan(ratings: NDArray[np.float64]) -> None:
    assert math.isnan(icc_2_1(ratings))


def test_limits_of_agreement_are_the_bias_and_1_96_standard_deviations() -> None:
    # differences 1, 2, 3: mean 2, standard deviation (of a sample) 1
    bias, lower, upper = limits_of_agreement(np.array([11.0, 22.0, 33.0]), np.array([10.0, 20.0, 30.0]))
    assert (bias, lower, upper) == pytest.approx((2.0, 2.0 - 1.96, 2.0 + 1.96))


def test_a_single_film_has_a_bias_and_no_limits() -> None:
    bias, lower, upper = limits_of_agreement(np.array([11.0]), np.array([10.0]))
    assert bias == 1.0
    assert math.isnan(lower)
    assert math.isnan(upper)
