"""Curves along a spine: by hand, against the reference, against exact arithmetic."""

import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.test_parity import guarded

Floats = NDArray[np.float64]

COUNTS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 67, 131)
SPINE = (0.0, 3000.0)


def spine(n: int, seed: int = 0, rows: tuple[float, float] = SPINE) -> tuple[Floats, Floats, Floats]:
    """Rows, columns and weights of n points along a wavy line."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(*rows, n))
    wave = 200.0 * np.sin(6.0 * (x - rows[0]) / (rows[1] - rows[0]))
    return x, 1500.0 + wave + rng.normal(0.0, 3.0, n), rng.uniform(0.1, 3.0, n)


def wandering(n: int, seed: int = 0) -> Floats:
    """The columns of a centre line, row by row."""
    return 1500.0 + np.cumsum(np.random.default_rng(seed).normal(0.0, 1.0, n))


def ragged(counts: tuple[int, ...] = COUNTS) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])


def values_of(
    place: Any, curves: kernels.Curves, at: Floats, ends: Floats | None = None, **keywords: Any
) -> tuple[Floats, Floats]:
    """`evaluate_polynomial` where `place` is; the arrays of the curves are arguments of their own for that."""

    def evaluate(interval: Any, terms: Any, degrees: Any, x: Any, ends: Any = None, **others: Any) -> Any:
        return kernels.evaluate_polynomial(kernels.Curves(interval, terms, degrees), x, ends=ends, **others)

    values: tuple[Floats, Floats] = place.run(evaluate, *curves, at, ends, **keywords)
    return values


def exact_least_squares(
    x: Floats, y: Floats, weights: Floats, degree: int, at: Floats
) -> tuple[list[float], list[float]]:
    """Values and slopes by the normal equations in rational numbers."""
    xs, ys, ws = ([Fraction(float(value)) for value in values] for values in (x, y, weights))
    size = degree + 1
    powers = [[value**k for k in range(2 * size)] for value in xs]
    rows = [
        [sum(w * p[i + j] for w, p in zip(ws, powers, strict=True)) for j in range(size)]
        + [sum(w * p[i] * v for w, p, v in zip(ws, powers, ys, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    solution = [Fraction(0)] * size
    for i in reversed(range(size)):
        solution[i] = (rows[i][size] - sum(rows[i][j] * solution[j] for j in range(i + 1, size))) / rows[i][i]
    places = [Fraction(float(value)) for value in at]
    values = [float(sum(c * t**k for k, c in enumerate(solution))) for t in places]
    slopes = [float(sum(k * c * t ** (k - 1) for k, c in enumerate(solution) if k > 0)) for t in places]
    return values, slopes


def test_a_line_through_two_points(place: Any) -> None:
    curves = place.run(kernels.fit_polynomial, np.array([2.0, 4.0]), np.array([10.0, 20.0]), degree=1)
    assert curves.degrees.tolist() == [1]
    y, slopes = values_of(place, curves, np.array([2.0, 3.0, 5.0]))
    assert y.tolist() == [10.0, 15.0, 25.0]
    assert slopes.tolist() == [5.0, 5.0, 5.0]


def test_the_mean_is_the_polynomial_of_degree_0(place: Any) -> None:
    x, y = np.array([0.0, 1.0, 9.0]), np.array([1.0, 2.0, 6.0])
    curves = place.run(kernels.fit_polynomial, x, y, np.array([1.0, 1.0, 2.0]), degree=0)
    assert values_of(place, curves, np.array([-5.0]))[0].tolist() == [3.75]


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 6, 9])
def test_a_polynomial_is_found_again(place: Any, degree: int) -> None:
    x = np.linspace(*SPINE, 40)
    truth = np.polynomial.Chebyshev(np.arange(degree + 1) * 7.0 + 100.0, domain=SPINE)
    curves = place.run(kernels.fit_polynomial, x, truth(x), degree=9)
    y, slopes = values_of(place, curves, x)
    np.testing.assert_allclose(y, truth(x), rtol=0, atol=1e-11)
    np.testing.assert_allclose(slopes, truth.deriv()(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("degree", [3, 6, 9])
@pytest.mark.parametrize("rows", [SPINE, (2000.0, 5000.0), (1e6, 1e6 + 100.0)], ids=str)
@pytest.mark.parametrize("n", [17, 60, 131])
def test_pixel_coordinates_lose_nothing(place: Any, n: int, rows: tuple[float, float], degree: int) -> None:
    """Two units of the last place of the values, where Legendre.fit is 1e-11 to 1e-9 pixels off."""
    x, y, weights = spine(n, rows=rows)
    at = np.linspace(x[0], x[-1], 21)
    curves = place.run(kernels.fit_polynomial, x, y, weights, degree=degree)
    got, slopes = values_of(place, curves, at)
    want, want_slopes = exact_least_squares(x, y, weights, degree, at)
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-12)
    np.testing.assert_allclose(slopes, want_slopes, rtol=0, atol=1e-11 / (rows[1] - rows[0]) * 3000.0)


@pytest.mark.parametrize("degree", [0, 1, 6, 9])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_batch_agrees_with_the_reference(place: Any, degree: int, threads: int) -> None:
    parts = [spine(n, seed=n) for n in COUNTS]
    x, y, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    offsets = ragged()
    curves = place.run(kernels.fit_polynomial, x, y, weights, degree=degree, offsets=offsets, threads=threads)
    want = reference.fit_polynomial(x, y, weights, degree=degree, offsets=offsets)
    assert curves.degrees.tolist() == [min(degree, n - 1) for n in COUNTS]
    got, slopes = values_of(place, curves, x, offsets=offsets, threads=threads)
    want_y, want_slopes = reference.evaluate_polynomial(want, x, offsets=offsets)
    np.testing.assert_allclose(got, want_y, rtol=0, atol=1e-7)
    np.testing.assert_allclose(slopes, want_slopes, rtol=1e-7, atol=1e-9)


def test_a_curve_knows_nothing_of_the_others(place: Any) -> None:
    parts = [spine(n, seed=n) for n in COUNTS]
    x, y, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    together = place.run(kernels.fit_polynomial, x, y, weights, degree=9, offsets=ragged())
    for c, part in enumerate(parts):
        alone = place.run(kernels.fit_polynomial, *part, degree=9)
        for one, of_all in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], of_all[c])


@pytest.mark.parametrize("n", [1, 7, 8, 9, 40])
def test_a_point_of_weight_0_is_none(place: Any, n: int) -> None:
    x, y, weights = spine(n)
    gaps = np.arange(2 * n) % 2 == 0
    with_gaps = np.full((3, 2 * n), np.nan)
    with_gaps[:, ~gaps] = x, y, weights
    with_gaps[2, gaps] = 0.0
    at = np.linspace(*SPINE, 11)
    want, _ = values_of(place, place.run(kernels.fit_polynomial, x, y, weights, degree=3), at)
    got, _ = values_of(place, place.run(kernels.fit_polynomial, *with_gaps, degree=3), at)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-9)


def test_a_weight_is_a_number_of_points(place: Any) -> None:
    x, y, _ = spine(20)
    times = np.arange(20) % 4 + 1
    weighted = place.run(kernels.fit_polynomial, x, y, times.astype(float), degree=5)
    repeated = place.run(kernels.fit_polynomial, np.repeat(x, times), np.repeat(y, times), degree=5)
    at = np.linspace(*SPINE, 11)
    np.testing.assert_allclose(values_of(place, weighted, at), values_of(place, repeated, at), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("x", "degree"),
    [([5.0], 0), ([5.0] * 9, 0), ([5.0, 6.0, 5.0, 6.0], 1), ([1.0, 2.0, 2.0, 2.0, 3000.0], 2), (list(range(9)), 8)],
)
def test_too_few_places_determine_a_lower_degree(place: Any, x: list[float], degree: int) -> None:
    places = np.array(x, np.float64)
    y = places**2 + 3.0
    curves = place.run(kernels.fit_polynomial, places, y, degree=9)
    assert curves.degrees.tolist() == [degree]
    np.testing.assert_allclose(values_of(place, curves, places)[0], y, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("at", [0, 8, 16])
def test_a_value_that_is_not_finite_spoils_its_curve_only(place: Any, bad: float, which: int, at: int) -> None:
    arrays = [np.concatenate([part, part]) for part in spine(17)]
    arrays[which][at] = bad
    curves = place.run(kernels.fit_polynomial, *arrays, degree=3, offsets=np.array([0, 17, 34]))
    assert curves.degrees.tolist() == [-1, 3]
    assert np.isnan(curves.terms[0]).all()
    assert np.isnan(curves.interval[0]).all()
    assert np.isfinite(curves.terms[1]).all()


def test_points_that_cannot_be_fitted_have_no_curve(place: Any) -> None:
    x, y, weights = spine(17)
    none = place.run(kernels.fit_polynomial, x, y, np.zeros(17), degree=3)
    weights[4] = -1e-9
    below = place.run(kernels.fit_polynomial, x, y, weights, degree=3)
    for curves in (none, below):
        assert curves.degrees.tolist() == [-1]
        assert np.isnan(values_of(place, curves, x)).all()


def test_a_curve_goes_straight_on_beyond_its_ends(place: Any) -> None:
    x, y, _ = spine(60)
    curves = place.run(kernels.fit_polynomial, x, y, degree=9)
    ends = np.array([[x[0], x[-1]]])
    (low, high), (low_slope, high_slope) = values_of(place, curves, ends[0])
    got, slopes = values_of(place, curves, np.array([x[0] - 100.0, x[-1] + 300.0]), ends)
    np.testing.assert_allclose(got, [low - 100.0 * low_slope, high + 300.0 * high_slope], rtol=1e-14)
    assert slopes.tolist() == [low_slope, high_slope]
    inside = np.linspace(x[0], x[-1], 31)
    np.testing.assert_array_equal(values_of(place, curves, inside, ends), values_of(place, curves, inside))


@pytest.mark.parametrize("n", COUNTS)
def test_any_number_of_values_is_evaluated(place: Any, n: int) -> None:
    x, y, _ = spine(30)
    curves = place.run(kernels.fit_polynomial, x, y, degree=6)
    at = np.linspace(-100.0, 3100.0, n)
    want = reference.evaluate_polynomial(reference.fit_polynomial(x, y, degree=6), at)
    np.testing.assert_allclose(values_of(place, curves, at, threads=3), want, rtol=1e-10, atol=1e-9)


def test_an_x_that_is_not_finite_has_no_value(place: Any) -> None:
    x, y, _ = spine(30)
    curves = place.run(kernels.fit_polynomial, x, y, degree=3)
    got = values_of(place, curves, np.array([np.nan, np.inf, -np.inf]))
    assert np.isnan(got).all()


@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.floats(0.0, 1500.0), st.sampled_from([0.0, 0.5, 1.0, 3.0])), max_size=60
    ),
    st.integers(0, 6),
)
def test_no_polynomial_of_the_degree_lies_closer(points: list[tuple[int, float, float]], degree: int) -> None:
    """What is left of y is orthogonal to every power of x."""
    x, y, weights = np.array(points, np.float64).reshape(-1, 3).T.copy()
    curves = kernels.fit_polynomial(x, y, weights, degree=degree)
    (found,) = curves.degrees.tolist()
    counts = weights > 0.0
    assert found <= min(degree, len(np.unique(x[counts])) - 1)
    if found < 0:
        assert not counts.any()
        return
    rest = (kernels.evaluate_polynomial(curves, x)[0] - y)[counts]
    t = (x[counts] - curves.interval[0, 0]) * curves.interval[0, 1]
    for k in range(found + 1):
        assert abs(np.sum(weights[counts] * rest * t**k)) <= 1e-9 * max(1.0, np.abs(y).sum())


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
