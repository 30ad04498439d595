"""What a task of training is, and what all share: films drawn anew, networks run in bfloat16."""

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from examples import fitting
from examples.training.augment import augment

Film = tuple[NDArray[np.uint8], NDArray[np.float64]]
"""Prepared pixels 0..255 and the corners [17, 4, 2] in them."""
Draw = dict[str, NDArray[np.float32]]
"""The arrays of one sample by name."""
Batch = Mapping[str, Tensor]
Befores = tuple[nn.Module, ...]
"""The trained networks that a configuration names in `after`, in its order."""


class Task(Protocol):
    """The tasks are structs of their numbers; `size` is the (height, width) that the network takes."""

    def draw(self, film: Film, rng: np.random.Generator) -> Draw:
        """One sample from a film: the network's input and the truth."""
        ...

    def losses(self, network: nn.Module, batch: Batch, before: Befores) -> fitting.Losses:
        """Of a batch of samples; `loss` is minimised, the others are printed."""
        ...


class Samples(torch.utils.data.IterableDataset[Batch]):
    """Batches of one epoch, the same for the same seed: every film `draws` times, in any order."""

    def __init__(self, task: Task, films: list[Film], *, batch: int, draws: int, seed: int) -> None:
        self.task, self.films, self.batch, self.draws, self.seed = task, films, batch, draws, seed

    def __len__(self) -> int:
        return len(self.films) * self.draws // self.batch

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self.seed)
        order = np.repeat(np.arange(len(self.films)), self.draws)
        rng.shuffle(order)
        for step in range(len(self)):
            drawn = [self.task.draw(self.films[i], rng) for i in order[step * self.batch : (step + 1) * self.batch]]
            yield {name: torch.from_numpy(np.stack([each[name] for each in drawn])) for name in drawn[0]}


class OnFilm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A task on films, (height, width) of which is `size`.

    With `aspect` films are first cropped to the spine, so many times as high as wide, where the pipeline does that too;
    to `cropped`, the share of them that are.
    """

    size: tuple[int, int]
    aspect: float | None = None
    cropped: float = 1.0

    def drawn(self, film: Film, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The film bent, turned and exposed anew: float32 [1, height, width] in 0..1, corners in its pixels."""
        if self.aspect is not None and rng.uniform() < self.cropped:
            film = around_spine(film, self.aspect, rng)
        pixels, corners = film
        grey, moved = augment((pixels.astype(np.float32) / 255, corners), self.size, rng)
        return np.ascontiguousarray(grey)[None], moved


def around_spine(film: Film, aspect: float, rng: np.random.Generator) -> Film:
    """The part of a film from a little above the spine to a little below it, `aspect` times as high as wide."""
    pixels, corners = film
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    height = (high[1] - low[1]) * (1 + rng.uniform(0.06, 0.24))
    half = np.array([height / aspect, height]) / 2
    middle = (low + high) / 2 + rng.normal(0, 0.02, 2) * height
    left, top = np.clip(np.floor(middle - half), 0, None).astype(int)
    right, bottom = np.minimum(np.ceil(middle + half).astype(int), pixels.shape[::-1])
    return np.ascontiguousarray(pixels[top:bottom, left:right]), corners - (left, top)


def run(network: nn.Module, *inputs: Tensor) -> tuple[Tensor, ...]:
    """The network's outputs in float32, computed in bfloat16 where that is safe."""
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(
            *(each.contiguous(memory_format=torch.channels_last) if each.ndim == 4 else each for each in inputs)
        )
    every = (outputs,) if isinstance(outputs, Tensor) else cast("tuple[Tensor, ...]", tuple(outputs))
    return tuple(each.float() for each in every)


@torch.no_grad()
def ask(network: nn.Module, *inputs: Tensor) -> tuple[Tensor, ...]:
    """What a trained network says, without learning from it."""
    return run(network.eval(), *inputs)
