"""Stored values to network input: by hand, against the reference, and what holds for any volume."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace
CT: dict[str, Any] = {"slope": 1.0, "intercept": -1024.0}
SHAPES = [
    (0, 3, 4),
    (2, 0, 4),
    (1, 1, 1),
    (1, 3, 5),
    (2, 4, 4),
    (5, 1, 17),
    (1, 1, 31),
    (3, 11, 13),
    (2, 64, 65),
    (7, 131),
]
DTYPES = [np.int16, np.uint16]

VOLUMES = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays(dtype, st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(0, 70)))
)
SLOPES = st.floats(1e-4, 1e4) | st.floats(-1e4, -1e-4)
RANGES = st.tuples(st.floats(-5e3, 5e3), st.floats(1.0, 5e3)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def noise(shape: tuple[int, ...], dtype: type, seed: int = 0) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max, shape, dtype, endpoint=True)


def by_slice(shape: tuple[int, ...]) -> dict[str, Any]:
    """A rescale of its own for each slice, some of them falling."""
    if len(shape) == 2:
        return {"slope": 0.37, "intercept": -900.0}
    rng = np.random.default_rng(len(shape))
    slopes = rng.uniform(0.01, 2.0, shape[0]) * rng.choice([-1.0, 1.0], shape[0])
    return {"slope": slopes.tolist(), "intercept": rng.uniform(-3000.0, 1000.0, shape[0]).tolist()}


def assert_graded(got: NDArray[Any], want: NDArray[np.float64]) -> None:
    """Within 1e-6 of what float64 gives, relative to it above 1, and half a step of the type on top."""
    allowed = 1e-6 * np.maximum(np.abs(want), 1.0)
    if got.dtype == np.float16:
        allowed += np.spacing(np.abs(want).astype(np.float16)).astype(np.float64) / 2.0
    if got.dtype == np.uint8:
        allowed += 0.5
    assert (np.abs(got.astype(np.float64) - want) <= allowed).all()


def test_a_window_maps_low_to_0_and_high_to_1_and_clips_the_rest(place: Place) -> None:
    stored = np.array([[-2000, 824, 1024, 1124, 1224, 3000]], np.int16)
    got = place.run(kernels.window_hu, stored, **CT, low=-200.0, high=200.0)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.array([[0.0, 0.0, 0.5, 0.75, 1.0, 1.0]], np.float32))


def test_eight_bits_hold_255_steps_and_halves_are_rounded_up(place: Place) -> None:
    stored = np.array([[-1, 0, 1, 2, 3, 509, 510, 511]], np.int16)
    got = place.run(kernels.window_hu, stored, slope=1.0, intercept=0.0, low=0.0, high=510.0, dtype=np.uint8)
    assert got.tolist() == [[0, 0, 1, 1, 2, 255, 255, 255]]


def test_values_outside_become_what_they_are_told_to(place: Place) -> None:
    stored = np.array([[0, 9, 10, 15, 20, 21, 4000]], np.uint16)
    rescale = {"slope": 1.0, "intercept": 0.0, "low": 10.0, "high": 20.0}
    got = place.run(kernels.window_hu, stored, **rescale, outside=-7.0)
    assert got.tolist() == [[-7.0, -7.0, 0.0, 0.5, 1.0, -7.0, -7.0]]
    got = place.run(kernels.window_hu, stored, **rescale, outside=9, dtype=np.uint8)
    assert got.tolist() == [[9, 9, 0, 128, 255, 9, 9]]
    got = place.run(kernels.standardize_hu, stored, **rescale, mean=15.0, sd=5.0, outside=math.nan)
    np.testing.assert_array_equal(got, [[np.nan, np.nan, -1.0, 0.0, 1.0, np.nan, np.nan]])


def test_each_slice_has_its_own_rescale(place: Place) -> None:
    """The trap of positron emission and of some scanners' MR: the slope changes from slice to slice."""
    stored = np.array([[[10]], [[10]], [[10]]], np.int16)
    slopes, intercepts = (1.0, 2.0, -1.0), (0.0, -10.0, 15.0)
    window = {"low": 0.0, "high": 10.0}
    assert place.run(kernels.window_hu, stored, slope=slopes, intercept=intercepts, **window).ravel().tolist() == [
        1,
        1,
        0.5,
    ]
    assert place.run(kernels.window_hu, stored, slope=slopes, intercept=-5.0, **window).ravel().tolist() == [0.5, 1, 0]
    assert place.run(kernels.window_hu, stored, slope=0.5, intercept=intercepts, **window).ravel().tolist() == [
        0.5,
        0,
        1,
    ]


