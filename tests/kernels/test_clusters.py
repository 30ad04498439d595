"""Clusters of points: by hand, against the reference and against scikit-learn."""

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from benchmarks.memory import peak_extra_mib
from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace

# 64 points are the most of the way for few; the others are the lengths of blocks, and primes
COUNTS = (0, 1, 2, 15, 16, 17, 31, 63, 64, 65, 67, 131, 257)

# few places, so that points coincide, stand in line and are exactly eps apart
LATTICE = st.integers(0, 150).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.integers(-6, 6).map(float), fill=st.nothing())
)
PLANE = st.integers(0, 150).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.floats(-20.0, 20.0, width=32), fill=st.nothing())
)


def at(*places: float) -> NDArray[np.float64]:
    """Points on the x axis."""
    return np.array([(x, 0.0) for x in places]).reshape(-1, 2)


def scattered(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Heaps, lines and lone points."""
    rng = np.random.default_rng(seed)
    heaps = rng.uniform(-30.0, 30.0, (5, 2))[rng.integers(0, 5, n)] + rng.normal(0.0, 1.0, (n, 2))
    alone = rng.uniform(-40.0, 40.0, (n, 2))
    points = np.where(rng.random((n, 1)) < 0.7, heaps, alone)
    points[::7, 1] = 0.0
    return np.ascontiguousarray(points)


def in_grid(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same points first in a group of more than 64, the others far away and noise for any min_samples above 1."""
    far = np.stack([1e6 + 1e3 * np.arange(65.0), np.zeros(65)], axis=1)
    return np.concatenate([points, far])


def dbscan_both_ways(place: Place, points: NDArray[np.float64], *, eps: float, min_samples: int) -> list[int]:
    labels = place.run(kernels.dbscan, points, eps=eps, min_samples=min_samples)
    among_many = place.run(kernels.dbscan, in_grid(points), eps=eps, min_samples=min_samples)[: len(points)]
    np.testing.assert_array_equal(labels, among_many)
    return [int(label) for label in labels]


def test_heaps_are_clusters_and_the_rest_is_noise(place: Place) -> None:
    points = at(50.0, 9.0, 0.0, 10.0, 1.0, 11.0, 0.5)
    assert dbscan_both_ways(place, points, eps=1.0, min_samples=3) == [-1, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(("eps", "labels"), [(5.0, [0, 0]), (np.nextafter(5.0, 0.0), [-1, -1])])
def test_eps_belongs_to_the_neighbourhood(place: Place, eps: float, labels: list[int]) -> None:
    assert dbscan_both_ways(place, np.array([[1.0, 1.0], [4.0, 5.0]]), eps=eps, min_samples=2) == labels


def test_a_point_counts_as_its_own_neighbour(place: Place) -> None:
    assert place.run(kernels.dbscan, at(0.0, 5.0), eps=1.0, min_samples=1).tolist() == [0, 1]
    assert place.run(kernels.dbscan, at(*range(0, 1000, 5)), eps=1.0, min_samples=1).tolist() == list(range(200))


def test_points_of_one_place_are_neighbours(place: Place) -> None:
    assert dbscan_both_ways(place, at(3.0, 3.0, 3.0, 9.0), eps=0.01, min_samples=3) == [0, 0, 0, -1]


def test_a_line_of_touching_points_is_one_cluster(place: Place) -> None:
    angle = 0.3
    line = np.arange(500.0)[:, None] * (np.cos(angle), np.sin(angle))
    assert not place.run(kernels.dbscan, line, eps=1.001, min_samples=3).any()


def test_a_border_point_of_two_clusters_goes_to_the_one_that_begins_first(place: Place) -> None:
    """2.0 has a core point on either side but too few neighbours itself; the order of the points decides."""
    left, right, between = (0.0, 0.5, 1.0, 0.2), (3.0, 3.5, 4.0, 3.2), (2.0,)
    assert dbscan_both_ways(place, at(*between, *left, *right), eps=1.0, min_samples=4) == [0] + [0] * 4 + [1] * 4
    assert dbscan_both_ways(place, at(*right, *left, *between), eps=1.0, min_samples=4) == [0] * 4 + [1] * 4 + [0]


def test_more_samples_than_points_leave_noise(place: Place) -> None:
    assert dbscan_both_ways(place, at(0.0, 0.0), eps=1.0, min_samples=10**12) == [-1, -1]


def test_groups_know_nothing_of_each_other(place: Place) -> None:
    points = at(0.0, 0.0, 0.0, 0.0, 0.0)
    labels = place.run(kernels.dbscan, points, eps=1.0, min_samples=2, offsets=np.array([0, 0, 2, 3, 3, 5]))
    assert labels.tolist() == [0, 0, -1, 0, 0]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_of_groups_is_each_group_alone(place: Place, threads: int) -> None:
    points = np.concatenate([scattered(n, seed=n) for n in COUNTS])
    offsets = np.concatenate([[0], np.cumsum(COUNTS)])
    labels = place.run(kernels.dbscan, points, eps=1.5, min_samples=4, offsets=offsets, threads=threads)
    alone = [kernels.dbscan(scattered(n, seed=n), eps=1.5, min_samples=4) for n in COUNTS]
    np.testing.assert_array_equal(labels, np.concatenate(alone))
    np.testing.assert_array_equal(labels, reference.dbscan(points, eps=1.5, min_samples=4, offsets=offsets))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_share_the_groups_of_many_points(isa: str, threads: int) -> None:
    counts = [50, 300, 0, 9000, 64, 65] * 5
    points = scattered(sum(counts))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    together = kernels.dbscan(points, eps=0.2, min_samples=4, offsets=offsets, threads=threads)
    for begin, end in pairwise(offsets.tolist()):
        alone = kernels.dbscan(points[begin:end], eps=0.2, min_samples=4)
        np.testing.assert_array_equal(together[begin:end], alone)


@pytest.mark.parametrize("n", COUNTS)
def test_dbscan_agrees_with_the_reference(place: Place, n: int) -> None:
    points = scattered(n)
    for eps in (1e-3, 0.3, 1.0, 4.0, 1000.0):
        for min_samples in (1, 2, 5, 30):
            got = place.run(kernels.dbscan, points, eps=eps, min_samples=min_samples)
            np.testing.assert_array_equal(got, reference.dbscan(points, eps=eps, min_samples=min_samples))


@given(LATTICE | PLANE, st.sampled_from([0.5, 1.0, 2.0, 5.0, float(np.sqrt(2.0))]), st.integers(1, 9))
def test_any_points_get_the_labels_of_the_reference(points: NDArray[np.float64], eps: float, min_samples: int) -> None:
    want = reference.dbscan(points, eps=eps, min_samples=min_samples)
    got = kernels.dbscan(points, eps=eps, min_samples=min_samples)
    np.testing.assert_array_equal(got, want)
    if min_samples > 1:
        np.testing.assert_array_equal(dbscan_both_ways(CpuPlace(), points, eps=eps, min_samples=min_samples), want)


def test_a_thousand_sets_get_the_labels_of_scikit_learn() -> None:
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        points = scattered(int(rng.integers(1, 200)), seed)
        if seed % 2:
            points = np.round(points)
        eps, min_samples = float(rng.choice([0.2, 0.5, 1.0, 2.0, 5.0])), int(rng.integers(1, 12))
        want = DBSCAN(eps=eps, min_samples=min_samples).fit(points).labels_
        np.testing.assert_array_equal(kernels.dbscan(points, eps=eps, min_samples=min_samples), want)


@pytest.mark.parametrize("scale", [1e-140, 1e-6, 1e6, 1e140])
def test_the_unit_does_not_matter(place: Place, scale: float) -> None:
    points = scattered(200)
    want = place.run(kernels.dbscan, points, eps=1.0, min_samples=4)
    np.testing.assert_array_equal(place.run(kernels.dbscan, points * scale, eps=scale, min_samples=4), want)


def test_far_apart_points_of_many_cells_are_told_apart(place: Place) -> None:
    near = scattered(100)
    far = np.concatenate([near, near + 2.0**29, near - 2.0**29])
    got = place.run(kernels.dbscan, far, eps=1.5, min_samples=4)
    np.testing.assert_array_equal(got, reference.dbscan(far, eps=1.5, min_samples=4))


@pytest.mark.parametrize(("side", "labels"), [(0.7071, [0, 0]), (0.7072, [-1, -1])])
def test_the_ends_of_a_square_of_diagonal_eps_are_neighbours(place: Place, side: float, labels: list[int]) -> None:
    """The cells of the grid are hardly smaller than this square, and its first corner is that of a cell."""
    assert dbscan_both_ways(place, np.array([[0.0, 0.0], [side, side]]), eps=1.0, min_samples=2) == labels


@pytest.mark.parametrize("width", [0.0, 0.5, 0.8, 1.2, 1.9, 2.5])
def test_no_point_of_a_narrow_strip_counts_twice(place: Place, width: float) -> None:
    points = np.random.default_rng(0).uniform((0.0, 0.0), (width, 60.0), (300, 2))
    for min_samples in (4, 7, 10):
        got = place.run(kernels.dbscan, points, eps=1.0, min_samples=min_samples)
        np.testing.assert_array_equal(got, reference.dbscan(points, eps=1.0, min_samples=min_samples))


def test_two_dense_heaps_that_just_miss_each_other_are_two_clusters(isa: str) -> None:
    points = at(*[0.0] * 20_000, *[1.01] * 20_000)
    labels = kernels.dbscan(points, eps=1.0, min_samples=5)
    assert labels.tolist() == [0] * 20_000 + [1] * 20_000


def test_points_that_are_not_finite_are_noise_on_a_device(cuda: CudaPlace) -> None:
    points = at(0.0, np.nan, 0.5, np.inf, 1.0, -np.inf)
    assert cuda.run(kernels.dbscan, points, eps=1.0, min_samples=2).tolist() == [0, -1, 0, -1, 0, -1]
    assert cuda.run(kernels.dbscan, points, eps=1.0, min_samples=1).tolist() == [0, -1, 0, -1, 0, -1]


@pytest.mark.parametrize("offsets", [[0, 9], [0, -1, 5], [3, 2, 1], [-9, 99], [5, 5], [7, 7, 7, 7]])
def test_offsets_that_lead_elsewhere_leave_points_noise_on_a_device(cuda: CudaPlace, offsets: list[int]) -> None:
    labels = cuda.run(kernels.dbscan, at(0.0, 0.0, 0.0, 0.0, 0.0), eps=1.0, min_samples=2, offsets=np.array(offsets))
    assert labels.max() < 5
    assert labels[0] == -1


def test_a_point_that_is_not_finite_spoils_means_on_a_device(cuda: CudaPlace) -> None:
    labels, centres = cuda.run(kernels.kmeans, at(0.0, np.nan, 5.0, 6.0), 2, max_iterations=3)
    assert set(labels.tolist()) <= {0, 1}
    assert np.isnan(centres).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_place_that_is_not_finite_leaves_no_outlier_on_a_device(cuda: CudaPlace, bad: float) -> None:
    assert not cuda.run(kernels.gap_outliers, np.array([0.0, 1.0, 2.0, 90.0, bad, 3.0]), ratio=1.0).any()


def test_device_and_host_arrays_are_not_mixed(cuda: CudaPlace) -> None:
    points = cuda.native.empty((3, 2), "float64")
    with pytest.raises(TypeError, match="expected one place"):
        kernels.dbscan(points, eps=1.0, min_samples=1, offsets=np.array([0, 3]))


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda m, a: m.dbscan(a((5, 2)), a((1,), "int64"), 1.0, 2, a((5,), "int32"), m.Stream()), "offsets"),
        (lambda m, a: m.dbscan(a((5, 3)), a((2,), "int64"), 1.0, 2, a((5,), "int32"), m.Stream()), "points"),
        (lambda m, a: m.dbscan(a((5, 2)), a((2,), "int64"), np.nan, 2, a((5,), "int32"), m.Stream()), "eps"),
        (lambda m, a: m.dbscan(a((5, 2)), a((2,), "int64"), 1.0, 0, a((5,), "int32"), m.Stream()), "min_samples"),
        (lambda m, a: m.dbscan(a((5, 2)), a((2,), "int64"), 1.0, 2, a((4,), "int32"), m.Stream()), "labels"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, 0.0, a((5,), "int32"), a((6, 2)), m.Stream()), "k is not"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, 0.0, a((5,), "int32"), a((2, 1)), m.Stream()), "axes"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, 0.0, a((4,), "int32"), a((2, 2)), m.Stream()), "labels"),
        (lambda m, a: m.kmeans(a((5, 2)), 0, 0.0, a((5,), "int32"), a((2, 2)), m.Stream()), "max_iterations"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, -1.0, a((5,), "int32"), a((2, 2)), m.Stream()), "tolerance"),
        (lambda m, a: m.gap_outliers(a((5,)), 0.5, a((5,)), a((5,), "uint8"), m.Stream()), "ratio"),
        (lambda m, a: m.gap_outliers(a((5,)), 2.0, a((4,)), a((5,), "uint8"), m.Stream()), "gaps"),
        (lambda m, a: m.gap_outliers(a((5,)), 2.0, a((5,)), a((4,), "uint8"), m.Stream()), "outliers"),
    ],
)
def test_the_device_bindings_refuse_what_would_leave_an_array(cuda: CudaPlace, call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(cuda.native, lambda shape, dtype="float64": cuda.native.empty(shape, dtype))


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
    for k in {1, min(n, 2), min(n, 17), n}:
        for settings in ({}, {"max_iterations": 1}, {"tolerance": 0.5}):
            got, want = place.run(kernels.kmeans, points, k, **settings), reference.kmeans(points, k, **settings)
            np.testing.assert_array_equal(got[0], want[0])
            np.testing.assert_array_equal(got[1], want[1])


@given(LATTICE | PLANE, st.integers(1, 20))
def test_every_point_is_labelled_with_its_nearest_centre(points: NDArray[np.float64], k: int) -> None:
    if len(points) < k:
        return
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


@pytest.mark.parametrize("ratio", [0.99, 0.0, -2.0, float("nan"), float("inf")])
def test_a_ratio_below_1_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match=re.escape(f"ratio is {ratio}, expected a finite value of at least 1")):
        kernels.gap_outliers(np.zeros(3), ratio=ratio)


