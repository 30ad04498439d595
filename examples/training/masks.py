"""Masks drawn from corners, and the tasks of the networks that learn them.

A mask is float32 [height, width] of 0 and 1 in the pixels of the corners, (0, 0) the centre of the top-left one.
"""

import itertools
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting
from examples.training import task

Mask = NDArray[np.float32]
Points = NDArray[np.float64]
SUBPIXEL_BITS = 4


def spine(corners: Points, size: tuple[int, int]) -> Mask:
    """All that lies between both borders, from the first vertebra's upper plate to the last one's lower plate."""
    left, right = corners[:, [0, 2]].reshape(-1, 2), corners[:, [1, 3]].reshape(-1, 2)
    return filled([np.concatenate([left, right[::-1]])], size)


def vertebrae(corners: Points, size: tuple[int, int]) -> Mask:
    """The vertebrae without the gaps between them."""
    return filled(list(corners[:, [0, 1, 3, 2]]), size)


def gaps(corners: Points, size: tuple[int, int]) -> Mask:
    """The gaps between vertebrae, from end-plate to end-plate, without the vertebrae."""
    between = [np.stack([above[2], above[3], below[1], below[0]]) for above, below in itertools.pairwise(corners)]
    return filled(between, size) * (1 - vertebrae(corners, size))


def boxes(corners: Points, size: tuple[int, int], share: float) -> Mask:
    """[n, height, width]: of each vertebra its middle region, `share` of its sides."""
    centre = corners.mean(axis=1, keepdims=True)
    inner = centre + (corners - centre) * share
    return np.stack([filled([quad[[0, 1, 3, 2]]], size) for quad in inner])


def band(points: Points, size: tuple[int, int], width: int) -> Mask:
    """A line [n, 2] thickened to `width` pixels."""
    canvas = np.zeros(size, np.uint8)
    cv2.polylines(canvas, [_fixed(points)], False, 1, width, cv2.LINE_8, SUBPIXEL_BITS)
    return canvas.astype(np.float32)


def midline(corners: Points) -> Points:
    """Middles of all end-plates from head to foot, [2 n, 2]."""
    return np.stack([corners[:, :2].mean(axis=1), corners[:, 2:].mean(axis=1)], axis=1).reshape(-1, 2)


def borders(corners: Points) -> tuple[Points, Points]:
    """Left and right corners from head to foot, [2 n, 2] each."""
    return corners[:, [0, 2]].reshape(-1, 2), corners[:, [1, 3]].reshape(-1, 2)


def filled(polygons: list[Points], size: tuple[int, int]) -> Mask:
    """What lies in any of the polygons [k, 2]."""
    canvas = np.zeros(size, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(canvas, [_fixed(polygon)], 1, cv2.LINE_8, SUBPIXEL_BITS)
    return canvas.astype(np.float32)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)


def dice(probability: Tensor, target: Tensor) -> Tensor:
    """One minus the overlap of each map [N, maps, h, w] with its target, averaged: it minds thin structures."""
    both = (probability * target).sum((2, 3))
    return (1 - (2 * both + 1) / (probability.sum((2, 3)) + target.sum((2, 3)) + 1)).mean()


class GapClasses(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Background, vertebra, gap, for the softmax over three maps (Lin et al., Seg4Reg)."""

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        bone, gap = vertebrae(corners, self.size), gaps(corners, self.size)
        return {"image": image, "mask": np.stack([1 - bone - gap, bone, gap])}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, batch["image"])
        return class_losses(logits, batch["mask"])


class SpineClasses(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Background and spine, for the softmax over two maps (Zhao et al.)."""

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        mask = spine(corners, self.size)
        return {"image": image, "mask": np.stack([1 - mask, mask])}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, batch["image"])
        return class_losses(logits, batch["mask"])


