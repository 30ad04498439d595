"""Several members' findings become one result; nothing that only some of them found is averaged in silence."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.findings import AasceAngles, CobbAngle, Finding, Midline, Vertebra
from spinert.image import Image
from spinert.manifest import MeanFusion, VoteFusion
from spinert.runtime.fusion import Found, Fused, fuse
from tests import phantoms, results

IMAGE = Image(np.zeros((2000, 900), np.uint8), "DX", spacing_mm=(0.2, 0.2), view="AP")
MEAN, VOTE = MeanFusion(), VoteFusion(side_ratio=1.5)


def findings(
    upper: float = 20.0, lower: float = -25.0, angles: tuple[float, float, float] | None = (45.0, 20.0, 30.0)
) -> list[Finding]:
    """Curves T5 to T11 and T11 to L5 with these tilts at T5 and T11, and the challenge's angles."""
    tilts = np.interp(np.arange(17), [0, 4, 10, 16], [0.0, upper, lower, 10.0])
    corners = phantoms.spine_corners(tilts, (450.0, 120.0), 1700.0)
    curves = [results.curve(corners, tilts, 4, 10), results.curve(corners, tilts, 10, 16)]
    challenge = [] if angles is None else [AasceAngles(degrees=angles)]
    return [*results.vertebrae(corners), *curves, *challenge]


def found(*members: Sequence[Finding]) -> list[Found]:
    return [Found(name, tuple(each)) for name, each in zip("abc", members, strict=False)]


def curves(fused: Fused) -> list[CobbAngle]:
    return [each for each in fused.findings if isinstance(each, CobbAngle)]


def challenge(fused: Fused) -> AasceAngles:
    (angles,) = [each for each in fused.findings if isinstance(each, AasceAngles)]
    return angles


def changed(members: Sequence[Finding], kind: type, **fields: Any) -> list[Finding]:
    return [msgspec.structs.replace(each, **fields) if isinstance(each, kind) else each for each in members]


def without(members: Sequence[Finding], kind: type) -> list[Finding]:
    return [each for each in members if not isinstance(each, kind)]


@pytest.mark.parametrize(("weights", "share"), [((), 0.5), ((3.0, 1.0), 0.25)])
def test_every_angle_is_the_weighted_mean(weights: tuple[float, ...], share: float) -> None:
    two = found(findings(), findings(22.0, -27.0, (47.0, 24.0, 30.0)))
    fused = fuse(MeanFusion(weights=weights), two, IMAGE)
    assert fused.warnings == ()
    assert challenge(fused) == AasceAngles(degrees=(45 + 2 * share, 20 + 4 * share, 30.0))
    assert [each.degrees for each in curves(fused)] == pytest.approx([45 + 4 * share, 35 + 2 * share], abs=0.01)
    assert [each.flags for each in curves(fused)] == [(), ()]


@pytest.mark.parametrize("fusion", [MEAN, VOTE])
def test_what_is_not_an_angle_is_the_first_members(fusion: Any) -> None:
    first = [*findings(), Midline(points_px=((1.0, 2.0), (1.0, 9.0)))]
    fused = fuse(fusion, found(first, findings(22.0)), IMAGE)
    kept = [each for each in fused.findings if isinstance(each, Vertebra | Midline)]
    assert kept == [each for each in first if isinstance(each, Vertebra | Midline)]
    assert [each.line_px for each in curves(fused)] == [each.line_px for each in first if isinstance(each, CobbAngle)]


def test_members_that_are_far_apart_are_flagged_and_told_with_their_values() -> None:
    fused = fuse(MEAN, found(findings(), findings(29.0, -25.0, (54.0, 20.0, 30.0))), IMAGE)
    assert challenge(fused).flags == ("members_disagree",)
    assert [each.flags for each in curves(fused)] == [("members_disagree",), ()]
    assert "members disagree on the curve T5 to T11: 'a' 45.0; 'b' 54.0 degrees" in fused.warnings
    assert "members disagree on the challenge's angles: 'a' 45.0, 20.0, 30.0; 'b' 54.0, 20.0, 30.0 degrees" in (
        fused.warnings
    )
    assert fuse(MeanFusion(most_degrees_apart=10.0), found(findings(), findings(29.0)), IMAGE).warnings == ()


