"""How far apart are two results of one image, in what a clinician reads: places, Cobb angles, end vertebrae.

The same pipeline ran twice, with networks of another backend or precision; `verify` shows what came out and
`calibrate` refuses what is too far apart.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.findings import LEVELS, AasceAngles, CobbAngle, Finding, Midline, Vertebra, VertebraCentre
from spinert.image import Image

Points = NDArray[np.float64]

MIDLINE_POINTS = 17


class CurveDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One curve in both results. `upper` and `lower` are its end vertebrae where it was found, the reference first.

    `found` says where: a curve at the least angle that is reported may be in one result only. There the other angle is
    measured between the same end-plates, negative where it turns the other way.
    """

    upper: str
    lower: str
    found: Literal["both", "reference", "candidate"]
    reference_degrees: float
    candidate_degrees: float
    same_ends: bool
    """Whether it was found in both with the same end vertebrae."""
    flagged: bool = False
    """Whether the reference flags it, or the candidate where it alone has it: a reader is told not to rely on it."""

    @property
    def degrees(self) -> float:
        """|difference|."""
        return abs(self.candidate_degrees - self.reference_degrees)


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """One image. Distances are in pixels of the network's input, `aasce_degrees` absolute.

    `corners_px` are of the corners of vertebrae, `points_px` of what other pipelines find: centres of vertebrae, and
    points evenly along a mid-line.
    """

    corners_px: tuple[float, ...]
    points_px: tuple[float, ...] = ()
    curves: tuple[CurveDifference, ...]
    aasce_degrees: tuple[float, ...]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Median, 95th percentile (linear between values) and largest of `count` absolute differences."""

    count: int
    median: float
    percentile_95: float
    largest: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Many images together, each corner, point and curve counted once; None where there was nothing to compare."""

    images: int
    corners_px: Spread | None
    curve_degrees: Spread | None
    changed_ends: int
    """Curves whose end vertebrae differ, those found in one result only among them."""
    aasce_degrees: Spread | None


def network_pixel_mm(image: Image, size: tuple[int, int]) -> float:
    """Millimetres that a pixel of the network's input covers when an image is fitted into `size`, (height, width).

    In pixels where the image has no spacing. As `kernels.prepare_radiograph` fits it: proportions kept, so the tighter
    axis decides.
    """
    (rows, columns), (column_mm, row_mm) = image.shape, image.mm_per_pixel_xy
    return max(rows * row_mm / size[0], columns * column_mm / size[1])


def differences(
    reference: Sequence[Finding], candidate: Sequence[Finding], image: Image, network_px_mm: float
) -> Differences:
    """Compare the findings of two runs on `image`; `network_px_mm` is what `network_pixel_mm` gives.

    A curve of one result is the curve of the other that bulges to the same side and shares most of its levels, each
    taken once. AASCE angles that only one result has are compared with 0. Angles are measured in millimetres. Results
    of a pipeline that finds no vertebrae have neither corners nor curves.
    Raises ValueError when the two do not have the same vertebrae, or a mid-line only one of them.
    """
    distances = []
    for places in (_corners, _points):
        want, got = places(reference), places(candidate)
        if want.keys() != got.keys():
            raise ValueError(f"the results have other vertebrae: {', '.join(want)} and {', '.join(got)}")
        moved = image.to_mm(np.concatenate([np.empty((0, 2)), *(got[name] - want[name] for name in want)]))
        distances.append(tuple((np.hypot(moved[:, 0], moved[:, 1]) / network_px_mm).tolist()))
    corners, points = distances
    return Differences(
        corners_px=corners,
        points_px=points,
        curves=tuple(_compare_curves(reference, candidate, image)),
        aasce_degrees=_aasce(reference, candidate),
    )


def same_curves(reference: Sequence[CobbAngle], candidate: Sequence[CobbAngle], image: Image) -> dict[int, int]:
    """Place of a curve of one result -> place of the same curve in the other, as `differences` pairs them."""
    return _partners(_curves(reference, image), _curves(candidate, image))


def summarize(images: Sequence[Differences]) -> Summary:
    """All corners, curves and angles of many images in one."""
    curves = [curve for image in images for curve in image.curves]
    return Summary(
        images=len(images),
        corners_px=_spread([px for image in images for px in (*image.corners_px, *image.points_px)]),
        curve_degrees=_spread([curve.degrees for curve in curves]),
        changed_ends=sum(not curve.same_ends for curve in curves),
        aasce_degrees=_spread([degrees for image in images for degrees in image.aasce_degrees]),
    )


class _Curve(NamedTuple):
    """A curve with its levels as numbers from head to foot, and whether it turns clockwise on the way down."""

    finding: CobbAngle
    upper: int
    lower: int
    clockwise: bool

    def shared_with(self, other: "_Curve") -> int:
        """Spaces between vertebrae that both span; neighbours, which share a vertebra, have none."""
        return min(self.lower, other.lower) - max(self.upper, other.upper)


