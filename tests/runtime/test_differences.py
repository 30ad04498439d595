"""Two results of one spine made by hand: every distance and angle is known before they are compared."""

import math

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Midline, VertebraCentre
from spinert.image import Image
from spinert.runtime.cobb import clinical_curves
from spinert.runtime.differences import Differences, differences, network_pixel_mm, summarize
from tests import phantoms, results

SQUARE = Image(np.zeros((2000, 900), np.uint16), "DX")
ANISOTROPIC = Image(np.zeros((2000, 900), np.uint16), "DX", spacing_mm=(0.3, 0.15), spacing_kind="given")
MIXED = np.interp(np.arange(17), [0, 4, 10, 16], [18.0, 22.0, -23.0, 15.0])
"""45 degrees from T5 to T11, 38 degrees from T11 to L5."""


def corners_of(tilts: NDArray[np.float64]) -> NDArray[np.float64]:
    return phantoms.spine_corners(tilts, (450.0, 130.0), 1700.0)


def curves_of(corners: NDArray[np.float64], image: Image = SQUARE, side: str | None = None) -> list[CobbAngle]:
    """What the pipeline reports for these corners."""
    return [
        CobbAngle(
            name=curve.region,
            degrees=round(curve.degrees, 2),
            upper=T1_TO_L5[curve.upper],
            lower=T1_TO_L5[curve.lower],
            apex=T1_TO_L5[curve.apex],
            side=side,
            line_px=tuple(map(tuple, image.to_px(curve.line).tolist())),
        )
        for curve in clinical_curves(image.to_mm(corners), T1_TO_L5)
    ]


def findings_of(tilts: NDArray[np.float64], image: Image = SQUARE) -> list[Finding]:
    corners = corners_of(tilts)
    return [*results.vertebrae(corners), *curves_of(corners, image)]


def compare(reference: NDArray[np.float64], candidate: NDArray[np.float64]) -> Differences:
    return differences(findings_of(reference), findings_of(candidate), SQUARE, 2.0)


def ends(found: Differences) -> list[tuple[str, str, str, bool]]:
    return [(curve.found, curve.upper, curve.lower, curve.same_ends) for curve in found.curves]


def bent(*knots: tuple[int, float]) -> NDArray[np.float64]:
    """Tilts between these (vertebra, degrees)."""
    where, tilt = zip(*knots, strict=True)
    return np.interp(np.arange(17), where, tilt)


def test_a_result_does_not_differ_from_itself() -> None:
    found = compare(MIXED, MIXED)
    assert found.corners_px == (0.0,) * 68
    assert ends(found) == [("both", "T5", "T11", True), ("both", "T11", "L5", True)]
    assert [curve.degrees for curve in found.curves] == [0.0, 0.0]
    assert found.aasce_degrees == ()


@pytest.mark.parametrize(
    ("image", "move_px", "expected_mm"),
    [
        (SQUARE, (3.0, 4.0), 5.0),  # without spacing a pixel is the unit
        (ANISOTROPIC, (4.0, 0.0), 0.6),
        (ANISOTROPIC, (0.0, 4.0), 1.2),
        (ANISOTROPIC, (8.0, 3.0), 1.5),
    ],
)
def test_corners_move_in_pixels_of_the_network(image: Image, move_px: tuple[float, float], expected_mm: float) -> None:
    corners = corners_of(MIXED)
    found = differences(results.vertebrae(corners), results.vertebrae(corners + move_px), image, 0.5)
    assert found.corners_px == pytest.approx([expected_mm / 0.5] * 68)


def test_one_moved_corner_is_one_difference_in_its_own_place() -> None:
    corners = corners_of(MIXED)
    moved = corners.copy()
    moved[2, 3, 1] += 6.0
    found = differences(results.vertebrae(corners), results.vertebrae(moved), SQUARE, 2.0)
    assert [place for place, px in enumerate(found.corners_px) if px] == [2 * 4 + 3]
    assert found.corners_px[11] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((3000, 1000), None),
        ((1000, 3000), None),
        ((2000, 900), (0.3, 0.15)),
        ((900, 2000), (0.1, 0.4)),
        ((50, 20), None),
    ],
)
def test_a_pixel_of_the_network_is_as_large_as_the_preparation_makes_it(
    shape: tuple[int, int], spacing: tuple[float, float] | None
) -> None:
    size = (768, 320)
    image = Image(np.zeros(shape, np.uint8), "DX", spacing_mm=spacing, spacing_kind="given" if spacing else "none")
    plane = kernels.prepare_radiograph(image.pixels, size=size, mm_per_pixel_xy=image.mm_per_pixel_xy).map
    steps_mm = image.to_mm(np.array([plane.step_x, plane.step_y]))
    # the kernel rounds the resized image to whole pixels
    np.testing.assert_allclose(steps_mm, network_pixel_mm(image, size), rtol=0.01)


