"""The second stage of a detector: proposals are read from its feature maps, judged and moved once more."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.runtime.box_crops import RegionReading, align_regions, call_in_parts
from spinert.runtime.boxes import Boxes, Selection, select_boxes, upright
from spinert.runtime.network import Network

Calls = Annotated[int, msgspec.Meta(ge=1)] | None


class RegionHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the second stage; the size of a region is that of the network's input."""

    selection: Selection
    reading: RegionReading = RegionReading()
    boxes_per_call: Calls = None
    """The most regions in one call of the network, where an engine was built for so many; None: all."""


def split_outputs(
    outputs: Mapping[str, NDArray[Any]], names: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[NDArray[np.float32]]]:
    """(scores [A, classes], deltas [A, 4 | 5], feature maps [channels, h, w], the finest first) of a batch of one.

    names  of the outputs in the network's order: the scores, the deltas, then the feature maps
    """
    scores, deltas, *features = (outputs[name][0] for name in names)
    return scores, deltas, sorted(features, key=lambda level: -level.shape[1])


def judge_regions(
    proposals: Boxes,
    levels: Sequence[NDArray[np.float32]],
    network: Network,
    head: RegionHead,
    size: tuple[int, int],
    *,
    rotated: bool,
) -> Boxes:
    """What the second stage makes of proposals.

    The network takes regions float32 [R, channels, h, w] and gives scores [R, classes] and deltas [R, v], or
    [R, classes, v] or [R, classes * v] where each class has its own; v is 4, or 5 for rotated boxes. With
    softmax the scores have the background first, and the deltas may.
    """
    if not len(proposals.boxes):
        return proposals
    height, width = network.inputs[0].shape[-2:]
    assert height is not None
    assert width is not None
    regions, _ = align_regions(
        levels,
        proposals.boxes,
        (height, width),
        size,
        head.reading,
    )
    outputs = call_in_parts(network, regions, head.boxes_per_call)
    scores, deltas = (outputs[spec.name] for spec in network.outputs)
    starts = proposals.boxes if rotated else upright(proposals.boxes)
    classes = scores.shape[1] - (head.selection.scores == "softmax")
    return select_boxes(starts, scores, _by_class(deltas, classes, starts.shape[1]), head.selection, size)


def deltas_fit(scores: int, deltas: Sequence[Any], values: int) -> bool:
    """Whether a second stage may give so many scores, and deltas of this shape, for a region; `values` is 4 or 5."""
    classes = (scores, max(scores - 1, 1))
    match tuple(deltas):
        case (int(together),):
            return together in (values, *(values * each for each in classes))
        case (int(each), int(last)):
            return each in classes and last == values
    return False


def _by_class(deltas: NDArray[np.float32], classes: int, values: int) -> NDArray[np.float32]:
    """[R, v] as they are, else [R, classes, v] without those of the background."""
    if deltas.shape[1:] == (values,):
        return deltas
    return deltas.reshape(len(deltas), -1, values)[:, -classes:]
