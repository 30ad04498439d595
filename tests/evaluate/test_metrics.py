import numpy as np
import pytest

from spinert.evaluate import metrics


def test_smape_is_the_mean_over_films_of_each_films_ratio() -> None:
    found = np.array([[20.0, 10.0, 0.0], [50.0, 30.0, 20.0]])
    labelled = np.array([[30.0, 10.0, 0.0], [50.0, 20.0, 30.0]])
    # film 0: 10 / 70; film 1: 20 / 200
    assert metrics.smape_of_films(found, labelled) == pytest.approx([100 / 7, 10.0])
    assert metrics.smape_percent(found, labelled) == pytest.approx((100 / 7 + 10) / 2)


def test_smape_of_a_film_without_result_is_100_percent() -> None:
    assert metrics.smape_percent(np.zeros((1, 3)), np.array([[40.0, 20.0, 0.5]])) == pytest.approx(100.0)


def test_smape_of_a_straight_spine_found_straight_is_0() -> None:
    assert metrics.smape_percent(np.zeros((1, 3)), np.zeros((1, 3))) == 0.0


def test_mean_absolute_error_is_kept_apart_for_each_angle() -> None:
    found, labelled = np.array([[10.0, 5.0, 0.0], [30.0, 5.0, 8.0]]), np.array([[13.0, 5.0, 1.0], [29.0, 7.0, 5.0]])
    assert metrics.mean_absolute_error(found, labelled) == pytest.approx([2.0, 1.0, 2.0])


def test_pearson_r_is_1_on_a_line_minus_1_on_its_mirror_and_nan_without_spread() -> None:
    labelled = np.array([[1.0, 1.0, 7.0], [2.0, 2.0, 7.0], [4.0, 4.0, 7.0]])
    found = np.stack([2 * labelled[:, 0] + 3, -labelled[:, 1], labelled[:, 0]], axis=1)
    assert metrics.pearson_r(found, labelled) == pytest.approx([1.0, -1.0, float("nan")], nan_ok=True)


def test_pearson_r_matches_numpy() -> None:
    rng = np.random.default_rng(0)
    labelled = rng.normal(size=(20, 3))
    found = labelled + rng.normal(size=(20, 3))
    expected = [np.corrcoef(found[:, angle], labelled[:, angle])[0, 1] for angle in range(3)]
    assert metrics.pearson_r(found, labelled) == pytest.approx(expected)


def test_corner_error_is_the_mean_distance_of_a_films_corners() -> None:
    labelled = np.zeros((2, 17, 4, 2))
    found = labelled.copy()
    found[0] += (3.0, 4.0)
    found[1, 0, 0] = (0.0, 68.0)
    assert metrics.corner_errors(found, labelled) == pytest.approx([5.0, 1.0])


def test_45_degrees_are_moderate_and_a_lower_bound_belongs_to_the_grade_above_it() -> None:
    degrees = np.array([0.0, 9.99, 10.0, 24.99, 25.0, 45.0, 45.01, 110.0])
    assert metrics.grades_of(degrees).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_film_without_result_has_a_column_of_its_own_and_is_not_taken_for_a_straight_spine() -> None:
    labelled, found = np.array([50.0, 50.0, 12.0, 5.0]), np.array([47.0, 0.0, 8.0, 3.0])
    failed = np.array([False, True, False, False])
    confusion = metrics.severity_confusion(found, labelled, failed)
    assert confusion.tolist() == [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]]


def test_coverage_counts_each_angle_and_takes_the_ends_in() -> None:
    intervals = np.array([[[1.0, 3.0], [0.0, 4.0], [10.0, 16.0]]])
    found = metrics.coverage(intervals, np.array([[3.0, 4.1, 10.0]]))
    assert (found.intervals, found.percent, found.width_degrees) == pytest.approx((3, 200 / 3, 4.0))