def test_places_of_another_type_or_not_finite_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("places is float64 [3, 1], expected float64 [n]")):
        kernels.gap_outliers(np.zeros((3, 1)), ratio=2.0)
    with pytest.raises(ValueError, match="places has nan in row 1, expected finite"):
        kernels.gap_outliers(np.array([0.0, np.nan, 1.0]), ratio=2.0)


def test_dbscan_needs_little_more_memory_than_its_labels() -> None:
    """8 bytes a point in 2**32 cells, 12 beyond; the peak that the kernel itself allocates is no array of NumPy's."""
    points = np.random.default_rng(0).uniform(0.0, 1000.0, (100_000, 2))
    far = points * (1.0, 1.0)
    far[0] = 1e7, 1e7
    narrow = peak_extra_mib(lambda: kernels.dbscan(points, eps=5.0, min_samples=5))
    wide = peak_extra_mib(lambda: kernels.dbscan(far, eps=5.0, min_samples=5))
    if math.isnan(narrow):
        pytest.skip("needs Linux's /proc/self/clear_refs")
    labels = 4 * len(points) / 2**20
    assert narrow < labels + 1.0
    assert wide < labels + 1.4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 16, 66])
def test_a_value_that_is_not_finite_is_refused_with_its_row(bad: float, row: int) -> None:
    points = scattered(67)
    points[row, 1] = bad
    for call in (lambda: kernels.dbscan(points, eps=1.0, min_samples=2), lambda: kernels.kmeans(points, 2)):
        with pytest.raises(ValueError, match=re.escape(f"{bad}] in row {row}, expected finite")):
            call()


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"eps": 0.0}, "eps is 0.0"),
        ({"eps": -1.0}, "eps is -1.0"),
        ({"eps": float("nan")}, "eps is nan"),
        ({"eps": float("inf")}, "eps is inf"),
        ({"eps": 1e-9}, "points extend from 0 to 5, expected at most 2**30 eps = 1.07374"),
        ({"min_samples": 0}, "min_samples is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"offsets": np.array([0, 4])}, "offsets is [0 4], expected to ascend from 0 to 5"),
        ({"offsets": np.array([1, 5])}, "offsets is [1 5]"),
        ({"offsets": np.array([0, 3, 2, 5])}, "offsets is [0 3 2 5]"),
        ({"offsets": np.array([], np.int64)}, "offsets is [0], expected the begin of every group"),
    ],
)
def test_values_that_dbscan_cannot_take_are_refused(arguments: dict[str, Any], got: str) -> None:
    points = at(0.0, 1.0, 2.0, 3.0, 5.0)
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.dbscan(points, **{"eps": 1.0, "min_samples": 2, **arguments})


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"k": 0}, "k is 0, expected 1 to 3"),
        ({"k": 4}, "k is 4, expected 1 to 3"),
        ({"max_iterations": 0}, "max_iterations is 0"),
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"points": np.array([[0.0], [-1e151]]), "k": 1}, "points extend from -1e+151 to 0"),
    ],
)
def test_values_that_kmeans_cannot_take_are_refused(arguments: dict[str, Any], got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.kmeans(**{"points": at(0.0, 1.0, 2.0), "k": 2, **arguments})


def test_points_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("points is float32 [3, 2], expected float64 [n, 2]")):
        kernels.dbscan(np.zeros((3, 2), np.float32), eps=1.0, min_samples=1)
    with pytest.raises(TypeError, match=re.escape("offsets is int32 [2], expected int64 [groups + 1]")):
        kernels.dbscan(np.zeros((3, 2)), eps=1.0, min_samples=1, offsets=np.array([0, 3], np.int32))
    with pytest.raises(TypeError, match=re.escape("points is float64 [3, 3], expected float64 [n, 1 or 2]")):
        kernels.kmeans(np.zeros((3, 3)), 1)
    with pytest.raises(TypeError, match=re.escape("points is float64 [3], expected float64 [n, 1 or 2]")):
        kernels.kmeans(np.zeros(3), 1)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda p, o, i: _cpu.dbscan(p, o[:1], 1.0, 2, i, 1), "offsets"),
        (lambda p, o, i: _cpu.dbscan(p, np.array([0, 9, 5]), 1.0, 2, i, 1), "offsets"),
        (lambda p, o, i: _cpu.dbscan(p, o, float("nan"), 2, i, 1), "eps"),
        (lambda p, o, i: _cpu.dbscan(p * np.nan, o, 1.0, 2, i, 1), "finite"),
        (lambda p, o, i: _cpu.dbscan(p * 1e10, o, 1.0, 2, i, 1), "extend"),
        (lambda p, o, i: _cpu.dbscan(p, o, 1.0, 0, i, 1), "min_samples"),
        (lambda p, o, i: _cpu.dbscan(p, o, 1.0, 2, i[:4], 1), "labels"),
        (lambda p, o, i: _cpu.dbscan(p, o, 1.0, 2, i, 0), "threads"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i[:4], p[:2].copy(), 1), "labels"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i, np.zeros((2, 1)), 1), "axes"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i, np.zeros((6, 2)), 1), "k is not"),
        (lambda p, o, i: _cpu.kmeans(p, 0, 0.0, i, np.zeros((2, 2)), 1), "max_iterations"),
        (lambda p, o, i: _cpu.kmeans(p, 1, -1.0, i, np.zeros((2, 2)), 1), "tolerance"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i, np.zeros((2, 2)), 0), "threads"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 0.5, p[:, 1].copy(), np.zeros(5, np.uint8), 1), "ratio"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0] * np.nan, 2.0, p[:, 1].copy(), np.zeros(5, np.uint8), 1), "finite"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 2.0, np.zeros(4), np.zeros(5, np.uint8), 1), "gaps"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 2.0, p[:, 1].copy(), np.zeros(4, np.uint8), 1), "outliers"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 2.0, p[:, 1].copy(), np.zeros(5, np.uint8), 0), "threads"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(at(0.0, 1.0, 2.0, 3.0, 5.0), np.array([0, 5]), np.zeros(5, np.int32))
