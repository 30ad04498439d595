"""Curves along a spine smoothed and sampled, against the reference; and what all functions on curves have in common."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded
from tests.kernels.spines import COUNTS, ragged, spine, values_of, wandering


@pytest.mark.parametrize("ends", ["fixed", "free"])
@pytest.mark.parametrize("n", [n for n in COUNTS if n > 0])
def test_smoothing_is_the_euler_steps(place: Any, n: int, ends: Any) -> None:
    values = wandering(n)
    for coefficient, steps in [(0.01, 0), (0.01, 1), (0.01, 7), (0.01, 3000), (0.25, 37), (0.4, 500), (0.5, 31)]:
        got = place.run(kernels.smooth_heat, values, coefficient=coefficient, steps=steps, ends=ends)
        want = reference.smooth_heat(values, coefficient=coefficient, steps=steps, ends=ends)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-9)


@pytest.mark.parametrize("ends", ["fixed", "free"])
@pytest.mark.parametrize("n", [131, 1500])
def test_65_000_steps_are_met_to_a_millionth_of_a_pixel(place: Any, n: int, ends: Any) -> None:
    values = wandering(n)
    got = place.run(kernels.smooth_heat, values, ends=ends)
    np.testing.assert_allclose(got, reference.smooth_heat(values, ends=ends), rtol=0, atol=1e-9)


def test_a_straight_line_between_fixed_ends_stays(place: Any) -> None:
    line = 700.0 + 0.3 * np.arange(1001.0)
    np.testing.assert_allclose(place.run(kernels.smooth_heat, line), line, rtol=0, atol=1e-9)


def test_free_ends_keep_the_sum_and_flow_together_at_last(place: Any) -> None:
    values = wandering(300)
    smoothed = place.run(kernels.smooth_heat, values, ends="free")
    assert smoothed.sum() == pytest.approx(values.sum(), rel=1e-13)
    flat = place.run(kernels.smooth_heat, values, steps=2**53 - 1, ends="free")
    np.testing.assert_allclose(flat, values.mean(), rtol=1e-13)


@pytest.mark.parametrize("mode", [1, 2, 99, 100, 198])
def test_a_wave_falls_by_its_own_factor(place: Any, mode: int) -> None:
    """A sine between fixed ends; those of odd and even, near and far modes."""
    i = np.arange(200.0)
    wave = np.sin(np.pi * mode * i / 199.0)
    step = 1.0 - 4.0 * 0.01 * np.sin(np.pi * mode / 398.0) ** 2
    got = place.run(kernels.smooth_heat, wave, steps=1000)
    np.testing.assert_allclose(got, wave * step**1000, rtol=0, atol=1e-12)


def test_steps_after_steps_are_all_steps(place: Any) -> None:
    values = wandering(500)
    twice = place.run(kernels.smooth_heat, place.run(kernels.smooth_heat, values, steps=30_000), steps=35_000)
    np.testing.assert_allclose(twice, place.run(kernels.smooth_heat, values), rtol=0, atol=1e-10)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_curves_are_smoothed_each_for_itself(place: Any, threads: int) -> None:
    values = wandering(sum(COUNTS))
    offsets = ragged()
    got = place.run(kernels.smooth_heat, values, steps=900, offsets=offsets, threads=threads)
    alone = [place.run(kernels.smooth_heat, values[a:b], steps=900) for a, b in pairwise(offsets)]
    np.testing.assert_array_equal(got, np.concatenate(alone))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("ends", ["fixed", "free"])
def test_a_curve_with_a_value_that_is_not_finite_is_nan(place: Any, bad: float, ends: Any) -> None:
    values = wandering(40)
    values[7] = bad
    got = place.run(kernels.smooth_heat, values, steps=10, ends=ends, offsets=np.array([0, 20, 40]))
    assert np.isnan(got[:20]).all()
    assert np.isfinite(got[20:]).all()


@pytest.mark.parametrize("n", [n for n in COUNTS if n > 0])
@pytest.mark.parametrize("points", [2, 3, 16, 19, 400])
def test_slopes_at_even_points_agree_with_the_reference(place: Any, n: int, points: int) -> None:
    values = wandering(n)
    got = place.run(kernels.even_slopes, values, points=points)
    np.testing.assert_allclose(got, reference.even_slopes(values, points=points), rtol=0, atol=1e-10)


def test_the_slopes_of_a_parabola_are_its_own(place: Any) -> None:
    slopes = place.run(kernels.even_slopes, np.arange(10.0) ** 2, points=4)
    assert slopes.tolist() == [[1.0, 6.0, 12.0, 17.0]]


def test_a_sample_that_is_nan_spoils_the_slopes_beside_it_only(place: Any) -> None:
    values = np.arange(9.0)
    values[4] = np.nan
    slopes = place.run(kernels.even_slopes, values, points=9)
    np.testing.assert_array_equal(np.isnan(slopes[0]), [0, 0, 0, 1, 0, 1, 0, 0, 0])


def test_slopes_of_several_curves(place: Any) -> None:
    values = np.array([3.0, 0.0, 2.0, 4.0, 1.0, 1.0])
    slopes = place.run(kernels.even_slopes, values, points=3, offsets=np.array([0, 0, 1, 4, 6]))
    np.testing.assert_array_equal(slopes, [[np.nan] * 3, [np.nan] * 3, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]])


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=80), st.floats(0.0, 0.5), st.integers(0, 60), st.booleans())
def test_any_curve_is_smoothed_as_by_steps(values: list[float], coefficient: float, steps: int, free: bool) -> None:
    ends: Any = "free" if free else "fixed"
    curve = np.array(values)
    got = kernels.smooth_heat(curve, coefficient=coefficient, steps=steps, ends=ends)
    want = reference.smooth_heat(curve, coefficient=coefficient, steps=steps, ends=ends)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-8)


def all_curves(threads: int) -> list[NDArray[Any]]:
    parts = [spine(n, seed=n) for n in COUNTS]
    x, y, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    keywords: Any = {"offsets": ragged(), "threads": threads}
    curves = kernels.fit_polynomial(x, y, weights, degree=9, **keywords)
    results = [*curves, *kernels.evaluate_polynomial(curves, x, **keywords)]
    for coefficient, steps, ends in [
        (0.01, 65_000, "fixed"),
        (0.01, 30, "free"),
        (0.4, 100, "free"),
        (0.5, 3, "fixed"),
    ]:
        heat: Any = {"coefficient": coefficient, "steps": steps, "ends": ends}
        results += [kernels.smooth_heat(y, **heat, **keywords), kernels.smooth_heat(wandering(1501), **heat)]
    return [*results, kernels.even_slopes(y, **keywords)]


def test_every_place_gives_the_same_bits(place: Any) -> None:
    """A device too: it takes the CPU's steps one by one, apart from the sums over points that a polynomial needs."""
    values, (x, y, _) = wandering(700), spine(67)
    offsets = np.array([0, 0, 1, 2, 13, 300, 700])
    for heat in ({}, {"ends": "free"}, {"coefficient": 0.4, "steps": 30}, {"ends": "free", "steps": 3}):
        got = place.run(kernels.smooth_heat, values, offsets=offsets, **heat)
        assert got.tobytes() == kernels.smooth_heat(values, offsets=offsets, **heat).tobytes()
    assert place.run(kernels.even_slopes, values).tobytes() == kernels.even_slopes(values).tobytes()
    curves, at = kernels.fit_polynomial(x, y, degree=9), np.linspace(-9.0, 3009.0, 131)
    for got, want in zip(values_of(place, curves, at), kernels.evaluate_polynomial(curves, at), strict=True):
        assert got.tobytes() == want.tobytes()


