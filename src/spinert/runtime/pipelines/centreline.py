"""Three angles from the curve of the spine on an AP or PA radiograph.

image     one projection radiograph of the spine, stored values [rows, columns]
network   "centreline": float32 [N, 1, H, W] in 0..1, bone bright -> a map of the spine or of its centreline, float32
          [N, 1, h, w], or [N, 2, h, w] of background and spine; logits or probabilities, as the settings say
findings  Midline, AasceAngles (degrees)

prepare -> network -> threshold, small pieces removed -> curve -> smoothing -> slopes at even points in mm -> angles.

Two systems of the AASCE 2019 challenge (CSI 2019, LNCS 11963) take these steps, each with its own numbers: Dubost et
al. (a thin band, middle of the borders, heat equation, 19 points) and Zhao et al. (the whole spine, nearest neighbours
of the borders, a polynomial, directions of the end vertebrae from their edges).

The angles are no Cobb angles between end-plates: major, upper and lower angle of the curve stand in for the three that
the challenge computes from corners.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec
from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import AasceAngles, Finding, Midline
from spinert.image import Image
from spinert.runtime.mask_curve import (
    CurveRules,
    SpineCurve,
    SpineMask,
    curve_angles,
    degrees_between,
    spine_curve,
    spine_mask,
)
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation, film_frame, prepare
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import plane_size
from spinert.runtime.vertebra_direction import Correction, vertebra_directions

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("centreline",)

SHORT_MIDLINE = "short_midline"
TOUCHES_EDGE = "touches_edge"
"""The spine reaches the film's edge, or what lies beyond: it may go on where nothing was seen."""
NO_VERTEBRA_EDGES = "no_vertebra_edges"
"""At an end of an angle there was no edge to correct it by; the curve's own direction stands."""
POINTS_BETWEEN = 4
"""Points of the reported midline for each way between two points of measurement."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; it names no vertebrae, so `class_names` are empty."""

    class_names: tuple[str, ...] = ()
    preparation: Preparation = Preparation()
    output: str | None = None
    """Which output is the map, where the network has several."""
    values: Literal["logits", "probabilities"]
    curve: CurveRules
    slope_points: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 19
    """At even distances: the spaces between 17 vertebrae, and both ends (Dubost et al.)."""
    correction: Correction | None = None
    least_height: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    """Share of the film's height below which the curve is flagged as too short."""


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """The network takes one grey image and gives a map of one or two channels with its proportions."""
    if settings.class_names:
        raise BadBundle(
            f"class_names are {list(settings.class_names)}, but the pipeline 'centreline' names no vertebrae",
            "export the bundle again without class_names",
        )
    spec = networks["centreline"]
    outputs = [tensor for tensor in spec.outputs if settings.output in (None, tensor.name)]
    match [tensor.shape for tensor in (*spec.inputs, *outputs)]:
        case [(None, 1, int(height), int(width)), (None, 1 | 2, int(h), int(w))] if height * w == width * h:
            return
    raise BadBundle(
        f"network 'centreline' has tensors {', '.join(str(tensor) for tensor in (*spec.inputs, *spec.outputs))} and "
        f"output {settings.output or 'not named'}, expected [N, 1, H, W] -> one map [N, 1 or 2, H/s, W/s], or its name",
        "export the bundle again",
    )


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.may_be_frontal


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> the middle of the spine and three angles. Points in pixels of the stored image.

    Raises BadStudy where the film shows nothing or no spine was found on it, BadNetwork for maps that are not finite.
    """
    network = networks["centreline"]
    (source,) = network.inputs
    (target,) = [tensor for tensor in network.outputs if settings.output in (None, tensor.name)]
    size = plane_size(source)
    with stopwatch.stage("prepare"):
        prepared = prepare(image, size, settings.preparation)
    with stopwatch.stage("network"):
        answer = network({source.name: prepared.pixels[None, None]})[target.name][0]
    with stopwatch.stage("decode"):
        found = spine_mask(_probability(answer, settings.values), settings.curve)
        curve = spine_curve(found.mask, settings.curve)
    with stopwatch.stage("geometry"):
        if len(curve.x) < settings.slope_points:
            raise BadStudy(
                f"no spine was found: its map covers {len(curve.x)} rows, slopes are measured at "
                f"{settings.slope_points} points",
                "give a frontal radiograph that shows the spine",
            )
        stride = size[0] / answer.shape[1]
        flags = (*found.flags, *curve.flags, *_place_flags(image, prepared.map, stride, found, settings.least_height))
        return _findings(image, prepared, stride, curve, settings, flags)


def _findings(
    image: Image,
    prepared: kernels.Prepared,
    stride: float,
    curve: SpineCurve,
    settings: Settings,
    flags: tuple[str, ...],
) -> list[Finding]:
    """The way through the angles: one cell of the map is `stride` pixels of the network's input."""
    cells = np.stack([curve.x, curve.first + np.arange(len(curve.x), dtype=np.float64)], axis=1)
    # the centre of cell 0 lies in the middle of its `stride` input pixels
    points_px = prepared.map.to_image((cells + 0.5) * stride - 0.5)
    points_mm = image.to_mm(points_px)
    down_mm = float(points_mm[1, 1] - points_mm[0, 1])
    slopes = kernels.even_slopes(np.ascontiguousarray(points_mm[:, 0]), points=settings.slope_points)[0] / down_mm
    # a line across the curve falls to the right where the curve goes to the left on its way down
    tilts = -np.degrees(np.arctan(slopes))
    angles = curve_angles(tilts)
    degrees, angle_flags = angles.degrees, flags
    if settings.correction is not None:
        used = np.unique(angles.ends)
        corrected = tilts.copy()
        corrected[used] = _corrected(image, prepared, points_px, tilts, used, settings.correction)
        if not np.isfinite(corrected).all():
            angle_flags = (*flags, NO_VERTEBRA_EDGES)
            corrected = np.where(np.isfinite(corrected), corrected, tilts)
        degrees = degrees_between(corrected, angles.ends)
    major, upper, lower = (round(value, 3) for value in degrees)
    shown = np.linspace(0.0, len(points_px) - 1.0, POINTS_BETWEEN * (settings.slope_points - 1) + 1)
    return [
        Midline(points_px=tuple((round(x, 3), round(y, 3)) for x, y in _at(points_px, shown).tolist()), flags=flags),
        AasceAngles(degrees=(major, upper, lower), flags=angle_flags),
    ]


