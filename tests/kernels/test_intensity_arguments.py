"""Arguments of the intensity kernels that cannot be right are refused, with what was got and what was expected."""

import math
import re
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.test_intensity import CT, noise

STORED, ONE, OUT = np.zeros((2, 3, 4), np.int16), np.ones(1), np.zeros((2, 3, 4), np.float32)
MASK, BOX, MOMENTS = np.zeros((2, 3, 4), np.uint8), np.zeros((3, 2), np.int64), np.zeros(3)


@pytest.mark.parametrize(
    ("arguments", "error", "got"),
    [
        ({"slope": 0.0}, ValueError, "slope is 0.0, expected 1e-15 to 1e+15"),
        ({"slope": math.nan}, ValueError, "slope is nan"),
        ({"slope": np.array([1.0, 1.0, math.inf])}, ValueError, "slope is [ 1.  1. inf]"),
        ({"slope": np.ones(2)}, TypeError, "slope is an array [2], expected a number or 3 of them"),
        ({"slope": np.ones((3, 1))}, TypeError, "slope is an array [3, 1], expected a number or 3 of them"),
        ({"slope": "steep"}, TypeError, "slope is a str, expected a number or 3 of them"),
        ({"intercept": -math.inf}, ValueError, "intercept is -inf"),
        ({"low": 10.0, "high": 10.0}, ValueError, "low and high are 10.0 and 10.0, expected low < high"),
        ({"low": math.nan}, ValueError, "low and high are nan and 1.0"),
        ({"threads": 0}, ValueError, "threads is 0"),
        ({"dtype": np.float64}, TypeError, "dtype is float64, expected float32 or float16"),
        ({"out": np.zeros((3, 5, 7), np.float16)}, TypeError, "out is float16 [3, 5, 7], expected float32"),
        ({"out": np.zeros((3, 5, 8), np.float32)}, TypeError, "out is float32 [3, 5, 8], expected float32 [3, 5, 7]"),
        ({"out": np.zeros((3, 5, 14), np.float32)[:, :, ::2]}, TypeError, "not C-contiguous"),
    ],
)
def test_arguments_that_cannot_be_right_are_refused(arguments: dict[str, Any], error: type, got: str) -> None:
    stored = noise((3, 5, 7), np.int16)
    for kernel, more in (
        (kernels.window_hu, {}),
        (kernels.standardize_hu, {"mean": 0.0, "sd": 1.0}),
        (kernels.zscore_hu, {}),
        (kernels.threshold_mask, {}),
    ):
        if kernel is kernels.threshold_mask and ({"dtype", "out"} & set(arguments)):
            continue
        with pytest.raises(error, match=re.escape(got)):
            kernel(stored, **{**CT, "low": 0.0, "high": 1.0, **more, **arguments})  # type: ignore[operator]


