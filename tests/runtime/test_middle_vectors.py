"""The vertebrae that angles are measured between, against a slow reading of the paper's text, step by step."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.runtime.middle_vectors import Selected, measure, select
from tests import phantoms


def slowly(corners: NDArray[np.float64]) -> tuple[Selected, tuple[float, float, float]]:
    """Section 3.2 in loops over plain numbers."""
    vertebrae = [[(float(x), float(y)) for x, y in quad] for quad in corners]
    vectors, centres = [], []
    for (tlx, tly), (trx, try_), (blx, bly), (brx, bry) in vertebrae:
        vectors.append(((trx + brx) / 2 - (tlx + blx) / 2, (try_ + bry) / 2 - (tly + bly) / 2))
        centres.append(((tlx + trx + blx + brx) / 4, (tly + try_ + bly + bry) / 4))
    (x0, y0), (x1, y1) = centres[0], centres[-1]
    apex, farthest, bulges_left = 1, -1.0, True
    for v in range(1, len(vertebrae) - 1):
        x, y = centres[v]
        across = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        distance = abs(across) / math.hypot(x1 - x0, y1 - y0)
        if distance > farthest:
            apex, farthest, bulges_left = v, distance, across >= 0
    tilts = [math.degrees(math.atan2(y, x)) for x, y in vectors]
    into = tilts if bulges_left else [-tilt for tilt in tilts]

    def most_tilted(places: range, *, against: bool) -> int:
        """From the apex outwards, so that of equal ones the nearest stays."""
        best = places[0]
        for v in places:
            if (-into[v] if against else into[v]) > (-into[best] if against else into[best]):
                best = v
        return best

    v1 = most_tilted(range(apex - 1, -1, -1), against=False)
    v2 = most_tilted(range(apex + 1, len(vertebrae)), against=True)
    v0 = most_tilted(range(v1, -1, -1), against=True)
    v3 = most_tilted(range(v2, len(vertebrae)), against=False)

    # between unit directions, by the cosine, which is another way than ours
    def between(a: int, b: int) -> float:
        (ax, ay), (bx, by) = vectors[a], vectors[b]
        cosine = (ax * bx + ay * by) / math.hypot(ax, ay) / math.hypot(bx, by)
        return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))

    return Selected(v0, v1, v2, v3), (between(v1, v2), between(v0, v1), between(v2, v3))


def spine(*tilts: float) -> NDArray[np.float64]:
    return phantoms.spine_corners(np.array(tilts))


@pytest.mark.parametrize("seed", range(40))
def test_random_spines_are_measured_as_the_text_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = phantoms.spine_corners(phantoms.random_tilts(rng)) + rng.normal(0, 2.0, (17, 4, 2))
    selected, degrees = slowly(corners)
    assert select(corners) == selected
    np.testing.assert_allclose(measure(corners, selected), degrees, atol=1e-5)


@pytest.mark.parametrize("count", [3, 4, 9, 18])
def test_any_number_of_vertebrae_from_three_is_measured_as_the_text_says(count: int) -> None:
    corners = phantoms.spine_corners(np.random.default_rng(count).normal(0, 15, count))
    selected, degrees = slowly(corners)
    assert select(corners) == selected
    np.testing.assert_allclose(measure(corners, selected), degrees, atol=1e-5)


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["to the left", "to the right"])
def test_a_triple_curve_of_known_tilts(side: float) -> None:
    tilts = np.interp(np.arange(17), [0, 4, 11, 16], [-12.0, 25.0, -30.0, 8.0]) * side
    corners = phantoms.spine_corners(tilts)
    selected = select(corners)
    assert selected == Selected(0, 4, 11, 16)
    assert measure(corners, selected) == pytest.approx((55.0, 37.0, 38.0), abs=1e-9)


def test_a_single_curve_has_no_other_angle() -> None:
    # nothing above V1 or below V2 leans the other way
    corners = phantoms.spine_corners(np.linspace(20.0, -20.0, 17))
    assert select(corners) == Selected(0, 0, 16, 16)
    assert measure(corners, Selected(0, 0, 16, 16)) == pytest.approx((40.0, 0.0, 0.0), abs=1e-9)


def test_a_straight_spine_measures_nothing() -> None:
    corners = spine(*[0.0] * 17)
    assert measure(corners, select(corners)) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


def test_a_film_turned_by_a_few_degrees_measures_alike() -> None:
    tilts = np.interp(np.arange(17), [0, 4, 11, 16], [-12.0, 25.0, -30.0, 8.0])
    turned = phantoms.spine_corners(tilts + 7.0)
    assert measure(turned, select(turned)) == pytest.approx((55.0, 37.0, 38.0), abs=1e-9)


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        (np.zeros((2, 4, 2)), r"float64 \[2, 4, 2\], expected float64 \[n, 4, 2\] with n of 3"),
        (np.zeros((17, 4, 2), np.float32), "corners are float32"),
        (np.full((17, 4, 2), np.nan), "vertebra 0 has a corner that is not finite"),
        (np.zeros((17, 4, 2)), "vertebra 0 has no width"),
    ],
)
def test_corners_that_have_no_angle_are_refused(corners: NDArray[np.float64], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select(corners)
