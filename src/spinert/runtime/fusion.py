"""The findings of several members about one image become one result, and what they disagree on is said.

An angle is the mean of the members' angles. The vertebrae, and where a curve is drawn, are those of the first member
that was not left out and names vertebrae. Never silent:

members_disagree   their angles differ by more than the bundle's `most_degrees_apart`, or they name other vertebrae
not_all_members    fewer members stand behind the angle than there are: the others did not find it or were left out
no_member_passed   no member was good enough for a vote: the angle is the first one's

A 95 % interval of a mean is the mean of the intervals, for the members' errors on one image are not independent; it is
None where a member states none. Members that differ by more than their intervals are flagged, not given a wider one.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from spinert.findings import LEVELS, AasceAngles, CobbAngle, Finding, Interval, Vertebra
from spinert.image import Image
from spinert.manifest import Fusion, VoteFusion
from spinert.runtime import vote
from spinert.runtime.differences import same_curves
from spinert.runtime.landmark_findings import UNCERTAIN_VERTEBRA

MEMBERS_DISAGREE = "members_disagree"
NOT_ALL_MEMBERS = "not_all_members"
NO_MEMBER_PASSED = "no_member_passed"


class Found(NamedTuple):
    """What a member found; `problem` says why it found nothing at all."""

    member: str
    findings: tuple[Finding, ...]
    problem: str | None = None


class Fused(NamedTuple):
    """The findings of the result, and what its reader must know."""

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...] = ()


class _Part(NamedTuple):
    """A member that takes part, with its share in a mean."""

    member: str
    findings: tuple[Finding, ...]
    weight: float

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(each.level or vote.UNTOLD for each in self.findings if isinstance(each, Vertebra))

    @property
    def curves(self) -> list[CobbAngle]:
        return [each for each in self.findings if isinstance(each, CobbAngle)]

    @property
    def challenge(self) -> AasceAngles | None:
        return next((each for each in self.findings if isinstance(each, AasceAngles)), None)


class _Meeting(NamedTuple):
    """Those who take part, of how many members, and how far apart their angles may be."""

    parts: tuple[_Part, ...]
    members: int
    most_degrees_apart: float


def fuse(fusion: Fusion, found: Sequence[Found], image: Image) -> Fused:
    """One result of what the members, in the bundle's order, found in `image`; at least one without a problem."""
    weights = () if isinstance(fusion, VoteFusion) else fusion.weights
    parts = tuple(
        _Part(each.member, each.findings, weight)
        for each, weight in zip(found, weights or (1.0,) * len(found), strict=True)
        if each.problem is None
    )
    warnings = [_left_out(each.member, each.problem) for each in found if each.problem is not None]
    meeting = _Meeting(parts, len(found), fusion.most_degrees_apart)
    fused = _voted(meeting, fusion, image) if isinstance(fusion, VoteFusion) else _averaged(meeting, image)
    return Fused(fused.findings, (*warnings, *fused.warnings))


def _averaged(meeting: _Meeting, image: Image) -> Fused:
    """Every angle is the weighted mean over the members that found it."""
    warnings: list[str] = []
    having = [(part, part.challenge) for part in meeting.parts]
    angles = [(part, angles) for part, angles in having if angles is not None]
    challenge: list[AasceAngles] = []
    if angles:
        weights = [part.weight for part, _ in angles]
        columns = list(zip(*(each.degrees for _, each in angles), strict=True))
        flags = [flag for _, each in angles for flag in each.flags]
        flags += _apart(meeting, columns, warnings, [part.member for part, _ in angles])
        if len(angles) < meeting.members:
            flags.append(NOT_ALL_MEMBERS)
            warnings.append(f"the challenge's angles are of {_names(part for part, _ in angles)} only")
        intervals = [each.degrees_95 for _, each in angles]
        challenge = [_challenge(columns, weights, flags, intervals)]
    curves, said = _curves(meeting, image)
    return Fused((*_unmeasured(meeting.parts), *curves, *challenge), (*said, *warnings))


def _voted(meeting: _Meeting, fusion: VoteFusion, image: Image) -> Fused:
    """The vote of `runtime.vote`; clinical curves are averaged over the members that may vote."""
    voters = [vote.voter_of(part.member, part.findings) for part in meeting.parts]
    barred = vote.admit(voters, fusion.side_ratio)
    warnings = [_left_out(member, why) for member, why in barred.items()]
    voters = [voter for voter in voters if voter.member not in barred]
    if not voters:
        first = meeting.parts[0]
        none = f"no member passed the quality check: the findings are those of {first.member!r}"
        return Fused(tuple(_flagged(each, NO_MEMBER_PASSED) for each in first.findings), (*warnings, none))
    parts = tuple(part for part in meeting.parts if part.member not in barred)
    # members that were left out were left out by the rule of the vote; but one alone is no vote
    jury = meeting._replace(parts=parts, members=max(2, len(parts)))
    outcome = vote.hold(voters)
    warnings += outcome.warnings
    columns = list(zip(*outcome.degrees, strict=True))
    flagged = any(each.flags for part in parts for each in part.findings if isinstance(each, Vertebra))
    flags = [UNCERTAIN_VERTEBRA] if flagged else []
    flags += _apart(jury, columns, warnings, [voter.member for voter in voters])
    if len(parts) < jury.members:
        flags.append(NOT_ALL_MEMBERS)
    curves, said = _curves(jury, image)
    challenge = _challenge(columns, [1.0] * len(voters), flags, [None])
    return Fused((*_unmeasured(parts), *curves, challenge), (*said, *warnings))


