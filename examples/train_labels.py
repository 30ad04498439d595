"""Train a narrow `unet_labels` (Bayat et al., recipe of that name) to find and name vertebrae.

    python -m examples.train_labels sagittal --out runs/sagittal                    (repeat the command to resume)
    python -m examples.train_labels coronal --data DIR --out runs/coronal
    python -m examples.train_labels coronal --data DIR --out runs/coronal --evaluate
    spinert export runs/coronal/bundle.json -o BUNDLE --model-card runs/coronal/card.md

As in the paper there is a network for each view. No public lateral radiographs are at hand: the sagittal one learns
from synthetic films (tests/phantoms_sagittal.py, C1 to L5, one in four showing a part of the spine) and is tested on
others of the same kind, which says nothing of real ones. The coronal one learns T1 to L5 from the AASCE radiographs,
the centre of a vertebra being the mean of its four corners; one case-wise fold is held out. Research use only.

Loss: that of the paper, L2 and cross-entropy of softmaxes on the maps, Huber on the coordinates. The paper's target of
the background is printed as -max y; taken is 1 - max y, as in the work it follows (Sekuboyina et al., Btrfly net,
2018). Left open there and chosen here: sums over an image are divided by the number of vertebrae, the Gaussian has
sigma 2 pixels, the rate follows a cosine. A vertebra that the film does not show has an empty map and no coordinates.
"""

import argparse
import datetime
import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from examples.train_landmarks import augment
from examples.training import system
from spinert import kernels
from spinert.evaluate.datasets.aasce import read_films
from spinert.export.recipes import unet_labels
from spinert.runtime.pipelines.vertebra_labels import C1_TO_L5
from tests import phantoms_sagittal

OPTIONS = unet_labels.Options(size=(256, 128), widths=(8, 16, 32, 64, 128, 192), hidden=256)
"""Narrow, but deeper by a level than the U-Net that the paper cites: a level is told by counting from an end, and with
five levels a cell in the middle of the film hardly sees one."""
STAGES = (((128, 64), 20), ((256, 128), 4))
"""(height, width) and epochs: the small size learns what lies where, the full size where exactly."""
FILMS_IN_EPOCH = 384
BATCH = 8
LEARNING_RATE = 2e-3
SIGMA_PX = 2.0
PERCENTILES = (1.0, 99.0)
FIRST_CORONAL = 7
"""T1 among C1..L5."""
NEAREST_MM = 20.0
"""A centre farther than this from the true one does not count as identified."""
HELD_OUT_SEED = 1 << 30
HELD_OUT_SYNTHETIC = 100


CARD = """# {name}

Bayat et al., Vertebral labelling in radiographs (CSI 2019, LNCS 11963), with a U-Net narrower than the paper's. Trained
from new weights with `examples/train_labels.py`. Data: {data}. Split: {split}. For research only, not for clinical use.
"""
RESULTS = {"sagittal": "85.3 % identified, 4.57 mm", "coronal": "52.6 % identified, 5.33 mm"}
"""What the paper prints, on its own data."""

Size = tuple[int, int]
"""(height, width) in pixels."""


class Sample(NamedTuple):
    """A prepared film in 0..1; centres [24, 2] in its pixels; which of them it shows; mm for a pixel."""

    image: NDArray[np.float32]
    centres: NDArray[np.float64]
    shown: NDArray[np.bool_]
    mm: float


def prepared(pixels: NDArray[Any], size: Size) -> kernels.Prepared:
    """The runtime's own preparation."""
    return kernels.prepare_radiograph(pixels, size=size, percentiles=PERCENTILES)


def synthetic(seed: int, size: Size) -> Sample:
    """A new lateral film for each seed."""
    rng = np.random.default_rng(seed)
    rows = size[0] * 11 // 8
    film = phantoms_sagittal.random_phantom(rng, (rows, int(rows * rng.uniform(0.33, 0.53))))
    ready = prepared(film.pixels, size)
    return Sample(ready.pixels, ready.map.to_network(film.centres_px), film.visible, film.spacing_mm * ready.map.step_x)


