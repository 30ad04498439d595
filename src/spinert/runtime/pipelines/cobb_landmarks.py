"""Cobb angles from the vertebral corners of an AP or PA radiograph.

image     one projection radiograph of the spine, stored values [rows, columns]
network   "landmarks": float32 [N, 1, H, W] in 0..1, bone bright -> float32 [N, 4 v, h, w] logits of corner heat-maps
findings  Vertebra (level, corners, confidence), CobbAngle (degrees, end vertebrae, apex), AasceAngles (degrees)

prepare (percentile window, aspect-keeping resize) -> network -> soft-argmax -> checks -> angles in mm.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadBundle
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Point, Side, Vertebra
from spinert.image import Image
from spinert.runtime import cobb, decode
from spinert.runtime.landmark_checks import check_landmarks, is_squeezed
from spinert.runtime.network import Network
from spinert.runtime.stopwatch import Stopwatch

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("landmarks",)
LOW_CONFIDENCE = "low_confidence"
SQUEEZED_SPINE = "squeezed_spine"
UNCERTAIN_VERTEBRA = "uncertain_vertebra"

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the vertebrae of the heat-maps from top to bottom."""

    class_names: tuple[str, ...]
    percentiles: tuple[Percent, Percent]
    """Percentiles of the stored values that become 0 and 1."""
    confidence_radius_cells: Annotated[int, msgspec.Meta(ge=0)]
    least_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """A vertebra below it is flagged."""
    least_cobb_degrees: Annotated[float, msgspec.Meta(gt=0, le=180)]
    """Curves below it are not reported; SRS calls a curve scoliosis from 10 degrees."""

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if not low < high:
            raise ValueError(f"percentiles are {low:g} and {high:g}, the first must be below the second")


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """The network takes one grey image and gives four maps for each of the consecutive levels in `class_names`."""
    names = settings.class_names
    start = cobb.NAMED_LEVELS.index(names[0]) if names and names[0] in cobb.NAMED_LEVELS else 0
    if len(names) < 2 or names != cobb.NAMED_LEVELS[start : start + len(names)]:
        raise BadBundle(
            f"class_names are {list(names)}, expected consecutive vertebrae within T1..S1", "export the bundle again"
        )
    spec = networks["landmarks"]
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, 1, int(height), int(width)), (None, maps, int(h), int(w))] if height * w == width * h:
            if maps == 4 * len(names):
                return
    raise BadBundle(
        f"network 'landmarks' has tensors {[list(tensor.shape) for tensor in (*spec.inputs, *spec.outputs)]}, expected "
        f"[N, 1, H, W] -> [N, {4 * len(names)}, H/s, W/s]",
        "export the bundle again",
    )


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.view in (None, "AP", "PA")


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> vertebrae, curves, the challenge's angles. Points in pixels of the stored image."""
    network = networks["landmarks"]
    (source,), (target,) = network.inputs, network.outputs
    size = _size(source)
    with stopwatch.stage("prepare"):
        prepared = kernels.prepare_radiograph(
            image.pixels,
            size=size,
            inverted=image.inverted,
            mm_per_pixel_xy=image.mm_per_pixel_xy,
            percentiles=settings.percentiles,
        )
    with stopwatch.stage("network"):
        heatmaps = network({source.name: prepared.pixels[None, None]})[target.name][0]
    with stopwatch.stage("decode"):
        stride = size[0] / _size(target)[0]
        corners, confidence = decode.heatmap_corners(heatmaps, prepared.map, stride, settings.confidence_radius_cells)
    with stopwatch.stage("geometry"):
        return _findings(image, corners, confidence, settings)


def _size(spec: TensorSpec) -> tuple[int, int]:
    """Height and width of a tensor; `check` has refused free ones."""
    height, width = spec.shape[-2:]
    assert height is not None
    assert width is not None
    return height, width


def _findings(
    image: Image, corners: NDArray[np.float64], confidence: NDArray[np.float64], settings: Settings
) -> list[Finding]:
    levels = settings.class_names
    squeezed = (SQUEEZED_SPINE,) if is_squeezed(corners, image) else ()
    flags = [
        (*failed, *((LOW_CONFIDENCE,) if sure < settings.least_confidence else ()), *squeezed)
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
        for curve in cobb.clinical_curves(image.to_mm(corners), levels, threshold_deg=settings.least_cobb_degrees)
    ]
    if levels == T1_TO_L5:
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