def class_losses(logits: Tensor, mask: Tensor) -> fitting.Losses:
    """Cross-entropy of a softmax over classes, and the overlap of all classes but the first."""
    entropy = functional.cross_entropy(logits, mask)
    overlap = dice(logits.softmax(1)[:, 1:], mask[:, 1:])
    return {"loss": entropy + overlap, "dice": 1 - overlap}


class Centreline(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Spine and a band of `width` pixels round its midline, both learned at once (Dubost et al.)."""

    width: int

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        return {
            "image": image,
            "mask": spine(corners, self.size)[None],
            "centreline": band(midline(corners), self.size, self.width)[None],
        }

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        mask, line = task.run(network, batch["image"])
        # the overlap beside the paper's squared error: a band covers a fiftieth of the film, and a network this narrow
        # would first learn that it is nowhere
        squared = functional.mse_loss(mask, batch["mask"]) + functional.mse_loss(line, batch["centreline"])
        overlap = dice(line, batch["centreline"])
        return {"loss": squared + 0.5 * dice(mask, batch["mask"]) + 0.5 * overlap, "dice": 1 - overlap}


class Boundaries(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Left and right border of the spine as bands of `width` pixels, in a sigmoid each (Wang S. et al.)."""

    width: int

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        return {"image": image, "boundaries": np.stack([band(e, self.size, self.width) for e in borders(corners)])}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (maps,) = task.run(network, batch["image"])
        overlap = dice(maps, batch["boundaries"])
        return {"loss": entropy_of(maps, batch["boundaries"]) + overlap, "dice": 1 - overlap}


class CordLogits(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One map of logits of the spine, a cell for `stride` pixels (the cord of Tao et al.)."""

    stride: int = 4

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        cells = (self.size[0] // self.stride, self.size[1] // self.stride)
        return {"image": image, "mask": spine((corners + 0.5) / self.stride - 0.5, cells)[None]}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, batch["image"])
        overlap = dice(logits.sigmoid(), batch["mask"])
        loss = functional.binary_cross_entropy_with_logits(logits, batch["mask"]) + overlap
        return {"loss": loss, "dice": 1 - overlap}


class SpineMaps(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Maps that sum to one, the background last (U-Nets A, B and C of Zhong et al.).

    "whole": the spine and `margin` of a vertebra's width beside it, in the film. "target": the spine, and "boxes": the
    middle of every vertebra, `share` of its sides, both in the film times what U-Net A says, which is `after`.
    """

    of: Literal["whole", "target", "boxes"]
    margin: float = 0.3
    share: float = 0.6

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        if self.of == "boxes":
            maps = boxes(corners, self.size, self.share)
            maps = maps * (maps.sum(axis=0) <= 1)
        else:
            maps = spine(wider(corners, self.margin) if self.of == "whole" else corners, self.size)[None]
        return {"image": image, "maps": np.concatenate([maps, 1 - maps.sum(axis=0, keepdims=True)])}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        image = batch["image"]
        if self.of != "whole":
            image = image * task.ask(before[0], image)[0][:, :1]
        (maps,) = task.run(network, image)
        overlap = dice(maps[:, :-1], batch["maps"][:, :-1])
        entropy = -(batch["maps"] * maps.clamp(1e-6).log()).sum(1).mean()
        return {"loss": entropy + overlap, "dice": 1 - overlap}


def wider(corners: Points, margin: float) -> Points:
    """Corners moved outwards by so many widths of their vertebra."""
    across = (corners[:, [1, 3]] - corners[:, [0, 2]]) * margin
    moved = [corners[:, 0] - across[:, 0], corners[:, 1] + across[:, 0]]
    moved += [corners[:, 2] - across[:, 1], corners[:, 3] + across[:, 1]]
    return np.stack(moved, axis=1)


def entropy_of(maps: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of probabilities."""
    maps = maps.clamp(1e-6, 1 - 1e-6)
    return -(target * torch.log(maps) + (1 - target) * torch.log(1 - maps)).mean()
