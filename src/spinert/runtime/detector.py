"""A detector of vertebrae of one or two stages: tensors checked, image in, boxes and feature maps out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadBundle
from spinert.runtime.boxes import AnchorShapes, Boxes, Selection, select_boxes
from spinert.runtime.network import Network
from spinert.runtime.region_head import RegionHead, deltas_fit, judge_regions, split_outputs

FIRST_STAGE, SECOND_STAGE = "detector", "region_head"
"""Names of the networks in a bundle; the second only where the settings have a `region_head`."""


class Detector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of a detector. Without a second stage the boxes of the first are the vertebrae."""

    anchors: AnchorShapes
    selection: Selection
    region_head: RegionHead | None = None

    @property
    def rotated(self) -> bool:
        """Whether boxes have an angle."""
        return bool(self.anchors.angles_deg)


class Detected(NamedTuple):
    """Boxes in pixels of the network's input, and the first stage's feature maps [channels, h, w], the finest first."""

    boxes: Boxes
    features: list[NDArray[np.float32]]


def refuse(network: str, spec: NetworkSpec, expected: str) -> BadBundle:
    """The error for tensors that do not fit the steps."""
    have = ", ".join(str(tensor) for tensor in (*spec.inputs, *spec.outputs))
    return BadBundle(f"network {network!r} has tensors {have}; expected {expected}", "export the bundle again")


def check_detector(networks: Mapping[str, NetworkSpec], detector: Detector) -> None:
    """Raises BadBundle where anchors or tensors do not fit, or a second stage is there and not expected, or missing."""
    _check_first(networks[FIRST_STAGE], detector)
    if (detector.region_head is None) != (SECOND_STAGE not in networks):
        told, there = ("has", "no") if detector.region_head else ("has no", "the")
        raise BadBundle(
            f"the bundle {told} settings 'region_head' and {there} network {SECOND_STAGE!r}",
            "export the bundle again, with both or without",
        )
    if detector.region_head is not None:
        _check_second(networks, detector)


def detect(prepared: NDArray[np.float32], networks: Mapping[str, Network], detector: Detector) -> Detected:
    """Vertebrae in one prepared image float32 [H, W], the highest score first. Raises BadNetwork for values that are
    not finite."""
    network = networks[FIRST_STAGE]
    outputs = network({network.inputs[0].name: np.ascontiguousarray(prepared[None, None])})
    scores, deltas, features = split_outputs(outputs, [spec.name for spec in network.outputs])
    size = (prepared.shape[0], prepared.shape[1])
    found = select_boxes(detector.anchors.of(size), scores, deltas, detector.selection, size)
    if detector.region_head is not None:
        found = judge_regions(
            found, features, networks[SECOND_STAGE], detector.region_head, size, rotated=detector.rotated
        )
    return Detected(found, features)


def feature_maps(spec: NetworkSpec) -> Sequence[TensorSpec]:
    """Those of a detector's outputs that a later stage reads."""
    return spec.outputs[2:]


def _check_first(spec: NetworkSpec, detector: Detector) -> None:
    values = 5 if detector.rotated else 4
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, 1, int(height), int(width)), (None, int(scored), int(classes)), (None, int(moved), delta), *maps]:
            try:
                count = len(detector.anchors.of((height, width)))
            except ValueError as error:
                raise BadBundle(f"anchors of the detector: {error}", "correct bundle.json") from None
            least = 2 if detector.selection.scores == "softmax" else 1
            fits = scored == moved == count and delta == values and classes >= least
            if fits and all(_is_map(shape) for shape in maps):
                return
            raise refuse(FIRST_STAGE, spec, f"scores and deltas [N, {count}, {values}] for the settings' anchors")
    raise refuse(FIRST_STAGE, spec, f"[N, 1, H, W] -> scores [N, A, classes], deltas [N, A, {values}], feature maps")


def _check_second(networks: Mapping[str, NetworkSpec], detector: Detector) -> None:
    spec, maps = networks[SECOND_STAGE], feature_maps(networks[FIRST_STAGE])
    values = 5 if detector.rotated else 4
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, int(channels), int(), int()), (None, int(scores)), (None, *deltas)]:
            if maps and all(level.shape[1] == channels for level in maps) and deltas_fit(scores, deltas, values):
                return
    raise refuse(
        SECOND_STAGE,
        spec,
        f"[N, channels of the detector's feature maps, h, w] -> scores [N, classes], deltas [N, {values} or one for "
        "each class]",
    )


def _is_map(shape: tuple[Any, ...]) -> bool:
    match shape:
        case (None, int(), int(), int()):
            return True
    return False


def check_image_network(name: str, spec: NetworkSpec, maps: int) -> None:
    """Raises BadBundle unless a network takes one grey image and gives `maps` planes of the same proportions."""
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, 1, int(height), int(width)), (None, int(given), int(h), int(w))]:
            if given == maps and height * w == width * h:
                return
    raise refuse(name, spec, f"[N, 1, H, W] -> [N, {maps}, H/s, W/s]")


def cell_map(plane: kernels.PlaneMap, input_size: tuple[int, int], cells: tuple[int, int]) -> kernels.PlaneMap:
    """The way from the cells of an output that covers the input from corner to corner to the stored image."""
    stride_x, stride_y = input_size[1] / cells[1], input_size[0] / cells[0]
    middle = plane.to_image(np.array([(stride_x - 1) / 2, (stride_y - 1) / 2]))
    return kernels.PlaneMap(plane.step_x * stride_x, plane.step_y * stride_y, float(middle[0]), float(middle[1]))
