"""Cobb angles from corners that are found from coarse to fine: a film peeled to its spine, tagged boxes, corner maps.

image     one projection radiograph of the spine, stored values [rows, columns]
networks  "whole_spine", "target_spine" (U-Nets A, B): [N, 1, H, W] -> maps in 0..1, the spine's first
          "vertebra_boxes" (C): [N, 1, H, W] -> maps in 0..1, the middle region of each vertebra of `class_names` first
          "detector", "region_head" (Mask R-CNN): [N, 1, H, W] -> scores, deltas, feature maps; regions of these ->
          scores of the background and of each vertebra's tag, deltas
          "box_mask", "corner_maps" (D, E): crops [V, 1, h, w] -> maps in 0..1, that of the vertebra first; those of
          TL, TR, BL, BR first
findings  Vertebra (level by its tag, corners, confidence), CobbAngle, AasceAngles

peel -> mask of the spine x film -> tagged boxes -> crops -> corners -> odd plates turned to the curve -> angles in mm.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (CSI 2019,
LNCS 11963). The mask head of Mask R-CNN is not run: no step reads its masks. A tag is believed where the box holds the
place that U-Net C gives to the same vertebra; tags tell the levels, so a vertebra that is missing does not take the
others' names, but flags those beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec
from spinert.errors import BadNetwork, BadStudy
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime.box_crops import call_in_parts, crop_boxes, enlarged
from spinert.runtime.boxes import Boxes, Share, upright
from spinert.runtime.detector import Detector, check_detector, detect, refuse
from spinert.runtime.film_regions import Region, prepare_region, whole
from spinert.runtime.landmark_findings import check_names, landmark_findings
from spinert.runtime.masked_points import MaskedPoints, masked_corners
from spinert.runtime.midline_refine import CurveRefine, fit_spine, straighten_plates
from spinert.runtime.network import Network
from spinert.runtime.peeling import Ends, Peeling, box_locations, has_settled, peeled, spine_ends
from spinert.runtime.preparation import Preparation
from spinert.runtime.spine_isolation import Size
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import plane_size

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = (
    "whole_spine",
    "target_spine",
    "vertebra_boxes",
    "detector",
    "region_head",
    "box_mask",
    "corner_maps",
)

NEIGHBOUR_MISSING = "neighbour_missing"
"""The vertebra of the next level was not found."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the vertebrae of the tags from top to bottom."""

    class_names: tuple[str, ...]
    preparation: Preparation
    film_size: Size
    """Height and width of the prepared film that crops are taken from."""
    peeling: Peeling = Peeling()
    detector: Detector
    least_vertebrae: Annotated[int, msgspec.Meta(ge=2)] = 5
    """Fewer are no spine, and an error."""
    crop_margin: tuple[Share, Share] = (0.25, 0.25)
    """Shares of a box's width and height by which it is extended on each side."""
    corners: MaskedPoints = MaskedPoints()
    curve: CurveRefine | None = CurveRefine()
    """None: corners stay as they were found."""
    least_confidence: Share
    """A vertebra below it is flagged."""
    least_cobb_degrees: Annotated[float, msgspec.Meta(gt=0, le=180)]


