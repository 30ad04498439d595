"""Boxes of vertebrae, what they ask of each anchor, and the task of the first stage of a detector."""

import functools
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting
from examples.training import task
from spinert import kernels
from spinert.runtime.anchors import anchors

Boxes = NDArray[np.float64]
LEAVE_OUT = -1.0
"""Label of an anchor that overlaps a vertebra too little to be one, and too much to be background."""
ALPHA, GAMMA = 0.25, 2.0
"""Of the focal loss (Lin et al., ICCV 2017)."""
NEGATIVES = 3
"""Anchors of the background for each on a vertebra, where they are sampled."""


def upright(corners: NDArray[np.float64]) -> Boxes:
    """The smallest (x0, y0, x1, y1) around the corners of each vertebra, [n, 4]."""
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def rotated(corners: NDArray[np.float64]) -> Boxes:
    """(cx, cy, width, height, radians) of each vertebra: mean length of opposite sides, direction of its plates."""
    across = corners[:, [1, 3]].mean(axis=1) - corners[:, [0, 2]].mean(axis=1)
    down = corners[:, 2:].mean(axis=1) - corners[:, :2].mean(axis=1)
    sides = np.stack([np.linalg.norm(across, axis=1), np.linalg.norm(down, axis=1)], axis=1)
    return np.concatenate([corners.mean(axis=1), sides, np.arctan2(across[:, 1:], across[:, :1])], axis=1)


def deltas_to(starts: Boxes, boxes: Boxes, weights: tuple[float, float, float, float] = (1, 1, 1, 1)) -> Boxes:
    """What `spinert.runtime.anchors.decode_boxes` makes these boxes of, row by row; [n, 4] or [n, 5]."""
    a, b = (each if each.shape[1] == 5 else _centred(each) for each in (starts, boxes))
    moved = (b[:, :2] - a[:, :2]) / a[:, 2:4]
    moved = np.concatenate([moved, np.log(b[:, 2:4] / a[:, 2:4])], axis=1) * np.array(weights)
    if starts.shape[1] == 4:
        return moved
    turn = b[:, 4:] - a[:, 4:]
    return np.concatenate([moved, (turn + np.pi / 2) % np.pi - np.pi / 2], axis=1)


def overlaps(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of all pairs, [len(a), len(b)]."""
    measure = kernels.rotated_iou if a.shape[1] == 5 else kernels.iou
    return np.asarray(measure(np.ascontiguousarray(a, np.float32), np.ascontiguousarray(b, np.float32)))


def assigned(
    starts: Boxes, boxes: Boxes, *, positive: float, negative: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(labels [A], deltas [A, 4 | 5]): 1 on a vertebra, 0 on none, LEAVE_OUT between; deltas to the nearest box.

    An anchor is on the vertebra it overlaps most, from `positive` on; the best anchor of each vertebra always is.
    """
    overlap = overlaps(starts, boxes)
    nearest, most = overlap.argmax(axis=1), overlap.max(axis=1)
    labels = np.where(most >= positive, 1.0, np.where(most < negative, 0.0, LEAVE_OUT)).astype(np.float32)
    best = overlap.argmax(axis=0)
    reached = overlap[best, np.arange(len(boxes))] > 0  # a vertebra outside the input has no anchor
    labels[best[reached]] = 1.0
    nearest[best[reached]] = np.flatnonzero(reached)
    return labels, deltas_to(starts, boxes[nearest]).astype(np.float32)


class AnchorBoxes(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Logits and deltas of dense anchors, those of the runtime: `strides`, `sizes`, `ratios`, `angles_deg` as there.

    "focal" is of all anchors (RetinaNet), "sampled" cross-entropy of those on vertebrae and thrice as many others
    (region proposals). A rotated detector learns turns by their squared error (Tao et al.), all else by smooth L1.
    With `after` the film is seen times the first map of that network (U-Net A of Zhong et al.).
    """

    strides: tuple[int, ...]
    sizes: tuple[tuple[float, ...], ...]
    ratios: tuple[float, ...]
    angles_deg: tuple[float, ...] = ()
    loss: Literal["focal", "sampled"]
    positive: float = 0.5
    negative: float = 0.4

    def anchors(self) -> Boxes:
        return _anchors(self)

    def truth(self, corners: NDArray[np.float64]) -> Boxes:
        return rotated(corners) if self.angles_deg else upright(corners)

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        labels, deltas = assigned(self.anchors(), self.truth(corners), positive=self.positive, negative=self.negative)
        return {"image": image, "labels": labels, "deltas": deltas}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        image = batch["image"]
        if before:
            image = image * task.ask(before[0], image)[0][:, :1]
        logits, deltas, *_ = task.run(network, image)
        logits, labels, on = logits[..., 0], batch["labels"], batch["labels"] > 0
        count = on.sum().clamp(min=1)
        scores = (focal if self.loss == "focal" else sampled)(logits, labels) / count
        moved = functional.smooth_l1_loss(deltas[on][:, :4], batch["deltas"][on][:, :4], reduction="sum", beta=0.1)
        turned = ((deltas[on][:, 4:] - batch["deltas"][on][:, 4:]) ** 2).sum()
        return {
            "loss": scores + (moved + 10 * turned) / count,
            "scores": scores,
            "deltas": moved / count,
            "found": (logits[on] > 0).float().mean(),
        }


@functools.cache
def _anchors(task: AnchorBoxes) -> Boxes:
    """As many as a hundred thousand, the same for every film."""
    return anchors(task.size, task.strides, task.sizes, task.ratios, np.radians(task.angles_deg).tolist())


def focal(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum of the focal loss over the anchors [N, A] that are not left out."""
    told = labels != LEAVE_OUT
    logits, labels = logits[told], labels[told]
    entropy = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    wrong = (logits.sigmoid() - labels).abs()
    return ((ALPHA * labels + (1 - ALPHA) * (1 - labels)) * wrong**GAMMA * entropy).sum()


def sampled(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum of the cross-entropy over all anchors on vertebrae and a random few of the others."""
    on, off = logits[labels > 0], logits[labels == 0]
    some = off[torch.randperm(len(off))[: max(NEGATIVES * len(on), 1)]]
    return functional.softplus(-on).sum() + functional.softplus(some).sum() / NEGATIVES


def _centred(edges: Boxes) -> Boxes:
    return np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], axis=1)
