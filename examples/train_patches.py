"""Train the patch network of the clustering pipeline: exact corners of the three vertebrae in a patch.

    python -m examples.train_patches --data DIR --out runs/patches       (repeat the command to resume)
    cp examples/cobb.json runs/                                          (once runs/coarse is there too)
    spinert export runs/cobb.json -o BUNDLE --model-card CARD.md

One case-wise fold is held out and never trained on. A patch lies where the runtime lays it, moved, turned and scaled a
little, so that rough positions may be rough. It takes about a quarter of an hour on one core with bfloat16
instructions.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting
from examples.training.augment import Sample, robust_range
from spinert.evaluate.datasets.aasce import read_films
from spinert.export.recipes import landmarks
from spinert.runtime import patches
from tests import phantoms

SIZE = (128, 96)
SLOTS = 3
OPTIONS = landmarks.Options(size=SIZE, widths=(16, 32, 64, 96, 96), top_down=48, maps=4 * SLOTS)
HEIGHT = 3.6
"""Of a patch, in distances of vertebrae."""
EPOCHS = 80
PATCHES = 10
"""Of each film in an epoch."""
BATCH = 32
LEARNING_RATE = 1.5e-3
CACHE_HEIGHT = 1200
SYNTHETIC = 60
HEAT_SIGMA_CELLS = 1.2
BEYOND = 0.4
"""How far above the first labelled centre and below the last one a patch may be centred, in vertebrae."""


def cached(
    pixels: NDArray[np.float32], corners_px: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Pixels 0..255 and corners at `CACHE_HEIGHT`."""
    scale = CACHE_HEIGHT / pixels.shape[0]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
    factor = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]])
    return np.round(small * 255).astype(np.uint8), (corners_px + 0.5) * factor - 0.5


