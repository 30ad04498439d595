"""Groups of values: offsets that come from the host are checked there; those of a device cannot be, and do no harm."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from tests.kernels.spines import spine

X, Y, WEIGHTS = spine(40)
SLICES = np.random.default_rng(0).random((40, 3), np.float32)

CALLS: dict[str, Callable[..., Any]] = {
    "fit_polynomial": lambda place, **more: place(kernels.fit_polynomial, X, Y, WEIGHTS, degree=3, **more),
    "smooth_heat": lambda place, **more: place(kernels.smooth_heat, Y, steps=10, **more),
    "even_slopes": lambda place, **more: place(kernels.even_slopes, Y, **more),
    "vertebra_votes": lambda place, **more: place(kernels.vertebra_votes, SLICES, threshold=1, **more),
}


def on_cpu(kernel: Callable[..., Any], *arrays: Any, **keywords: Any) -> Any:
    return kernel(*arrays, **keywords)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("offsets", [[0, 39], [1, 40], [0, 30, 20, 40], [0, 99, 40], [-1, 40], [40, 0]], ids=str)
def test_offsets_that_do_not_divide_the_values_are_refused(call: Callable[..., Any], offsets: list[int]) -> None:
    given = np.array(offsets)
    with pytest.raises(ValueError, match=re.escape(f"offsets is {given}, expected to ascend from 0 to 40, the number")):
        call(on_cpu, offsets=given)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_groups_without_values_are_groups_too(place: Any, call: Callable[..., Any]) -> None:
    results, alone = as_tuple(call(place.run, offsets=np.array([0, 0, 40, 40]))), as_tuple(call(place.run))
    for among_others, own in zip(results, alone, strict=True):
        # one entry for each group, or one for each value
        np.testing.assert_array_equal(among_others[1:2] if len(own) == 1 else among_others, own)


def test_there_may_be_no_groups(place: Any) -> None:
    nothing, none = np.zeros(0), np.array([0])
    curves = place.run(kernels.fit_polynomial, nothing, nothing, degree=3, offsets=none)
    assert [part.shape for part in curves] == [(0, 2), (0, 4, 3), (0,)]
    assert place.run(kernels.smooth_heat, nothing, offsets=none).shape == (0,)
    assert place.run(kernels.even_slopes, nothing, offsets=none).shape == (0, 19)
    labels, counts = place.run(kernels.vertebra_votes, SLICES[:0], threshold=1, offsets=none)
    assert (labels.shape, counts.shape) == ((0,), (0, 3))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(
    "offsets", [[5, 30], [0, 99], [-7, 20, 2**62], [40, 0], [0, 30, 20, 40], [-(2**63), 2**63 - 1]], ids=str
)
def test_offsets_of_a_device_are_held_to_its_values(
    emulated: Any, call: Callable[..., Any], offsets: list[int]
) -> None:
    """Groups that overlap write to the same places: any result will do, outside of the arrays is nothing."""
    results = as_tuple(call(emulated.run_once, offsets=np.array(offsets)))
    assert all(len(result) in (len(offsets) - 1, 40) for result in results)


def test_polynomials_are_found_by_any_offsets_of_a_device(emulated: Any) -> None:
    curves = kernels.fit_polynomial(X, Y, degree=3, offsets=np.array([0, 20, 40]))

    def evaluate(*arrays: Any, offsets: Any, stream: Any) -> Any:
        return kernels.evaluate_polynomial(kernels.Curves(*arrays[:3]), arrays[3], offsets=offsets, stream=stream)

    y, _ = emulated.run(evaluate, *curves, X, offsets=np.array([-9, 2**40, 3]))
    want, _ = kernels.evaluate_polynomial(kernels.Curves(*(part[:1] for part in curves)), X)
    np.testing.assert_array_equal(y, want)


def as_tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def on_device(emulated: Any, *shapes: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    stream = emulated.native.Stream()
    return stream, [emulated.native.empty(shape, dtype, stream) for *shape, dtype in shapes]


F, N, S = np.float64, np.int32, np.float32
DEVICE_CALLS: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {
    "the same n": (lambda m, s, a: m.fit_polynomial(*a[:2], None, None, *a[2:], s),
                   [(4, F), (5, F), (1, 2, F), (1, 4, 3, F), (1, N)]),
    "number of curves": (lambda m, s, a: m.fit_polynomial(*a[:2], None, None, *a[2:], s),
                         [(5, F), (5, F), (2, 2, F), (2, 4, 3, F), (2, N)]),
    "degree is not": (lambda m, s, a: m.fit_polynomial(*a[:2], None, None, *a[2:], s),
                      [(5, F), (5, F), (1, 2, F), (1, 11, 3, F), (1, N)]),
    "as many as offsets": (lambda m, s, a: m.evaluate_polynomial(*a[:3], None, None, *a[3:], s),
                           [(2, 2, F), (2, 4, 3, F), (5, F), (5, F), (5, F)]),
    "ends are not": (lambda m, s, a: m.evaluate_polynomial(*a[:3], None, *a[3:], s),
                     [(1, 2, F), (1, 4, 3, F), (5, F), (2, 2, F), (5, F), (5, F)]),
    "no group for the values": (lambda m, s, a: m.smooth_heat(a[0], a[1], 0.1, 1, True, a[2], s),
                                [(5, F), (1, np.int64), (5, F)]),
    "smoothed overlaps values": (lambda m, s, a: m.smooth_heat(a[0], None, 0.1, 1, True, a[0], s), [(5, F)]),
    "coefficient is not": (lambda m, s, a: m.smooth_heat(a[0], None, 0.6, 1, True, a[1], s), [(5, F), (5, F)]),
    "points are not": (lambda m, s, a: m.even_slopes(a[0], None, a[1], s), [(5, F), (1, 1, F)]),
    "rows than mask": (lambda m, s, a: m.mask_midline(*a, s), [(5, 4, np.uint8), (5, F), (4, 2, F)]),
    "rows than borders": (lambda m, s, a: m.border_midpoints(*a, s), [(5, 2, F), (2, 4, 2, F)]),
    "another n than centres": (lambda m, s, a: m.gaussian_mean(*a[:2], 3, 1.0, a[2], s),
                               [(4, 4, 4, S), (2, 3, F), (3, F)]),
    "sigma is not": (lambda m, s, a: m.gaussian_mean(*a[:2], 3, 0.0, a[2], s), [(4, 4, 4, S), (2, 3, F), (2, F)]),
    "the classes of": (lambda m, s, a: m.vertebra_votes(a[0], None, 1, *a[1:], s), [(5, 4, S), (1, N), (1, 3, N)]),
}  # fmt: skip


@pytest.mark.parametrize("problem", DEVICE_CALLS)
def test_the_bindings_of_a_device_refuse_what_would_leave_an_array(emulated: Any, problem: str) -> None:
    call, shapes = DEVICE_CALLS[problem]
    stream, arrays = on_device(emulated, *shapes)
    with pytest.raises(ValueError, match=problem):
        call(emulated.native, stream, arrays)
