"""Means over heat-maps: worked out by hand, against the reference, and what must hold for any map."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.test_parity import heatmaps

# 1, 15, 16, 17 and primes along every axis; (1, 1031) and (1031, 1) are longer than a segment and a block
PLANES = [
    (1, 1),
    (1, 16),
    (16, 1),
    (2, 131),
    (131, 2),
    (15, 67),
    (17, 17),
    (31, 18),
    (200, 3),
    (67, 131),
    (1, 1031),
    (1031, 1),
]
VOLUMES = [(1, 1, 1), (1, 9, 33), (7, 1, 1), (3, 17, 5), (2, 3, 131), (16, 15, 17), (5, 40, 31)]
SHAPES = [*PLANES, *VOLUMES]
CELLS, CONFIDENCE, ROUNDING = 2e-5, 1e-6, 1e-7  # the last: of a result to float32
SIDES = st.integers(1, 21)
LEVELS = st.integers(-3, 3).map(float) | st.floats(-50, 50, width=32)
ANY_MAPS = st.one_of(
    arrays(np.float32, st.tuples(st.integers(0, 3), SIDES, SIDES), elements=LEVELS),
    arrays(np.float32, st.tuples(st.integers(0, 2), st.integers(1, 6), SIDES, SIDES), elements=LEVELS),
)


def steps(n: int, shape: tuple[int, ...], levels: int = 7) -> NDArray[np.float32]:
    """Maps of few different values, so that many cells are equal."""
    return np.random.default_rng(n).integers(-levels, levels, (n, *shape)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_moments_agree_with_the_reference(place: Any, shape: tuple[int, ...], temperature: float) -> None:
    for spread in (0.5, 4.0, 20.0):
        maps = heatmaps(3, shape, spread)
        got = place.run(kernels.soft_moments, maps, temperature=temperature, radius=2)
        points, confidence, covariance = reference.soft_moments(maps, temperature=temperature, radius=2)
        np.testing.assert_allclose(got.points, points, rtol=ROUNDING, atol=CELLS)
        np.testing.assert_allclose(got.confidence, confidence, rtol=0, atol=CONFIDENCE)
        np.testing.assert_allclose(got.covariance, covariance, rtol=2e-6, atol=2e-5 * max(shape))
        np.testing.assert_array_equal(got.covariance, got.covariance.swapaxes(1, 2))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_soft_argmax_gives_the_moments_points_to_the_last_bit(place: Any, shape: tuple[int, ...]) -> None:
    maps = heatmaps(3, shape)
    points, confidence = place.run(kernels.soft_argmax, maps, temperature=0.7, radius=1)
    moments = place.run(kernels.soft_moments, maps, temperature=0.7, radius=1)
    assert points.tobytes() == moments.points.tobytes()
    assert confidence.tobytes() == moments.confidence.tobytes()


def test_a_gaussian_gives_its_own_covariance(place: Any) -> None:
    """Logits -1/2 r^T C^-1 r: their softmax is the Gaussian of covariance C, and at temperature T that of T C."""
    covariance = np.array([[9.0, 3.0], [3.0, 4.0]])
    y, x = np.mgrid[:64, :80] - np.array([30.25, 41.5])[:, None, None]
    r = np.stack([x, y], axis=-1)
    maps = -0.5 * np.einsum("yxi,ij,yxj->yx", r, np.linalg.inv(covariance), r)[None].astype(np.float32)
    for temperature in (1.0, 1.5):
        got = place.run(kernels.soft_moments, maps, temperature=temperature)
        np.testing.assert_allclose(got.points, [[41.5, 30.25]], rtol=0, atol=1e-5)
        np.testing.assert_allclose(got.covariance[0], temperature * covariance, rtol=1e-5)


def test_two_cells_along_z_lie_at_their_middle(place: Any) -> None:
    maps = np.full((1, 9, 4, 5), -300.0, np.float32)
    maps[0, 2, 1, 3] = maps[0, 8, 1, 3] = 4.0
    got = place.run(kernels.soft_moments, maps, radius=1)
    np.testing.assert_array_equal(got.points, [[3.0, 1.0, 5.0]])
    np.testing.assert_array_equal(got.confidence, [0.5])
    np.testing.assert_allclose(got.covariance, [np.diag([0.0, 0.0, 9.0])], rtol=0, atol=1e-30)


def test_a_low_temperature_finds_the_highest_cell_and_a_high_one_the_middle(place: Any) -> None:
    maps = heatmaps(1, (30, 41))
    y, x = np.unravel_index(np.argmax(maps[0]), (30, 41))
    cold, certain = place.run(kernels.soft_argmax, maps, temperature=1e-30)
    assert cold.tolist() == [[x, y]]
    assert certain.tolist() == [1.0]
    warm, _ = place.run(kernels.soft_argmax, maps, temperature=1e30)
    np.testing.assert_allclose(warm, [[20.0, 14.5]], rtol=0, atol=CELLS)


def test_blocks_far_below_the_top_add_up_in_a_large_volume(place: Any) -> None:
    """One high cell, and 2**20 at its level less 14: together they weigh 0.87 of it."""
    maps = np.full((1, 64, 128, 128), -14.0, np.float32)
    maps[0, 0, 0, 0] = 0.0
    got, confidence = place.run(kernels.soft_argmax, maps, radius=0)
    rest = (maps.size - 1) * np.exp(-14.0)
    middle = maps.size / (maps.size - 1) * np.array([63.5, 63.5, 31.5])
    np.testing.assert_allclose(got[0], middle * rest / (1.0 + rest), rtol=1e-6)
    np.testing.assert_allclose(confidence, 1.0 / (1.0 + rest), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mean_above_agrees_with_the_reference(place: Any, shape: tuple[int, ...]) -> None:
    maps = heatmaps(6, shape)
    masks = np.random.default_rng(0).integers(0, 3, (6, *shape)).astype(np.uint8)
    bools = [masks > 1] if place.name == "cpu" else []  # device arrays have no bool
    for threshold in (0.5, 4.0, -np.inf, np.inf):
        for mask in (None, masks[:1], masks[:3], masks, *bools):
            got = place.run(kernels.mean_above, maps, threshold, mask=mask)
            points, count, confidence = reference.mean_above(maps, threshold, mask=mask)
            np.testing.assert_allclose(got[0], points, rtol=1e-7, atol=0)
            np.testing.assert_array_equal(got[1], count)
            np.testing.assert_allclose(got[2], confidence, rtol=1e-6, atol=1e-6)


def test_mean_above_takes_only_cells_over_the_threshold_and_under_the_mask(place: Any) -> None:
    maps = np.zeros((1, 4, 20), np.float32)
    maps[0, 1, 2:6] = 0.5  # equal to the threshold: none of them
    maps[0, 1, 4] = 0.75
    maps[0, 3, 18] = 1.0
    maps[0, 0, 0] = 0.9  # not under the mask
    mask = np.ones((1, 4, 20), np.uint8)
    mask[0, 0] = 0
    points, count, confidence = place.run(kernels.mean_above, maps, 0.5, mask=mask)
    assert points.tolist() == [[11.0, 2.0]]
    assert count.tolist() == [2]
    assert confidence.tolist() == [0.875]


def test_a_mask_serves_the_maps_of_its_group(place: Any) -> None:
    """Two vertebrae with four corners each: the first mask is for maps 0..3."""
    maps = np.ones((8, 3, 6), np.float32)
    mask = np.zeros((2, 3, 6), np.uint8)
    mask[0, 0, 1] = mask[1, 2, 5] = 255
    points, count, _ = place.run(kernels.mean_above, maps, 0.5, mask=mask)
    assert points.tolist() == [[1.0, 0.0]] * 4 + [[5.0, 2.0]] * 4
    assert count.tolist() == [1] * 8


def test_without_a_cell_above_the_threshold_there_is_no_point(place: Any) -> None:
    maps = heatmaps(2, (9, 21))
    points, count, confidence = place.run(kernels.mean_above, maps, 1e9)
    assert np.isnan(points).all()
    assert count.tolist() == confidence.tolist() == [0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cell", [0, 15, 16, 600, 7 * 17 * 19 - 1])
def test_a_value_that_is_not_finite_spoils_its_map_only(place: Any, bad: float, cell: int) -> None:
    maps = heatmaps(3, (7, 17, 19))
    maps[1].flat[cell] = bad
    spoilt = [False, True, False]
    moments = place.run(kernels.soft_moments, maps)
    assert np.isnan(moments.points).all(axis=1).tolist() == spoilt
    assert np.isnan(moments.covariance).all(axis=(1, 2)).tolist() == spoilt
    assert (moments.confidence == 0.0).tolist() == spoilt
    points, value = place.run(kernels.peak, maps)
    assert np.isnan(points).all(axis=1).tolist() == np.isnan(value).tolist() == spoilt
    points, values, count = place.run(kernels.top_peaks, maps, 2, min_distance=1.0, threshold=-np.inf)
    assert np.isnan(points).all(axis=(1, 2)).tolist() == np.isnan(values).all(axis=1).tolist() == spoilt
    assert (count == 0).tolist() == spoilt
    points, count, confidence = place.run(kernels.mean_above, maps, 0.0)
    assert np.isnan(points).all(axis=1).tolist() == (count == 0).tolist() == (confidence == 0.0).tolist() == spoilt


@pytest.mark.parametrize("level", [-np.finfo(np.float32).max, np.finfo(np.float32).max])
def test_the_largest_floats_are_values_like_others(place: Any, level: float) -> None:
    maps = np.full((1, 5, 17), level, np.float32)
    maps[0, 2, 3] = -level
    here, elsewhere = [3.0, 2.0], [(16.0 * 85 / 2 - 3.0) / 84, (4.0 * 85 / 2 - 2.0) / 84]
    points, _ = place.run(kernels.soft_argmax, maps)
    np.testing.assert_allclose(points[0], here if level < 0 else elsewhere, rtol=1e-6)
    assert place.run(kernels.peak, maps)[1].tolist() == [maps.max()]
    assert place.run(kernels.mean_above, maps, 0.0)[1].tolist() == [1 if level < 0 else 84]


@given(ANY_MAPS, st.floats(0.25, 4.0), st.integers(0, 9))
def test_any_moments_agree_and_are_those_of_a_distribution(
    place: Any, maps: NDArray[np.float32], temperature: float, radius: int
) -> None:
    got = place.run(kernels.soft_moments, maps, temperature=temperature, radius=radius)
    points, confidence, covariance = reference.soft_moments(maps, temperature=temperature, radius=radius)
    np.testing.assert_allclose(got.points, points, rtol=ROUNDING, atol=CELLS)
    np.testing.assert_allclose(got.confidence, confidence, rtol=0, atol=CONFIDENCE)
    np.testing.assert_allclose(got.covariance, covariance, rtol=1e-5, atol=1e-3)
    assert ((got.confidence >= 0.0) & (got.confidence <= 1.0)).all()
    assert (np.linalg.eigvalsh(got.covariance.astype(np.float64)) > -1e-3).all()


@given(ANY_MAPS, LEVELS)
def test_any_mean_above_agrees(place: Any, maps: NDArray[np.float32], threshold: float) -> None:
    points, count, confidence = place.run(kernels.mean_above, maps, threshold)
    want = reference.mean_above(maps, threshold)
    np.testing.assert_allclose(points, want[0], rtol=1e-7, atol=0)
    np.testing.assert_array_equal(count, want[1])
    np.testing.assert_allclose(confidence, want[2], rtol=1e-6, atol=1e-6)
