"""Peaks of heat-maps: worked out by hand, and against the reference."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.test_heatmaps import ANY_MAPS, LEVELS, SHAPES, steps
from tests.kernels.test_parity import heatmaps


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("make", [heatmaps, steps], ids=["noise", "steps"])
def test_peak_agrees_with_the_reference(place: Any, make: Callable[..., Any], shape: tuple[int, ...]) -> None:
    maps = make(4, shape)
    points, value = place.run(kernels.peak, maps)
    want_points, want_value = reference.peak(maps)
    np.testing.assert_allclose(points, want_points, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(value, want_value)


def test_peak_finds_the_vertex_of_a_paraboloid(place: Any) -> None:
    z, y, x = np.mgrid[:9, :20, :30]
    maps = (-((x - 12.25) ** 2) - (y - 7.375) ** 2 - 2 * (z - 4.75) ** 2)[None].astype(np.float32)
    points, value = place.run(kernels.peak, maps)
    np.testing.assert_allclose(points, [[12.25, 7.375, 4.75]], rtol=0, atol=1e-5)
    assert value[0] == maps.max()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("make", [heatmaps, steps], ids=["noise", "steps"])
@pytest.mark.parametrize(
    ("k", "min_distance", "threshold"), [(1, 1.0, -np.inf), (40, 1.0, 0.0), (9, 2.5, -3.0), (5, 30.0, -np.inf)]
)
def test_top_peaks_agree_with_the_reference(
    place: Any, make: Callable[..., Any], shape: tuple[int, ...], k: int, min_distance: float, threshold: float
) -> None:
    maps = make(2, shape)
    got = place.run(kernels.top_peaks, maps, k, min_distance=min_distance, threshold=threshold)
    points, values, count = reference.top_peaks(maps, k, min_distance=min_distance, threshold=threshold)
    np.testing.assert_array_equal(got[2], count)
    np.testing.assert_array_equal(got[1], values)
    np.testing.assert_allclose(got[0], points, rtol=1e-7, atol=1e-7)


def test_top_peaks_come_by_height_and_keep_their_distance(place: Any) -> None:
    maps = np.zeros((1, 12, 50), np.float32)
    maps[0, 5, 10], maps[0, 5, 13], maps[0, 5, 20], maps[0, 9, 40] = 9.0, 8.0, 7.0, 7.0
    points, values, count = place.run(kernels.top_peaks, maps, 4, min_distance=3.5, threshold=1.0)
    assert count.tolist() == [3]
    assert points[0, :3].tolist() == [[10.0, 5.0], [20.0, 5.0], [40.0, 9.0]]
    assert values[0, :3].tolist() == [9.0, 7.0, 7.0]
    assert np.isnan(points[0, 3]).all()
    assert np.isnan(values[0, 3])
    points, _, count = place.run(kernels.top_peaks, maps, 4, min_distance=3.0, threshold=1.0)
    assert count.tolist() == [4]
    assert points[0, 1].tolist() == [13.0, 5.0]  # exactly as far as asked


def test_the_side_of_a_hill_is_no_peak(place: Any) -> None:
    """A cell far from the top but lower than its neighbour towards it."""
    y, x = np.mgrid[:40, :70]
    maps = -np.hypot(x - 33, y - 17)[None].astype(np.float32)
    points, _, count = place.run(kernels.top_peaks, maps, 3, min_distance=2.0, threshold=-np.inf)
    assert count.tolist() == [1]
    assert points[0, 0].tolist() == [33.0, 17.0]


def test_of_a_plateau_the_first_cell_is_the_peak(place: Any) -> None:
    points, _, count = place.run(
        kernels.top_peaks, np.zeros((1, 3, 19, 33), np.float32), 5, min_distance=1.0, threshold=-1.0
    )
    assert count.tolist() == [1]
    assert points[0, 0].tolist() == [0.0, 0.0, 0.0]


@given(ANY_MAPS, LEVELS, st.integers(1, 8), st.floats(1.0, 12.0))
def test_any_peaks_agree_and_the_first_is_the_peak(
    place: Any, maps: NDArray[np.float32], threshold: float, k: int, min_distance: float
) -> None:
    points, values, count = place.run(kernels.top_peaks, maps, k, min_distance=min_distance, threshold=threshold)
    want = reference.top_peaks(maps, k, min_distance=min_distance, threshold=threshold)
    np.testing.assert_array_equal(count, want[2])
    np.testing.assert_array_equal(values, want[1])
    np.testing.assert_allclose(points, want[0], rtol=1e-7, atol=1e-7)
    highest, value = place.run(kernels.peak, maps)
    above = value > threshold
    np.testing.assert_array_equal(points[above, 0], highest[above])
