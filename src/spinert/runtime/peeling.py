"""A film peeled to its spine: masks are predicted, the film is cut to what they show, and again until little changes.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (CSI 2019),
"Peeling Crop". The steps between two predictions; the pipeline calls the networks.

Left open by the paper, chosen here: "outlier detection" drops a location farther from the line through its neighbours
than `outlier_steps`, "continuity judgement" keeps the longest run of channels that go on downwards by similar steps; an
end-plate lies half a step beyond the run's last location, and further by a step for each channel that is missing there,
so that a vertebra that was not found is not cut away.
"""

from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.runtime.boxes import Positive, Share
from spinert.runtime.film_regions import Region, region_within

Factor = Annotated[float, msgspec.Meta(ge=1)]


class Peeling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the peeling crop; the paper states none of them."""

    most_rounds: Annotated[int, msgspec.Meta(ge=1)] = 5
    least_narrowing: Share = 0.02
    """The peeling ends when a side moves by less than this share of the film's height, all sides considered."""
    threshold: Share = 0.5
    """A cell of a box mask above it belongs to the vertebra."""
    outlier_steps: Positive = 1.0
    """In median distances of neighbours."""
    continuity: Factor = 2.0
    """Steps between this many times the median one, and the median one divided by it, go on."""
    aspect: Positive = 2.5
    """Height / width of the detected box in mm."""
    margin: tuple[Share, Share] = (0.15, 0.1)
    """Shares of the box's width and height that remain on either side of it."""
    least_locations: Annotated[int, msgspec.Meta(ge=2)] = 5
    """In fewer the region stays as it was."""


class Ends(NamedTuple):
    """Rows of the upper end-plate of the first vertebra and of the lower one of the last, and the middle column."""

    top: float
    bottom: float
    middle: float


def box_locations(boxes: NDArray[np.float32], threshold: float) -> NDArray[np.float64]:
    """Mean position (x, y) of the cells above the threshold of each map [v, h, w]; nan where there is none."""
    points, _, _ = kernels.mean_above(np.ascontiguousarray(boxes, np.float32), threshold)
    return points.astype(np.float64)


def without_outliers(points: NDArray[np.float64], steps: float) -> NDArray[np.float64]:
    """Locations [v, 2] with nan for those farther from the line through the nearest one on either side than `steps`
    median distances; those at an end are judged by the line through the nearest two. All are judged as they came."""
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    kept = points.copy()
    if len(known) < 3:
        return kept
    apart = np.linalg.norm(np.diff(points[known], axis=0), axis=1) / np.diff(known)
    limit = steps * float(np.median(apart))
    for place, channel in enumerate(known):
        near = [max(place - 1, 0), min(place + 1, len(known) - 1)]
        if place == 0:
            near = [1, 2]
        elif place == len(known) - 1:
            near = [place - 2, place - 1]
        a, b = known[near]
        expected = points[a] + (points[b] - points[a]) * (channel - a) / (b - a)
        if np.linalg.norm(points[channel] - expected) > limit:
            kept[channel] = np.nan
    return kept


def longest_run(points: NDArray[np.float64], continuity: float) -> NDArray[np.intp]:
    """Channels of the longest run of locations [v, 2] whose steps downwards, for each channel, lie within a factor
    `continuity` of the median one; the first of equally long runs. Channels without a location do not end a run."""
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    if len(known) < 2:
        return known
    down = np.diff(points[known, 1]) / np.diff(known)
    usual = float(np.median(down))
    goes_on = (down > 0) & (down * continuity >= usual) & (down <= usual * continuity)
    runs = np.split(known, np.flatnonzero(~goes_on) + 1)
    return max(runs, key=len)


def spine_ends(points: NDArray[np.float64], peeling: Peeling) -> Ends | None:
    """Where the spine begins and ends by the locations [v, 2] of its vertebrae; None where too few fit together."""
    cleaned = without_outliers(points, peeling.outlier_steps)
    run = longest_run(cleaned, peeling.continuity)
    if len(run) < peeling.least_locations:
        return None
    first, last = int(run[0]), int(run[-1])
    step = (cleaned[last, 1] - cleaned[first, 1]) / (last - first)
    x = cleaned[run, 0]
    return Ends(
        float(cleaned[first, 1] - (first + 0.5) * step),
        float(cleaned[last, 1] + (len(points) - 1 - last + 0.5) * step),
        float((x.min() + x.max()) / 2),
    )


def peeled(region: Region, ends: Ends, peeling: Peeling, mm_per_pixel_xy: tuple[float, float]) -> Region:
    """The box between the ends, of fixed proportions and with its margin, cut to `region`. `ends` in pixels of the
    stored image, whose spacing is `mm_per_pixel_xy`."""
    height = ends.bottom - ends.top
    width = height * mm_per_pixel_xy[1] / peeling.aspect / mm_per_pixel_xy[0]
    middle = np.array([ends.middle, (ends.top + ends.bottom) / 2])
    half = np.array([width, height]) * (0.5 + np.array(peeling.margin))
    return region_within(region, middle - half, middle + half)


def has_settled(before: Region, after: Region, peeling: Peeling, rows: int) -> bool:
    """Whether the region narrows slowly: no side moved by more than its share of the film's `rows`."""
    return max(abs(a - b) for a, b in zip(before, after, strict=True)) < peeling.least_narrowing * rows
