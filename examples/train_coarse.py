"""Train the coarse network of the clustering pipeline: which vertebra lies where about, on the whole film.

    python -m examples.train_coarse --data DIR --out runs/coarse       (repeat the command to resume)

One case-wise fold is held out and never trained on. It takes about half an hour on one core with bfloat16
instructions. The network needs no exact corners: patches find them (see train_patches.py).
"""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from examples import fitting
from examples.train_landmarks import BATCH, LEARNING_RATE, loss_of
from examples.training.augment import Sample, augment, robust_range
from spinert.evaluate.datasets.aasce import read_films
from spinert.export.recipes import landmarks
from tests import phantoms

OPTIONS = landmarks.Options(size=(512, 224), widths=(16, 32, 64, 96, 96), top_down=48)
EPOCHS = 110
CACHE_HEIGHT = 600
SYNTHETIC = 200
SYNTHETIC_SHARE = 0.12
WIDER_SHARE = 0.3
"""Of the films are put into a larger one: they are cropped to the spine, and films of patients are not."""


def cached(pixels: NDArray[np.float32], corners_px: NDArray[np.float64]) -> Sample:
    """Pixels and corners at `CACHE_HEIGHT`."""
    scale = CACHE_HEIGHT / pixels.shape[0]
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    factor = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]])
    return small, (corners_px + 0.5) * factor - 0.5


def widened(sample: Sample, rng: np.random.Generator) -> Sample:
    """The film somewhere within a larger one of soft shades."""
    pixels, corners = sample
    height, width = pixels.shape
    larger = rng.uniform(1.1, 1.6)
    rows, columns = int(height * larger), int(width * rng.uniform(1.0, larger))
    shades = rng.uniform(0, 0.6, (4, 3)).astype(np.float32)
    canvas = np.clip(cv2.resize(shades, (columns, rows), interpolation=cv2.INTER_CUBIC), 0, 1)
    top, left = int(rng.integers(0, rows - height + 1)), int(rng.integers(0, columns - width + 1))
    canvas[top : top + height, left : left + width] = pixels
    return canvas, corners + np.array([left, top])


class Batches(torch.utils.data.IterableDataset[tuple[Tensor, Tensor]]):
    """Augmented batches of one epoch, image [B, 1, H, W] and corners [B, 68, 2] in input pixels (x, y)."""

    def __init__(self, samples: list[Sample], seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(self.samples))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            drawn = []
            for i in order[start : start + BATCH]:
                sample = self.samples[i]
                if rng.uniform() < WIDER_SHARE:
                    sample = widened(sample, rng)
                drawn.append(augment(sample, OPTIONS.size, rng))
            yield (
                torch.from_numpy(np.stack([pixels for pixels, _ in drawn]))[:, None],
                torch.from_numpy(np.stack([corners.reshape(68, 2) for _, corners in drawn]).astype(np.float32)),
            )


def losses(network: nn.Module, batch: tuple[Tensor, Tensor]) -> fitting.Losses:
    image, corners = batch
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(image.contiguous(memory_format=torch.channels_last))
    return {"loss": loss_of(logits.float(), corners)}


def main() -> None:
    arguments = fitting.arguments_of(__doc__)
    films = [film for film in read_films(arguments.data) if film.fold != arguments.fold]
    real = [cached(robust_range(cv2.imread(str(film.path), cv2.IMREAD_GRAYSCALE)), film.corners_px) for film in films]
    rng = np.random.default_rng(0)
    synthetic = [phantoms.random_phantom(rng) for _ in range(SYNTHETIC)]
    drawn = [cached(robust_range(phantom.pixels), phantom.corners_px) for phantom in synthetic]
    few = round(len(real) * SYNTHETIC_SHARE)

    def batches(epoch: int) -> torch.utils.data.DataLoader[tuple[Tensor, Tensor]]:
        picked = np.random.default_rng(epoch).permutation(len(drawn))[:few]
        samples = real + [drawn[i] for i in picked]
        return torch.utils.data.DataLoader(Batches(samples, epoch), batch_size=None, num_workers=1, prefetch_factor=4)

    fitting.fit(
        landmarks.network(OPTIONS),
        batches,
        losses,
        arguments.out,
        epochs=EPOCHS,
        steps=(len(real) + few) // BATCH,
        learning_rate=LEARNING_RATE,
    )


if __name__ == "__main__":
    main()
