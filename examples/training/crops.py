"""Tasks of the networks that see one vertebra, in a crop of the film round its box."""

import math

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from examples import fitting
from examples.train_patches import contrast
from examples.training import heatmaps, masks, task
from examples.training.augment import MIRRORED_CORNERS
from examples.training.boxes import upright
from spinert import kernels

BOX_NOISE = 0.06
"""Deviation of a box's centre and sides, in its sides, from that round the corners: a detector errs too."""
TURN_DEGREES = 8.0


class CropDraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`margin` are the shares of a box's width and height that a crop shows beyond each side, as in the pipeline."""

    size: tuple[int, int]
    margin: tuple[float, float]

    def cut(self, film: task.Film, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
        """A crop [1, height, width], the corners of all vertebrae in its pixels, and which one it is round.

        The film is turned about that vertebra, so that boxes are upright round vertebrae of any tilt.
        """
        pixels, corners = film
        which = int(rng.integers(len(corners)))
        angle = math.radians(rng.normal(0, TURN_DEGREES))
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        middle = corners[which].mean(axis=0)
        box = upright(((corners[which] - middle) @ turn.T)[None])[0]
        sides = (box[2:] - box[:2]) * np.exp(rng.normal(0, BOX_NOISE, 2))
        centre = (box[:2] + box[2:]) / 2 + rng.normal(0, BOX_NOISE, 2) * sides
        sides = sides * (1 + 2 * np.array(self.margin))
        # the box back on the film, turned the other way
        maps = kernels.box_map(np.array([[*(middle + centre @ turn), *sides, -angle]]), self.size)
        affine = np.column_stack([maps.matrix[0], maps.origin[0]])
        grey = cv2.warpAffine(pixels, affine, self.size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        seen = maps.to_crop(corners.reshape(1, -1, 2)).reshape(corners.shape)
        shown = grey.astype(np.float32) / 255
        if rng.uniform() < 0.5:
            shown, seen = shown[:, ::-1], seen[:, MIRRORED_CORNERS]
            seen[..., 0] = self.size[1] - 1 - seen[..., 0]
        shown = np.clip(contrast(np.ascontiguousarray(shown), rng), 0, 1).astype(np.float32)
        return shown[None], seen, which


class CropCorners(CropDraw, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Heat-maps of the four corners (HRNet of Chen et al., method 1)."""

    sigma: float = 1.5

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        crop, corners, which = self.cut(film, rng)
        return {"crop": crop, "corners": corners[which : which + 1].astype(np.float32)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, batch["crop"])
        return heatmaps.corner_losses(logits, batch["corners"], self.size, self.sigma)


class CropCoordinates(CropDraw, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Corners as fractions of the crop, edge to edge (corner DenseNet of Khanal et al.)."""

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        crop, corners, which = self.cut(film, rng)
        shares = (corners[which] + 0.5) / self.size[::-1]
        return {"crop": crop, "shares": shares.reshape(8).astype(np.float32)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (found,) = task.run(network, batch["crop"])
        loss = functional.mse_loss(found, batch["shares"])
        return {"loss": loss, "off_percent": 100 * (found - batch["shares"]).abs().mean()}


class CropBox(CropDraw, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The vertebra in the middle, and background (U-Net D of Zhong et al.)."""

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        crop, corners, which = self.cut(film, rng)
        mask = masks.vertebrae(with_rim(corners[which : which + 1]), self.size)
        return {"crop": crop, "maps": np.stack([mask, 1 - mask])}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (maps,) = task.run(network, batch["crop"])
        overlap = masks.dice(maps[:, :1], batch["maps"][:, :1])
        return {"loss": masks.entropy_of(maps[:, :1], batch["maps"][:, :1]) + overlap, "dice": 1 - overlap}


class CropPoints(CropDraw, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Gaussians of height 1 and `sigma` pixels at the corners, and what they leave of 1 (U-Net E of Zhong et al.)."""

    sigma: float = 4.0

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        crop, corners, which = self.cut(film, rng)
        return {"crop": crop, "maps": peaks(corners[which], self.size, self.sigma)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (maps,) = task.run(network, batch["crop"])
        entropy = -(batch["maps"] * torch.log(maps.clamp(1e-6))).sum(1).mean()
        overlap = masks.dice(maps[:, :4], batch["maps"][:, :4])
        return {"loss": entropy + overlap, "dice": 1 - overlap}


def with_rim(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """A tenth larger: corners are looked for under the mask, and half of a corner's peak lies outside the vertebra."""
    centre = corners.mean(axis=1, keepdims=True)
    return centre + 1.2 * (corners - centre)


def peaks(corners: NDArray[np.float64], size: tuple[int, int], sigma: float) -> NDArray[np.float32]:
    """[5, height, width] that sum to one: a Gaussian at each corner, where none is higher, and the background."""
    rows, columns = np.arange(size[0]), np.arange(size[1])
    spread = -1 / (2 * sigma**2)
    across = np.exp((columns - corners[:, :1]) ** 2 * spread)
    down = np.exp((rows - corners[:, 1:]) ** 2 * spread)
    maps = (down[:, :, None] * across[:, None, :]).astype(np.float32)
    maps /= np.maximum(maps.sum(axis=0), 1.0)
    return np.concatenate([maps, 1 - maps.sum(axis=0, keepdims=True)])