class Coronal:
    """The AASCE films, small, and the fold of each."""

    def __init__(self, folder: Path, fold: int) -> None:
        self.training: dict[Size, list[tuple[NDArray[np.float32], NDArray[np.float64]]]] = {
            size: [] for size, _ in STAGES
        }
        self.held_out: list[Sample] = []
        for film in read_films(folder):
            pixels = np.asarray(cv2.imread(str(film.path), cv2.IMREAD_GRAYSCALE), np.uint8)
            if film.fold == fold:
                ready = prepared(pixels, OPTIONS.size)
                self.held_out.append(coronal_sample(ready.pixels, ready.map.to_network(film.corners_px)))
                continue
            for size, films in self.training.items():
                ready = prepared(pixels, (size[0] * 7 // 4, size[1] * 7 // 4))
                films.append((ready.pixels, ready.map.to_network(film.corners_px)))

    def augmented(self, seed: int, size: Size) -> Sample:
        """A random film, bent, turned, mirrored and in other grey."""
        rng = np.random.default_rng(seed)
        films = self.training[size]
        image, corners = augment(films[int(rng.integers(len(films)))], size, rng)
        return coronal_sample(image, corners)


def coronal_sample(image: NDArray[np.float32], corners: NDArray[np.float64]) -> Sample:
    """The films have no spacing: the line through the centres of T1..L5 is taken to be as long as the phantom's."""
    centres, shown = np.zeros((24, 2)), np.zeros(24, bool)
    centres[FIRST_CORONAL:] = corners.mean(axis=1)
    rows, columns = image.shape
    inside = (corners >= 0) & (corners <= (columns - 1, rows - 1))
    shown[FIRST_CORONAL:] = inside.all(axis=(1, 2))
    return Sample(image, centres, shown, usual_length_mm() / length(centres[FIRST_CORONAL:]))


def reduced(sample: Sample, size: Size) -> Sample:
    """The same film in fewer pixels, by a whole factor."""
    factor = sample.image.shape[0] // size[0]
    image = sample.image.reshape(size[0], factor, size[1], factor).mean(axis=(1, 3))
    return sample._replace(image=image, centres=(sample.centres + 0.5) / factor - 0.5, mm=sample.mm * factor)


def length(centres: NDArray[np.float64]) -> float:
    """Of the line through these points, in their unit."""
    return float(np.linalg.norm(np.diff(centres, axis=0), axis=1).sum())


def usual_length_mm() -> float:
    """Of the line through the centres of T1..L5 in an adult, as the sagittal phantom has it."""
    corners = phantoms_sagittal.spine_corners_mm(phantoms_sagittal.usual_tilts())
    return length(corners.mean(axis=1)[FIRST_CORONAL:])


def gaussians(centres: Tensor, shown: Tensor, size: Size) -> Tensor:
    """Targets [N, 25, H, W] of centres [N, 24, 2]: the background, then a Gaussian of peak one for each shown."""
    spread = -1 / (2 * SIGMA_PX**2)
    across = torch.exp((torch.arange(size[1]) - centres[..., :1]) ** 2 * spread)
    down = torch.exp((torch.arange(size[0]) - centres[..., 1:]) ** 2 * spread)
    maps = down[..., :, None] * across[..., None, :] * shown[..., None, None]
    return torch.cat([1 - maps.amax(1, keepdim=True), maps], 1)


def forward(network: unet_labels.LabelNet, image: Tensor) -> tuple[Tensor, Tensor]:
    """Maps and corrected coordinates as the recipe's network gives them, its convolutions in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        maps = network.unet(image)
    maps = maps.float()
    found = unet_labels.soft_argmax(network.sharpness * maps[:, 1:])
    size = maps.new_tensor([maps.shape[3], maps.shape[2]])
    return maps, size * network.corrector(found / size)


def loss_of(maps: Tensor, coordinates: Tensor, centres: Tensor, shown: Tensor) -> Tensor:
    """The paper's equations 1 to 5."""
    target = gaussians(centres, shown, (maps.shape[2], maps.shape[3]))
    share = len(maps) * unet_labels.VERTEBRAE
    distance = (maps - target).square().sum() / share
    # without the entropy of the target, which is constant
    entropy = functional.kl_div(maps.log_softmax(1), target.softmax(1), reduction="sum") / share
    huber = functional.huber_loss(coordinates[shown], centres[shown], reduction="mean")
    return distance + entropy + huber


def batch_of(samples: list[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    """Images [N, 1, H, W], centres [N, 24, 2], shown [N, 24]."""
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))[:, None]
    return (
        images.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([sample.centres for sample in samples]).astype(np.float32)),
        torch.from_numpy(np.stack([sample.shown for sample in samples])),
    )


@torch.inference_mode()
def evaluate(network: unet_labels.LabelNet, samples: list[Sample]) -> dict[str, float]:
    """The paper's measures over every vertebra that the films show.

    A vertebra is identified where its centre was found within 20 mm of the true one, no other true centre being nearer.
    The distance is of all vertebrae, identified or not; films that show only a part are counted apart as well.
    """
    network.eval()
    distances, identified, partial = [], [], []
    for sample in samples:
        _, coordinates = forward(network, batch_of([sample])[0])
        gaps = np.linalg.norm(coordinates[0].double().numpy()[:, None] - sample.centres[sample.shown], axis=-1)
        gaps = gaps[sample.shown] * sample.mm
        own = np.diag(gaps)
        distances.append(own)
        identified.append((own <= NEAREST_MM) & (own <= gaps.min(axis=1)))
        partial.append(np.full(len(own), sample.shown[FIRST_CORONAL:].sum() < 17))
    own, right, part = (np.concatenate(each) for each in (distances, identified, partial))
    measures = {
        "id_rate": 100 * right.mean(),
        "d_mean_mm": own.mean(),
        "d_std_mm": own.std(),
        "d_median_mm": np.median(own),
    }
    measures |= {"vertebrae": float(len(own))}
    if part.any():
        measures |= {"whole_id_rate": 100 * right[~part].mean(), "whole_d_mean_mm": own[~part].mean()}
        measures |= {"part_id_rate": 100 * right[part].mean(), "part_d_mean_mm": own[part].mean()}
    return {name: float(value) for name, value in measures.items()}


def save(state: dict[str, Any], path: Path) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".new")
    torch.save(state, temporary)
    temporary.replace(path)


