"""Cobb angles from boxes of the vertebrae and the four corners in each.

image     one projection radiograph of the spine, stored values [rows, columns]
networks  "detector": float32 [N, 1, H, W] in 0..1 -> scores [N, A, classes], deltas [N, A, 4 | 5], feature maps, if any
          "corners": crops [V, 1, h, w] of the film or [V, channels, h, w] of the feature maps -> logits of heat-maps
          [V, 4, h', w'] or coordinates [V, 8]
          "region_head", for detectors of two stages, and "cord", a mask [N, 1, h, w] of logits, where the settings name
          their numbers
findings  Vertebra (corners, confidence; level if exactly those of `class_names` were found), CobbAngle, AasceAngles

isolate the spine -> prepare -> detect -> drop boxes astray -> crop -> corners -> smooth -> angles in mm.

Three systems of the AASCE 2019 challenge (CSI 2019, LNCS 11963) take these steps, each with its own numbers:
Chen et al., method 1 (upright boxes of one stage, squeezed ones dropped); Khanal et al. (two stages, aspect crop, boxes
aside dropped, 17 forced, polynomials); Tao, Xu, Wu (rotated boxes, rows projected, cord mask, corners on features).
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec
from spinert.errors import BadBundle, BadStudy
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime.box_crops import RegionReading, align_regions, crop_boxes, enlarged
from spinert.runtime.boxes import Boxes, Share, probabilities
from spinert.runtime.corner_curves import smooth_corners
from spinert.runtime.crop_corners import CornerReading, find_corners, gives_corners
from spinert.runtime.detector import (
    Detected,
    Detector,
    cell_map,
    check_detector,
    check_image_network,
    detect,
    feature_maps,
    refuse,
)
from spinert.runtime.film_regions import Region, prepare_region, whole
from spinert.runtime.landmark_findings import check_names, landmark_findings, levels_of, repeated_aasce
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation
from spinert.runtime.spine_isolation import (
    AspectCrop,
    Cord,
    CordRefine,
    Isolation,
    Size,
    aspect_crop,
    find_cord,
    project,
    refine_region,
)
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import plane_size
from spinert.runtime.vertebra_column import DropRule, column

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("detector", "corners")
OPTIONAL = ("region_head", "cord")

EXTRA_BOXES_CUT = "extra_boxes_cut"
"""More vertebrae were found than the bundle names; the lowest were left out, the others named from the top."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the vertebrae that a whole film shows from top to bottom."""

    class_names: tuple[str, ...]
    preparation: Preparation
    film_size: Size
    """Height and width of the prepared film that crops are taken from; larger than the detector's input, as a vertebra
    has few pixels there."""
    isolation: Isolation | None = None
    cord: CordRefine | None = None
    detector: Detector
    drop: DropRule | None = None
    surplus: Literal["keep", "cut_from_bottom"] = "keep"
    """Of vertebrae above the names: none is named, or the lowest are left out (Khanal et al., section 4)."""
    shortage: Literal["keep", "repeat_last"] = "keep"
    """Of vertebrae: the challenge's angles are left out, or measured with the last vertebra repeated (the same)."""
    least_vertebrae: Annotated[int, msgspec.Meta(ge=2)] = 5
    """Fewer are no spine, and an error."""
    crops_from: Literal["film", "features"] = "film"
    regions: RegionReading = RegionReading()
    """How crops are read from feature maps."""
    crop_margin: tuple[Share, Share] = (0.0, 0.0)
    """Shares of a box's width and height that a crop shows beyond each of its sides."""
    corners: CornerReading = CornerReading()
    smooth_degree: Annotated[int, msgspec.Meta(ge=0, le=9)] | None = None
    """Of the polynomials through the corners; None: corners stay as they were found."""
    least_confidence: Share
    """A vertebra below it is flagged."""
    least_cobb_degrees: Annotated[float, msgspec.Meta(gt=0, le=180)]


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """Levels are consecutive, anchors and tensors fit, and an optional network is there where its numbers are."""
    check_names(settings.class_names)
    check_detector(networks, settings.detector)
    if (settings.cord is None) != ("cord" not in networks):
        raise BadBundle("the bundle has settings or network 'cord' without the other", "export the bundle again")
    if settings.cord is not None:
        check_image_network("cord", networks["cord"], 1)
    spec = networks["corners"]
    given = (
        {level.shape[1] for level in feature_maps(networks["detector"])} if settings.crops_from == "features" else {1}
    )
    match [tensor.shape for tensor in spec.inputs]:
        case [(None, int(channels), int(), int())] if given == {channels}:
            if len(spec.outputs) == 1 and gives_corners(spec.outputs[0]):
                return
    taken = "channels of the detector's feature maps" if settings.crops_from == "features" else "1"
    raise refuse("corners", spec, f"[N, {taken}, h, w] -> [N, 4, h', w'] or [N, 8]")


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.may_be_frontal


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> vertebrae, curves, the challenge's angles. Points in pixels of the stored image.

    Raises BadStudy where fewer than `least_vertebrae` are found.
    """
    with stopwatch.stage("isolate"):
        region, cord = _isolate(image, networks, settings)
    size = plane_size(networks["detector"].inputs[0])
    with stopwatch.stage("prepare"):
        seen = prepare_region(image, region, size, settings.preparation)
    with stopwatch.stage("detect"):
        detected = detect(seen.pixels, networks, settings.detector)
        found, noted = _vertebrae(detected.boxes, seen.map, cord, settings)
    with stopwatch.stage("corners"):
        corners, confidence = _corners(
            image, region, seen, detected._replace(boxes=found), networks["corners"], settings
        )
    with stopwatch.stage("geometry"):
        if settings.smooth_degree is not None:
            corners = smooth_corners(corners, settings.smooth_degree)
        findings = landmark_findings(
            image,
            corners,
            confidence,
            levels_of(len(corners), settings.class_names),
            least_confidence=settings.least_confidence,
            least_cobb_degrees=settings.least_cobb_degrees,
            noted=[noted] * len(corners),
        )
        if settings.shortage == "repeat_last" and len(corners) < len(settings.class_names):
            findings += repeated_aasce(image, corners)
        return findings


def _isolate(image: Image, networks: Mapping[str, Network], settings: Settings) -> tuple[Region, Cord | None]:
    """The part of the film to look at, and the mask of the cord where there is a network for it."""
    region = whole(image)
    if isinstance(settings.isolation, AspectCrop):
        region = aspect_crop(image, settings.isolation)
    elif settings.isolation is not None:
        rows = prepare_region(image, region, settings.isolation.size, settings.preparation)
        region = project(image, region, rows, settings.isolation)
    if settings.cord is None:
        return region, None
    network = networks["cord"]
    (source,), (target,) = network.inputs, network.outputs
    seen = prepare_region(image, region, plane_size(source), settings.preparation)
    logits = network({source.name: seen.pixels[None, None]})[target.name][0, 0]
    cells = cell_map(seen.map, plane_size(source), plane_size(target))
    cord = find_cord(probabilities(logits, "sigmoid"), cells, settings.cord)
    return refine_region(region, cord, settings.cord, image.mm_per_pixel_xy), cord


def _vertebrae(
    found: Boxes, plane: kernels.PlaneMap, cord: Cord | None, settings: Settings
) -> tuple[Boxes, tuple[str, ...]]:
    """The column of vertebrae from head to foot, and what is to be noted of all of them."""
    if cord is not None:
        found = found.take(np.flatnonzero(cord.covers(plane.to_image(found.boxes[:, :2]))))
    vertebrae = column(found, settings.drop)
    count, named = len(vertebrae.boxes), len(settings.class_names)
    if count < settings.least_vertebrae:
        raise BadStudy(
            f"{count} vertebrae were found, at least {settings.least_vertebrae} are needed to measure a curve",
            "give a frontal radiograph that shows the spine",
        )
    if count > named and settings.surplus == "cut_from_bottom":
        return vertebrae.take(np.arange(named)), (EXTRA_BOXES_CUT,)
    return vertebrae, ()


def _corners(
    image: Image, region: Region, seen: kernels.Prepared, detected: Detected, network: Network, settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners [n, 4, 2] in pixels of the image and confidence [n]: the network's, else the box's score."""
    boxes, size = enlarged(detected.boxes.boxes, settings.crop_margin), plane_size(network.inputs[0])
    if settings.crops_from == "features":
        shape = (seen.pixels.shape[0], seen.pixels.shape[1])
        crops, maps = align_regions(detected.features, boxes, size, shape, settings.regions)
    else:
        film = prepare_region(image, region, settings.film_size, settings.preparation)
        crops, maps = crop_boxes(film, seen.map, boxes, size)
    found = find_corners(network, crops, settings.corners)
    corners = maps.to_image(found.corners)
    if settings.crops_from == "features":
        corners = seen.map.to_image(corners)
    return corners, detected.boxes.scores if found.confidence is None else found.confidence
