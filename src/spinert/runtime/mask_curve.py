"""From the map of a spine to its curve, and from the curve to three angles.

Dubost et al., "Automated estimation of the spinal curvature via spine centerline extraction" (CSI 2019, LNCS 11963),
section 2.3, and Zhao et al. (the same volume), section 2.2. A curve is a column for each row of the map.
"""

from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadStudy

Floats = NDArray[np.float64]
Pixels = Annotated[int, msgspec.Meta(ge=1)]

BROKEN_MIDLINE = "broken_midline"
"""Rows between its ends have no spine; the curve was drawn straight across them."""
PIECES_BESIDE = "pieces_beside_each_other"
"""Two pieces share rows: the middle of their outer borders lies between them."""
PIECES_LEFT_OUT = "pieces_left_out"
"""Other pieces were as large as a spine's must be; the largest was taken."""


class Heat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Smoothing by the heat equation, one sample a row: see `kernels.smooth_heat`."""

    coefficient: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.01
    steps: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 65_000
    ends: Literal["fixed", "free"] = "fixed"


class CurveRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the way from a map to a curve; lengths in pixels of the map."""

    threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.25
    least_extent_px: tuple[Pixels, Pixels] = (40, 140)
    """Width and height: a piece whose box is smaller in either is none. Dubost et al. remove what is "smaller than
    40 x 140 pixels"; a band that follows a straight spine is narrow, so a bundle may need to state less."""
    least_pixels: Pixels = 1
    pieces: Literal["all", "largest"] = "all"
    """"all" as in both papers."""
    extraction: Literal["borders", "nearest"]
    """"borders": the middle of both borders in each row (Dubost et al.); "nearest": midpoints between each point of a
    border and the nearest of the other, both ways (Zhao et al.)."""
    end_share: Annotated[float, msgspec.Meta(ge=0, le=0.4)] = 0.0
    """Share of the rows at each end of the mask that the curve leaves out. A mask ends across the spine and not along
    a row: there a border runs along an end-plate, and "nearest" finds points aside that turn a polynomial by tens of
    degrees. Neither paper says that it leaves any out; for a mask of the whole spine, about its width / its length."""
    degree: Annotated[int, msgspec.Meta(ge=1, le=9)] | None = None
    """Of the polynomial of least squares through the points. Zhao et al. do not state theirs."""
    heat: Heat | None = None

    def __post_init__(self) -> None:
        if self.extraction == "nearest" and self.degree is None:
            raise ValueError("extraction 'nearest' gives points in no order, so it needs the degree of a polynomial")


class SpineMask(NamedTuple):
    """`mask` uint8 [rows, columns]; `box` x0, y0, x1, y1, the ends excluded."""

    mask: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    flags: tuple[str, ...]


class SpineCurve(NamedTuple):
    """Columns x float64 [rows] at the rows `first`, `first` + 1 ..."""

    first: int
    x: Floats
    flags: tuple[str, ...]


class Angles(NamedTuple):
    """Major, upper and lower angle in degrees, and for each the two points it is measured between, upper first."""

    degrees: tuple[float, float, float]
    ends: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def spine_mask(probability: NDArray[np.float32] | Floats, rules: CurveRules) -> SpineMask:
    """The pieces of a map [rows, columns] above the threshold that are large enough. Raises BadStudy if none is."""
    labels, count = kernels.label_components(probability > rules.threshold, connectivity=8)
    found = kernels.component_statistics(labels, count)
    large = kernels.select_components(found, min_voxels=rules.least_pixels, min_extent=rules.least_extent_px)
    if not large.any():
        width, height = rules.least_extent_px
        raise BadStudy(
            f"no spine was found: {_largest(found)}; a spine has at least {width} x {height} pixels of the map, "
            f"{rules.least_pixels} of them above {rules.threshold:g}",
            "give a frontal radiograph that shows the spine",
        )
    keep, flags = large, []
    if rules.pieces == "largest":
        keep = kernels.select_components(
            found, min_voxels=rules.least_pixels, min_extent=rules.least_extent_px, largest=1
        )
        if large.sum() > 1:
            flags.append(PIECES_LEFT_OUT)
    boxes = found.boxes[keep]
    boxes = boxes[np.argsort(boxes[:, 1])]
    if (boxes[1:, 1] < np.maximum.accumulate(boxes[:, 3])[:-1]).any():
        flags.append(PIECES_BESIDE)
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    mask = (kernels.keep_components(labels, keep) > 0).astype(np.uint8)
    return SpineMask(mask, (x0, y0, x1, y1), tuple(flags))


