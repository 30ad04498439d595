"""The boxes that a dense detector starts from, and what its deltas make of them.

Boxes are float64 in pixels of the network's input, (0, 0) the centre of its top-left pixel: [A, 4] as (x0, y0, x1, y1),
or rotated [A, 5] as (cx, cy, width, height, radians), clockwise on the screen. The layouts are those of
`kernels.nms` and `kernels.rotated_nms`, which take them as float32.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LARGEST_GROWTH = math.log(1000 / 16)
"""A box grows at most 62.5 times, so that no logit overflows exp (the limit of Detectron's box coder)."""


def anchors(
    size: tuple[int, int],
    strides: Sequence[int],
    sizes: Sequence[Sequence[float]],
    ratios: Sequence[float],
    angles: Sequence[float] = (),
) -> NDArray[np.float64]:
    """The anchors of an image, in the order in which the networks of the detectors concatenate their outputs.

    That is by level, row, column, then size, ratio, angle: the angle changes first. Each cell has its anchors at the
    middle of the `stride` x `stride` pixels that it stands for; a level has ceil(side / stride) cells along a side.

    size     (height, width) of the network's input
    strides  input pixels for one cell of each level
    sizes    for each level the sides of a square with an anchor's area, in pixels
    ratios   height / width; the area stays
    angles   in radians, clockwise on the screen; none: boxes that are not rotated

    Returns float64 [A, 4] without angles, [A, 5] with them. Raises ValueError where a number is not above 0, an angle
    not finite, or levels and sizes differ in number.
    """
    if not strides or len(strides) != len(sizes):
        raise ValueError(f"{len(strides)} strides, sizes for {len(sizes)} levels: expected one of each for every level")
    positive = [*size, *strides, *ratios, *(side for level in sizes for side in level)]
    if not all(0.0 < each < math.inf for each in positive) or not ratios or not all(sizes):
        raise ValueError(f"size {size}, strides {strides}, sizes {sizes}, ratios {ratios}: expected finite values > 0")
    if not all(map(math.isfinite, angles)):
        raise ValueError(f"angles {angles}: expected finite values")
    rotated = np.concatenate(
        [_level(size, stride, sides, ratios, angles or (0.0,)) for stride, sides in zip(strides, sizes, strict=True)]
    )
    return rotated if angles else _corners(rotated)


def decode_boxes(
    anchors: NDArray[np.float64], deltas: NDArray[np.floating], weights: Sequence[float] = (1, 1, 1, 1)
) -> NDArray[np.float64]:
    """Boxes that a network moved its anchors to, in the layout of the anchors.

    anchors  float64 [A, 4] or [A, 5], or boxes that a second stage refines
    deltas   [A, 4] as (dx, dy, dw, dh), [A, 5] with the turn in radians behind them
    weights  of the four, what the network's deltas are divided by (10, 10, 5, 5 in the second stage of Faster R-CNN)

    The centre moves by dx of the anchor's width along the image's x and by dy of its height along its y, also where
    the anchor is rotated; width and height grow by exp(dw) and exp(dh) (Girshick et al., CVPR 2014, appendix C), at
    most 62.5 times. The angle is the sum, brought to -pi/2 .. pi/2 (below pi/2), since half a turn changes no box.

    Returns float64. A delta that is nan gives a box that is none. Raises ValueError where the shapes do not
    fit or a weight is not above 0.
    """
    anchors, deltas = np.asarray(anchors, np.float64), np.asarray(deltas, np.float64)
    if anchors.ndim != 2 or anchors.shape[1] not in (4, 5) or anchors.shape != deltas.shape:
        raise ValueError(
            f"anchors {list(anchors.shape)} and deltas {list(deltas.shape)}, expected both [A, 4] or [A, 5]"
        )
    if len(weights) != 4 or not all(0.0 < weight < math.inf for weight in weights):
        raise ValueError(f"weights {weights}, expected four finite values above 0")
    moved = deltas[:, :4] / np.array(weights, np.float64)
    rotated = anchors if anchors.shape[1] == 5 else _centred(anchors)
    centre = rotated[:, :2] + moved[:, :2] * rotated[:, 2:4]
    sides = rotated[:, 2:4] * np.exp(np.minimum(moved[:, 2:], LARGEST_GROWTH))
    if anchors.shape[1] == 4:
        return np.concatenate([centre - sides / 2, centre + sides / 2], axis=1)
    turned = anchors[:, 4:] + deltas[:, 4:]
    with np.errstate(invalid="ignore"):  # an infinite turn gives a box that is none
        turned = (turned + math.pi / 2) % math.pi - math.pi / 2
    return np.concatenate([centre, sides, turned], axis=1)


def _level(
    size: tuple[int, int], stride: int, sides: Sequence[float], ratios: Sequence[float], angles: Sequence[float]
) -> NDArray[np.float64]:
    """[rows * columns * shapes, 5]."""
    shapes = [
        (side / math.sqrt(ratio), side * math.sqrt(ratio), angle)
        for side in sides
        for ratio in ratios
        for angle in angles
    ]
    middles = [(np.arange(-(-length // stride)) + 0.5) * stride - 0.5 for length in size]
    y, x = np.meshgrid(*middles, indexing="ij")
    out = np.empty((*x.shape, len(shapes), 5))
    out[..., 0], out[..., 1], out[..., 2:] = x[..., None], y[..., None], np.array(shapes)
    return out.reshape(-1, 5)


def _corners(rotated: NDArray[np.float64]) -> NDArray[np.float64]:
    half = rotated[:, 2:4] / 2
    return np.concatenate([rotated[:, :2] - half, rotated[:, :2] + half], axis=1)


def _centred(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
