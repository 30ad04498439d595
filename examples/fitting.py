"""The loop that trains a network: AdamW, one cycle of the learning rate, averaged weights, a checkpoint each epoch."""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn

EMA_DECAY = 0.998

Losses = Mapping[str, Tensor]
"""`loss` is what is minimised; the others are printed."""


def arguments_of(description: str | None, *, threads: int = 1, **paths: str) -> argparse.Namespace:
    """What every training on the AASCE films is asked: --data, --out, --fold, --threads. Threads and seed are set.

    `paths` are asked for before, each by its name with its help.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in paths.items():
        parser.add_argument(name, type=Path, help=text)
    parser.add_argument("--data", type=Path, required=True, help="folder of the AASCE films")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and weights")
    parser.add_argument("--fold", type=int, default=0, help="the fold that is held out")
    parser.add_argument("--threads", type=int, default=threads)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    return arguments


def fit(
    network: nn.Module,
    batches: Callable[[int], Iterable[Any]],
    losses: Callable[[nn.Module, Any], Losses],
    out: Path,
    *,
    epochs: int,
    steps: int,
    learning_rate: float,
) -> nn.Module:
    """Train, and return the averaged network. The same call goes on where an earlier one was stopped.

    batches  of an epoch, `steps` of them, the same for the same epoch
    out      folder of checkpoint.pt and, at the end, weights.pt
    """
    out.mkdir(parents=True, exist_ok=True)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True
    )
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=epochs * steps + 1, pct_start=0.08
    )
    parts = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
    checkpoint = out / "checkpoint.pt"
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        first = saved["epoch"]
    for epoch in range(first, epochs):
        started, sums = time.monotonic(), dict[str, float]()
        network.train()
        for batch in batches(epoch):
            terms = losses(network, batch)
            optimizer.zero_grad()
            terms["loss"].backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + float(term.detach()) / steps
        row = {"epoch": epoch + 1, **sums, "seconds": time.monotonic() - started}
        print(json.dumps({name: round(value, 3) for name, value in row.items()}), flush=True)
        state = {name: part.state_dict() for name, part in parts.items()} | {"epoch": epoch + 1}
        save(state, checkpoint)
    save(average.module.state_dict(), out / "weights.pt")
    return average.module


def save(state: Mapping[str, Any], path: Path) -> None:
    """All of it or nothing: who finds the file may rely on it."""
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
