"""Float16 from and to float32: every kernel and every instruction set has the same bits."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.kernels import _cpu

HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
ONE, ORIGIN = np.ones((1, 1), np.float32), (0, 0, 0)


def widened(halves: NDArray[np.float16]) -> NDArray[np.float32]:
    """By the tiles' kernel: a tile of one row, of weight 1."""
    n = len(halves)
    sums, ones = np.empty((1, 1, 1, n), np.float32), np.ones((1, n), np.float32)
    _cpu.add_tile(halves.reshape(1, 1, 1, n), ONE, ONE, ones, ORIGIN, ORIGIN, ORIGIN, sums, 1)
    return sums.reshape(n)


def narrowed(floats: NDArray[np.float32]) -> NDArray[np.float16]:
    n = len(floats)
    halves = np.empty((1, 1, 1, n), np.float16)
    _cpu.half_slices(floats.reshape(1, 1, 1, n), 0, 0, 1, halves, 1)
    return halves.reshape(n)


def neighbours(floats: NDArray[np.float32]) -> NDArray[np.float32]:
    """The floats, those just below and above them, and those half way to the next half."""
    bits = floats.view(np.uint32)
    return np.concatenate([bits, bits - 1, bits + 1, bits + 0xFFF, bits + 0x1000, bits + 0x1001]).view(np.float32)


@pytest.mark.usefixtures("isa")
def test_every_half_widens_exactly() -> None:
    number = ~np.isnan(HALVES)
    wide = widened(HALVES)
    np.testing.assert_array_equal(wide[number].view(np.uint32), HALVES[number].astype(np.float32).view(np.uint32))
    assert np.isnan(wide[~number]).all()


@pytest.mark.usefixtures("isa")
def test_floats_between_halves_go_to_the_nearest() -> None:
    floats = neighbours(HALVES[np.isfinite(HALVES)].astype(np.float32))
    with np.errstate(over="ignore"):
        expected = floats.astype(np.float16)
    number = ~np.isnan(floats)
    np.testing.assert_array_equal(narrowed(floats)[number].view(np.uint16), expected[number].view(np.uint16))


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("count", [1, 15, 31, 32, 33, 64])
def test_nan_has_the_same_bits_in_lanes_and_in_what_is_left_over(count: int) -> None:
    bits = np.array([0x7F800001, 0x7FC00000, 0x7FD55555, 0xFFC00000, 0xFF9AAAAA], np.uint32)
    expected = np.array([0x7E00, 0x7E00, 0x7EAA, 0xFE00, 0xFED5], np.uint16)
    for nan, half in zip(bits, expected, strict=True):
        assert (narrowed(np.full(count, nan, np.uint32).view(np.float32)).view(np.uint16) == half).all(), hex(nan)