@pytest.mark.parametrize(
    ("stored", "got"),
    [
        (np.zeros((3, 4), np.int32), "stored is int32 [3, 4], expected int16 or uint16 [rows, columns]"),
        (np.zeros((3, 4, 5), np.uint8), "stored is uint8 [3, 4, 5], expected int16 or uint16 [slices, rows, columns]"),
        (np.zeros(3, np.int16), "stored is int16 [3], expected int16 or uint16 [slices, rows, columns]"),
        (np.zeros((3, 4), ">i2"), "stored is >i2 [3, 4]"),
        (np.zeros((3, 4), np.int16).T, "stored is int16 [4, 3], not C-contiguous"),
        ([[1, 2]], "stored is a list"),
    ],
)
def test_stored_values_of_another_type_are_refused(stored: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.window_hu(stored, **CT, low=0.0, high=1.0)


def test_windows_and_moments_have_ranges_of_their_own() -> None:
    stored = noise((3, 5, 7), np.int16)
    with pytest.raises(ValueError, match=r"low and high are -inf and 5\.0"):
        kernels.window_hu(stored, **CT, low=-math.inf, high=5.0)
    with pytest.raises(ValueError, match="outside is 256, expected a whole number of 0 to 255"):
        kernels.window_hu(stored, **CT, low=0.0, high=5.0, outside=256, dtype=np.uint8)
    with pytest.raises(ValueError, match=r"sd is 0\.0"):
        kernels.standardize_hu(stored, **CT, mean=0.0, sd=0.0)
    with pytest.raises(ValueError, match="mean is nan"):
        kernels.standardize_hu(stored, **CT, mean=math.nan, sd=1.0)
    with pytest.raises(TypeError, match="dtype is uint8, expected float32 or float16"):
        kernels.standardize_hu(stored, **CT, mean=0.0, sd=1.0, dtype=np.uint8)


def test_a_mean_needs_a_voxel() -> None:
    stored = noise((3, 5, 7), np.int16)
    with pytest.raises(ValueError, match="mask has no voxel"):
        kernels.zscore_hu(stored, **CT, mask=np.zeros(stored.shape, np.uint8))
    with pytest.raises(ValueError, match="stored has no voxel"):
        kernels.zscore_hu(stored[:0], **CT)
    with pytest.raises(TypeError, match=re.escape("mask is uint8 [3, 5, 6], expected uint8 [3, 5, 7]")):
        kernels.zscore_hu(stored, **CT, mask=np.zeros((3, 5, 6), np.uint8))


def test_an_output_that_is_not_ones_own_to_write_is_refused() -> None:
    memory = np.zeros(2 * 3 * 5 * 8, np.float32)
    stored, out = memory.view(np.int16)[: 3 * 5 * 8].reshape(3, 5, 8), memory[: 3 * 5 * 8].reshape(3, 5, 8)
    with pytest.raises(ValueError, match="out overlaps stored"):
        kernels.window_hu(stored, **CT, low=0.0, high=1.0, out=out)
    apart = out.copy()
    apart.flags.writeable = False
    with pytest.raises(TypeError, match="out is read-only"):
        kernels.window_hu(stored, **CT, low=0.0, high=1.0, out=apart)
    crooked = np.zeros(4 * 3 * 5 * 8 + 1, np.uint8)[1:].view(np.float32).reshape(3, 5, 8)
    with pytest.raises(TypeError, match="out is not aligned"):
        kernels.window_hu(stored, **CT, low=0.0, high=1.0, out=crooked)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.rescale_hu(STORED, ONE, ONE, 0, 1, 0, 1, 0, False, OUT[:1], 1), "another shape"),
        (lambda: _cpu.rescale_hu(STORED, np.ones(3), np.ones(3), 0, 1, 0, 1, 0, False, OUT, 1), "one for each slice"),
        (lambda: _cpu.rescale_hu(STORED, np.ones(2), ONE, 0, 1, 0, 1, 0, False, OUT, 1), "one for each slice"),
        (lambda: _cpu.rescale_hu(STORED[0], np.ones(3), np.ones(3), 0, 1, 0, 1, 0, False, OUT[0], 1), "each slice"),
        (lambda: _cpu.rescale_hu(STORED, ONE, ONE, 1, 0, 0, 1, 0, False, OUT, 1), "low <= high"),
        (lambda: _cpu.rescale_hu(STORED, ONE, ONE, 0, 1, 0, math.nan, 0, False, OUT, 1), "scale"),
        (lambda: _cpu.rescale_hu(STORED, ONE, ONE, 0, 1, 0, 1, 256, True, MASK, 1), "outside"),
        (lambda: _cpu.rescale_hu(STORED, ONE, ONE, 0, 1, 0, 1, 0, False, OUT, 0), "threads"),
        (lambda: _cpu.rescale_hu(STORED[0, 0], ONE, ONE, 0, 1, 0, 1, 0, False, OUT[0, 0], 1), "neither an image"),
        (lambda: _cpu.zscore_hu(STORED, ONE, ONE, 0, 1, MASK[:1], MOMENTS, OUT, 1), "mask"),
        (lambda: _cpu.zscore_hu(STORED, ONE, ONE, 0, 1, None, MOMENTS[:2], OUT, 1), "moments"),
        (lambda: _cpu.threshold_mask(STORED, ONE, ONE, 0, 1, MASK[0], BOX, 1), "mask"),
        (lambda: _cpu.threshold_mask(STORED, ONE, ONE, 0, 1, MASK, BOX[:2], 1), "box"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()


@pytest.mark.parametrize("slope", [0.0, math.nan, math.inf, 1e308, 5e-324])
def test_the_bindings_survive_numbers_that_mean_nothing(isa: str, slope: float) -> None:
    stored = noise((2, 30, 40), np.int16)
    box, moments = BOX.copy(), MOMENTS.copy()
    out, grey, mask = (np.zeros(stored.shape, dtype) for dtype in (np.float32, np.uint8, np.uint8))
    for low, high, shift in ((-math.inf, math.inf, 0.0), (0.0, 1.0, math.inf), (0.0, 1e308, math.nan)):
        _cpu.rescale_hu(stored, np.array([slope]), ONE, low, high, shift, 1.0, math.nan, True, out, 1)
        _cpu.rescale_hu(stored, np.array([slope]), ONE, low, high, shift, 255.0, 0.0, False, grey, 1)
        _cpu.zscore_hu(stored, np.array([slope]), ONE, low, high, None, moments, out, 1)
        _cpu.threshold_mask(stored, np.array([slope]), ONE, low, high, mask, box, 1)
        assert (box[:, 0] >= 0).all()
        assert (box[:, 1] <= stored.shape).all()
