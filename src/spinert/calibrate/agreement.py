"""The agreement gate: how far a variant's findings lie from those of fp32 on studies that were not calibrated on.

The limits are clinical, not numerical. Human readers of Cobb angles differ by 3 to 5 degrees; a change of arithmetic
must stay far below that, and must not change which vertebrae a curve is said to run between.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.findings import Result, Study
from spinert.image import Image
from spinert.runtime.differences import Differences, differences, network_pixel_mm


class Limit(NamedTuple):
    """What a measure may be at most, or with `least` at least."""

    measure: str
    bound: float
    unit: str
    least: bool = False

    def holds(self, value: float) -> bool:
        """False for a value that is not a number."""
        return value >= self.bound if self.least else value <= self.bound


LIMITS = (
    Limit("cobb_median_degrees", 0.3, "degrees"),
    Limit("cobb_95th_degrees", 1.0, "degrees"),
    Limit("cobb_largest_degrees", 2.0, "degrees"),
    Limit("corners_95th_px", 0.5, "px at network size"),
    Limit("same_ends_percent", 98.0, "% of curves", least=True),
    Limit("curves", 20, "curves", least=True),
    Limit("failed", 0, "studies"),
)


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Measures over many studies. A curve that only one side reports counts as one whose end vertebrae changed.

    The largest difference is that of the curves that fp32 does not flag. Where the networks see two vertebrae in one
    place, any change of arithmetic may decide for the other one; such a curve is flagged as uncertain, and counts in
    all measures but this one. `cobb_flagged_largest_degrees` tells how far those came apart.

    Where a pipeline finds no vertebrae, each of the challenge's angles that it states counts as a curve, without ends.
    Centres of vertebrae and points of a mid-line count as corners.

    A measure over nothing, such as the angles where no film has a curve, is 0, and `same_ends_percent` is 100.
    """

    studies: int
    curves: int
    cobb_median_degrees: float
    cobb_95th_degrees: float
    cobb_largest_degrees: float
    corners_median_px: float
    corners_95th_px: float
    corners_largest_px: float
    same_ends_percent: float
    failed: int
    flagged_curves: int = 0
    cobb_flagged_largest_degrees: float = 0.0
    names_only: bool = False
    """Whether the pipeline states no angle, but only where vertebrae are: then no number of curves is asked for."""

    @property
    def broken(self) -> tuple[str, ...]:
        """Every limit that does not hold, with both values; empty where the gate holds."""
        said = []
        for limit in LIMITS:
            value = float(getattr(self, limit.measure))
            if limit.measure == "curves" and self.names_only:
                continue
            if not limit.holds(value):
                relation = "below" if limit.least else "above"
                name = limit.measure.replace("_", " ")
                said.append(f"{name} is {value:.3g}, {relation} the limit of {limit.bound:g} {limit.unit}")
        return tuple(said)

    @property
    def share(self) -> float:
        """How much of the gate's room the corners' and the angles' 95th percentiles use; above 1 they break it."""
        measures = ("corners_95th_px", "cobb_95th_degrees")
        return max(float(getattr(self, limit.measure)) / limit.bound for limit in LIMITS if limit.measure in measures)


def agree(
    reference: Sequence[Result], candidate: Sequence[Result | None], network_size: tuple[int, int]
) -> tuple[Agreement, tuple[Differences, ...]]:
    """Compare the results of two networks on the same studies; None where the candidate failed.

    A study in which the two name other vertebrae has nothing to compare: it counts as failed.

    network_size   (height, width) of the image that the network takes: corners are compared in its pixels
    """
    compared = [
        None if other is None else _compare(exact, other, network_size)
        for exact, other in zip(reference, candidate, strict=True)
    ]
    found = tuple(each for each in compared if each is not None)
    corners = np.array([px for each in found for px in (*each.corners_px, *each.points_px)])
    curves = [curve for each in found for curve in each.curves]
    stated = [angle for each in found if not each.corners_px and not each.curves for angle in each.aasce_degrees]
    degrees = np.array([*(curve.degrees for curve in curves), *stated])
    flagged = np.array([*(curve.flagged for curve in curves), *(False for _ in stated)], bool)
    return (
        Agreement(
            studies=len(reference),
            curves=len(degrees),
            cobb_median_degrees=_percentile(degrees, 50),
            cobb_95th_degrees=_percentile(degrees, 95),
            cobb_largest_degrees=_percentile(degrees[~flagged], 100),
            corners_median_px=_percentile(corners, 50),
            corners_95th_px=_percentile(corners, 95),
            corners_largest_px=_percentile(corners, 100),
            same_ends_percent=100.0 * float(np.mean([curve.same_ends for curve in curves])) if curves else 100.0,
            failed=sum(each is None for each in compared),
            flagged_curves=int(flagged.sum()),
            cobb_flagged_largest_degrees=_percentile(degrees[flagged], 100),
            names_only=bool(corners.size)
            and not any(each.corners_px or each.curves or each.aasce_degrees for each in found),
        ),
        found,
    )


def _compare(reference: Result, candidate: Result, network_size: tuple[int, int]) -> Differences | None:
    image = _image_of(reference.study)
    try:
        return differences(reference.findings, candidate.findings, image, network_pixel_mm(image, network_size))
    except ValueError:
        return None


def _image_of(study: Study) -> Image:
    """The geometry of the image that a result is of; its pixels are not needed and take no memory."""
    return Image(np.broadcast_to(np.uint8(0), (study.rows, study.columns)), study.modality, spacing_mm=study.spacing_mm)


def _percentile(values: NDArray[np.float64], percent: float) -> float:
    return float(np.percentile(values, percent)) if values.size else 0.0
