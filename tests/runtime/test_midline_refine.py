"""The curve of the spine and the plates turned to it, against slow references written from the paper."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.runtime.midline_refine import CurveRefine, SpineCurve, fit_spine, straighten_plates
from tests.phantoms import random_tilts, spine_corners


def slow_fit(centres: NDArray[np.float64], refine: CurveRefine) -> tuple[NDArray[np.float64], float, float, object]:
    """numpy.polyfit, again and again without the centres that are far; and x at rows, straight beyond the ends."""
    rows = sorted(centres[:, 1])
    apart = [b - a for a, b in itertools.pairwise(rows) if b - a > 0.1 * (rows[-1] - rows[0]) / len(rows)]
    limit = refine.far * np.median(apart)
    kept = [True] * len(centres)
    for _ in range(refine.most_rounds):
        used = centres[kept]
        low, high = used[:, 1].min(), used[:, 1].max()
        middle, half = (low + high) / 2, (high - low) / 2
        line = np.polynomial.legendre.Legendre.fit(
            (used[:, 1] - middle) / half, used[:, 0], refine.degree, domain=[-1, 1]
        )
        slope = line.deriv()

        def at(y: float, line=line, slope=slope, low=low, high=high, middle=middle, half=half) -> float:  # type: ignore[no-untyped-def]
            near = (min(max(y, low), high) - middle) / half
            return float(line(near) + slope(near) * ((y - middle) / half - near))

        near = [abs(at(y) - x) <= limit for x, y in centres]
        if near == kept or sum(near) < refine.degree + 2:
            break
        kept = near
    return used, low, high, at


def centres_of(corners: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    centres = corners.mean(axis=1)
    twice = np.concatenate([centres + rng.normal(0, 1, centres.shape), centres + rng.normal(0, 1, centres.shape)])
    twice[[4, 22]] += [[90.0, 0], [-120, 5]]
    return twice


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_fitted_again_without_what_is_far(seed: int) -> None:
    corners = spine_corners(random_tilts(np.random.default_rng(seed)))
    centres, refine = centres_of(corners, seed), CurveRefine()
    curve = fit_spine(centres, refine)
    used, low, high, at = slow_fit(centres, refine)
    assert len(used) < len(centres)
    assert curve.ends.tolist() == [[low, high]]
    rows = np.linspace(low - 80, high + 80, 60)
    assert np.allclose(curve.at(rows)[0], [at(y) for y in rows], atol=1e-5)  # type: ignore[operator]


def slow_straighten(corners: NDArray[np.float64], curve: SpineCurve, refine: CurveRefine) -> NDArray[np.float64]:
    """Each plate by itself: where it meets the curve is found by looking at many places along it."""
    out = corners.copy()
    for v in range(len(corners)):
        for plate in (0, 2):
            left, right = corners[v, plate], corners[v, plate + 1]
            t = np.linspace(-0.5, 1.5, 400_001)
            along = left + t[:, None] * (right - left)
            miss = along[:, 0] - curve.at(along[:, 1])[0]
            at = np.flatnonzero(np.diff(np.sign(miss)) != 0)
            if not len(at):
                continue
            pivot = along[at[np.argmin(np.abs(t[at] - 0.5))]]
            normal = np.array([1.0, -float(curve.at(pivot[1:])[1][0])])
            across = right - left
            off = np.arctan2(across[0] * normal[1] - across[1] * normal[0], across @ normal)
            if abs(off) > np.radians(refine.odd_degrees):
                turn = np.array(
                    [
                        [np.cos(off * refine.turn), -np.sin(off * refine.turn)],
                        [np.sin(off * refine.turn), np.cos(off * refine.turn)],
                    ]
                )
                out[v, plate], out[v, plate + 1] = pivot + turn @ (left - pivot), pivot + turn @ (right - pivot)
    return out


@pytest.mark.parametrize(("seed", "turn"), [(0, 1.0), (1, 1.0), (2, 0.5)])
def test_odd_plates_turn_about_where_they_meet_the_curve(seed: int, turn: float) -> None:
    rng = np.random.default_rng(seed)
    true = spine_corners(random_tilts(rng, 25.0))
    refine = CurveRefine(turn=turn)
    curve = fit_spine(true.mean(axis=1), refine)
    odd = true.copy()
    odd[5, 1] += (3.0, 45.0)
    odd[11, 2] += (-4.0, -50.0)
    odd[14, 2:] += (300.0, 0.0)  # meets the curve far beyond its ends, and stays
    straight = straighten_plates(odd, curve, refine)
    assert np.allclose(straight, slow_straighten(odd, curve, refine), atol=0.02)
    moved = np.abs(straight - odd).max(axis=(1, 2)) > 1e-9
    assert moved[[5, 11]].all()
    assert not moved[14]


def test_a_turned_plate_stands_upright_on_the_curve() -> None:
    true = spine_corners(np.linspace(-20.0, 20.0, 17))
    refine = CurveRefine(odd_degrees=12.0)
    curve = fit_spine(true.mean(axis=1), refine)
    odd = true.copy()
    odd[8, :2] = odd[8, :2].mean(axis=0) + (odd[8, :2] - odd[8, :2].mean(axis=0)) @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    straight = straighten_plates(odd, curve, refine)
    assert np.array_equal(np.delete(straight, 8, 0), np.delete(odd, 8, 0))
    across = straight[8, 1] - straight[8, 0]
    slope = float(curve.at(np.array([straight[8, :2, 1].mean()]))[1][0])
    assert across @ [slope, 1.0] == pytest.approx(0.0, abs=0.02 * np.linalg.norm(across))
    assert np.linalg.norm(across) == pytest.approx(np.linalg.norm(true[8, 1] - true[8, 0]))


def test_a_right_spine_stays() -> None:
    corners = spine_corners(np.linspace(-15.0, 15.0, 17))
    curve = fit_spine(corners.mean(axis=1), CurveRefine())
    assert np.array_equal(straighten_plates(corners, curve, CurveRefine()), corners)


def test_two_centres_make_a_straight_curve() -> None:
    curve = fit_spine(np.array([[10.0, 0.0], [20.0, 100.0]]), CurveRefine())
    assert np.allclose(curve.at(np.array([50.0, 200.0])), [[15.0, 30.0], [0.1, 0.1]])