def description(view: str, fold: int) -> dict[str, Any]:
    """What `spinert export` reads, with `weights.pt` beside it."""
    coronal = view == "coronal"
    levels = C1_TO_L5[FIRST_CORONAL:] if coronal else C1_TO_L5
    of_films = f"films of the AASCE 2019 challenge (SpineWeb dataset 16), fold {fold} of 5 left out; research use only"
    return {
        "name": f"r10_{view}",
        "pipeline": "vertebra_labels",
        "settings": {
            "views": ["AP", "PA"] if coronal else ["lateral"],
            "temperature": 1.0 / OPTIONS.sharpness,
            "confidence_radius_cells": 3,
            "least_confidence": 0.3,
            "farthest_from_peak_px": 6.0,
        },
        "class_names": levels,
        "data": of_films if coronal else "synthetic radiographs of tests/phantoms_sagittal.py",
        "split": f"by case: fold {fold} of 5 of spinert/evaluate/datasets/aasce.py held out" if coronal else "by seed",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "networks": {
            "labels": {
                "recipe": "unet_labels",
                "weights": "weights.pt",
                "options": {"size": OPTIONS.size, "widths": OPTIONS.widths, "hidden": OPTIONS.hidden},
            }
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("view", choices=("sagittal", "coronal"))
    parser.add_argument("--data", type=Path, help="folder of the AASCE films, for the coronal view")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and weights")
    parser.add_argument("--fold", type=int, default=0, help="the fold of the AASCE films that is held out")
    parser.add_argument("--evaluate", action="store_true", help="only measure the checkpoint")
    arguments = parser.parse_args()
    if arguments.view == "coronal" and arguments.data is None:
        parser.error("the coronal view needs --data")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.view == "coronal":
        films = Coronal(arguments.data, arguments.fold)
        held_out, sample = films.held_out, films.augmented
    else:
        held_out, sample = [synthetic(HELD_OUT_SEED + n, OPTIONS.size) for n in range(HELD_OUT_SYNTHETIC)], synthetic

    network = unet_labels.network(OPTIONS).to(memory_format=torch.channels_last)
    assert isinstance(network, unet_labels.LabelNet)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    with torch.no_grad():  # begin with all background, which a new network takes epochs to learn
        network.unet.head.weight.mul_(0.1)
        network.unet.head.bias.copy_(torch.eye(1 + unet_labels.VERTEBRAE)[0])
    sizes = [size for size, count in STAGES for _ in range(count)]
    epochs = len(sizes)
    steps = FILMS_IN_EPOCH // BATCH
    checkpoint, first = arguments.out / "checkpoint.pt", 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["epoch"]
    if arguments.evaluate:
        size = sizes[max(first - 1, 0)]
        measures = evaluate(network, [reduced(one, size) for one in held_out])
        print(json.dumps({"epoch": first, "height": size[0]} | measures), flush=True)
        return
    for epoch in range(first, epochs):
        started, total = time.monotonic(), 0.0
        network.train()
        for step in range(steps):
            done = (epoch + step / steps) / epochs
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * min(1.0, done * 20) * (1 + math.cos(math.pi * done)) / 2
            seed = (epoch * steps + step) * BATCH
            image, centres, shown = batch_of([sample(seed + n, sizes[epoch]) for n in range(BATCH)])
            loss = loss_of(*forward(network, image), centres, shown)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimizer.step()
            total += float(loss.detach())
        row: dict[str, float] = {"epoch": epoch + 1, "loss": total / steps, "seconds": time.monotonic() - started}
        save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}, checkpoint)
        if (epoch + 1) % 4 == 0 or epoch + 1 == epochs:
            row |= evaluate(network, [reduced(one, sizes[epoch]) for one in held_out])
        print(json.dumps({key: round(value, 3) for key, value in row.items()}), flush=True)
    save(network.state_dict(), arguments.out / "weights.pt")
    facts = description(arguments.view, arguments.fold)
    system.write(json.dumps(facts, indent=2) + "\n", arguments.out / "bundle.json")
    system.write(CARD.format(**facts), arguments.out / "card.md")


if __name__ == "__main__":
    main()
