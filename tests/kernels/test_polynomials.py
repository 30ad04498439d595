"""Polynomials of least squares: by hand, against the reference, against exact arithmetic."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.spines import COUNTS, SPINE, Floats, ragged, spine, values_of


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


@pytest.mark.parametrize("scale", [1e-100, 1e-6, 1e6, 1e100])
def test_the_units_do_not_matter(place: Any, scale: float) -> None:
    x, y, weights = spine(60)
    curves = place.run(kernels.fit_polynomial, x * scale, y * scale, weights * scale, degree=9)
    got, slopes = values_of(place, curves, x * scale)
    want, want_slopes = values_of(place, place.run(kernels.fit_polynomial, x, y, weights, degree=9), x)
    np.testing.assert_allclose(got / scale, want, rtol=1e-13)
    np.testing.assert_allclose(slopes, want_slopes, rtol=0, atol=1e-12)


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
