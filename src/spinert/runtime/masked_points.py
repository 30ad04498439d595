"""Corners of the vertebra in each crop from maps of its corners under the mask of its box.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (CSI 2019),
"Local Stage Heatmap Regression": mean position of the pixels above 0.5.
"""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadNetwork
from spinert.runtime.boxes import Share
from spinert.runtime.crop_corners import CropCorners


class MaskedPoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the maps of a crop are read."""

    threshold: Share = 0.5
    """A pixel of a corner's map above it is part of the corner."""
    mask_threshold: Share = 0.5
    """A pixel of the box's map above it is part of the vertebra; the paper multiplies both maps instead."""
    boxes_per_call: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The most crops in one call of a network, where an engine was built for so many; None: all."""


def masked_corners(
    boxes: NDArray[np.float32], points: NDArray[np.float32], size: tuple[int, int], reading: MaskedPoints
) -> CropCorners:
    """Corners TL, TR, BL, BR in pixels of the crops, and the mean value of the pixels that made the least sure one.

    boxes   float32 [n, >= 1, h, w], 0..1: map 0 is the vertebra in the middle of the crop
    points  float32 [n, >= 4, h, w], 0..1: maps 0 to 3 are its corners
    size    (height, width) of the crops

    A corner without a pixel above the threshold lies at the highest one of its map, and the confidence is 0.
    Raises BadNetwork where a map that is read is not finite.
    """
    count, rows, columns = len(points), points.shape[2], points.shape[3]
    maps = np.ascontiguousarray(points[:, :4], np.float32).reshape(-1, rows, columns)
    if not (np.isfinite(maps).all() and np.isfinite(boxes[:, 0]).all()):
        raise BadNetwork(
            "maps of boxes or corners hold values that are not finite",
            "check the weights of the networks and export the bundle again",
        )
    mask = (boxes[:, 0] > reading.mask_threshold).astype(np.uint8)
    cells, _, confidence = kernels.mean_above(maps, reading.threshold, mask=mask)
    highest, _ = kernels.peak(maps)
    cells = np.where(np.isfinite(cells), cells, highest).astype(np.float64)
    pixels = (cells + 0.5) * (size[1] / columns, size[0] / rows) - 0.5
    return CropCorners(
        pixels.reshape(count, 4, 2), np.minimum(confidence, 1.0).reshape(count, 4).min(axis=1).astype(np.float64)
    )
