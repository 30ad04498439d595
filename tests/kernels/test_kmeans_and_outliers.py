"""Means of points and outliers of a row: by hand and against the reference."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.test_clusters import COUNTS, LATTICE, PLANE, Place, scattered


def test_means_are_found_in_the_plane_and_on_a_line(place: Place) -> None:
    points = np.array([[0.0, 0.0], [10.0, 1.0], [0.0, 2.0], [10.0, 3.0], [5.0, 30.0]])
    labels, centres = place.run(kernels.kmeans, points, 3)
    assert labels.tolist() == [1, 2, 1, 2, 0]
    assert centres.tolist() == [[5.0, 30.0], [0.0, 1.0], [10.0, 2.0]]
    labels, centres = place.run(kernels.kmeans, np.array([[1.0], [9.0], [3.0]]), 2)
    assert labels.tolist() == [1, 0, 1]
    assert centres.tolist() == [[9.0], [2.0]]


def test_a_centre_without_points_stays(place: Place) -> None:
    labels, centres = place.run(kernels.kmeans, np.array([[7.0, 1.0]] * 4), 3)
    assert labels.tolist() == [0, 0, 0, 0]
    assert centres.tolist() == [[7.0, 1.0]] * 3


def test_a_point_between_two_centres_belongs_to_the_lower(place: Place) -> None:
    labels, centres = place.run(kernels.kmeans, np.array([[0.0], [2.0], [1.0]]), 2, max_iterations=1)
    assert labels.tolist() == [0, 1, 0]
    assert centres.tolist() == [[0.5], [2.0]]


@pytest.mark.parametrize("n", [n for n in COUNTS if n > 0])
@pytest.mark.parametrize("axes", [1, 2])
def test_kmeans_is_the_reference_to_the_last_bit(place: Place, n: int, axes: int) -> None:
    points = np.ascontiguousarray(scattered(n)[:, :axes])
    several = {1, min(n, 2), min(n, 17)}
    ways: list[dict[str, Any]] = [{}, {"max_iterations": 1}, {"tolerance": 0.5}]
    for k, settings in [*product(several, ways), (n, {})]:
        got, want = place.run(kernels.kmeans, points, k, **settings), reference.kmeans(points, k, **settings)
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_array_equal(got[1], want[1])


@given(LATTICE | PLANE, st.integers(1, 20))
def test_every_point_is_labelled_with_its_nearest_centre(points: NDArray[np.float64], k: int) -> None:
    assume(len(points) >= k)
    labels, centres = kernels.kmeans(points, k)
    want_labels, want_centres = reference.kmeans(points, k)
    np.testing.assert_array_equal(labels, want_labels)
    np.testing.assert_array_equal(centres, want_centres)
    gaps = np.linalg.norm(points[:, None] - centres, axis=2)
    np.testing.assert_allclose(gaps[np.arange(len(points)), labels], gaps.min(axis=1), rtol=1e-12, atol=1e-12)


def test_what_is_far_from_both_neighbours_is_an_outlier(place: Place) -> None:
    """Gaps of 10 but for those round 200 and before the last: 165, 155 and 31; one more than 30 wide is too wide."""
    places = np.array([5.0, 15.0, 25.0, 35.0, 200.0, 45.0, 55.0, 65.0, 96.0])
    assert place.run(kernels.gap_outliers, places, ratio=3.0).nonzero()[0].tolist() == [4, 8]
    assert place.run(kernels.gap_outliers, places, ratio=3.1).nonzero()[0].tolist() == [4]
    assert not place.run(kernels.gap_outliers, places, ratio=17.0).any()


def test_two_rows_that_lie_apart_hold_no_outlier(place: Place) -> None:
    assert not place.run(kernels.gap_outliers, np.array([0.0, 1.0, 2.0, 50.0, 51.0, 52.0]), ratio=2.0).any()


def test_the_median_of_an_even_number_of_gaps_lies_between_two(place: Place) -> None:
    """Gaps of 1, 3, 4 and 9: the median is 3.5."""
    places = np.array([0.0, 1.0, 4.0, 8.0, 17.0])
    assert place.run(kernels.gap_outliers, places, ratio=9.0 / 3.5).tolist() == [0, 0, 0, 0, 0]
    assert place.run(kernels.gap_outliers, places, ratio=8.9 / 3.5).tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("places", [[], [3.0], [3.0, 900.0]])
def test_fewer_than_three_places_hold_no_outlier(place: Place, places: list[float]) -> None:
    assert not place.run(kernels.gap_outliers, np.array(places), ratio=1.0).any()


def test_the_only_one_elsewhere_is_an_outlier_whatever_the_ratio(place: Place) -> None:
    places = np.array([7.0, 7.0, 7.0, 7.0, 8.0])
    assert place.run(kernels.gap_outliers, places, ratio=1e300).tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("n", COUNTS)
def test_gap_outliers_agree_with_the_reference(place: Place, n: int) -> None:
    places = scattered(n)[:, 0].copy()
    for ratio in (1.0, 1.5, 3.0, 20.0):
        got = place.run(kernels.gap_outliers, places, ratio=ratio)
        np.testing.assert_array_equal(got, reference.gap_outliers(places, ratio=ratio))


@given(arrays(np.float64, st.integers(0, 40), elements=st.floats(-1e300, 1e300)), st.floats(1.0, 100.0))
def test_places_of_any_size_agree_with_the_reference(places: NDArray[np.float64], ratio: float) -> None:
    with np.errstate(over="ignore"):
        want = reference.gap_outliers(places, ratio=ratio)
    np.testing.assert_array_equal(kernels.gap_outliers(places, ratio=ratio), want)