def _challenge(
    columns: Sequence[tuple[float, ...]],
    weights: Sequence[float],
    flags: Iterable[str],
    intervals: Sequence[tuple[Interval, Interval, Interval] | None],
) -> AasceAngles:
    first, second, third = (round(_mean(column, weights), 3) for column in columns)
    known = [each for each in intervals if each is not None]
    degrees_95 = None
    if len(known) == len(intervals):
        low, middle, high = (_mean_interval(column, weights) for column in zip(*known, strict=True))
        degrees_95 = (low, middle, high)
    return AasceAngles(degrees=(first, second, third), degrees_95=degrees_95, flags=tuple(dict.fromkeys(flags)))


def _apart(
    meeting: _Meeting, columns: Sequence[tuple[float, ...]], warnings: list[str], members: Sequence[str]
) -> list[str]:
    """The flag where one of the challenge's angles is too far apart, and a warning with the values of each member."""
    if all(max(column) - min(column) <= meeting.most_degrees_apart for column in columns):
        return []
    rows = zip(members, zip(*columns, strict=True), strict=True)
    told = "; ".join(f"{member!r} {', '.join(f'{value:.1f}' for value in values)}" for member, values in rows)
    warnings.append(f"members disagree on the challenge's angles: {told} degrees")
    return [MEMBERS_DISAGREE]


def _curves(meeting: _Meeting, image: Image) -> tuple[list[CobbAngle], list[str]]:
    """The clinical curves, and what is to be said of them."""
    parts = [part for part in meeting.parts if part.levels]
    if not any(part.curves for part in meeting.parts):
        return [], []
    if not parts:  # curves without vertebrae cannot be told to be the same
        parts = [part for part in meeting.parts if part.curves][:1]
        return _alone(parts[0], NOT_ALL_MEMBERS)
    if any(part.levels != parts[0].levels for part in parts):
        return _alone(parts[0], MEMBERS_DISAGREE)
    warnings = []
    if without := [part for part in meeting.parts if not part.levels]:
        warnings.append(f"the curves are without {_names(without)}, which names no vertebrae")
    able = meeting._replace(parts=tuple(parts), members=meeting.members - len(without))
    fused = [_curve(able, group, warnings) for group in _groups(parts, image)]
    return sorted(fused, key=lambda each: (LEVELS.index(each.upper), LEVELS.index(each.lower))), warnings


def _alone(part: _Part, flag: str) -> tuple[list[CobbAngle], list[str]]:
    """One member's curves: those of the others are between vertebrae that may be others of the same name."""
    curves = [msgspec.structs.replace(each, flags=(*each.flags, flag)) for each in part.curves]
    return curves, [f"the curves are those of {part.member!r} alone: the members do not name the same vertebrae"]


def _groups(parts: Sequence[_Part], image: Image) -> Iterator[list[tuple[_Part, CobbAngle]]]:
    """Every curve once, with the members that found it: one that bulges to the same side and shares most levels."""
    left = {part.member: part.curves for part in parts}
    for place, part in enumerate(parts):
        own = left[part.member]
        groups = [[(part, curve)] for curve in own]
        for other in parts[place + 1 :]:
            theirs = left[other.member]
            pairs = same_curves(own, theirs, image)
            for mine, its in pairs.items():
                groups[mine].append((other, theirs[its]))
            left[other.member] = [each for each_place, each in enumerate(theirs) if each_place not in pairs.values()]
        yield from groups


def _curve(meeting: _Meeting, group: Sequence[tuple[_Part, CobbAngle]], warnings: list[str]) -> CobbAngle:
    shown = group[0][1]
    name = f"the curve {shown.upper} to {shown.lower}"
    weights = [part.weight for part, _ in group]
    degrees = tuple(each.degrees for _, each in group)
    flags = [flag for _, each in group for flag in each.flags]
    if len(group) < meeting.members:
        flags.append(NOT_ALL_MEMBERS)
        warnings.append(f"{name} was found by {_names(part for part, _ in group)} only")
    if max(degrees) - min(degrees) > meeting.most_degrees_apart:
        flags.append(MEMBERS_DISAGREE)
        told = "; ".join(f"{part.member!r} {each.degrees:.1f}" for part, each in group)
        warnings.append(f"members disagree on {name}: {told} degrees")
    if len({(each.upper, each.lower) for _, each in group}) > 1:
        told = "; ".join(f"{part.member!r} {each.upper} to {each.lower}" for part, each in group)
        warnings.append(f"members measure one curve between other end vertebrae: {told}")
    intervals = [each.degrees_95 for _, each in group]
    known = [each for each in intervals if each is not None]
    return msgspec.structs.replace(
        shown,
        degrees=round(_mean(degrees, weights), 2),
        degrees_95=_mean_interval(known, weights) if len(known) == len(intervals) else None,
        flags=tuple(dict.fromkeys(flags)),
    )


def _unmeasured(parts: Sequence[_Part]) -> tuple[Finding, ...]:
    """What is not averaged, of the first member that names vertebrae, else of the first."""
    base = next((part for part in parts if part.levels), parts[0])
    return tuple(each for each in base.findings if not isinstance(each, CobbAngle | AasceAngles))


def _flagged(finding: Finding, flag: str) -> Finding:
    if not isinstance(finding, CobbAngle | AasceAngles):
        return finding
    return msgspec.structs.replace(finding, flags=(*finding.flags, flag))


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


def _mean_interval(intervals: Sequence[Any], weights: Sequence[float]) -> Interval:
    low, high = (round(_mean(bounds, weights), 3) for bounds in zip(*intervals, strict=True))
    return low, high


def _names(parts: Iterable[_Part]) -> str:
    return " and ".join(repr(part.member) for part in parts)


def _left_out(member: str, why: str | None) -> str:
    return f"member {member!r} was left out: {why}"