def test_angles_that_one_member_did_not_find_are_flagged_and_told() -> None:
    fused = fuse(MEAN, found(findings(), without(findings(22.0), AasceAngles)), IMAGE)
    assert challenge(fused) == AasceAngles(degrees=(45.0, 20.0, 30.0), flags=("not_all_members",))
    assert fused.warnings == ("the challenge's angles are of 'a' only",)


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_curve_that_one_member_did_not_find_stays_flagged_and_is_no_mean(lacking: int) -> None:
    full, short = findings(), findings()
    short = [each for each in short if not (isinstance(each, CobbAngle) and each.upper == "T11")]
    two = [short, full] if lacking == 0 else [full, short]
    fused = fuse(MEAN, found(*two), IMAGE)
    assert [(each.upper, each.degrees, each.flags) for each in curves(fused)] == [
        ("T5", 45.0, ()),
        ("T11", 35.0, ("not_all_members",)),
    ]
    assert fused.warnings == (f"the curve T11 to L5 was found by {'ba'[lacking]!r} only",)


def test_two_curves_of_one_member_are_never_both_matched_to_one() -> None:
    # 'b' finds one long curve where 'a' finds a curve and, below it, none
    merged = without(findings(), CobbAngle)
    long = msgspec.structs.replace(findings()[17], lower="L3")
    fused = fuse(MEAN, found(findings(), [*merged, long]), IMAGE)
    assert [(each.upper, each.flags) for each in curves(fused)] == [("T5", ()), ("T11", ("not_all_members",))]
    assert "members measure one curve between other end vertebrae: 'a' T5 to T11; 'b' T5 to L3" in fused.warnings


def test_a_curve_to_the_other_side_is_another_curve() -> None:
    fused = fuse(MEAN, found(findings(), findings(-20.0, 25.0, (45.0, 20.0, 30.0))), IMAGE)
    assert len(curves(fused)) == 4
    assert all("not_all_members" in each.flags for each in curves(fused))


@pytest.mark.parametrize("fusion", [MEAN, VOTE])
def test_a_member_that_refused_the_image_is_told(fusion: Any) -> None:
    refused = Found("c", (), "no spine is in it")
    fused = fuse(fusion, [*found(findings(), findings()), refused], IMAGE)
    assert fused.warnings[0] == "member 'c' was left out: no spine is in it"
    # a vote goes on without those that are not good enough, a mean was to be of all
    assert (challenge(fused).flags == ("not_all_members",)) == (fusion is MEAN)


def test_curves_between_vertebrae_of_other_names_are_not_averaged() -> None:
    other = findings(26.0)
    del other[16]
    fused = fuse(MEAN, found(findings(), other), IMAGE)
    assert [each.degrees for each in curves(fused)] == [45.0, 35.0]
    assert all(each.flags == ("members_disagree",) for each in curves(fused))
    assert "the curves are those of 'a' alone: the members do not name the same vertebrae" in fused.warnings


def test_direct_regressors_have_only_their_angles_averaged() -> None:
    three = [[AasceAngles(degrees=(40.0 + v, 20.0, 10.0))] for v in range(3)]
    fused = fuse(MeanFusion(weights=(1.0, 1.0, 2.0)), found(*three), IMAGE)
    assert fused == Fused((AasceAngles(degrees=(41.25, 20.0, 10.0)),))


def test_curves_without_a_member_that_names_no_vertebrae_say_so() -> None:
    fused = fuse(MEAN, found([AasceAngles(degrees=(45.0, 20.0, 30.0))], findings(), findings()), IMAGE)
    assert sum(isinstance(each, Vertebra) for each in fused.findings) == 17
    assert [each.flags for each in curves(fused)] == [(), ()]
    assert fused.warnings == ("the curves are without 'a', which names no vertebrae",)


def test_flags_of_every_member_stay() -> None:
    flagged = changed(findings(), AasceAngles, flags=("uncertain_vertebra",))
    assert challenge(fuse(MEAN, found(findings(), flagged), IMAGE)).flags == ("uncertain_vertebra",)