def test_a_larger_curve_differs_by_its_degrees() -> None:
    wider = bent((0, 18.0), (4, 22.0), (10, -24.5), (16, 15.0))
    found = compare(MIXED, wider)
    assert ends(found) == [("both", "T5", "T11", True), ("both", "T11", "L5", True)]
    assert [curve.degrees for curve in found.curves] == pytest.approx([1.5, 1.5])
    assert [curve.candidate_degrees for curve in found.curves] == pytest.approx([46.5, 39.5])


def test_another_end_vertebra_is_a_change_even_at_the_same_angle() -> None:
    longer = MIXED.copy()
    longer[3] = MIXED[4] + 0.01
    found = compare(MIXED, longer)
    assert ends(found)[0] == ("both", "T5", "T11", False)
    assert found.curves[0].degrees == pytest.approx(0.01)


def test_a_curve_that_fell_below_the_threshold_is_measured_between_its_own_end_plates() -> None:
    found = compare(bent((0, 0.0), (8, 5.2), (16, -5.2)), bent((0, 0.0), (8, 4.9), (16, -4.9)))
    assert ends(found) == [("reference", "T9", "L5", False)]
    (curve,) = found.curves
    assert curve.reference_degrees == pytest.approx(10.4)
    assert curve.candidate_degrees == pytest.approx(9.8)
    assert curve.degrees == pytest.approx(0.6)


def test_a_curve_that_rose_above_the_threshold_is_measured_the_other_way_round() -> None:
    found = compare(bent((0, 0.0), (8, 4.9), (16, -4.9)), bent((0, 0.0), (8, 5.2), (16, -5.2)))
    assert ends(found) == [("candidate", "T9", "L5", False)]
    assert (found.curves[0].reference_degrees, found.curves[0].candidate_degrees) == pytest.approx((9.8, 10.4))


def test_a_curve_that_bends_to_the_other_side_is_lost_and_gained() -> None:
    found = compare(bent((0, 6.0), (16, -6.0)), bent((0, -7.0), (16, 7.0)))
    assert ends(found) == [("reference", "T1", "L5", False), ("candidate", "T1", "L5", False)]
    assert [curve.degrees for curve in found.curves] == pytest.approx([26.0, 26.0])
    assert found.curves[0].candidate_degrees == pytest.approx(-14.0)


def test_two_curves_that_became_one_count_as_one_match_and_two_losses() -> None:
    three = bent((0, 20.0), (5, 0.0), (8, 11.0), (16, -30.0))
    merged = bent((0, 20.0), (5, 5.0), (8, 9.0), (16, -30.0))
    found = compare(three, merged)
    assert ends(found) == [
        ("reference", "T1", "T6", False),
        ("reference", "T6", "T9", False),
        ("both", "T9", "L5", False),
    ]
    assert [curve.degrees for curve in found.curves] == pytest.approx([5.0, 7.0, 9.0])


def test_neighbouring_curves_of_the_same_side_are_not_confused() -> None:
    spine = bent((0, 15.0), (4, -10.0), (8, 15.0), (12, -10.0), (16, 15.0))
    other = bent((0, 16.0), (4, -11.0), (8, 16.0), (12, -11.0), (16, 16.0))
    found = compare(spine, other)
    assert len(found.curves) == 4
    assert all(curve.found == "both" and curve.same_ends for curve in found.curves)
    assert [curve.degrees for curve in found.curves] == pytest.approx([2.0] * 4)


def test_the_side_of_the_patient_is_not_needed_to_tell_curves_apart() -> None:
    corners = corners_of(MIXED)
    with_side = [*results.vertebrae(corners), *curves_of(corners, side="left")]
    found = differences(with_side, findings_of(MIXED), SQUARE, 1.0)
    assert ends(found) == [("both", "T5", "T11", True), ("both", "T11", "L5", True)]


def test_angles_of_pixels_that_are_not_square_are_measured_in_millimetres() -> None:
    reference, candidate = bent((0, 0.0), (8, 4.0), (16, -4.0)), bent((0, 0.0), (8, 2.0), (16, -2.0))
    found = differences(findings_of(reference, ANISOTROPIC), findings_of(candidate, ANISOTROPIC), ANISOTROPIC, 1.0)
    (curve,) = found.curves
    # rows are twice as far apart as columns, so the slopes double
    assert curve.reference_degrees == pytest.approx(
        2 * math.degrees(math.atan(2 * math.tan(math.radians(4)))), abs=0.01
    )
    assert curve.candidate_degrees == pytest.approx(2 * math.degrees(math.atan(2 * math.tan(math.radians(2)))))