class Seen(NamedTuple):
    """A region as the global stage sees it."""

    prepared: kernels.Prepared
    spine: NDArray[np.float32]
    """The prepared film times the mask of the whole spine, [H, W]."""
    locations: NDArray[np.float64]
    """Of each vertebra by U-Net C, (x, y) in pixels of the input, nan where there is none."""


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """Levels are consecutive; masks have the size of the image that they are multiplied with; tags fit the levels."""
    check_names(settings.class_names)
    count = len(settings.class_names)
    size = networks["whole_spine"].inputs[0].shape[-2:]
    for name, least in (("whole_spine", 1), ("target_spine", 1), ("vertebra_boxes", count)):
        _check_maps(name, networks[name], least, size)
    check_detector(networks, settings.detector)
    if networks["detector"].inputs[0].shape[-2:] != size:
        raise refuse("detector", networks["detector"], f"an image of the size of U-Net A's, {list(size)}")
    tags = networks["region_head"].outputs[0].shape[-1]
    head = settings.detector.region_head
    if head is None or tags != count + (head.selection.scores == "softmax"):
        raise refuse("region_head", networks["region_head"], f"scores of the {count} vertebrae of class_names")
    crop = networks["box_mask"].inputs[0].shape[-2:]
    _check_maps("box_mask", networks["box_mask"], 1, crop)
    _check_maps("corner_maps", networks["corner_maps"], 4, crop)


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.may_be_frontal


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> vertebrae, curves, the challenge's angles. Points in pixels of the stored image.

    Raises BadStudy where fewer than `least_vertebrae` are found.
    """
    with stopwatch.stage("peel"):
        region = _peel(image, networks, settings)
    with stopwatch.stage("detect"):
        seen = _look(image, region, networks, settings)
        found = detect(seen.spine, networks, settings.detector).boxes
        vertebrae = _tagged(found, seen.locations)
        if len(vertebrae.boxes) < settings.least_vertebrae:
            raise BadStudy(
                f"{len(vertebrae.boxes)} vertebrae were found, at least {settings.least_vertebrae} are needed to "
                "measure a curve",
                "give a frontal radiograph that shows the spine",
            )
    with stopwatch.stage("corners"):
        corners, confidence = _corners(image, region, seen, vertebrae, networks, settings)
    with stopwatch.stage("geometry"):
        if settings.curve is not None:
            corners = _refined(corners, seen, vertebrae, settings.curve)
        return landmark_findings(
            image,
            corners,
            confidence,
            [settings.class_names[tag] for tag in vertebrae.classes],
            least_confidence=settings.least_confidence,
            least_cobb_degrees=settings.least_cobb_degrees,
            noted=_beside_missing(vertebrae.classes.tolist(), len(settings.class_names)),
        )


def _check_maps(name: str, spec: NetworkSpec, least: int, size: Sequence[int | None]) -> None:
    """Raises BadBundle unless a network takes one grey image of this size and gives at least so many maps of it."""
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, 1, int(height), int(width)), (None, int(maps), int(h), int(w))]:
            if maps >= least and (height, width) == (h, w) == tuple(size):
                return
    plane = ", ".join(map(str, size))
    raise refuse(name, spec, f"[N, 1, {plane}] -> [N, {least} or more, {plane}]")


def _peel(image: Image, networks: Mapping[str, Network], settings: Settings) -> Region:
    """The region of the film that the peeling ends at; as it was where too few vertebrae tell where the spine is."""
    region = whole(image)
    for _ in range(settings.peeling.most_rounds):
        seen = _look(image, region, networks, settings)
        ends = spine_ends(seen.locations, settings.peeling)
        if ends is None:
            return region
        (middle, top), (_, bottom) = seen.prepared.map.to_image(
            np.array([[ends.middle, ends.top], [ends.middle, ends.bottom]])
        ).tolist()
        before = region
        region = peeled(region, Ends(top, bottom, middle), settings.peeling, image.mm_per_pixel_xy)
        if has_settled(before, region, settings.peeling, image.shape[0]):
            break
    return region


def _look(image: Image, region: Region, networks: Mapping[str, Network], settings: Settings) -> Seen:
    """U-Net A on a region, then B and C on the region times A's mask."""
    prepared = prepare_region(image, region, plane_size(networks["whole_spine"].inputs[0]), settings.preparation)
    spine = prepared.pixels * _maps(networks["whole_spine"], prepared.pixels)[0]
    target = _maps(networks["target_spine"], spine)[0]
    boxes = _maps(networks["vertebra_boxes"], spine)[: len(settings.class_names)] * target
    return Seen(prepared, spine, box_locations(boxes, settings.peeling.threshold))


def _maps(network: Network, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps [n, H, W] of one image [H, W], the caller's own. Raises BadNetwork for values that are not finite."""
    name = network.outputs[0].name
    maps: NDArray[np.float32] = network({network.inputs[0].name: np.ascontiguousarray(image[None, None])})[name][0]
    if not np.isfinite(maps).all():
        raise BadNetwork(
            f"{name} holds {np.count_nonzero(~np.isfinite(maps))} values that are not finite",
            "check the weights of the network and export the bundle again",
        )
    return maps.copy()


def _tagged(found: Boxes, locations: NDArray[np.float64]) -> Boxes:
    """For each tag the box of the highest score that holds the location of the same vertebra, in the tags' order."""
    edges = upright(found.boxes)
    places = locations[found.classes]
    holds = ((places >= edges[:, :2]) & (places <= edges[:, 2:])).all(axis=1)
    _, first = np.unique(found.classes[holds], return_index=True)
    return found.take(np.flatnonzero(holds)[first])


def _corners(
    image: Image,
    region: Region,
    seen: Seen,
    vertebrae: Boxes,
    networks: Mapping[str, Network],
    settings: Settings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners [n, 4, 2] in pixels of the image, confidence [n]."""
    size = plane_size(networks["box_mask"].inputs[0])
    film = prepare_region(image, region, settings.film_size, settings.preparation)
    crops, maps = crop_boxes(film, seen.prepared.map, enlarged(vertebrae.boxes, settings.crop_margin), size)
    most = settings.corners.boxes_per_call
    masks, points = (
        call_in_parts(networks[name], crops, most)[networks[name].outputs[0].name]
        for name in ("box_mask", "corner_maps")
    )
    found = masked_corners(masks, points, size, settings.corners)
    assert found.confidence is not None
    return maps.to_image(found.corners), found.confidence


def _refined(corners: NDArray[np.float64], seen: Seen, vertebrae: Boxes, refine: CurveRefine) -> NDArray[np.float64]:
    """Corners with odd plates turned to the curve, which is fitted in the input's pixels, as these are square."""
    centres = np.concatenate([vertebrae.boxes[:, :2], seen.locations[np.isfinite(seen.locations).all(axis=1)]])
    plane = seen.prepared.map
    straight = straighten_plates(plane.to_network(corners), fit_spine(centres, refine), refine)
    return plane.to_image(straight)


def _beside_missing(tags: Sequence[int], count: int) -> list[tuple[str, ...]]:
    """Flags of those whose next level, within the names, was not found."""
    there = {-1, count, *tags}
    return [() if {tag - 1, tag + 1} <= there else (NEIGHBOUR_MISSING,) for tag in tags]