def test_every_isa_gives_the_same_bits(isa: str) -> None:
    got = all_curves(threads=1)
    _cpu.force_isa("base")
    for ours, base in zip(got, all_curves(threads=1), strict=True):
        assert ours.tobytes() == base.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_change_a_bit(isa: str, threads: int) -> None:
    for ours, single in zip(all_curves(threads), all_curves(threads=1), strict=True):
        assert ours.tobytes() == single.tobytes()


@pytest.mark.parametrize("n", COUNTS)
def test_the_outputs_are_written_and_nothing_else(isa: str, n: int) -> None:
    x, y, weights = spine(n)
    with (
        guarded((1, 2), np.float64) as interval,
        guarded((1, 10, 3), np.float64) as terms,
        guarded((1,), np.int32) as degrees,
        guarded((n,), np.float64) as values,
        guarded((n,), np.float64) as others,
        guarded((1, 19), np.float64) as slopes,
    ):
        _cpu.fit_polynomial(x, y, weights, None, interval, terms, degrees, 2)
        _cpu.evaluate_polynomial(interval, terms, x, None, None, values, others, 2)
        _cpu.smooth_heat(y, None, 0.01, 100, True, values, 2)
        _cpu.smooth_heat(y, None, 0.01, 100, False, others, 2)
        _cpu.even_slopes(y, None, slopes, 2)