def spine_curve(mask: NDArray[np.uint8], rules: CurveRules) -> SpineCurve:
    """The curve through the middle of a mask that is not empty, smoothed as the rules say.

    Raises BadStudy where all between the ends that are left out is a gap.
    """
    midline, borders = kernels.mask_midline(mask)
    rows = np.flatnonzero(np.isfinite(midline))
    left_out = round(rules.end_share * (rows[-1] + 1 - rows[0]))
    first, last = int(rows[0]) + left_out, int(rows[-1]) - left_out
    rows = rows[(rows >= first) & (rows <= last)]
    if not len(rows):
        raise BadStudy(
            f"no spine was found: its map is empty between rows {first} and {last}",
            "give a frontal radiograph that shows the spine",
        )
    at = np.arange(first, last + 1, dtype=np.float64)
    points = np.stack([midline[rows], rows.astype(np.float64)], axis=1)
    if rules.extraction == "nearest":
        points = kernels.border_midpoints(borders).reshape(-1, 2)
        points = points[(points[:, 1] >= first) & (points[:, 1] <= last)]
    if rules.degree is None:
        x = np.interp(at, points[:, 1], points[:, 0])
    else:
        x_of, y_of = np.ascontiguousarray(points.T)
        # beyond its points a polynomial of high degree leaves the spine at once
        ends = np.array([[y_of.min(), y_of.max()]])
        x, _ = kernels.evaluate_polynomial(kernels.fit_polynomial(y_of, x_of, degree=rules.degree), at, ends=ends)
    if rules.heat is not None:
        heat = rules.heat
        x = kernels.smooth_heat(x, coefficient=heat.coefficient, steps=heat.steps, ends=heat.ends)
    return SpineCurve(first, x, (BROKEN_MIDLINE,) if len(rows) < len(at) else ())


def curve_angles(tilts: Floats) -> Angles:
    """Angles by regions, from the tilts of a curve in degrees at points from head to foot.

    The major angle lies between the greatest and the least tilt of all; the upper one between those above this region,
    the lower one between those below it. The point where two regions meet belongs to both, as neighbouring curves share
    an end vertebra. As angles of tangents they are those of the paper's equation 1, which takes the arctangent of a
    quotient of slopes, and right beyond 90 degrees too.
    """
    major = _extremes(tilts, 0, len(tilts))
    ends = (major, _extremes(tilts, 0, major[0] + 1), _extremes(tilts, major[1], len(tilts)))
    return Angles(degrees_between(tilts, ends), ends)


def degrees_between(
    tilts: Floats, ends: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
) -> tuple[float, float, float]:
    """The angle between the tilts at each pair of points."""
    major, upper, lower = (abs(float(tilts[a] - tilts[b])) for a, b in ends)
    return major, upper, lower


def _extremes(tilts: Floats, start: int, stop: int) -> tuple[int, int]:
    region = tilts[start:stop]
    upper, lower = sorted((start + int(region.argmax()), start + int(region.argmin())))
    return upper, lower


def _largest(found: kernels.ComponentStatistics) -> str:
    if not len(found.voxels):
        return "nothing of its map is above the threshold"
    place = int(found.voxels.argmax())
    x0, y0, x1, y1 = found.boxes[place].tolist()
    return f"the largest of {len(found.voxels)} pieces is {x1 - x0} x {y1 - y0}, {found.voxels[place]} pixels"
