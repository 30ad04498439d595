"""Train the network of the default bundle: 68 corner heat-maps on real and synthetic radiographs.

    python -m examples.train_landmarks --data DIR --out runs/landmarks            (repeat the command to resume)
    spinert export landmarks runs/landmarks/weights.pt -o BUNDLE --describe examples/landmarks.json --model-card CARD.md

One case-wise fold is held out and never trained on; only when to stop was decided by it (see STOP_AFTER). It takes
about an hour and a quarter on two cores with bfloat16 instructions.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from examples import fitting
from examples.training.augment import PERCENTILES, Sample, augment, robust_range
from spinert import kernels
from spinert.evaluate import metrics
from spinert.evaluate.datasets.aasce import Film, read_films
from spinert.export.recipes.landmarks import DEFAULT_SIZE, STRIDE, LandmarkNet
from spinert.runtime import decode
from spinert.runtime.cobb import aasce_angles
from tests import phantoms

STAGES = (((512, 224), 80), (DEFAULT_SIZE, 120))
"""(height, width) and epochs: the small size learns what lies where, the full size where exactly."""
STOP_AFTER = 147
"""Epoch whose averaged weights are the result. The rate would fall further, but the network then learns the noise of
the labels: on the held-out films SMAPE is 11.1 % here and 12.9 % at epoch 178, the major angle off by 3.5 and 3.9."""
BATCH = 8
LEARNING_RATE = 1.5e-3
SYNTHETIC_SHARE = 0.15
HEAT_SIGMA_CELLS = 1.5
CACHE_HEIGHT = 880
EMA_DECAY = 0.998


def cached(pixels: NDArray[np.float32], corners_px: NDArray[np.float64]) -> Sample:
    scale = CACHE_HEIGHT / max(pixels.shape[0], pixels.shape[1] * DEFAULT_SIZE[0] / DEFAULT_SIZE[1])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    factor = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]])
    return small, (corners_px + 0.5) * factor - 0.5


class Batches(torch.utils.data.IterableDataset[tuple[Tensor, Tensor]]):
    """Augmented batches of one epoch, image [B, 1, H, W] and corners [B, 68, 2] in input pixels (x, y)."""

    def __init__(self, samples: list[Sample], size: tuple[int, int], seed: int) -> None:
        self.samples, self.size, self.seed = samples, size, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(self.samples))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            drawn = [augment(self.samples[i], self.size, rng) for i in order[start : start + BATCH]]
            yield (
                torch.from_numpy(np.stack([pixels for pixels, _ in drawn]))[:, None],
                torch.from_numpy(np.stack([c.reshape(68, 2) for _, c in drawn]).astype(np.float32)),
            )


def soft_argmax(logits: Tensor) -> Tensor:
    """Mean position under each map's softmax, [N, 68, h, w] -> [N, 68, 2] as (x, y) in input pixels."""
    n, maps, h, w = logits.shape
    share = logits.flatten(2).softmax(-1).view(n, maps, h, w)
    x = (share.sum(2) * torch.arange(w)).sum(-1)
    y = (share.sum(3) * torch.arange(h)).sum(-1)
    return (torch.stack([x, y], -1) + 0.5) * STRIDE - 0.5


def loss_of(logits: Tensor, corners: Tensor) -> Tensor:
    """Cross-entropy against a Gaussian, distance of the mean position, and the chord of each vertebra's tilt error.

    The tilt is what an angle is made of; corners that slide along an end-plate cost little, rotated ones much.
    """
    n, maps, h, w = logits.shape
    cells = (corners + 0.5) / STRIDE - 0.5
    spread = -1 / (2 * HEAT_SIGMA_CELLS**2)
    gauss_x = torch.exp((torch.arange(w) - cells[..., :1]) ** 2 * spread)
    gauss_y = torch.exp((torch.arange(h) - cells[..., 1:]) ** 2 * spread)
    target = gauss_y[..., :, None] * gauss_x[..., None, :]
    mass = target.sum((2, 3), keepdim=True)
    inside = (mass > 1.0).flatten()
    entropy = -(target / mass.clamp(min=1e-6) * logits.flatten(2).log_softmax(-1).view(n, maps, h, w)).sum((2, 3))
    found = soft_argmax(logits)
    distance = functional.smooth_l1_loss(found / STRIDE, corners / STRIDE, reduction="none").sum(-1)

    def across(points: Tensor) -> Tensor:
        quads = points.view(n, -1, 4, 2)
        return functional.normalize(quads[:, :, [1, 3]].mean(2) - quads[:, :, [0, 2]].mean(2), dim=-1)

    # the chord, not the sine: a vertebra upside down has a tilt error of 180 degrees, whose sine is nought
    tilt = (across(found) - across(corners)).norm(dim=-1).mean()
    return entropy.flatten()[inside].mean() + 0.1 * distance.flatten()[inside].mean() + 8.0 * tilt


