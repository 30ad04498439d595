"""Clusters of points: by hand, against the reference and against scikit-learn."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from benchmarks.memory import peak_extra_mib
from spinert import kernels
from spinert.kernels import reference
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