def _compare_curves(
    reference: Sequence[Finding], candidate: Sequence[Finding], image: Image
) -> Iterator[CurveDifference]:
    want, got = _curves(reference, image), _curves(candidate, image)
    partner = _partners(want, got)
    for place, curve in enumerate(want):
        if place in partner:
            same = got[partner[place]].finding
            yield CurveDifference(
                upper=curve.finding.upper,
                lower=curve.finding.lower,
                found="both",
                reference_degrees=curve.finding.degrees,
                candidate_degrees=same.degrees,
                same_ends=(same.upper, same.lower) == (curve.finding.upper, curve.finding.lower),
                flagged=bool(curve.finding.flags),
            )
        else:
            yield _alone(curve, "reference", curve.finding.degrees, _turn(curve, _corners(candidate), image))
    for place, curve in enumerate(got):
        if place not in partner.values():
            yield _alone(curve, "candidate", _turn(curve, _corners(reference), image), curve.finding.degrees)


def _alone(
    curve: _Curve, found: Literal["reference", "candidate"], reference_degrees: float, candidate_degrees: float
) -> CurveDifference:
    return CurveDifference(
        upper=curve.finding.upper,
        lower=curve.finding.lower,
        found=found,
        reference_degrees=reference_degrees,
        candidate_degrees=candidate_degrees,
        same_ends=False,
        flagged=bool(curve.finding.flags),
    )


def _partners(want: Sequence[_Curve], got: Sequence[_Curve]) -> dict[int, int]:
    """Place in `want` -> place in `got`, those that share most first: a merged curve is the partner of one only."""
    pairs = sorted(
        (-one.shared_with(other), i, j)
        for i, one in enumerate(want)
        for j, other in enumerate(got)
        if one.clockwise == other.clockwise and one.shared_with(other) > 0
    )
    partner: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in partner and j not in partner.values():
            partner[i] = j
    return partner


def _curves(findings: Sequence[Finding], image: Image) -> list[_Curve]:
    """The side of the patient is not always known, so the side of the image is taken from the two lines."""
    return [
        _Curve(
            finding,
            LEVELS.index(finding.upper),
            LEVELS.index(finding.lower),
            _signed_degrees(np.array(finding.line_px), image) > 0,
        )
        for finding in findings
        if isinstance(finding, CobbAngle)
    ]


def _turn(curve: _Curve, corners: dict[str, Points], image: Image) -> float:
    """The angle between the end-plates of this curve in another result's corners, positive where it turns alike."""
    line = np.concatenate([corners[curve.finding.upper][:2], corners[curve.finding.lower][2:]])
    degrees = _signed_degrees(line, image)
    return degrees if curve.clockwise else -degrees


def _signed_degrees(line_px: Points, image: Image) -> float:
    return turn_degrees(image.to_mm(line_px))


def turn_degrees(line: Points) -> float:
    """From the upper line to the lower one, clockwise as seen positive: [4, 2], left and right end of each, in mm.

    0 where a line has no length: such corners have no angle to compare.
    """
    (ax, ay), (bx, by) = line[1] - line[0], line[3] - line[2]
    return math.degrees(math.atan2(ax * by - ay * bx, ax * bx + ay * by))


def _corners(findings: Sequence[Finding]) -> dict[str, Points]:
    """Level -> corners float64 [4, 2] in pixels of the image, from head to foot; without a level by its place."""
    vertebrae = [finding for finding in findings if isinstance(finding, Vertebra)]
    return {v.level or f"#{place}": np.array(v.corners_px) for place, v in enumerate(vertebrae, 1)}


def _points(findings: Sequence[Finding]) -> dict[str, Points]:
    """Centres of vertebrae [1, 2] by level, and the mid-line [MIDLINE_POINTS, 2], in pixels of the image."""
    found = {each.level: np.array([each.centre_px]) for each in findings if isinstance(each, VertebraCentre)}
    for finding in findings:
        if isinstance(finding, Midline):
            line = np.array(finding.points_px, np.float64)
            along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
            even = np.linspace(0.0, along[-1], MIDLINE_POINTS)
            found["midline"] = np.stack([np.interp(even, along, line[:, axis]) for axis in (0, 1)], axis=1)
    return found


def _aasce(reference: Sequence[Finding], candidate: Sequence[Finding]) -> tuple[float, ...]:
    want, got = (
        next((finding.degrees for finding in findings if isinstance(finding, AasceAngles)), None)
        for findings in (reference, candidate)
    )
    if want is None and got is None:
        return ()
    none = (0.0, 0.0, 0.0)
    return tuple(abs(b - a) for a, b in zip(want or none, got or none, strict=True))


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(
        count=len(values),
        median=float(np.median(values)),
        percentile_95=float(np.percentile(values, 95)),
        largest=max(values),
    )
