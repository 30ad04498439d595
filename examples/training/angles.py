"""The tasks of the networks that state the challenge's three angles themselves."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting
from examples.training import masks, task
from spinert.export.blocks.angle_regressor import UNIT
from spinert.runtime.cobb import aasce_angles


def degrees(corners: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """The challenge's angles of a film that was bent and turned: they are measured anew, from its new corners.

    A film is drawn about the middle of its new frame, so that the frame's height stands in for its own in the rule.
    """
    return aasce_angles(corners, float(size[0])).astype(np.float32)


def angle_losses(found: Tensor, batch: task.Batch) -> fitting.Losses:
    """Smooth L1 in units of the last layer, bent at 4.5 degrees; the mean error in degrees is printed."""
    loss = functional.smooth_l1_loss(found / UNIT, batch["degrees"] / UNIT, beta=0.05)
    return {"loss": loss, "mae_degrees": (found - batch["degrees"]).abs().mean()}


class MaskAndAngles(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Mask of the spine and angles from one network (Wang J. et al.); `mask_weight` is of the mask's loss."""

    mask_weight: float = 0.02

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        mask = masks.spine(corners, self.size)
        return {"image": image, "mask": np.stack([1 - mask, mask]), "degrees": degrees(corners, self.size)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        logits, found = task.run(network, batch["image"])
        of_mask, of_angles = masks.class_losses(logits, batch["mask"]), angle_losses(found, batch)
        return {**of_angles, "dice": of_mask["dice"], "loss": of_angles["loss"] + self.mask_weight * of_mask["loss"]}


class AnglesOfMask(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Angles from what a trained segmentation, which is `after`, says of a film (Lin et al., Seg4Reg).

    `size` is what the segmentation takes, `mask_size`, of its proportions, what the regression takes.
    """

    mask_size: tuple[int, int]

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        return {"image": image, "degrees": degrees(corners, self.size)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        mask = task.ask(before[-1], batch["image"])[0].softmax(1)
        if mask.shape[2:] != self.mask_size:
            mask = functional.adaptive_avg_pool2d(mask, self.mask_size)  # as the runtime averages
        return angle_losses(task.run(network, mask)[0], batch)


class GuidedAngles(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Angles from a film and the boundaries that a trained network, which is `after`, sees in it (Wang S. et al.)."""

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        return {"image": image, "degrees": degrees(corners, self.size)}

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (boundaries,) = task.ask(before[-1], batch["image"])
        return angle_losses(task.run(network, batch["image"], boundaries)[0], batch)
