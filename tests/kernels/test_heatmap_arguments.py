"""Heat-map kernels: every bit the same however they run, outputs only written to, bad arguments refused."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.guards import guarded
from tests.kernels.test_heatmaps import SHAPES, steps
from tests.kernels.test_parity import heatmaps


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
