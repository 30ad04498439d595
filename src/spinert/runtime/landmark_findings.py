"""Corners of vertebrae -> findings: the vertebrae with their checks, the curves in mm, the challenge's angles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Point, Side, Vertebra
from spinert.image import Image
from spinert.runtime import cobb
from spinert.runtime.landmark_checks import check_landmarks, is_squeezed

LOW_CONFIDENCE = "low_confidence"
SQUEEZED_SPINE = "squeezed_spine"
UNCERTAIN_VERTEBRA = "uncertain_vertebra"


def landmark_findings(
    image: Image,
    corners: NDArray[np.float64],
    confidence: NDArray[np.float64],
    levels: Sequence[str],
    *,
    least_confidence: float,
    least_cobb_degrees: float,
) -> list[Finding]:
    """Vertebrae from head to foot, then curves of at least `least_cobb_degrees`, then the challenge's angles of T1..L5.

    corners     float64 [n, 4, 2] as (x, y) in pixels of the stored image, TL, TR, BL, BR, finite
    confidence  float64 [n], 0..1; a vertebra below `least_confidence` is flagged
    levels      the n vertebrae's names, within T1..S1 in order
    """
    squeezed = (SQUEEZED_SPINE,) if is_squeezed(corners, image) else ()
    flags = [
        (*failed, *((LOW_CONFIDENCE,) if sure < least_confidence else ()), *squeezed)
        for failed, sure in zip(check_landmarks(corners, image), confidence, strict=True)
    ]
    findings: list[Finding] = [
        Vertebra(level=level, corners_px=_four(quad), confidence=round(float(sure), 3), flags=flag)
        for level, quad, sure, flag in zip(levels, corners, confidence, flags, strict=True)
    ]
    if not _measurable(corners):
        return findings
    findings += [
        CobbAngle(
            name=curve.region,
            degrees=round(curve.degrees, 2),
            upper=levels[curve.upper],
            lower=levels[curve.lower],
            apex=levels[curve.apex],
            side=_patient_side(image, curve.convex),
            line_px=_four(image.to_px(curve.line)),
            flags=(UNCERTAIN_VERTEBRA,) if _is_uncertain(curve, flags) else (),
        )
        for curve in cobb.clinical_curves(image.to_mm(corners), levels, threshold_deg=least_cobb_degrees)
    ]
    if tuple(levels) == T1_TO_L5:
        first, second, third = cobb.aasce_angles(corners, image.shape[0]).tolist()
        findings.append(
            AasceAngles(
                degrees=(round(first, 3), round(second, 3), round(third, 3)),
                flags=(UNCERTAIN_VERTEBRA,) if any(flags) else (),
            )
        )
    return findings


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