def test_standardized_values_are_less_the_mean_by_the_deviation(place: Place) -> None:
    stored = np.array([[1024, 1124, 824, 4000]], np.int16)
    got = place.run(kernels.standardize_hu, stored, **CT, mean=100.0, sd=50.0, low=-100.0, high=1000.0)
    np.testing.assert_allclose(got, [[-2.0, 0.0, -4.0, 18.0]], rtol=1e-6)


def test_what_is_too_large_for_half_precision_is_infinite(place: Place) -> None:
    stored = np.array([[0, 1, 65519, 65520, 65535]], np.uint16)
    rescale = {"slope": 1.0, "intercept": 0.0, "mean": 0.0, "sd": 1.0}
    got = place.run(kernels.standardize_hu, stored, **rescale, dtype=np.float16)
    assert got.tolist() == [[0.0, 1.0, 65504.0, np.inf, np.inf]]


def test_every_half_precision_number_is_reached_as_numpy_rounds_it(place: Place) -> None:
    """All stored values over ranges from the smallest subnormal half to the largest half."""
    stored = np.arange(-32768, 32768).astype(np.int16).reshape(256, 256)
    for sd in (1e9, 1e6, 40000.0, 1000.0, 3.0, 0.5, 0.25):
        rescale = {"slope": 1.0, "intercept": 0.25, "mean": 0.0, "sd": sd}
        single = place.run(kernels.standardize_hu, stored, **rescale)
        half = place.run(kernels.standardize_hu, stored, **rescale, dtype=np.float16)
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(half.view(np.uint16), single.astype(np.float16).view(np.uint16))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_windows_agree_with_the_reference(place: Place, shape: tuple[int, ...], dtype: type) -> None:
    stored, rescale = noise(shape, dtype), by_slice(shape)
    for low, high in ((-1000.0, 2000.0), (39.5, 40.5), (-1e9, 1e9)):
        for outside in (None, 3.0):
            window = {**rescale, "low": low, "high": high, "outside": outside}
            want = reference.window_hu(stored, **window)
            assert_graded(place.run(kernels.window_hu, stored, **window), want)
            assert_graded(place.run(kernels.window_hu, stored, **window, dtype=np.float16), want)
            grey = place.run(kernels.window_hu, stored, **{**window, "outside": outside and 255}, dtype=np.uint8)
            assert_graded(grey, np.clip(want, 0.0, 1.0) * 255.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_standardized_values_agree_with_the_reference(place: Place, shape: tuple[int, ...], dtype: type) -> None:
    stored, rescale = noise(shape, dtype), by_slice(shape)
    for bounds in ({}, {"low": -900.0, "high": 1500.0}, {"low": 100.0, "outside": -1.0}):
        settings = {**rescale, **bounds, "mean": -71.3, "sd": 312.9}
        want = reference.standardize_hu(stored, **settings)
        assert_graded(place.run(kernels.standardize_hu, stored, **settings), want)
        assert_graded(place.run(kernels.standardize_hu, stored, **settings, dtype=np.float16), want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if 0 not in shape], ids=str)
def test_scores_agree_with_the_reference(place: Place, shape: tuple[int, ...], dtype: type) -> None:
    stored, rescale = noise(shape, dtype), by_slice(shape)
    mask = noise(shape, np.uint8) % 3
    mask.flat[0] = 7
    for bounds in ({}, {"low": -900.0}, {"low": -900.0, "high": 300.5}):
        for masked in (None, mask):
            want, moments = reference.zscore_hu(stored, **rescale, **bounds, mask=masked)
            got = place.run(kernels.zscore_hu, stored, **rescale, **bounds, mask=masked)
            np.testing.assert_allclose(got.moments, moments, rtol=1e-12, atol=1e-9)
            assert_graded(got.values, want)
            got = place.run(kernels.zscore_hu, stored, **rescale, **bounds, mask=masked, dtype=np.float16)
            assert_graded(got.values, want)


