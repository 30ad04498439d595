"""What lies in boxes, cut out of a film or of feature maps and laid upright."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.runtime.network import Network


class RegionReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How regions of feature maps are read."""

    samples: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    """Points along either side of a cell that ROI align averages."""
    canonical_side: Annotated[float, msgspec.Meta(gt=0)] = 224.0
    canonical_level: float = 4.0
    """A box of this side in pixels of the network's input is read from the map of 2**level of them for a cell, one of
    half the side from the next finer, within those there are (Lin et al., CVPR 2017, equation 1)."""


def enlarged(boxes: NDArray[np.float64], share: tuple[float, float]) -> NDArray[np.float64]:
    """Boxes [n, 5] that reach `share` = (of width, of height) farther on either side."""
    grown = boxes.copy()
    grown[:, 2:4] *= 1.0 + 2.0 * np.array(share)
    return grown


def crop_boxes(
    film: kernels.Prepared, plane: kernels.PlaneMap, boxes: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float32], kernels.Affine]:
    """Crops of a prepared film, float32 [n, 1, height, width], and the way from their pixels to the stored image.

    film    where the crops are taken from
    plane   from the network's input, in whose pixels the boxes count, to the stored image
    boxes   float64 [n, 5] (cx, cy, width, height, radians); a turn is one in square pixels, as both inputs have
    """
    scale = plane.step_x / film.map.step_x, plane.step_y / film.map.step_y
    within = np.concatenate(
        [
            film.map.to_network(plane.to_image(boxes[:, :2])),
            boxes[:, 2:3] * scale[0],
            boxes[:, 3:4] * scale[1],
            boxes[:, 4:],
        ],
        axis=1,
    )
    maps = kernels.box_map(within, size)
    # as many points for a pixel of the crop as it has pixels of the film: a crop that shrinks is averaged
    samples = int(np.clip(np.ceil(np.abs(maps.matrix).max(initial=1.0)), 1, 4))
    crops = kernels.crop_rotated(film.pixels[None], maps, size, samples=samples)
    step = np.array([film.map.step_x, film.map.step_y])
    return crops, kernels.Affine(maps.matrix * step[:, None], film.map.to_image(maps.origin))


def align_regions(
    levels: Sequence[NDArray[np.float32]],
    boxes: NDArray[np.float64],
    size: tuple[int, int],
    input_size: tuple[int, int],
    reading: RegionReading,
) -> tuple[NDArray[np.float32], kernels.Affine]:
    """ROI align of a feature pyramid, float32 [n, channels, height, width], and the way from there to the input.

    levels     float32 [channels, h, w], the finest first, each covering the network's input from corner to corner
    boxes      float64 [n, 5] in pixels of the network's input
    """
    strides = np.array([input_size[0] / level.shape[1] for level in levels])
    sides = np.sqrt(boxes[:, 2] * boxes[:, 3])
    wanted = np.floor(reading.canonical_level + np.log2(np.maximum(sides, 1e-9) / reading.canonical_side))
    nearest = np.argmin(np.abs(np.log2(strides)[None] - wanted[:, None]), axis=1)
    regions = np.empty((len(boxes), levels[0].shape[0], *size), np.float32)
    for index, features in enumerate(levels):
        here = np.flatnonzero(nearest == index)
        if len(here):
            maps = kernels.box_map(boxes[here], size, stride=float(strides[index]))
            regions[here] = kernels.crop_rotated(np.ascontiguousarray(features), maps, size, samples=reading.samples)
    return regions, kernels.box_map(boxes, size)


def call_in_parts(network: Network, crops: NDArray[np.float32], most: int | None) -> dict[str, NDArray[Any]]:
    """Outputs of a network of one input for any number of crops, at most `most` in a call; None: all in one.

    The arrays are the caller's own.
    """
    source = network.inputs[0].name
    step = most or max(len(crops), 1)
    parts = [
        {name: array.copy() for name, array in network({source: np.ascontiguousarray(crops[at : at + step])}).items()}
        for at in range(0, len(crops), step)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
