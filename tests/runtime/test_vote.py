"""Who may vote, who is elected, and what is measured between the elected vertebrae."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5
from spinert.runtime import vote
from spinert.runtime.middle_vectors import Selected, measure
from tests import phantoms, results

TILTS = np.interp(np.arange(17), [0, 4, 11, 16], [-12.0, 25.0, -30.0, 8.0])


def corners(*places: float) -> NDArray[np.float64]:
    """A spine whose extreme tilts lie at these places."""
    return phantoms.spine_corners(np.interp(np.arange(17), places or (0, 4, 11, 16), [-12.0, 25.0, -30.0, 8.0]))


def voter(name: str, spine: NDArray[np.float64]) -> vote.Voter:
    return vote.voter_of(name, results.vertebrae(spine))


def test_a_voter_is_what_the_findings_show() -> None:
    shown = voter("a", corners())
    assert (shown.member, shown.levels) == ("a", T1_TO_L5)
    np.testing.assert_array_equal(shown.corners, corners())
    assert vote.voter_of("b", []).corners.shape == (0, 4, 2)


@pytest.mark.parametrize(("corner", "move"), [(1, (-40.0, 0.0)), (3, (0.0, 70.0))], ids=["end-plates", "sides"])
def test_a_vertebra_with_unequal_opposite_sides_bars_its_member(corner: int, move: tuple[float, float]) -> None:
    spine = corners()
    spine[6, corner] += move
    reasons = vote.admit([voter("good", corners()), voter("poor", spine)], 1.3)
    assert reasons.keys() == {"poor"}
    assert "opposite sides of its T7 are" in reasons["poor"]
    assert "more than 1.3 times" in reasons["poor"]
    assert vote.admit([voter("good", corners()), voter("poor", spine)], 5.0) == {}


def test_the_ratio_that_is_allowed_is_the_largest_one() -> None:
    square = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [15.0, 10.0]])  # end-plates 10 and 15
    spine = np.stack([square + np.array([0.0, 12.0 * v]) for v in range(3)])
    levels = vote.Voter("a", ("T1", "T2", "T3"), spine)
    assert vote.admit([levels], 1.5) == {}
    assert vote.admit([levels], 1.49).keys() == {"a"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (np.zeros((17, 4, 2)), "has no width"),
        (np.full((17, 4, 2), np.nan), "not finite"),
    ],
)
def test_corners_that_cannot_be_measured_bar_their_member(change: NDArray[np.float64], message: str) -> None:
    broken = vote.Voter("a", T1_TO_L5, change)
    assert message in vote.admit([broken], 1.5)["a"]


def test_a_member_that_names_no_spine_has_no_vote() -> None:
    reasons = vote.admit([voter("a", corners()), vote.voter_of("b", [])], 1.5)
    assert reasons == {"b": "it names 0 vertebrae, a vote needs 3"}


def test_members_that_name_other_vertebrae_than_most_have_no_vote() -> None:
    fewer = vote.voter_of("first", results.vertebrae(corners())[:16])
    reasons = vote.admit([fewer, voter("b", corners()), voter("c", corners())], 1.5)
    assert reasons == {"first": "it names T1 to L4 (16), most members T1 to L5 (17)"}
    assert vote.admit([fewer, voter("b", corners())], 1.5).keys() == {"b"}  # of equally many the first


@pytest.mark.parametrize(
    ("votes", "elected", "said"),
    [
        ([(0, 4, 11, 16)], (0, 4, 11, 16), ""),
        ([(0, 4, 11, 16), (1, 5, 12, 15), (1, 5, 12, 15)], (1, 5, 12, 15), ""),
        # each place by itself: nobody chose the four together
        ([(0, 4, 11, 16), (0, 5, 12, 16), (1, 5, 11, 16)], (0, 5, 11, 16), ""),
        ([(0, 4, 11, 16), (1, 5, 11, 16), (2, 6, 11, 16)], (0, 4, 11, 16), "no majority for V0, V1: that"),
        # half is no majority
        ([(0, 4, 11, 16), (0, 5, 11, 16)], (0, 4, 11, 16), "no majority for V1: that"),
        # the first member's V1 would lie below the majority's V2
        ([(0, 12, 14, 16), (0, 4, 11, 16), (0, 5, 11, 16)], (0, 12, 14, 16), "out of order: every vertebra"),
    ],
)
def test_the_minority_is_subordinate_to_the_majority(
    votes: list[tuple[int, ...]], elected: tuple[int, ...], said: str
) -> None:
    found, warnings = vote.elect([Selected(*each) for each in votes])
    assert found == Selected(*elected)
    assert said in " ".join(warnings)
    assert bool(warnings) == bool(said)


def test_all_members_are_measured_between_the_elected_vertebrae() -> None:
    spines = [corners(), corners(), corners(0, 5, 12, 16)]
    outcome = vote.hold([voter(name, spine) for name, spine in zip("abc", spines, strict=True)])
    assert outcome.selected == ("T1", "T5", "T12", "L5")
    assert outcome.warnings == ()
    assert outcome.degrees[0] == pytest.approx((55.0, 37.0, 38.0), abs=1e-9)
    assert outcome.degrees[2] == measure(spines[2], Selected(0, 4, 11, 16))
    assert outcome.degrees[2][0] < 52  # its own choice, T6 to L1, would have been 55


def test_without_agreement_the_first_members_choice_is_taken_and_said() -> None:
    outcome = vote.hold([voter("a", corners()), voter("b", corners(0, 5, 12, 16))])
    assert outcome.selected == ("T1", "T5", "T12", "L5")
    assert outcome.warnings == ("no majority for V1, V2: that of member 'a' was taken",)