def test_scores_have_zero_mean_and_unit_deviation_where_the_mask_says(place: Place) -> None:
    stored = noise((4, 50, 60), np.int16)
    mask = (noise(stored.shape, np.uint8, seed=1) > 128).astype(np.uint8)
    got = place.run(kernels.zscore_hu, stored, **CT, mask=mask)
    masked = got.values[mask != 0].astype(np.float64)
    np.testing.assert_allclose([masked.mean(), masked.std()], [0.0, 1.0], rtol=0, atol=1e-6)
    assert got.moments[0] == mask.sum()


@pytest.mark.parametrize("value", [-32768, 0, 77, 32767])
def test_a_volume_of_one_value_scores_0(place: Place, value: int) -> None:
    got = place.run(kernels.zscore_hu, np.full((3, 5, 7), value, np.int16), **CT)
    assert not got.values.any()
    assert got.moments.tolist() == [105.0, value - 1024.0, 0.0]


def test_a_small_spread_far_from_0_is_not_lost(place: Place) -> None:
    """32 million squares of the largest value leave float64 no bits for a spread of 1/2; whole numbers keep it."""
    stored = np.full((4, 2048, 4096), 65534, np.uint16)
    stored[:, :, ::2] += 1
    moments = kernels.zscore_hu(stored, slope=1.0, intercept=0.0).moments
    assert moments.tolist() == [2.0**25, 65534.5, 0.5]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_masks_and_boxes_are_exactly_those_of_the_reference(place: Place, shape: tuple[int, ...], dtype: type) -> None:
    stored, rescale = noise(shape, dtype), by_slice(shape)
    for low, high in ((200.0, math.inf), (-math.inf, -30000.0), (500.0, 501.0), (1e6, 2e6), (-1e9, 1e9)):
        mask, box = place.run(kernels.threshold_mask, stored, **rescale, low=low, high=high)
        want, want_box = reference.threshold_mask(stored, **rescale, low=low, high=high)
        np.testing.assert_array_equal(mask, want)
        np.testing.assert_array_equal(box, want_box)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_box_holds_the_bone_and_nothing_around_it(place: Place, threads: int) -> None:
    stored = np.zeros((9, 70, 150), np.int16)
    stored[3, 20, 130] = stored[5, 60, 7] = stored[7, 33, 80] = 2000
    mask, box = place.run(kernels.threshold_mask, stored, **CT, low=200.0, threads=threads)
    assert box.tolist() == [[3, 8], [20, 61], [7, 131]]
    assert mask.sum() == 3
    mask, box = place.run(kernels.threshold_mask, stored, **CT, low=977.0, threads=threads)
    assert box.tolist() == [[0, 0]] * 3
    assert not mask.any()


def test_a_threshold_belongs_to_the_mask(place: Place) -> None:
    stored = np.array([[1223, 1224, 1225, 1323, 1324, 1325]], np.int16)
    got = place.run(kernels.threshold_mask, stored, **CT, low=200.0, high=300.0)
    assert got.mask.tolist() == [[0, 1, 1, 1, 1, 0]]
    assert got.box.tolist() == [[0, 1], [1, 5]]


@given(VOLUMES, SLOPES, st.floats(-2e3, 2e3), RANGES)
def test_any_volume_is_windowed_as_the_reference_says(
    stored: NDArray[Any], slope: float, intercept: float, bounds: tuple[float, float]
) -> None:
    window = {"slope": slope, "intercept": intercept, "low": bounds[0], "high": bounds[1]}
    got, want = kernels.window_hu(stored, **window), reference.window_hu(stored, **window)
    assert got.min(initial=0.0) >= 0.0
    assert got.max(initial=0.0) <= 1.0
    assert_graded(got, want)
    mask, box = kernels.threshold_mask(stored, **window)
    want_mask, want_box = reference.threshold_mask(stored, **window)
    np.testing.assert_array_equal(mask, want_mask)
    np.testing.assert_array_equal(box, want_box)
    if stored.size:
        values, moments = kernels.zscore_hu(stored, **window)
        want, want_moments = reference.zscore_hu(stored, **window)
        np.testing.assert_allclose(moments, want_moments, rtol=1e-9, atol=1e-6)
        if want_moments[2] > 1e-6:
            assert_graded(values, want)


def test_an_output_can_be_used_again() -> None:
    stored, out = noise((3, 5, 7), np.int16), np.full((3, 5, 7), 9.0, np.float32)
    assert kernels.window_hu(stored, **CT, low=0.0, high=1.0, out=out) is out
    np.testing.assert_array_equal(out, kernels.window_hu(stored, **CT, low=0.0, high=1.0))