def test_corners_that_coincide_have_no_angle_so_all_of_the_curve_is_lost() -> None:
    reference = findings_of(bent((0, 12.0), (16, -12.0)))
    flat = corners_of(bent((0, 12.0), (16, -12.0)))
    flat[0, :2] = flat[0, 0]
    found = differences(reference, results.vertebrae(flat), SQUARE, 1.0)
    assert [(curve.found, curve.degrees) for curve in found.curves] == [("reference", pytest.approx(24.0))]


def test_the_challenge_s_angles_are_compared_in_their_order() -> None:
    corners = results.vertebrae(corners_of(MIXED))
    one, other = AasceAngles(degrees=(45.0, 38.0, 4.0)), AasceAngles(degrees=(44.0, 40.5, 4.0))
    assert differences([*corners, one], [*corners, other], SQUARE, 1.0).aasce_degrees == pytest.approx((1.0, 2.5, 0.0))
    assert differences([*corners, one], corners, SQUARE, 1.0).aasce_degrees == pytest.approx((45.0, 38.0, 4.0))
    assert differences(corners, [*corners, one], SQUARE, 1.0).aasce_degrees == pytest.approx((45.0, 38.0, 4.0))


def test_results_with_other_vertebrae_are_refused() -> None:
    corners = results.vertebrae(corners_of(MIXED))
    with pytest.raises(ValueError, match=r"other vertebrae: T1, .*L5 and T2, .*L5"):
        differences(corners, corners[1:], SQUARE, 1.0)


def test_many_images_are_pooled() -> None:
    wider = bent((0, 18.0), (4, 22.0), (10, -24.0), (16, 15.0))
    lost = compare(bent((0, 0.0), (8, 5.2), (16, -5.2)), bent((0, 0.0), (8, 4.9), (16, -4.9)))
    summary = summarize([compare(MIXED, MIXED), compare(MIXED, wider), lost])
    assert summary.images == 3
    assert summary.corners_px is not None
    assert summary.corners_px.count == 3 * 68
    assert summary.curve_degrees is not None
    assert summary.curve_degrees.count == 5
    assert summary.curve_degrees.median == pytest.approx(0.6)
    assert summary.curve_degrees.largest == pytest.approx(1.0)
    assert 0.6 < summary.curve_degrees.percentile_95 <= 1.0
    assert summary.changed_ends == 1
    assert summary.aasce_degrees is None


def test_a_straight_spine_has_no_curve_to_compare() -> None:
    summary = summarize([compare(np.zeros(17), np.zeros(17))])
    assert summary.curve_degrees is None
    assert summary.changed_ends == 0
    assert summary.corners_px is not None
    assert summary.corners_px.largest == 0.0


def test_differences_are_written_and_read_as_json() -> None:
    found = compare(MIXED, bent((0, 18.0), (4, 22.0), (10, -24.0), (16, 15.0)))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Differences) == found


def test_results_without_vertebrae_have_no_curves() -> None:
    def stated(*degrees: float) -> list[Finding]:
        return [Midline(points_px=((1.0, 2.0), (1.0, 9.0))), AasceAngles(degrees=degrees)]

    found = differences(stated(40.0, 20.0, 5.0), stated(39.0, 20.5, 5.0), SQUARE, 2.0)
    assert (found.corners_px, found.curves, found.aasce_degrees) == ((), (), (1.0, 0.5, 0.0))
    summary = summarize([found])
    assert summary.curve_degrees is None
    assert summary.aasce_degrees is not None
    assert summary.aasce_degrees.largest == 1.0


def test_mid_lines_are_compared_by_points_evenly_along_them() -> None:
    """However many points each has, and in millimetres."""
    straight = Midline(points_px=((100.0, 0.0), (100.0, 40.0), (100.0, 1000.0)))
    beside = Midline(points_px=tuple((108.0, float(y)) for y in range(0, 1001, 100)))
    found = differences([straight], [beside], ANISOTROPIC, 0.6)
    assert found.points_px == pytest.approx([8 * 0.15 / 0.6] * 17)
    assert found.corners_px == ()
    with pytest.raises(ValueError, match="midline"):
        differences([straight], [], SQUARE, 1.0)


def test_centres_are_compared_by_level() -> None:
    def centres(*levels: str, x: float = 50.0) -> list[Finding]:
        return [VertebraCentre(level=each, centre_px=(x, 9.0), centre_mm=None, confidence=1.0) for each in levels]

    found = differences(centres("L1", "L2"), centres("L1", "L2", x=53.0), SQUARE, 2.0)
    assert found.points_px == (1.5, 1.5)
    spread = summarize([found]).corners_px
    assert spread is not None
    assert (spread.count, spread.largest) == (2, 1.5)
    with pytest.raises(ValueError, match="other vertebrae: L1, L2 and L1, L3"):
        differences(centres("L1", "L2"), centres("L1", "L3"), SQUARE, 2.0)
