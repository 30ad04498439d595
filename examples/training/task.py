"""What a task of training is, and what all tasks share: a film drawn anew, a network run in bfloat16."""

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

import cv2
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


def drawn_film(
    film: Film, size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The whole film bent, turned and exposed anew: float32 [1, height, width] in 0..1, corners in its pixels."""
    pixels, corners = film
    grey, moved = augment((pixels.astype(np.float32) / 255, corners), size, rng)
    return np.ascontiguousarray(grey)[None], moved


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
