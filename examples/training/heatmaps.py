"""Corner heat-maps: the targets, the loss, and the tasks on whole films and on patches of them."""

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting, train_patches
from examples.training import task

TILT_WEIGHT = 8.0
"""Of the chord between tilts: an angle is made of tilts, and corners that slide along a plate cost it little."""


def targets(cells: Tensor, shape: tuple[int, int], sigma: float) -> Tensor:
    """Gaussians [N, m, h, w] of sum 1 about the places [N, m, 2], (x, y) in cells of maps of this shape."""
    h, w = shape
    spread = -1 / (2 * sigma**2)
    gauss_x = torch.exp((torch.arange(w) - cells[..., :1]) ** 2 * spread)
    gauss_y = torch.exp((torch.arange(h) - cells[..., 1:]) ** 2 * spread)
    maps = gauss_y[..., :, None] * gauss_x[..., None, :]
    return maps / maps.sum((2, 3), keepdim=True).clamp(min=1e-12)


def mean_cells(logits: Tensor) -> Tensor:
    """Mean place under each map's softmax, [N, m, h, w] -> [N, m, 2] as (x, y) in cells."""
    n, maps, h, w = logits.shape
    share = logits.flatten(2).softmax(-1).view(n, maps, h, w)
    return torch.stack([(share.sum(2) * torch.arange(w)).sum(-1), (share.sum(3) * torch.arange(h)).sum(-1)], -1)


def corner_losses(logits: Tensor, corners: Tensor, size: tuple[int, int], sigma: float) -> fitting.Losses:
    """Cross-entropy against Gaussians, distance of the mean place in cells, chord of each vertebra's tilt error.

    logits   [N, 4 v, h, w]
    corners  [N, v, 4, 2] in pixels of an input of `size`, of which the maps are a part edge to edge; nan: no corner
    """
    n, maps, h, w = logits.shape
    stride = torch.tensor([size[1] / w, size[0] / h])
    cells = (corners.reshape(n, maps, 2) + 0.5) / stride - 0.5
    inside = (cells > -0.5).all(-1) & (cells < torch.tensor([w - 0.5, h - 0.5])).all(-1)  # nan is not
    cells = torch.where(inside[..., None], cells, torch.zeros(()))
    entropy = -(targets(cells, (h, w), sigma) * logits.flatten(2).log_softmax(-1).view(n, maps, h, w)).sum((2, 3))
    found = mean_cells(logits)
    distance = functional.smooth_l1_loss(found, cells, reduction="none").sum(-1)
    whole = inside.view(n, -1, 4).all(-1)

    def across(points: Tensor) -> Tensor:
        quads = (points * stride).view(n, -1, 4, 2)[whole]
        return functional.normalize(quads[:, [1, 3]].mean(1) - quads[:, [0, 2]].mean(1), dim=-1)

    tilt = (across(found) - across(cells)).norm(dim=-1)
    return {
        "loss": _mean(entropy[inside]) + 0.3 * _mean(distance[inside]) + TILT_WEIGHT * _mean(tilt),
        "distance_cells": _mean(distance[inside]),
        "tilt_degrees": torch.rad2deg(_mean(tilt)),
    }


def _mean(values: Tensor) -> Tensor:
    """0 where a batch shows none."""
    return values.sum() / max(values.numel(), 1)


class FilmCorners(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All 68 corners of a film (Simple Baseline I of Chen et al.); `sigma` in cells of the maps."""

    sigma: float = 1.5

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        return {"image": image, "corners": corners.astype(np.float32)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, batch["image"])
        return corner_losses(logits, batch["corners"], self.size, self.sigma)


class PatchCorners(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Corners of the three vertebrae about the middle of a patch, where the runtime lays patches (Simple Baseline II).

    `height` of a patch is in distances of vertebrae. A patch at an end of the spine shows fewer.
    """

    size: tuple[int, int]
    height: float = train_patches.HEIGHT
    sigma: float = 1.2

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        patch, corners = train_patches.drawn(film, rng, size=self.size, height=self.height)
        return {"image": patch[None], "corners": corners}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, batch["image"])
        return corner_losses(logits, batch["corners"], self.size, self.sigma)
