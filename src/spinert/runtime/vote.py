"""A vote of several members on the end vertebrae: Chen et al., AASCE 2019 (LNCS 11963), section 3.3.

Predictions in which the lengths of opposite sides differ much are poor and not considered. The others vote for the end
vertebrae, "minority subordinate to majority"; without agreement the choice of one model is taken at random for the
others. The result is the mean of the models' angles.

What the paper leaves open, and what is done here:
- A member is poor where any of its vertebrae has a side longer than `side_ratio` times the opposite one.
- Each of the four vertebrae of `middle_vectors` is voted on by itself; more than half of the votes are a majority.
- Nothing is random: without a majority the vertebra of the first member that may vote is taken, so the order of the
  members in the bundle says who is trusted most. Where that would put the four out of order, all are that member's.
- Votes are for levels by name. A member that names other vertebrae than most do has no vote.
- The angles are those of the members that may vote, each measured on its own corners between the elected vertebrae.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from spinert import kernels
from spinert.findings import Finding, Vertebra
from spinert.runtime.middle_vectors import Points, Selected, measure, select

LEAST_VERTEBRAE = 3
UNTOLD = "?"
"""In the place of a level that a member does not tell."""


class Voter(NamedTuple):
    """One member: its levels from head to foot and its corners, float64 [n, 4, 2] in pixels."""

    member: str
    levels: tuple[str, ...]
    corners: Points


class Outcome(NamedTuple):
    """The elected vertebrae by name (V0, V1, V2, V3), each voter's MT, PT and TL between them, and what to know."""

    selected: tuple[str, str, str, str]
    degrees: tuple[tuple[float, float, float], ...]
    warnings: tuple[str, ...]


def voter_of(member: str, findings: Iterable[Finding]) -> Voter:
    """A member as its findings show it."""
    vertebrae = [each for each in findings if isinstance(each, Vertebra)]
    corners = np.array([each.corners_px for each in vertebrae], np.float64).reshape(-1, 4, 2)
    return Voter(member, tuple(each.level or UNTOLD for each in vertebrae), corners)


def admit(voters: Sequence[Voter], side_ratio: float) -> dict[str, str]:
    """Members that may not vote, each with the reason."""
    reasons = {voter.member: why for voter in voters if (why := _poor(voter, side_ratio)) is not None}
    named = Counter(voter.levels for voter in voters if voter.member not in reasons)
    if named:
        ((usual, _),) = named.most_common(1)  # of equally many the first
        for voter in voters:
            if voter.member not in reasons and voter.levels != usual:
                reasons[voter.member] = f"it names {_span(voter.levels)}, most members {_span(usual)}"
    return reasons


def hold(voters: Sequence[Voter]) -> Outcome:
    """The vote of one or more voters who name the same vertebrae."""
    elected, warnings = elect([select(voter.corners) for voter in voters])
    levels = voters[0].levels
    v0, v1, v2, v3 = (levels[place] for place in elected)
    return Outcome(
        (v0, v1, v2, v3),
        tuple(measure(voter.corners, elected) for voter in voters),
        tuple(f"{each} of member {voters[0].member!r} was taken" for each in warnings),
    )


def elect(votes: Sequence[Selected]) -> tuple[Selected, tuple[str, ...]]:
    """The vertebrae of the majorities, and what was decided otherwise."""
    elected, undecided = [], []
    for field, places in zip(Selected._fields, zip(*votes, strict=True), strict=True):
        ((place, count),) = Counter(places).most_common(1)
        if 2 * count > len(votes):
            elected.append(place)
        else:
            elected.append(places[0])
            undecided.append(field.upper())
    together = Selected(*elected)
    if not together.v0 <= together.v1 < together.v2 <= together.v3:
        return votes[0], (
            f"no majority for {', '.join(undecided)}, and the rest would be out of order: every vertebra",
        )
    return together, (f"no majority for {', '.join(undecided)}: that",) if undecided else ()


def _poor(voter: Voter, side_ratio: float) -> str | None:
    if len(voter.levels) < LEAST_VERTEBRAE:
        return f"it names {len(voter.levels)} vertebrae, a vote needs {LEAST_VERTEBRAE}"
    if UNTOLD in voter.levels:
        return "it does not tell the levels of its vertebrae"
    if not np.isfinite(voter.corners).all():
        return "a corner of it is not finite"
    top_left, top_right, bottom_left, bottom_right = voter.corners.swapaxes(0, 1)
    ends = [(top_left, top_right), (bottom_left, bottom_right), (top_left, bottom_left), (top_right, bottom_right)]
    sides = np.stack([np.linalg.norm(b - a, axis=1) for a, b in ends]).reshape(2, 2, -1)
    longer, shorter = sides.max(axis=1), sides.min(axis=1)
    worst = np.argmax((longer > side_ratio * shorter).any(axis=0))
    if (longer[:, worst] > side_ratio * shorter[:, worst]).any():
        pair = int(np.argmax(longer[:, worst] - side_ratio * shorter[:, worst]))
        return (
            f"opposite sides of its {voter.levels[worst]} are {longer[pair, worst]:.4g} and {shorter[pair, worst]:.4g} "
            f"px long, more than {side_ratio:g} times"
        )
    if not kernels.tilt_vectors(np.ascontiguousarray(voter.corners)).any(axis=1).all():
        return "a vertebra of it has no width"
    return None


def _span(levels: Sequence[str]) -> str:
    return f"{levels[0]} to {levels[-1]} ({len(levels)})"
