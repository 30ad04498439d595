"""Heat-maps to points: worked out by hand, against the reference, and what must hold for any map."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.test_parity import guarded, heatmaps

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


# --- soft-argmax and moments -----------------------------------------------------------------------------------------


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


# --- mean of the cells above a threshold -----------------------------------------------------------------------------


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


# --- peaks -----------------------------------------------------------------------------------------------------------


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


# --- any map ---------------------------------------------------------------------------------------------------------


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


@given(ANY_MAPS, LEVELS)
def test_any_mean_above_agrees(place: Any, maps: NDArray[np.float32], threshold: float) -> None:
    points, count, confidence = place.run(kernels.mean_above, maps, threshold)
    want = reference.mean_above(maps, threshold)
    np.testing.assert_allclose(points, want[0], rtol=1e-7, atol=0)
    np.testing.assert_array_equal(count, want[1])
    np.testing.assert_allclose(confidence, want[2], rtol=1e-6, atol=1e-6)


def every_result(maps: NDArray[np.float32], mask: NDArray[np.uint8], threads: int) -> bytes:
    results = [
        *kernels.soft_argmax(maps, temperature=1.3, threads=threads),
        *kernels.soft_moments(maps, threads=threads),
        *kernels.mean_above(maps, 0.5, mask=mask, threads=threads),
        *kernels.peak(maps, threads=threads),
        *kernels.top_peaks(maps, 5, min_distance=2.0, threshold=0.0, threads=threads),
    ]
    return b"".join(result.tobytes() for result in results)


@pytest.mark.parametrize("shape", [*SHAPES, (90, 130), (70, 40, 31)], ids=str)
def test_instruction_sets_and_threads_give_the_same_bits(shape: tuple[int, ...]) -> None:
    maps = np.concatenate([heatmaps(7, shape), steps(7, shape)])
    mask = (heatmaps(2, shape) > 0).astype(np.uint8)
    before, seen = kernels.active_isa(), set()
    for isa in kernels.usable_isas():
        _cpu.force_isa(isa)
        seen |= {every_result(maps, mask, threads) for threads in (1, 2, 7)}
    _cpu.force_isa(before)
    assert len(seen) == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_are_written_and_nothing_else(isa: str, shape: tuple[int, ...]) -> None:
    maps, mask, n, axes, k = heatmaps(4, shape), np.ones((2, *shape), np.uint8), 4, len(shape), 3
    for threads in (1, 3):
        with guarded((n, axes), np.float32) as points, guarded((n,), np.float32) as scalar:
            _cpu.soft_argmax(maps, 1.0, 3, points, scalar, threads)
            _cpu.peak(maps, points, scalar, threads)
            with guarded((n, axes, axes), np.float32) as covariance, guarded((n,), np.int32) as count:
                _cpu.soft_moments(maps, 1.0, 3, points, scalar, covariance, threads)
                _cpu.mean_above(maps, 0.0, mask, points, count, scalar, threads)
        with (
            guarded((n, k, axes), np.float32) as points,
            guarded((n, k), np.float32) as values,
            guarded((n,), np.int32) as count,
        ):
            _cpu.top_peaks(maps, 2.0, -np.inf, points, values, count, threads)


# --- bad arguments ---------------------------------------------------------------------------------------------------

MAPS = np.zeros((4, 5, 7), np.float32)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.soft_argmax(MAPS, temperature=0.0), "temperature is 0.0, expected 1e-30 to 1e+30"),
        (lambda: kernels.soft_argmax(MAPS, temperature=float("nan")), "temperature is nan"),
        (lambda: kernels.soft_moments(MAPS, temperature=float("inf")), "temperature is inf"),
        (lambda: kernels.soft_moments(MAPS, radius=-1), "radius is -1, expected 0 or more"),
        (lambda: kernels.mean_above(MAPS, float("nan")), "threshold is nan, expected a number"),
        (lambda: kernels.mean_above(MAPS, 0.5, mask=np.zeros((3, 5, 7), np.uint8)), "mask has m = 3"),
        (lambda: kernels.mean_above(MAPS, 0.5, mask=np.zeros((0, 5, 7), np.uint8)), "mask has m = 0"),
        (lambda: kernels.top_peaks(MAPS, 0, min_distance=1.0, threshold=0.0), "k is 0, expected 1 or more"),
        (lambda: kernels.top_peaks(MAPS, 1, min_distance=0.5, threshold=0.0), "min_distance is 0.5, expected 1 or"),
        (lambda: kernels.top_peaks(MAPS, 1, min_distance=float("nan"), threshold=0.0), "min_distance is nan"),
        (lambda: kernels.top_peaks(MAPS, 1, min_distance=1.0, threshold=float("nan")), "threshold is nan"),
        (lambda: kernels.peak(np.zeros((4, 0, 5, 7), np.float32)), "heatmaps has shape [4, 0, 5, 7]"),
        (lambda: kernels.peak(MAPS, threads=0), "threads is 0"),
    ],
)
def test_values_out_of_range_are_refused(call: Callable[[], Any], got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        call()


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.soft_argmax(MAPS[0]), "heatmaps is float32 [5, 7], expected float32 [n, height, width]"),
        (lambda: kernels.soft_moments(MAPS[None, None]), "heatmaps is float32 [1, 1, 4, 5, 7]"),
        (lambda: kernels.peak(MAPS[None].astype(np.float64)), "expected float32 [n, depth, height, width]"),
        (lambda: kernels.peak(MAPS[:, :, ::2]), "heatmaps is float32 [4, 5, 4], not C-contiguous"),
        (lambda: kernels.peak(MAPS.tolist()), "heatmaps is a list"),
        (lambda: kernels.mean_above(MAPS, 0.5, mask=MAPS), "mask is float32 [4, 5, 7], expected uint8 or bool"),
        (lambda: kernels.mean_above(MAPS, 0.5, mask=np.zeros((5, 7), bool)), "mask is bool [5, 7], expected"),
        (lambda: kernels.mean_above(MAPS, 0.5, mask=np.zeros((1, 5, 8), bool)), "mask is bool [1, 5, 8], expected"),
    ],
)
def test_arrays_of_another_type_are_refused(call: Callable[[], Any], got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        call()


def out(*shape: int, dtype: type = np.float32) -> NDArray[Any]:
    return np.zeros(shape, dtype)


COUNT = np.zeros(4, np.int32)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.soft_argmax(MAPS, 1.0, 3, out(3, 2), out(4), 1), "points has another n"),
        (lambda: _cpu.soft_argmax(MAPS, 1.0, 3, out(4, 3), out(4), 1), "points has another number of axes"),
        (lambda: _cpu.soft_argmax(MAPS, 1.0, 3, out(4, 2), out(5), 1), "an output has another n"),
        (lambda: _cpu.soft_argmax(MAPS, 0.0, 3, out(4, 2), out(4), 1), "temperature"),
        (lambda: _cpu.soft_argmax(MAPS, 1.0, -1, out(4, 2), out(4), 1), "radius"),
        (lambda: _cpu.soft_argmax(MAPS[0], 1.0, 3, out(5, 1), out(5), 1), "maps are neither"),
        (lambda: _cpu.soft_argmax(out(4, 0, 3), 1.0, 3, out(4, 2), out(4), 1), "maps have no cells"),
        (lambda: _cpu.soft_moments(MAPS, 1.0, 3, out(4, 2), out(4), out(4, 2, 3), 1), "covariance is not"),
        (lambda: _cpu.mean_above(MAPS, 0.5, out(1, 5, 8, dtype=np.uint8), out(4, 2), COUNT, out(4), 1), "other sides"),
        (lambda: _cpu.mean_above(MAPS, 0.5, out(3, 5, 7, dtype=np.uint8), out(4, 2), COUNT, out(4), 1), "multiple"),
        (lambda: _cpu.mean_above(MAPS, 0.5, out(5, 7, dtype=np.uint8), out(4, 2), COUNT, out(4), 1), "another rank"),
        (lambda: _cpu.mean_above(MAPS, float("nan"), None, out(4, 2), COUNT, out(4), 1), "threshold is nan"),
        (lambda: _cpu.peak(MAPS, out(4, 2), out(4), 0), "threads"),
        (lambda: _cpu.top_peaks(MAPS, 1.0, 0.0, out(4, 3, 2), out(4, 2), COUNT, 1), "points is not"),
        (lambda: _cpu.top_peaks(MAPS, 1.0, 0.0, out(4, 0, 2), out(4, 0), COUNT, 1), "k is below 1"),
        (lambda: _cpu.top_peaks(MAPS, 0.9, 0.0, out(4, 3, 2), out(4, 3), COUNT, 1), "min_distance"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Callable[[], Any], got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()