def cut(
    film: tuple[NDArray[np.uint8], NDArray[np.float64]],
    place: float,
    rng: np.random.Generator,
    size: tuple[int, int] = SIZE,
    height: float = HEIGHT,
) -> Sample:
    """A patch about this place: grey values and all corners of the film in its pixels."""
    pixels, corners = film
    spine = patches.frames(corners.mean(axis=1), np.array([place]))
    pitch = spine.pitch * math.exp(rng.normal(0, 0.12))
    moved = patches.Frames(
        spine.centres + rng.normal(0, 0.12, 2) * pitch * (1.0, 0.3),
        spine.radians + math.radians(rng.normal(0, 6)),
        pitch,
    )
    maps = patches.patch_maps(moved, size, vertebrae=height)
    affine = np.column_stack([maps.matrix[0], maps.origin[0]])
    grey = cv2.warpAffine(pixels, affine, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return grey.astype(np.float32) / 255, maps.to_crop(corners[None].reshape(1, -1, 2)).reshape(corners.shape)


def drawn(
    film: tuple[NDArray[np.uint8], NDArray[np.float64]],
    rng: np.random.Generator,
    size: tuple[int, int] = SIZE,
    height: float = HEIGHT,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A patch as the network sees it, and the corners of its vertebrae [SLOTS, 4, 2], nan where none is labelled."""
    count = len(film[1])
    grey, corners = cut(film, rng.uniform(-BEYOND, count - 1 + BEYOND), rng, size, height)
    if rng.uniform() < 0.5:
        grey, corners = grey[:, ::-1], corners[:, patches.MIRRORED]
        corners[..., 0] = size[1] - 1 - corners[..., 0]
    nearest = int(np.abs(corners[..., 1].mean(axis=1) - (size[0] - 1) / 2).argmin())
    target = np.full((SLOTS, 4, 2), np.nan, np.float32)
    for slot in range(SLOTS):
        if 0 <= (v := nearest + slot - SLOTS // 2) < count:
            target[slot] = corners[v]
    return patches.normalized(contrast(np.ascontiguousarray(grey), rng)), target


def contrast(grey: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Another exposure, shades, blur, noise, and at times a thing that hides a part."""
    rows, columns = grey.shape
    grey = np.power(grey, math.exp(rng.normal(0, 0.3)), dtype=np.float32)
    if rng.uniform() < 0.4:
        shades = rng.uniform(0.7, 1.2, (3, 3)).astype(np.float32)
        grey = grey * cv2.resize(shades, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if rng.uniform() < 0.25:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 1.2))
    if rng.uniform() < 0.5:
        grey = grey + rng.normal(0, rng.uniform(0, 0.05), grey.shape).astype(np.float32)
    if rng.uniform() < 0.5:
        top, left = rng.integers(0, rows), rng.integers(0, columns)
        grey[top : top + rng.integers(6, rows // 5), left : left + rng.integers(6, columns // 3)] = rng.uniform()
    return grey


class Batches(torch.utils.data.IterableDataset[tuple[Tensor, Tensor]]):
    """Batches of one epoch, patches [B, 1, H, W] and corners [B, SLOTS, 4, 2] in their pixels."""

    def __init__(self, films: list[tuple[NDArray[np.uint8], NDArray[np.float64]]], seed: int) -> None:
        self.films, self.seed = films, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self.seed)
        order = np.repeat(np.arange(len(self.films)), PATCHES)
        rng.shuffle(order)
        for start in range(0, len(order) - BATCH + 1, BATCH):
            pairs = [drawn(self.films[i], rng) for i in order[start : start + BATCH]]
            yield (
                torch.from_numpy(np.stack([grey for grey, _ in pairs]))[:, None],
                torch.from_numpy(np.stack([corners for _, corners in pairs])),
            )


def mean_positions(logits: Tensor) -> Tensor:
    """Under each map's softmax, [N, m, h, w] -> [N, m, 2] as (x, y) in pixels of the patch."""
    n, maps, h, w = logits.shape
    share = logits.flatten(2).softmax(-1).view(n, maps, h, w)
    x = (share.sum(2) * torch.arange(w)).sum(-1)
    y = (share.sum(3) * torch.arange(h)).sum(-1)
    return (torch.stack([x, y], -1) + 0.5) * landmarks.STRIDE - 0.5


def terms_of(logits: Tensor, corners: Tensor) -> fitting.Losses:
    """Cross-entropy against a Gaussian, distance of the mean position, and the chord of each vertebra's tilt error,
    over the corners that are labelled and lie within the patch."""
    n, maps, h, w = logits.shape
    points = corners.view(n, maps, 2)
    cells = (points + 0.5) / landmarks.STRIDE - 0.5
    inside = (cells > 0).all(-1) & (cells < torch.tensor([w - 1, h - 1])).all(-1)  # nan is not
    cells = torch.where(inside[..., None], cells, torch.zeros(()))
    spread = -1 / (2 * HEAT_SIGMA_CELLS**2)
    gauss_x = torch.exp((torch.arange(w) - cells[..., :1]) ** 2 * spread)
    gauss_y = torch.exp((torch.arange(h) - cells[..., 1:]) ** 2 * spread)
    target = gauss_y[..., :, None] * gauss_x[..., None, :]
    target = target / target.sum((2, 3), keepdim=True)
    entropy = -(target * logits.flatten(2).log_softmax(-1).view(n, maps, h, w)).sum((2, 3))[inside].mean()
    found, truth = mean_positions(logits), torch.nan_to_num(points)
    distance = functional.smooth_l1_loss(found / landmarks.STRIDE, truth / landmarks.STRIDE, reduction="none")
    distance = distance.sum(-1)[inside].mean()
    whole = inside.view(n, -1, 4).all(-1)

    def across(quads: Tensor) -> Tensor:
        return functional.normalize(quads[:, [1, 3]].mean(1) - quads[:, [0, 2]].mean(1), dim=-1)

    chord = across(found.view(n, -1, 4, 2)[whole]) - across(truth.view(n, -1, 4, 2)[whole])
    tilt = chord.norm(dim=-1).mean()
    return {
        "loss": entropy + 0.3 * distance + 8.0 * tilt,
        "distance_px": distance * landmarks.STRIDE,
        "tilt_degrees": torch.rad2deg(tilt),
    }


def losses(network: nn.Module, batch: tuple[Tensor, Tensor]) -> fitting.Losses:
    image, corners = batch
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(image.contiguous(memory_format=torch.channels_last))
    return terms_of(logits.float(), corners)


def main() -> None:
    arguments = fitting.arguments_of(__doc__)
    real = [film for film in read_films(arguments.data) if film.fold != arguments.fold]
    films = [cached(robust_range(cv2.imread(str(film.path), cv2.IMREAD_GRAYSCALE)), film.corners_px) for film in real]
    rng = np.random.default_rng(0)
    synthetic = [phantoms.random_phantom(rng) for _ in range(SYNTHETIC)]
    films += [cached(robust_range(phantom.pixels), phantom.corners_px) for phantom in synthetic]
    fitting.fit(
        landmarks.network(OPTIONS),
        lambda epoch: torch.utils.data.DataLoader(
            Batches(films, epoch), batch_size=None, num_workers=1, prefetch_factor=4
        ),
        losses,
        arguments.out,
        epochs=EPOCHS,
        steps=len(films) * PATCHES // BATCH,
        learning_rate=LEARNING_RATE,
    )


if __name__ == "__main__":
    main()
