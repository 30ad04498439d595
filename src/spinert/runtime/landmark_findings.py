"""Corners of vertebrae -> findings: the vertebrae with their checks, the curves in mm, the challenge's angles."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Point, Side, Vertebra
from spinert.image import Image
from spinert.runtime import cobb, intervals
from spinert.runtime.landmark_checks import check_landmarks, is_squeezed

LOW_CONFIDENCE = "low_confidence"
SQUEEZED_SPINE = "squeezed_spine"
UNCERTAIN_VERTEBRA = "uncertain_vertebra"


class Uncertainty(NamedTuple):
    """`covariance_mm` float64 [n, 4, 2, 2] of the corners in mm squared, and how intervals follow from it."""

    covariance_mm: NDArray[np.float64]
    numbers: intervals.Intervals


def landmark_findings(
    image: Image,
    corners: NDArray[np.float64],
    confidence: NDArray[np.float64],
    levels: Sequence[str],
    *,
    least_confidence: float,
    least_cobb_degrees: float,
    uncertainty: Uncertainty | None = None,
    also: Sequence[tuple[str, ...]] = (),
) -> list[Finding]:
    """Vertebrae from head to foot, then curves of at least `least_cobb_degrees`, then the challenge's angles of T1..L5.

    corners     float64 [n, 4, 2] as (x, y) in pixels of the stored image, TL, TR, BL, BR, finite
    confidence  float64 [n], 0..1; a vertebra below `least_confidence` is flagged
    levels      the n vertebrae's names, within T1..S1 in order
    uncertainty   of the corners, for the intervals of the angles
    also        further flags of each vertebra
    """
    squeezed = (SQUEEZED_SPINE,) if is_squeezed(corners, image) else ()
    flags = [
        (*failed, *((LOW_CONFIDENCE,) if sure < least_confidence else ()), *squeezed, *more)
        for failed, sure, more in zip(
            check_landmarks(corners, image), confidence, also or [()] * len(corners), strict=True
        )
    ]
    findings: list[Finding] = [
        Vertebra(level=level, corners_px=_four(quad), confidence=round(float(sure), 3), flags=flag)
        for level, quad, sure, flag in zip(levels, corners, confidence, flags, strict=True)
    ]
    if not _measurable(corners):
        return findings
    in_mm = image.to_mm(corners)
    curves = cobb.clinical_curves(in_mm, levels, threshold_deg=least_cobb_degrees)
    findings += [_cobb_angle(image, curve, levels, flags, uncertainty, in_mm) for curve in curves]
    if tuple(levels) == T1_TO_L5:
        findings.append(_aasce_angles(image, corners, flags, uncertainty))
    return findings


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
    flags: Sequence[tuple[str, ...]],
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
        flags=(UNCERTAIN_VERTEBRA,) if any(flags) else (),
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
