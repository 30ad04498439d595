"""Corners of vertebrae -> findings: the vertebrae with their checks, the curves in mm, the challenge's angles."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadBundle
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Point, Side, Vertebra
from spinert.image import Image
from spinert.runtime import cobb, intervals
from spinert.runtime.landmark_checks import check_landmarks, is_squeezed

LOW_CONFIDENCE = "low_confidence"
SQUEEZED_SPINE = "squeezed_spine"
UNCERTAIN_VERTEBRA = "uncertain_vertebra"
LEVEL_UNKNOWN = "level_unknown"
"""Not exactly the vertebrae were found that the bundle names, and nothing says which of them these are."""
VERTEBRAE_REPEATED = "vertebrae_repeated"
"""The challenge's rule, which needs 17 vertebrae, was given the last one several times."""


def check_names(names: Sequence[str]) -> None:
    """Raises BadBundle unless these are consecutive vertebrae, at least two, within T1..S1."""
    start = cobb.NAMED_LEVELS.index(names[0]) if names and names[0] in cobb.NAMED_LEVELS else 0
    if len(names) < 2 or tuple(names) != cobb.NAMED_LEVELS[start : start + len(names)]:
        raise BadBundle(
            f"class_names are {list(names)}, expected consecutive vertebrae within T1..S1", "export the bundle again"
        )


def levels_of(count: int, names: Sequence[str]) -> Sequence[str] | None:
    """The names of `count` vertebrae from head to foot where it is as many as there are names, else None: not told."""
    return names if count == len(names) else None


class Uncertainty(NamedTuple):
    """`covariance_mm` float64 [n, 4, 2, 2] of the corners in mm squared, and how intervals follow from it."""

    covariance_mm: NDArray[np.float64]
    numbers: intervals.Intervals


def landmark_findings(
    image: Image,
    corners: NDArray[np.float64],
    confidence: NDArray[np.float64],
    levels: Sequence[str] | None,
    *,
    least_confidence: float,
    least_cobb_degrees: float,
    uncertainty: Uncertainty | None = None,
    noted: Sequence[tuple[str, ...]] | None = None,
) -> list[Finding]:
    """Vertebrae from head to foot, then curves of at least `least_cobb_degrees`, then the challenge's angles of T1..L5.

    Where the levels are not told, each vertebra is flagged and there are no curves, which are named and compared by
    their levels.

    corners     float64 [n, 4, 2] as (x, y) in pixels of the stored image, TL, TR, BL, BR, finite
    confidence  float64 [n], 0..1; a vertebra below `least_confidence` is flagged
    levels      the n vertebrae's names, within T1..S1 in order; None: not told
    uncertainty   of the corners, for the intervals of the angles
    noted       flags of the n vertebrae that the pipeline has found already
    """
    together = ((SQUEEZED_SPINE,) if is_squeezed(corners, image) else ()) + (() if levels else (LEVEL_UNKNOWN,))
    flags = [
        (*already, *failed, *((LOW_CONFIDENCE,) if sure < least_confidence else ()), *together)
        for already, failed, sure in zip(
            noted or ((),) * len(corners), check_landmarks(corners, image), confidence, strict=True
        )
    ]
    names: Sequence[str | None] = levels or (None,) * len(corners)
    findings: list[Finding] = [
        Vertebra(level=level, corners_px=_four(quad), confidence=round(float(sure), 3), flags=flag)
        for level, quad, sure, flag in zip(names, corners, confidence, flags, strict=True)
    ]
    if levels is None or not _measurable(corners):
        return findings
    in_mm = image.to_mm(corners)
    curves = cobb.clinical_curves(in_mm, levels, threshold_deg=least_cobb_degrees)
    findings += [_cobb_angle(image, curve, levels, flags, uncertainty, in_mm) for curve in curves]
    if tuple(levels) == T1_TO_L5:
        findings.append(_aasce_angles(image, corners, (UNCERTAIN_VERTEBRA,) if any(flags) else (), uncertainty))
    return findings


def repeated_aasce(image: Image, corners: NDArray[np.float64]) -> list[Finding]:
    """The challenge's angles of fewer than 17 vertebrae, the last one repeated as Khanal et al. (CSI 2019, section 4)
    did to take part; flagged, and none where the corners have no direction. `corners` float64 [n, 4, 2], n >= 1.
    """
    if not _measurable(corners) or len(corners) >= len(T1_TO_L5):
        return []
    repeated = np.concatenate([corners, np.repeat(corners[-1:], len(T1_TO_L5) - len(corners), axis=0)])
    return [_aasce_angles(image, repeated, (LEVEL_UNKNOWN, VERTEBRAE_REPEATED), None)]


def _cobb_angle(
    image: Image,
    curve: cobb.Curve,
    levels: Sequence[str],
    flags: Sequence[tuple[str, ...]],
    uncertainty: Uncertainty | None,
    corners_mm: NDArray[np.float64],
) -> CobbAngle:
    within = None
    if uncertainty is not None:
        deviation = intervals.curve_deviation(corners_mm, uncertainty.covariance_mm, curve.upper, curve.lower)
        within = intervals.interval(curve.degrees, deviation, uncertainty.numbers.cobb)
    return CobbAngle(
        name=curve.region,
        degrees=round(curve.degrees, 2),
        degrees_95=within,
        upper=levels[curve.upper],
        lower=levels[curve.lower],
        apex=levels[curve.apex],
        side=_patient_side(image, curve.convex),
        line_px=_four(image.to_px(curve.line)),
        flags=(UNCERTAIN_VERTEBRA,) if _is_uncertain(curve, flags) else (),
    )


def _aasce_angles(
    image: Image,
    corners: NDArray[np.float64],
    flags: tuple[str, ...],
    uncertainty: Uncertainty | None,
) -> AasceAngles:
    height = image.shape[0]
    a, b, c = cobb.aasce_angles(corners, height).tolist()
    within = None
    if uncertainty is not None:
        scale = np.array(image.mm_per_pixel_xy)
        covariance = uncertainty.covariance_mm / (scale[:, None] * scale)
        deviations = intervals.aasce_deviations(corners, covariance, height).tolist()
        first, second, third = (
            intervals.interval(degrees, deviation, numbers)
            for degrees, deviation, numbers in zip((a, b, c), deviations, uncertainty.numbers.aasce, strict=True)
        )
        within = first, second, third
    return AasceAngles(
        degrees=(round(a, 3), round(b, 3), round(c, 3)),
        degrees_95=within,
        flags=flags,
    )


def _is_uncertain(curve: cobb.Curve, flags: Sequence[tuple[str, ...]]) -> bool:
    """Whether a vertebra of the curve is flagged, or one next to it: that one may be the true end vertebra."""
    return any(flags[max(curve.upper - 1, 0) : curve.lower + 2])


def _measurable(corners: NDArray[np.float64]) -> bool:
    """False where corners coincide so that an end-plate has no direction; the checks have flagged that vertebra."""
    plates = np.concatenate(
        [corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 2], kernels.tilt_vectors(corners)]
    )
    return bool(plates.any(axis=1).all())


def _four(points: NDArray[np.float64]) -> tuple[Point, Point, Point, Point]:
    """Points float64 [4, 2], to a thousandth of a pixel."""
    a, b, c, d = np.round(points, 3).tolist()
    return (a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1])


def _patient_side(image: Image, side_of_image: Side) -> Side | None:
    right = image.right_of_image
    if right is None or side_of_image == "right":
        return right
    return "left" if right == "right" else "right"