@torch.inference_mode()
def evaluate(network: LandmarkNet, films: list[Film], size: tuple[int, int]) -> dict[str, float]:
    """SMAPE (percent), MAE of the challenge's angles (degrees), corner error (film pixels), by the runtime's steps."""
    network.eval()
    corners, heights = [], []
    for film in films:
        pixels = _grey(film.path)
        prepared = kernels.prepare_radiograph(pixels, size=size, percentiles=PERCENTILES)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(torch.from_numpy(prepared.pixels)[None, None])
        maps = np.ascontiguousarray(logits[0].float().numpy())
        corners.append(decode.heatmap_corners(maps, prepared.map, STRIDE, radius=3)[0])
        heights.append(pixels.shape[0])
    found = np.stack([aasce_angles(quads, height) for quads, height in zip(corners, heights, strict=True)])
    labelled = np.stack([aasce_angles(film.corners_px, height) for film, height in zip(films, heights, strict=True)])
    major, second, third = metrics.mean_absolute_error(found, labelled).tolist()
    return {
        "smape": metrics.smape_percent(found, labelled),
        "mae_major": major,
        "mae_2": second,
        "mae_3": third,
        "corner_px": float(
            metrics.corner_errors(np.stack(corners), np.stack([film.corners_px for film in films])).mean()
        ),
    }


def _grey(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)


def main() -> None:
    arguments = fitting.arguments_of(__doc__, threads=2)
    arguments.out.mkdir(parents=True, exist_ok=True)

    films = read_films(arguments.data)
    held_out = [film for film in films if film.fold == arguments.fold]
    training = [
        cached(robust_range(_grey(film.path)), film.corners_px) for film in films if film.fold != arguments.fold
    ]
    rng = np.random.default_rng(0)
    synthetic = [phantoms.random_phantom(rng) for _ in range(400)]
    drawn = [cached(robust_range(p.pixels), p.corners_px) for p in synthetic]
    print(f"{len(training)} films to train on, {len(held_out)} held out, {len(drawn)} synthetic", flush=True)

    network = LandmarkNet().to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True
    )
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-2)
    epochs = sum(count for _, count in STAGES)
    per_epoch = (len(training) + round(len(training) * SYNTHETIC_SHARE)) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=epochs * per_epoch + 1, pct_start=0.08
    )
    checkpoint = arguments.out / "checkpoint.pt"
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        first = saved["epoch"]

    sizes = [size for size, count in STAGES for _ in range(count)]
    for epoch in range(first, STOP_AFTER):
        started = time.monotonic()
        network.train()
        picked = np.random.default_rng(epoch).permutation(len(drawn))[: round(len(training) * SYNTHETIC_SHARE)]
        batches = Batches(training + [drawn[i] for i in picked], sizes[epoch], seed=epoch)
        total = 0.0
        for image, corners in torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=3):
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(image.contiguous(memory_format=torch.channels_last))
            loss = loss_of(logits.float(), corners)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            total += float(loss.detach())
        row: dict[str, float] = {"epoch": epoch + 1, "loss": total / per_epoch, "seconds": time.monotonic() - started}
        if (epoch + 1) % 10 == 0 or epoch + 1 == STOP_AFTER:
            row |= evaluate(average.module, held_out, sizes[epoch])
        print(json.dumps({key: round(value, 3) for key, value in row.items()}), flush=True)
        temporary = checkpoint.with_suffix(".new")
        torch.save(
            {
                "network": network.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "epoch": epoch + 1,
            },
            temporary,
        )
        temporary.replace(checkpoint)
    torch.save(average.module.state_dict(), arguments.out / "weights.pt")


if __name__ == "__main__":
    main()
