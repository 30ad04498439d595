"""Tasks of the second stages of detectors: they see regions of the features of a trained first stage, `after`.

Regions are cut by the runtime's kernels. The first stage does not learn from the second one here, which spares the
gradient of the cut; the papers train both at once.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting
from examples.training import heatmaps, task
from examples.training.boxes import deltas_to, overlaps, rotated, upright
from spinert import kernels

CANONICAL_SIDE, CANONICAL_LEVEL = 224.0, 4.0
SAMPLES = 2
"""As the runtime reads regions by default (`spinert.runtime.box_crops`)."""


def aligned(
    levels: list[NDArray[np.float32]], boxes: NDArray[np.float64], cells: int, size: tuple[int, int], canonical: float
) -> NDArray[np.float32]:
    """Regions [n, channels, cells, cells] of rotated boxes [n, 5] in pixels of an input of `size`.

    Each is read from the level whose cells suit it, of the maps [channels, h, w] from fine to coarse.
    """
    strides = np.array([size[0] / level.shape[1] for level in levels])
    sides = np.sqrt(boxes[:, 2] * boxes[:, 3])
    wanted = np.floor(CANONICAL_LEVEL + np.log2(sides / canonical))
    nearest = np.abs(np.log2(strides)[None] - wanted[:, None]).argmin(axis=1)
    regions = np.empty((len(boxes), levels[0].shape[0], cells, cells), np.float32)
    for index, features in enumerate(levels):
        here = np.flatnonzero(nearest == index)
        if len(here):
            maps = kernels.box_map(boxes[here], (cells, cells), stride=float(strides[index]))
            regions[here] = kernels.crop_rotated(np.ascontiguousarray(features), maps, (cells, cells), samples=SAMPLES)
    return regions


class Regions(task.OnFilm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`size` is what the first stage takes, `cells` the sides of a region, `count` the boxes of a film.

    The first stage is the last network of `after`; one named before it is U-Net A of Zhong et al., and the film is seen
    times its first map.
    """

    cells: int
    count: int = 16
    canonical_side: float = CANONICAL_SIDE

    def regions(self, before: task.Befores, batch: task.Batch) -> Tensor:
        """[N * count, channels, cells, cells]."""
        image = batch["image"]
        if len(before) > 1:
            image = image * task.ask(before[0], image)[0][:, :1]
        _, _, *levels = task.ask(before[-1], image)
        cut = [
            aligned(
                [level[row].contiguous().numpy() for level in levels],
                boxes.double().numpy(),
                self.cells,
                self.size,
                self.canonical_side,
            )
            for row, boxes in enumerate(batch["boxes"])
        ]
        return torch.from_numpy(np.concatenate(cut))


class JudgedBoxes(Regions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Class and deltas of proposed boxes (Faster and Mask R-CNN). `classes` is 1, or 17 where tags tell vertebrae.

    Proposals are boxes of vertebrae moved and scaled, and as many beside them.
    """

    classes: int = 1
    delta_weights: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)
    positive: float = 0.5

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        truth = upright(corners)
        proposed = proposals(truth, self.count, rng)
        overlap = overlaps(proposed, truth)
        nearest = overlap.argmax(axis=1)
        tags = np.where(overlap.max(axis=1) >= self.positive, 1 + (nearest if self.classes > 1 else 0), 0)
        centre, sides = (proposed[:, :2] + proposed[:, 2:]) / 2, proposed[:, 2:] - proposed[:, :2]
        return {
            "image": image,
            "boxes": np.concatenate([centre, sides, np.zeros((self.count, 1))], axis=1).astype(np.float32),
            "tags": tags.astype(np.float32),
            "deltas": deltas_to(proposed, truth[nearest], self.delta_weights).astype(np.float32),
        }

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        logits, deltas = task.run(network, self.regions(before, batch))
        tags = batch["tags"].flatten().long()
        on = torch.nonzero(tags)[:, 0]
        entropy = functional.cross_entropy(logits, tags)
        moved = functional.smooth_l1_loss(deltas[on, tags[on] - 1], batch["deltas"].flatten(0, 1)[on], reduction="sum")
        right = (logits.argmax(1) == tags).float().mean()
        return {"loss": entropy + moved / max(len(tags), 1), "right": right, "deltas": moved / max(len(on), 1)}


class RegionCorners(Regions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Corners in regions of rotated boxes, upright in there (Tao et al.); `margin` as in the pipeline."""

    margin: tuple[float, float]
    sigma: float = 1.5

    def draw(self, film: task.Film, rng: np.random.Generator) -> task.Draw:
        image, corners = self.drawn(film, rng)
        which = rng.integers(len(corners), size=self.count)
        boxes = rotated(corners[which])
        boxes[:, :2] += rng.normal(0, 0.06, (self.count, 2)) * boxes[:, 2:4]
        boxes[:, 2:4] *= np.exp(rng.normal(0, 0.06, (self.count, 2)))
        boxes[:, 4] += np.radians(rng.normal(0, 5.0, self.count))
        boxes[:, 2:4] *= 1 + 2 * np.array(self.margin)
        maps = kernels.box_map(boxes, (self.cells, self.cells))
        return {
            "image": image,
            "boxes": boxes.astype(np.float32),
            "corners": maps.to_crop(corners[which]).astype(np.float32),
        }

    def losses(self, network: nn.Module, batch: task.Batch, before: task.Befores) -> fitting.Losses:
        (logits,) = task.run(network, self.regions(before, batch))
        corners = batch["corners"].flatten(0, 1)[:, None]
        return heatmaps.corner_losses(logits, corners, (self.cells, self.cells), self.sigma)


def proposals(truth: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`count` boxes (x0, y0, x1, y1): half of them near vertebrae, half farther away, many of these on none."""
    chosen = truth[rng.integers(len(truth), size=count)]
    centre, sides = (chosen[:, :2] + chosen[:, 2:]) / 2, chosen[:, 2:] - chosen[:, :2]
    far = np.where(np.arange(count) % 2, 1.0, 0.12)[:, None]
    centre = centre + rng.normal(0, 1, (count, 2)) * far * sides
    sides = sides * np.exp(rng.normal(0, 1, (count, 2)) * np.minimum(far, 0.3))
    return np.concatenate([centre - sides / 2, centre + sides / 2], axis=1)
