"""Dense outputs of a detector -> boxes: scores, threshold, decoding, non-maximum suppression.

Boxes are float64 [n, 5] as (cx, cy, width, height, radians) in pixels of the network's input, upright ones with an
angle of 0, so that whatever follows takes both alike.
"""

from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadNetwork
from spinert.runtime.anchors import anchors, decode_boxes

Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class AnchorShapes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The anchors that the detector was trained with, see `anchors`."""

    strides: tuple[Count, ...]
    sizes: tuple[tuple[Positive, ...], ...]
    """For each stride the sides of a square of an anchor's area."""
    ratios: tuple[Positive, ...]
    """height / width."""
    angles_deg: tuple[float, ...] = ()
    """Clockwise on the screen; none: upright boxes."""

    def of(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """The anchors of an input of (height, width), float64 [A, 4] or [A, 5]. Raises ValueError as `anchors`."""
        return anchors(
            size, self.strides, self.sizes, self.ratios, [float(np.radians(each)) for each in self.angles_deg]
        )


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which of a network's boxes are believed."""

    scores: Literal["sigmoid", "softmax"]
    """sigmoid: a logit for each class. softmax: logits of the background, then of each class."""
    least_score: Share
    most_candidates: Count
    """The highest scores that are decoded and compared with each other."""
    overlap: Share
    """Non-maximum suppression within a class: intersection over union above which the lower score goes."""
    most_boxes: Count
    delta_weights: tuple[Positive, Positive, Positive, Positive] = (1.0, 1.0, 1.0, 1.0)


class Boxes(NamedTuple):
    """Boxes float64 [n, 5] from the highest score on, scores float64 [n] in 0..1, classes int64 [n] from 0."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]

    def take(self, rows: NDArray[np.integer]) -> "Boxes":
        """These of them, in this order."""
        return Boxes(self.boxes[rows], self.scores[rows], self.classes[rows])


def select_boxes(
    starts: NDArray[np.float64],
    logits: NDArray[np.float32],
    deltas: NDArray[np.float32],
    selection: Selection,
    size: tuple[int, int],
) -> Boxes:
    """Boxes that a detector, or its second stage, finds in one image.

    starts  float64 [A, 4] (x0, y0, x1, y1) or [A, 5]: the anchors, or the boxes that are refined
    logits  float32 [A, classes], with softmax [A, 1 + classes], the background first
    deltas  float32 [A, 4 | 5], or [A, classes, 4 | 5] where each class has its own
    size    (height, width) of the network's input: upright boxes are cut to it, rotated ones with their centre outside
            of it go

    Raises BadNetwork where an output is not finite.
    """
    for name, output in (("scores", logits), ("deltas", deltas)):
        if not np.isfinite(output).all():
            raise BadNetwork(
                f"the detector's {name} hold {np.count_nonzero(~np.isfinite(output))} values that are not finite",
                "check the weights of the network and export the bundle again",
            )
    scores = probabilities(logits, selection.scores)
    rows, classes = np.nonzero(scores >= selection.least_score)
    order = np.argsort(-scores[rows, classes], kind="stable")[: selection.most_candidates]
    rows, classes = rows[order], classes[order]
    moved = deltas[rows] if deltas.ndim == 2 else deltas[rows, classes]
    decoded = decode_boxes(starts[rows], moved, selection.delta_weights)
    decoded, inside = _inside(decoded, size)
    found = Boxes(decoded[inside], scores[rows, classes][inside], classes[inside].astype(np.int64))
    kept = _suppress(found, selection)
    return Boxes(centred(found.boxes), found.scores, found.classes).take(kept)


def probabilities(logits: NDArray[np.float32], scores: Literal["sigmoid", "softmax"]) -> NDArray[np.float64]:
    """Logits [..., n] -> probability of each class, without that of the background."""
    values = logits.astype(np.float64)
    if scores == "sigmoid":
        # exp of what is not above 0, on either side, never overflows
        small = np.exp(-np.abs(values))
        return np.where(values >= 0, 1.0, small) / (1.0 + small)
    grown = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(grown[..., 1:] / grown.sum(axis=-1, keepdims=True))


def centred(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(x0, y0, x1, y1) -> (cx, cy, width, height, 0); rotated ones as they are."""
    if boxes.shape[1] == 5:
        return boxes
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2, high - low, np.zeros((len(boxes), 1))], axis=1)


def upright(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest (x0, y0, x1, y1) around each of [n, 5]."""
    cos, sin = np.abs(np.cos(boxes[:, 4:])), np.abs(np.sin(boxes[:, 4:]))
    width, height = boxes[:, 2:3], boxes[:, 3:4]
    half = np.concatenate([width * cos + height * sin, width * sin + height * cos], axis=1) / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _inside(boxes: NDArray[np.float64], size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Boxes within the input, and which of them are there at all."""
    width_height = np.array(size[::-1], np.float64)
    if boxes.shape[1] == 5:
        middle_in = ((boxes[:, :2] > -0.5) & (boxes[:, :2] < width_height - 0.5)).all(axis=1)
        return boxes, np.asarray(middle_in & (boxes[:, 2:4] > 0).all(axis=1))
    edges = np.clip(boxes, -0.5, np.tile(width_height - 0.5, 2))
    return edges, np.asarray((edges[:, 2:] > edges[:, :2]).all(axis=1))


def _suppress(found: Boxes, selection: Selection) -> NDArray[np.int64]:
    """Rows that stay, the highest score first."""
    by_class = np.argsort(found.classes, kind="stable")
    groups = np.flatnonzero(np.diff(found.classes[by_class], prepend=-1, append=-1))
    if not len(by_class):
        groups = np.zeros(1, np.int64)
    suppress = kernels.rotated_nms if found.boxes.shape[1] == 5 else kernels.nms
    kept, _ = suppress(
        np.ascontiguousarray(found.boxes[by_class], np.float32),
        np.ascontiguousarray(found.scores[by_class], np.float32),
        threshold=selection.overlap,
        offsets=groups.astype(np.int64),
    )
    staying = by_class[kept[kept >= 0]]
    return staying[np.argsort(-found.scores[staying], kind="stable")][: selection.most_boxes]