def _corrected(
    image: Image,
    prepared: kernels.Prepared,
    points_px: NDArray[np.float64],
    tilts: NDArray[np.float64],
    used: NDArray[np.int64],
    correction: Correction,
) -> NDArray[np.float64]:
    """Tilts in degrees in mm of the vertebrae at some points of measurement, nan where there is no edge.

    Proportions in mm are those of the network's pixels but for the rounding of its size, which is undone here.
    """
    to_mm = np.array(image.mm_per_pixel_xy) * (prepared.map.step_x, prepared.map.step_y)
    places = _at(points_px, np.linspace(0.0, len(points_px) - 1.0, len(tilts)))[used]
    normals = np.radians(tilts[used])
    normals = np.degrees(np.arctan2(np.sin(normals) / to_mm[1], np.cos(normals) / to_mm[0]))
    found = np.radians(vertebra_directions(prepared.pixels, prepared.map.to_network(places), normals, correction))
    turned = np.degrees(np.arctan2(np.sin(found) * to_mm[1], np.cos(found) * to_mm[0]))
    return np.asarray(turned)


def _at(points: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [n, 2] between those of a curve."""
    own = np.arange(len(points))
    return np.stack([np.interp(rows, own, points[:, axis]) for axis in (0, 1)], axis=1)


def _place_flags(
    image: Image, plane: kernels.PlaneMap, stride: float, found: SpineMask, least_height: float
) -> tuple[str, ...]:
    frame = film_frame(image, plane)
    x0, y0, x1, y1 = (stride * edge for edge in found.box)
    flags = []
    if (y1 - y0) < least_height * (frame.bottom - frame.top):
        flags.append(SHORT_MIDLINE)
    if x0 <= frame.left or y0 <= frame.top or x1 >= frame.right or y1 >= frame.bottom:
        flags.append(TOUCHES_EDGE)
    return tuple(flags)


def _probability(answer: NDArray[np.float32], values: Literal["logits", "probabilities"]) -> NDArray[np.float64]:
    """The spine's probability [h, w] from one or two channels: softmax of two logits is the sigmoid of what they differ
    by."""
    if not np.isfinite(answer).all():
        raise BadNetwork(
            f"the map of the spine holds {np.count_nonzero(~np.isfinite(answer))} values that are not finite",
            "check the weights of the network and export the bundle again",
        )
    wide = answer.astype(np.float64)
    if values == "probabilities":
        return np.asarray(wide[-1])
    logits = wide[0] if len(wide) == 1 else wide[1] - wide[0]
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))))