def test_intervals_are_averaged_where_every_member_has_one() -> None:
    first = changed(changed(findings(), CobbAngle, degrees_95=(40.0, 50.0)), AasceAngles, degrees_95=((1.0, 3.0),) * 3)
    second = changed(changed(findings(), CobbAngle, degrees_95=(42.0, 46.0)), AasceAngles, degrees_95=((2.0, 6.0),) * 3)
    fused = fuse(MEAN, found(first, second), IMAGE)
    assert curves(fused)[0].degrees_95 == (41.0, 48.0)
    assert challenge(fused).degrees_95 == ((1.5, 4.5),) * 3
    fused = fuse(MEAN, found(first, findings()), IMAGE)
    assert curves(fused)[0].degrees_95 is None
    assert challenge(fused).degrees_95 is None


def poor(members: Sequence[Finding]) -> list[Finding]:
    """With the lower left corner of T8 far too low."""
    vertebra = members[7]
    assert isinstance(vertebra, Vertebra)
    first, second, (x, y), fourth = vertebra.corners_px
    return [
        *members[:7],
        msgspec.structs.replace(vertebra, corners_px=(first, second, (x, y + 80), fourth)),
        *members[8:],
    ]


def test_a_vote_gives_the_mean_of_the_angles_between_the_elected_vertebrae() -> None:
    fused = fuse(VOTE, found(findings(), findings(), findings(23.0, -25.0)), IMAGE)
    assert fused.warnings == ()
    # T1 0, T5 20, T11 -25, L5 10 degrees, and 23 in one of three; MT, PT, TL
    assert challenge(fused).degrees == pytest.approx((46.0, 21.0, 35.0), abs=1e-3)
    assert [each.degrees for each in curves(fused)] == pytest.approx([46.0, 35.0], abs=0.01)


def test_a_poor_member_is_left_out_of_a_vote_and_told() -> None:
    fused = fuse(VOTE, found(poor(findings(35.0)), findings(), findings()), IMAGE)
    assert challenge(fused).degrees == pytest.approx((45.0, 20.0, 35.0), abs=1e-3)
    assert challenge(fused).flags == ()
    assert fused.warnings[0].startswith("member 'a' was left out: opposite sides of its T8 are")
    # the vertebrae are those of the first member that passed
    assert list(fused.findings[:17]) == findings()[:17]


def test_one_member_alone_is_no_vote() -> None:
    fused = fuse(VOTE, found(findings(), poor(findings())), IMAGE)
    assert challenge(fused).flags == ("not_all_members",)
    assert all(each.flags == ("not_all_members",) for each in curves(fused))


def test_where_no_member_passes_the_first_ones_angles_stay_flagged() -> None:
    fused = fuse(VOTE, found(poor(findings()), poor(findings(30.0))), IMAGE)
    assert challenge(fused) == AasceAngles(degrees=(45.0, 20.0, 30.0), flags=("no_member_passed",))
    assert all(each.flags == ("no_member_passed",) for each in curves(fused))
    assert fused.warnings[-1] == "no member passed the quality check: the findings are those of 'a'"


def test_voters_that_are_far_apart_are_flagged() -> None:
    fused = fuse(VOTE, found(findings(), findings(), findings(30.0)), IMAGE)
    assert challenge(fused).flags == ("members_disagree",)
    assert any("members disagree on the challenge's angles: 'a' 45.0, 20.0, 35.0" in each for each in fused.warnings)


def test_a_vote_over_a_doubtful_vertebra_is_flagged() -> None:
    doubtful = changed(findings(), Vertebra, flags=("low_confidence",))
    assert challenge(fuse(VOTE, found(findings(), doubtful), IMAGE)).flags == ("uncertain_vertebra",)


def test_a_vote_over_members_without_vertebrae_keeps_the_first_ones_angles() -> None:
    two: list[NDArray[Any] | list[Finding]] = [
        [AasceAngles(degrees=(9.0, 8.0, 7.0))],
        [AasceAngles(degrees=(1.0, 1.0, 1.0))],
    ]
    fused = fuse(VOTE, found(*two), IMAGE)
    assert fused.findings == (AasceAngles(degrees=(9.0, 8.0, 7.0), flags=("no_member_passed",)),)
