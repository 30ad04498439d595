"""Volumes: the same bits from every instruction set, number of threads and way to store, and nothing around outputs."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.guards import guarded
from tests.kernels.test_intensity import CT, DTYPES, by_slice, noise


def all_outputs(stored: NDArray[Any], rescale: dict[str, Any], threads: int) -> bytes:
    window = {**rescale, "low": -500.0, "high": 1500.0, "threads": threads}
    results = [kernels.window_hu(stored, **window, dtype=dtype) for dtype in (np.float32, np.float16, np.uint8)]
    results += [kernels.window_hu(stored, **window, outside=0.1, dtype=dtype) for dtype in (np.float32, np.float16)]
    for dtype in (np.float32, np.float16):
        results += kernels.zscore_hu(stored, **window, dtype=dtype)
    results += kernels.threshold_mask(stored, **window)
    return b"".join(result.tobytes() for result in results)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 37, 53), (1, 1, 1), (13, 5, 3), (67, 131), (3, 500, 701)], ids=str)
def test_instruction_sets_and_threads_agree_in_every_bit(isa: str, shape: tuple[int, ...], dtype: type) -> None:
    stored, rescale = noise(shape, dtype), by_slice(shape)
    got = all_outputs(stored, rescale, threads=1)
    assert all(all_outputs(stored, rescale, threads) == got for threads in (2, 3, 7))
    _cpu.force_isa("base")
    assert all_outputs(stored, rescale, threads=1) == got


@pytest.mark.parametrize("threads", [1, 2])
def test_a_volume_too_large_for_the_caches_is_what_its_slices_are(isa: str, threads: int) -> None:
    """More than 16 MiB are stored past the caches, in lines of 64 bytes that slices and threads cut anywhere."""
    stored = np.tile(noise((3, 1024, 1031), np.int16), (6, 1, 1))
    window = {**CT, "low": -500.0, "high": 1500.0, "threads": threads}
    for dtype in (np.float32, np.float16, np.uint8):
        for outside in (None, 1):
            got = kernels.window_hu(stored, **window, dtype=dtype, outside=outside)
            want = [kernels.window_hu(slice_, **window, dtype=dtype, outside=outside) for slice_ in stored[:3]]
            np.testing.assert_array_equal(got, np.tile(want, (6, 1, 1)))
    mask, box = kernels.threshold_mask(stored, **window)
    np.testing.assert_array_equal(
        mask, np.tile([kernels.threshold_mask(one, **window).mask for one in stored[:3]], (6, 1, 1))
    )
    assert box.tolist() == [[0, 18], [0, 1024], [0, 1031]]


@contextmanager
def guarded_behind(offset: int, shape: tuple[int, ...], dtype: type) -> Iterator[NDArray[Any]]:
    """An output so many elements behind where memory begins, so that it is not aligned."""
    with guarded((offset + math.prod(shape),), dtype) as memory:
        memory[:offset] = 1
        yield memory[offset:].reshape(shape)
        assert (memory[:offset] == 1).all()


@pytest.mark.parametrize("offset", [0, 1, 7])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 11, 13), (17, 1024, 1031)], ids=str)
def test_outputs_are_written_and_nothing_around_them(isa: str, shape: tuple[int, ...], offset: int) -> None:
    stored, one = noise(shape, np.int16), np.ones(1)
    for dtype in (np.float32, np.float16, np.uint8):
        with guarded_behind(offset, shape, dtype) as out:
            _cpu.rescale_hu(stored, one, -one, 0.0, 9.0, 0.0, 1.0, 0.0, False, out, 2)
    with guarded_behind(offset, shape, np.float32) as out, guarded((3,), np.float64) as moments:
        _cpu.zscore_hu(stored, one, one, 0.0, 9.0, None, moments, out, 2)
    with guarded_behind(offset, shape, np.uint8) as out, guarded((3, 2), np.int64) as box:
        _cpu.threshold_mask(stored, one, one, 0.0, 9.0, out, box, 2)