X, Y, WEIGHTS = spine(17)
LINE = kernels.fit_polynomial(X, Y, degree=1)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.fit_polynomial(X, Y, degree=10), "degree is 10, expected 0 to 9"),
        (lambda: kernels.fit_polynomial(X, Y, degree=-1), "degree is -1"),
        (lambda: kernels.fit_polynomial(X, Y, degree=1, threads=0), "threads is 0"),
        (
            lambda: kernels.fit_polynomial(X, Y, degree=1, offsets=np.array([0, 16])),
            "from 0 to 17, the number of points",
        ),
        (lambda: kernels.fit_polynomial(X, Y, degree=1, offsets=np.array([0, 9, 8, 17])), "offsets is [ 0  9  8 17]"),
        (lambda: kernels.fit_polynomial(X, Y, degree=1, offsets=np.zeros(0, np.int64)), "offsets has shape [0]"),
        (lambda: kernels.evaluate_polynomial(LINE, X, offsets=np.array([0, 9, 17])), "offsets are for 2 curves"),
        (lambda: kernels.evaluate_polynomial(LINE._replace(terms=np.zeros((1, 11, 3))), X), "curves has degree 10"),
        (lambda: kernels.smooth_heat(Y, coefficient=0.51), "coefficient is 0.51, expected 0 to 0.5"),
        (lambda: kernels.smooth_heat(Y, coefficient=float("nan")), "coefficient is nan"),
        (lambda: kernels.smooth_heat(Y, steps=-1), "steps is -1"),
        (lambda: kernels.smooth_heat(Y, steps=2**53), "steps is 9007199254740992"),
        (lambda: kernels.smooth_heat(Y, ends="held"), "ends is 'held', expected 'fixed' or 'free'"),  # type: ignore[arg-type]
        (lambda: kernels.even_slopes(Y, points=1), "points is 1, expected 2 or more"),
    ],
)
def test_values_out_of_range_are_refused(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        call()


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.fit_polynomial(X, Y[:-1], degree=1), "y is float64 [16], expected float64 [17]"),
        (lambda: kernels.fit_polynomial(X, Y, WEIGHTS[1:], degree=1), "weights is float64 [16], expected float64 [17]"),
        (lambda: kernels.fit_polynomial(X.astype(np.float32), Y, degree=1), "x is float32 [17], expected float64 [n]"),
        (lambda: kernels.fit_polynomial(X[::2], Y[:9], degree=1), "x is float64 [9], not C-contiguous"),
        (lambda: kernels.evaluate_polynomial(LINE, X[None]), "x is float64 [1, 17], expected float64 [n]"),
        (lambda: kernels.evaluate_polynomial(LINE, X, ends=X[:2]), "ends is float64 [2], expected float64 [1, 2]"),
        (lambda: kernels.evaluate_polynomial(LINE._replace(interval=X), X), "curves.interval is float64 [17]"),
        (lambda: kernels.smooth_heat(Y.astype(np.int64)), "values is int64 [17], expected float64 [n]"),
        (lambda: kernels.even_slopes(Y, offsets=np.array([0, 17], np.int32)), "offsets is int32 [2], expected int64"),
    ],
)
def test_arrays_of_another_kind_are_refused(call: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        call()


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda i, t, d: _cpu.fit_polynomial(X, Y[1:], None, None, i, t, d, 1), "the same n"),
        (lambda i, t, d: _cpu.fit_polynomial(X, Y, None, np.array([0, 9, 17]), i, t, d, 1), "number of curves"),
        (lambda i, t, d: _cpu.fit_polynomial(X, Y, None, np.array([0, 18]), i, t, d, 1), "do not end"),
        (lambda i, t, d: _cpu.fit_polynomial(X, Y, None, np.array([0, 99, 17]), i, t, d, 1), "do not ascend"),
        (lambda i, t, d: _cpu.fit_polynomial(X, Y, None, None, i, np.zeros((1, 11, 3)), d, 1), "degree"),
        (lambda i, t, d: _cpu.evaluate_polynomial(i, t, X, None, None, Y.copy(), Y[1:].copy(), 1), "another n"),
        (lambda i, t, d: _cpu.evaluate_polynomial(i, t, Y, None, i[:0], X.copy(), Y.copy(), 1), "as many as"),
        (lambda i, t, d: _cpu.smooth_heat(X[:9], None, 0.1, 1, True, X[8:], 1), "shares memory"),
        (lambda i, t, d: _cpu.smooth_heat(X, None, 0.6, 1, True, Y.copy(), 1), "coefficient"),
        (lambda i, t, d: _cpu.smooth_heat(X, None, 0.1, -1, True, Y.copy(), 1), "steps"),
        (lambda i, t, d: _cpu.even_slopes(X, None, np.zeros((1, 1)), 1), "points"),
        (lambda i, t, d: _cpu.even_slopes(X, None, np.zeros((1, 19)), 0), "threads"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(np.zeros((1, 2)), np.zeros((1, 3, 3)), np.zeros(1, np.int32))
