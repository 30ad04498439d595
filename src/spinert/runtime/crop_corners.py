"""The four corners of the vertebra in each crop, from what a network says of the crop."""

from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import TensorSpec
from spinert.errors import BadNetwork
from spinert.runtime.box_crops import call_in_parts
from spinert.runtime.network import Network


class CornerReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the corner network's maps are read; coordinates need none of it but `boxes_per_call`."""

    confidence_radius_cells: Annotated[int, msgspec.Meta(ge=0)] = 3
    boxes_per_call: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The most crops in one call of the network, where an engine was built for so many; None: all."""


class CropCorners(NamedTuple):
    """`corners` float64 [n, 4, 2] in pixels of the crops; `confidence` float64 [n], None where none is given."""

    corners: NDArray[np.float64]
    confidence: NDArray[np.float64] | None


def gives_corners(output: TensorSpec) -> bool:
    """Whether a tensor is heat-maps [N, 4, h, w] or coordinates [N, 8]."""
    match output.shape:
        case (None, 4, int(), int()) | (None, 8):
            return True
    return False


def find_corners(network: Network, crops: NDArray[np.float32], reading: CornerReading) -> CropCorners:
    """Corners TL, TR, BL, BR of the vertebra in each crop, float32 [n, channels, h, w].

    The network gives logits of heat-maps [n, 4, h', w'], of which the soft-argmax is taken, or coordinates [n, 8],
    (x, y) of each corner as a share of the crop from its left or top edge to the other.
    Raises BadNetwork where an output is not finite.
    """
    height, width = crops.shape[2:]
    output = network.outputs[0]
    if not len(crops):
        return CropCorners(np.empty((0, 4, 2)), np.empty(0) if len(output.shape) == 4 else None)
    answer = call_in_parts(network, crops, reading.boxes_per_call)[output.name]
    if not np.isfinite(answer).all():
        broken = np.count_nonzero(~np.isfinite(answer.reshape(len(answer), -1)).all(axis=1))
        raise BadNetwork(
            f"the corners of {broken} of {len(crops)} boxes are not finite",
            "check the weights of the network and export the bundle again",
        )
    if answer.ndim == 2:
        shares = answer.reshape(-1, 4, 2).astype(np.float64)
        return CropCorners(shares * (width, height) - 0.5, None)
    return _of_maps(answer, (height, width), reading.confidence_radius_cells)


def _of_maps(maps: NDArray[Any], size: tuple[int, int], radius: int) -> CropCorners:
    count, _, rows, columns = maps.shape
    cells, confidence = kernels.soft_argmax(np.ascontiguousarray(maps.reshape(-1, rows, columns)), radius=radius)
    # edge to edge: the first cell's centre lies in the middle of the pixels it stands for
    pixels = (cells.astype(np.float64) + 0.5) * (size[1] / columns, size[0] / rows) - 0.5
    return CropCorners(pixels.reshape(count, 4, 2), confidence.reshape(count, 4).min(axis=1).astype(np.float64))
