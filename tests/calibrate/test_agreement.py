"""The gate, over results made by hand: each limit alone, told with both values."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.calibrate.agreement import LIMITS, Agreement, Limit, agree
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Result, Vertebra, VertebraCentre
from spinert.image import Image
from tests.results import double_curve, examined, result

NETWORK = (1000, 450)
"""Half the size of the film: 2 px of the film are 1 px of the network."""
_, EXACT = examined()
HOLDS = Agreement(
    studies=40,
    curves=80,
    cobb_median_degrees=0.3,
    cobb_95th_degrees=1.0,
    cobb_largest_degrees=2.0,
    corners_median_px=9.0,
    corners_95th_px=0.5,
    corners_largest_px=9.0,
    same_ends_percent=98.0,
    failed=0,
)

Change = Callable[[Finding], Finding]


def turned(by_degrees: float) -> Change:
    def change(finding: Finding) -> Finding:
        if not isinstance(finding, CobbAngle):
            return finding
        return msgspec.structs.replace(finding, degrees=finding.degrees + by_degrees)

    return change


def moved(by_px: float) -> Change:
    def change(finding: Finding) -> Finding:
        if not isinstance(finding, Vertebra):
            return finding
        corners = tuple((x + by_px, y) for x, y in finding.corners_px)
        return msgspec.structs.replace(finding, corners_px=corners)

    return change


def other_end(finding: Finding) -> Finding:
    if not isinstance(finding, CobbAngle):
        return finding
    return msgspec.structs.replace(finding, lower=T1_TO_L5[T1_TO_L5.index(finding.lower) - 1])


def changed(change: Change) -> Result:
    return msgspec.structs.replace(EXACT, findings=tuple(change(each) for each in EXACT.findings))


def compared(candidate: Sequence[Result | None]) -> Agreement:
    return agree([EXACT] * len(candidate), candidate, NETWORK)[0]


def test_the_same_results_agree() -> None:
    found = compared([EXACT] * 10)
    assert (found.studies, found.curves, found.failed) == (10, 20, 0)
    assert (found.cobb_largest_degrees, found.corners_largest_px, found.same_ends_percent) == (0.0, 0.0, 100.0)
    assert found.broken == ()
    assert found.share == 0.0


def test_a_value_at_its_limit_holds() -> None:
    assert HOLDS.broken == ()
    assert HOLDS.share == 1.0


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.measure)
def test_each_limit_broken_alone_is_told_with_both_values(limit: Limit) -> None:
    beyond = limit.bound - 1.5 if limit.least else limit.bound + 1
    (told,) = msgspec.structs.replace(HOLDS, **{limit.measure: beyond}).broken
    assert f"{beyond:.3g}" in told
    assert f"the limit of {limit.bound:g} {limit.unit}" in told
    assert ("below" in told) == limit.least


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.measure)
def test_what_is_no_number_holds_no_limit(limit: Limit) -> None:
    assert len(msgspec.structs.replace(HOLDS, **{limit.measure: float("nan")}).broken) == 1


@pytest.mark.parametrize(
    ("candidates", "told"),
    [
        ([changed(turned(0.4))] * 20, ["cobb median degrees is 0.4, above the limit of 0.3 degrees"]),
        ([EXACT] * 18 + [changed(turned(1.1))] * 2, ["cobb 95th degrees is 1.1, above the limit of 1 degrees"]),
        ([EXACT] * 39 + [changed(turned(-2.5))], ["cobb largest degrees is 2.5, above the limit of 2 degrees"]),
        ([EXACT] * 18 + [changed(moved(1.2))] * 2, ["corners 95th px is 0.6, above the limit of 0.5 px"]),
        ([EXACT] * 18 + [changed(other_end)], ["same ends percent is 94.7, below the limit of 98 % of curves"]),
        ([EXACT] * 18 + [None], ["failed is 1, above the limit of 0 studies"]),
    ],
)  # fmt: skip
def test_results_that_break_one_limit(candidates: list[Result | None], told: list[str]) -> None:
    assert [each.removesuffix(" at network size") for each in compared(candidates).broken] == told


def test_a_flagged_curve_counts_in_all_but_the_largest() -> None:
    """One that fp32 flags; what only the candidate flags is no excuse."""
    doubtful = changed(lambda f: msgspec.structs.replace(f, flags=("uncertain",)) if isinstance(f, CobbAngle) else f)
    far = changed(turned(9.0))
    agreement, _ = agree([EXACT] * 39 + [doubtful], [EXACT] * 39 + [far], NETWORK)
    assert agreement.broken == ()
    assert (agreement.flagged_curves, agreement.cobb_largest_degrees) == (2, 0.0)
    assert agreement.cobb_flagged_largest_degrees == pytest.approx(9.0)
    agreement, _ = agree([doubtful] * 18, [far] * 18, NETWORK)
    assert len(agreement.broken) == 2, "median and 95th percentile"
    far_and_flagged = msgspec.structs.replace(
        far,
        findings=tuple(
            msgspec.structs.replace(f, flags=("uncertain",)) if isinstance(f, CobbAngle) else f for f in far.findings
        ),
    )
    (told,) = agree([EXACT] * 40, [EXACT] * 39 + [far_and_flagged], NETWORK)[0].broken
    assert told.startswith("cobb largest degrees is 9")


def test_where_all_studies_fail_there_is_nothing_to_compare_and_the_gate_does_not_hold() -> None:
    found = compared([None, None])
    assert (found.studies, found.curves, found.failed) == (2, 0, 2)
    assert found.broken == (
        "curves is 0, below the limit of 20 curves",
        "failed is 2, above the limit of 0 studies",
    )


def straight(corners: NDArray[np.float64]) -> Result:
    image, _ = examined()
    levels = [each for each in EXACT.findings if isinstance(each, Vertebra)]
    return result(Image(image.pixels, "DX", spacing_mm=image.spacing_mm), [*levels][: len(corners)])


def test_a_study_with_other_vertebrae_has_failed() -> None:
    fewer = msgspec.structs.replace(EXACT, findings=tuple(f for f in EXACT.findings if f != EXACT.findings[3]))
    assert compared([EXACT, fewer]).failed == 1


def test_films_without_curves_have_corners_to_compare_and_prove_nothing() -> None:
    plain = straight(double_curve()[2])
    found, differences = agree([plain], [plain], NETWORK)
    assert (found.curves, found.cobb_largest_degrees, found.same_ends_percent) == (0, 0.0, 100.0)
    assert len(differences[0].corners_px) == 68
    assert found.broken == ("curves is 0, below the limit of 20 curves",)


def test_a_curve_that_one_side_alone_reports_counts_as_other_ends() -> None:
    lost = msgspec.structs.replace(
        EXACT, findings=tuple(each for each in EXACT.findings if getattr(each, "upper", "") != "T11")
    )
    found = compared([EXACT, lost])
    assert found.curves == 4
    assert found.same_ends_percent == 75.0


def test_the_share_is_that_of_the_worse_of_corners_and_angles() -> None:
    assert msgspec.structs.replace(HOLDS, corners_95th_px=0.1, cobb_95th_degrees=0.4).share == pytest.approx(0.4)
    assert msgspec.structs.replace(HOLDS, corners_95th_px=0.3, cobb_95th_degrees=0.4).share == pytest.approx(0.6)


def test_a_study_with_other_vertebrae_counts_as_failed() -> None:
    fewer = msgspec.structs.replace(EXACT, findings=EXACT.findings[1:])
    found = compared([EXACT, fewer])
    assert (found.studies, found.failed, found.curves) == (2, 1, 2)
    assert any(each.startswith("failed is 1") for each in found.broken)


def test_the_challenges_angles_stand_for_curves_where_there_are_no_vertebrae() -> None:
    exact = msgspec.structs.replace(EXACT, findings=(AasceAngles(degrees=(40.0, 20.0, 5.0)),))
    other = msgspec.structs.replace(EXACT, findings=(AasceAngles(degrees=(40.0, 22.5, 5.0)),))
    found, _ = agree([exact] * 7, [exact] * 6 + [other], NETWORK)
    assert (found.curves, found.cobb_largest_degrees, found.same_ends_percent) == (21, 2.5, 100.0)
    assert found.broken == ("cobb largest degrees is 2.5, above the limit of 2 degrees",)


@pytest.mark.parametrize(
    ("shift_px", "broken"), [(0.8, ()), (1.2, ("corners 95th px is 0.6, above the limit of 0.5",))]
)
def test_a_pipeline_that_names_vertebrae_only_is_judged_by_their_centres(
    shift_px: float, broken: tuple[str, ...]
) -> None:
    def named(x: float) -> Result:
        centres = [
            VertebraCentre(level=level, centre_px=(x, 10.0 * place), centre_mm=None, confidence=1.0)
            for place, level in enumerate(T1_TO_L5)
        ]
        return msgspec.structs.replace(EXACT, findings=tuple(centres))

    agreement, _ = agree([named(50.0)] * 20, [named(50.0 + shift_px)] * 20, NETWORK)
    assert len(agreement.broken) == len(broken)
    for said, expected in zip(agreement.broken, broken, strict=True):
        assert said.startswith(expected)
