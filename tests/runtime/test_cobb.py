"""Clinical Cobb angles on spines whose every tilt is known."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5
from spinert.image import Image
from spinert.runtime.cobb import Curve, aasce_angles, clinical_curves
from tests.phantoms import spine_corners

Points = NDArray[np.float64]
EXACT_DEG = 0.01

# (vertebra, tilt in degrees): the tilts between are interpolated; the largest and smallest are the end vertebrae
SINGLE = [(0, 25), (16, -25)]
DOUBLE = [(0, -15), (8, 20), (16, -10)]
TRIPLE = [(0, 0), (5, 25), (11, -20), (16, 5)]
SEVERE = [(0, 40), (4, 55), (12, -55), (16, -30)]


def tilts(knots: list[tuple[int, float]]) -> Points:
    at, tilt = zip(*knots, strict=True)
    return np.interp(np.arange(at[-1] + 1), at, tilt)


def spine(knots: list[tuple[int, float]]) -> Points:
    return spine_corners(tilts(knots), (200.0, 20.0), 450.0)


def curves_of(corners: Points) -> tuple[Curve, ...]:
    return clinical_curves(corners, T1_TO_L5[: len(corners)])


def degrees_of(corners: Points) -> list[float]:
    return [curve.degrees for curve in curves_of(corners)]


def mirrored(corners: Points) -> Points:
    """As drawn on the image turned left to right: the left corners become the right ones."""
    return corners[:, [1, 0, 3, 2]] * np.array([-1.0, 1.0])


def rotated(corners: Points, degrees: float) -> Points:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return corners @ np.array([[c, s], [-s, c]])


def test_single_curve_has_its_tilt_difference_ends_apex_and_side() -> None:
    (curve,) = curves_of(spine(SINGLE))
    assert curve.degrees == pytest.approx(50, abs=EXACT_DEG)
    # T9 is level, but the lower vertebrae are larger, so the line from T1 to L5 leans 2.4 degrees: T10 bulges farthest
    assert (curve.upper, curve.lower, curve.apex) == (0, 16, 9)
    # T1 falls to the right and L5 rises to the right: they meet on the right, the bulge is on the left
    assert (curve.region, curve.convex) == ("main_thoracic", "left")


def test_double_curve_shares_the_vertebra_between() -> None:
    upper, lower = curves_of(spine(DOUBLE))
    assert [upper.degrees, lower.degrees] == pytest.approx([35, 30], abs=EXACT_DEG)
    assert (upper.upper, upper.lower, lower.upper, lower.lower) == (0, 8, 8, 16)
    assert (upper.convex, lower.convex) == ("right", "left")


def test_triple_curve_is_named_by_the_levels_of_its_apices() -> None:
    curves = curves_of(spine(TRIPLE))
    assert [curve.degrees for curve in curves] == pytest.approx([25, 45, 25], abs=EXACT_DEG)
    assert [curve.region for curve in curves] == ["proximal_thoracic", "main_thoracic", "thoracolumbar_lumbar"]
    assert [curve.convex for curve in curves] == ["right", "left", "right"]


def test_curve_of_110_degrees_is_not_clipped_at_90() -> None:
    assert degrees_of(spine(SEVERE)) == pytest.approx([15, 110, 25], abs=EXACT_DEG)


@pytest.mark.parametrize("knots", [SINGLE, DOUBLE, TRIPLE, SEVERE])
def test_non_square_pixels_are_measured_in_millimetres(knots: list[tuple[int, float]]) -> None:
    corners_mm = spine(knots)
    image = Image(np.zeros((4000, 3000), np.uint8), "DX", spacing_mm=(0.14, 0.20), spacing_kind="calibrated")
    corners_px = corners_mm / np.array([0.20, 0.14])
    assert degrees_of(image.to_mm(corners_px)) == pytest.approx(degrees_of(corners_mm), abs=EXACT_DEG)
    assert max(degrees_of(corners_px)) != pytest.approx(max(degrees_of(corners_mm)), abs=1.0)


@pytest.mark.parametrize("knots", [SINGLE, DOUBLE, TRIPLE, SEVERE])
def test_margin_around_the_image_changes_nothing(knots: list[tuple[int, float]]) -> None:
    here, there = curves_of(spine(knots)), curves_of(spine(knots) + np.array([123.0, 600.0]))
    assert [(c.degrees, c.upper, c.lower, c.apex, c.convex, c.region) for c in here] == [
        (c.degrees, c.upper, c.lower, c.apex, c.convex, c.region) for c in there
    ]


@pytest.mark.parametrize("knots", [SINGLE, DOUBLE, TRIPLE, SEVERE])
def test_flipped_image_changes_the_side_only(knots: list[tuple[int, float]]) -> None:
    here, there = curves_of(spine(knots)), curves_of(mirrored(spine(knots)))
    assert [(c.degrees, c.upper, c.lower, c.apex) for c in here] == [
        (c.degrees, c.upper, c.lower, c.apex) for c in there
    ]
    assert all({a.convex, b.convex} == {"left", "right"} for a, b in zip(here, there, strict=True))


def test_opposite_tilts_make_the_same_angles_on_the_other_side() -> None:
    here, there = curves_of(spine(TRIPLE)), curves_of(spine([(at, -tilt) for at, tilt in TRIPLE]))
    assert [c.degrees for c in here] == pytest.approx([c.degrees for c in there], abs=EXACT_DEG)
    assert [c.convex for c in there] == ["left", "right", "left"]


def test_apex_lies_on_the_convex_side_of_the_end_vertebrae() -> None:
    for knots in (SINGLE, DOUBLE, TRIPLE, SEVERE):
        corners = spine(knots)
        for curve in curves_of(corners):
            x, y = corners.mean(axis=1).T
            ends = [curve.upper, curve.lower]
            beside_chord = x[curve.apex] - np.interp(y[curve.apex], y[ends], x[ends])
            assert (beside_chord > 0) == (curve.convex == "right")
            assert curve.upper < curve.apex < curve.lower


def test_straight_spine_has_no_curve() -> None:
    assert curves_of(spine([(0, 0), (16, 0)])) == ()
    assert curves_of(spine([(0, 30), (16, 30)])) == ()


def wedged(plate_tilts: list[tuple[float, float]]) -> Points:
    """Vertebrae 30 wide in a straight pile, each with these tilts of its upper and lower end-plate."""
    rise = 30 * np.tan(np.radians(np.array(plate_tilts)))
    corners = np.zeros((len(plate_tilts), 4, 2))
    corners[:, [1, 3], 0] = 30
    corners[:, :2, 1] = 60 * np.arange(len(plate_tilts))[:, None]
    corners[:, 2:, 1] = corners[:, :2, 1] + 40
    corners[:, [1, 3], 1] += rise
    return corners


def test_end_plates_are_measured_and_not_mid_lines() -> None:
    (curve,) = curves_of(wedged([(10, 0), (0, -12)]))
    assert curve.degrees == pytest.approx(22, abs=EXACT_DEG)
    assert (curve.upper, curve.lower, curve.apex) == (0, 1, 0)


def test_wedged_vertebra_makes_no_small_curve_at_the_cost_of_the_large_one() -> None:
    # T2 to T4 turns by 50; T1 to T3 by 12 and T3 to T4 by 39 are more in sum, but only thanks to T3's wedge
    (curve,) = curves_of(wedged([(0, 0), (20, 5), (9, 12), (0, -30)]))
    assert (curve.upper, curve.lower) == (1, 3)
    assert curve.degrees == pytest.approx(50, abs=EXACT_DEG)


def test_line_is_the_upper_end_plate_above_and_the_lower_one_below() -> None:
    corners = spine(DOUBLE)
    _, curve = curves_of(corners)
    np.testing.assert_array_equal(curve.line, [corners[8, 0], corners[8, 1], corners[16, 2], corners[16, 3]])


def test_curve_of_exactly_the_threshold_counts() -> None:
    corners = spine([(0, 5), (16, -5)])
    assert len(clinical_curves(corners, T1_TO_L5, threshold_deg=10.0)) == 1
    assert clinical_curves(corners, T1_TO_L5, threshold_deg=10.01) == ()


def test_reversal_below_the_threshold_does_not_divide_a_curve() -> None:
    assert degrees_of(spine([(0, 25), (6, 0), (9, 8), (16, -25)])) == pytest.approx([50], abs=EXACT_DEG)


def test_reversal_above_the_threshold_is_a_curve_between_two() -> None:
    assert degrees_of(spine([(0, 25), (6, 0), (9, 12), (16, -25)])) == pytest.approx([25, 12, 37], abs=EXACT_DEG)


def test_of_equally_tilted_vertebrae_those_nearest_to_the_curve_are_its_ends() -> None:
    (curve,) = curves_of(spine([(0, 20), (4, 20), (12, -20), (16, -20)]))
    assert (curve.upper, curve.lower) == (4, 12)


@pytest.mark.parametrize(
    ("levels", "region"),
    [
        (("T1", "T2", "T3"), "proximal_thoracic"),
        (("T4", "T5", "T6"), "proximal_thoracic"),
        (("T5", "T6", "T7"), "main_thoracic"),
        (("T10", "T11", "T12"), "main_thoracic"),
        (("T11", "T12", "L1"), "thoracolumbar_lumbar"),
        (("L4", "L5", "S1"), "thoracolumbar_lumbar"),
    ],
)
def test_region_follows_the_level_of_the_apex(levels: tuple[str, ...], region: str) -> None:
    (curve,) = clinical_curves(spine([(0, 20), (2, -20)]), levels)
    assert levels[curve.apex] == levels[1]
    assert curve.region == region


def test_two_vertebrae_are_enough_and_one_is_refused() -> None:
    (curve,) = curves_of(spine([(0, 10), (1, -5)]))
    assert curve.degrees == pytest.approx(15, abs=EXACT_DEG)
    with pytest.raises(ValueError, match="n of 2 or more"):
        curves_of(spine([(0, 0), (1, 0)])[:1])


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        (T1_TO_L5[:3], "3 levels for 2 vertebrae"),
        (("T2", "T1"), "in order"),
        (("T1", "T1"), "in order"),
        (("C6", "C7"), "T1..S1"),
    ],
)
def test_levels_that_do_not_fit_are_refused(levels: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        clinical_curves(spine([(0, 10), (1, -5)]), levels)


def test_corners_that_make_no_angle_are_refused_by_vertebra() -> None:
    corners = spine(SINGLE)
    corners[3, 2, 0] = np.nan
    with pytest.raises(ValueError, match="vertebra 3 has a corner that is not finite"):
        curves_of(corners)
    corners = spine(SINGLE)
    corners[5, 3] = corners[5, 2]
    with pytest.raises(ValueError, match="lower end-plate of vertebra 5 has no length"):
        curves_of(corners)
    with pytest.raises(ValueError, match=r"\[17, 8\]"):
        curves_of(spine(SINGLE).reshape(17, 8))
    with pytest.raises(ValueError, match="corners are uint16"):  # differences of unsigned numbers wrap around
        curves_of(spine(SINGLE).astype(np.uint16))


def test_memory_layout_of_the_corners_does_not_matter() -> None:
    corners = np.asfortranarray(spine(SEVERE))
    assert not corners.flags.c_contiguous
    assert degrees_of(corners) == degrees_of(spine(SEVERE))
    assert aasce_angles(corners, 1000.0).tolist() == aasce_angles(spine(SEVERE), 1000.0).tolist()


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan")])
def test_threshold_must_be_positive(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold_deg"):
        clinical_curves(spine(SINGLE), T1_TO_L5, threshold_deg=threshold)


# quarter degrees: no two angles differ by a rounding error only
any_spine = st.lists(st.integers(-220, 220).map(lambda n: n / 4), min_size=2, max_size=17).map(
    lambda tilts: spine_corners(np.array(tilts), (200.0, 20.0), 450.0)
)


@given(any_spine, st.floats(-1000, 1000), st.floats(-1000, 1000), st.floats(0.01, 100), st.floats(-15, 15))
def test_degrees_do_not_change_by_shift_scale_rotation_or_mirror(
    corners: Points, x: float, y: float, scale: float, turn: float
) -> None:
    here = degrees_of(corners)
    for moved in (corners + np.array([x, y]), corners * scale, rotated(corners, turn), mirrored(corners)):
        assert degrees_of(moved) == pytest.approx(here, abs=1e-5)


@given(any_spine)
def test_curves_run_top_to_bottom_alternate_and_reach_the_threshold(corners: Points) -> None:
    curves = curves_of(corners)
    assert all(curve.degrees >= 10 and curve.upper < curve.lower for curve in curves)
    for upper, lower in pairwise(curves):
        assert upper.lower == lower.upper
        assert upper.convex != lower.convex


@given(st.lists(st.integers(-55, 55), min_size=2, max_size=7))
def test_no_other_chain_of_alternating_curves_exceeds_the_threshold_by_more(tilts: list[int]) -> None:
    # rectangular vertebrae: the angle between two of them is the difference of their tilts
    best = 0
    for size in range(2, len(tilts) + 1):
        for ends in combinations(range(len(tilts)), size):
            turns = [tilts[lower] - tilts[upper] for upper, lower in pairwise(ends)]
            alternating = all((a < 0) != (b < 0) for a, b in pairwise(turns))
            if alternating and all(abs(turn) >= 10 for turn in turns):
                best = max(best, sum(abs(turn) - 10 for turn in turns))
    found = degrees_of(spine_corners(np.array(tilts, np.float64)))
    assert sum(degrees - 10 for degrees in found) == pytest.approx(best, abs=1e-4)
