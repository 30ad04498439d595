"""Make the default bundle's network insensitive to 8-bit arithmetic, before it is calibrated.

    python -m examples.finetune_landmarks FP32.onnx --data DIR --out runs/finetuned            (repeat to resume)
    spinert export landmarks runs/finetuned/weights.pt -o BUNDLE2 --describe examples/landmarks.json --model-card CARD

The network runs twice on every batch: as it is, and with the inputs and weights of its inner convolutions rounded much
as `spinert calibrate` rounds them (ranges are a little narrower here, and the stem stays exact). The loss is what the
agreement gate measures, the distance between both runs' corners and between their tilts, and the same against the
network that it started from, which stays the teacher: labels are not used, because more training on them learns their
noise (with them the held-out SMAPE rose from 11.2 to 12.9 %). Half an hour to an hour on one core.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from examples import fitting
from examples.train_landmarks import (
    DEFAULT_SIZE,
    SYNTHETIC_SHARE,
    Batches,
    _grey,
    cached,
    soft_argmax,
)
from examples.training.augment import robust_range
from spinert.evaluate.datasets.aasce import read_films
from spinert.export.recipes.landmarks import LandmarkNet
from tests import phantoms

STEPS = 500
WARM_UP = 50
LEARNING_RATE = 3e-5
POSITION_WEIGHT, TILT_WEIGHT = 1.0, 8.0
"""Of a pixel between two runs' corners, and of the chord between the tilts of a vertebra."""
TEACHER_SHARE = 1.0
"""Weight of the teacher's corners and tilts beside those of the network's own exact run."""
RANGE_EVERY, RANGE_BATCHES = 200, 2
PERCENTILE = 0.9999
SAMPLE = 200_000


def network_of(file: Path) -> LandmarkNet:
    """The recipe's network with the weights of an exported file, whose normalisation lies in the convolutions."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(file).graph.initializer}
    network = LandmarkNet()
    state = network.state_dict()
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        state[f"{name}.weight"] = torch.from_numpy(constants[f"{name}.weight"].copy())
        if module.bias is not None:
            state[f"{name}.bias"] = torch.from_numpy(constants[f"{name}.bias"].copy())
            continue
        stem, index = name.rsplit(".", 1)
        following = f"{stem}.{int(index) + 1}"
        state[f"{following}.weight"] = torch.ones(module.out_channels)
        state[f"{following}.bias"] = torch.from_numpy(constants[f"{name}.weight_bias"].copy())
        state[f"{following}.running_mean"] = torch.zeros(module.out_channels)
        epsilon = network.get_submodule(following).eps  # type: ignore[attr-defined]
        state[f"{following}.running_var"] = torch.full((module.out_channels,), 1.0 - epsilon)
    network.load_state_dict(state)
    return network.eval()


class Rounding:
    """Rounds the inputs (8 bits, unsigned) and weights (8 bits, symmetric, per channel) of the inner convolutions."""

    def __init__(self, network: LandmarkNet) -> None:
        self.convolutions = {
            name: module
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d) and name not in ("stem.0", "head")
        }
        self.ranges: dict[str, tuple[float, float]] = {}

    @contextmanager
    def _hooks(self, make: Callable[[str], Callable[..., object]]) -> Iterator[None]:
        handles = [module.register_forward_pre_hook(make(name)) for name, module in self.convolutions.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def measure(self, network: LandmarkNet, images: list[Tensor]) -> None:
        """Ranges of every rounded input: percentiles, as the calibration takes them."""
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in self.convolutions}

        def make(name: str) -> Callable[..., object]:
            def look(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
                values = inputs[0].flatten()[:: max(1, inputs[0].numel() // SAMPLE)]
                low, high = torch.quantile(values, torch.tensor([1 - PERCENTILE, PERCENTILE])).tolist()
                seen[name].append((min(low, 0.0), high))

            return look

        with self._hooks(make):
            for image in images:
                network(image)
        self.ranges = {name: tuple(np.mean(values, axis=0).tolist()) for name, values in seen.items()}  # type: ignore[misc]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Every forward pass inside is rounded; gradients pass straight through."""

        def make(name: str) -> Callable[..., object]:
            low, high = self.ranges[name]
            scale = max(high - low, 1e-6) / 255
            zero = round(-low / scale)
            return lambda _, inputs: (torch.fake_quantize_per_tensor_affine(inputs[0], scale, zero, 0, 255),)

        kept = {}
        for name, module in self.convolutions.items():
            weight = module.weight
            with torch.no_grad():
                scale = weight.abs().amax(dim=(1, 2, 3)).clamp(min=1e-12) / 127
            zero = torch.zeros(len(scale), dtype=torch.int32)
            kept[name] = weight
            del module._parameters["weight"]
            module.weight = torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -127, 127)
        try:
            with self._hooks(make):
                yield
        finally:
            for name, module in self.convolutions.items():
                del module.weight
                module.register_parameter("weight", kept[name])


def tilts(points: Tensor) -> Tensor:
    """Unit vectors across each vertebra, [N, 68, 2] -> [N, 17, 2]."""
    quads = points.view(len(points), -1, 4, 2)
    return functional.normalize(quads[:, :, [1, 3]].mean(2) - quads[:, :, [0, 2]].mean(2), dim=-1)


def disagreement(rounded: Tensor, exact: Tensor) -> tuple[Tensor, Tensor]:
    """Mean distance of the corners in input pixels, and mean chord between the tilts."""
    one, other = soft_argmax(rounded), soft_argmax(exact)
    distance = ((one - other).square().sum(-1) + 1e-6).sqrt().mean()
    chord = ((tilts(one) - tilts(other)).square().sum(-1) + 1e-10).sqrt().mean()
    return distance, chord


def main() -> None:
    arguments = fitting.arguments_of(__doc__, file="the network to start from: an exported fp32 file of this recipe")
    arguments.out.mkdir(parents=True, exist_ok=True)

    films = [film for film in read_films(arguments.data) if film.fold != arguments.fold]
    samples = [cached(robust_range(_grey(film.path)), film.corners_px) for film in films]
    rng = np.random.default_rng(0)
    drawn = [phantoms.random_phantom(rng) for _ in range(round(len(samples) * SYNTHETIC_SHARE))]
    samples += [cached(robust_range(phantom.pixels), phantom.corners_px) for phantom in drawn]

    network = network_of(arguments.file).to(memory_format=torch.channels_last)
    teacher = network_of(arguments.file).to(memory_format=torch.channels_last).requires_grad_(False)
    rounding = Rounding(network)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=STEPS, pct_start=WARM_UP / STEPS, final_div_factor=100
    )
    checkpoint = arguments.out / "checkpoint.pt"
    step = epoch = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        step, epoch = saved["step"], saved["epoch"]

    sums, started = np.zeros(5), time.monotonic()
    while step < STEPS:
        epoch += 1
        for image, _ in torch.utils.data.DataLoader(Batches(samples, DEFAULT_SIZE, seed=10_000 + epoch), None):
            image = image.contiguous(memory_format=torch.channels_last)
            if step % RANGE_EVERY == 0 or not rounding.ranges:
                rounding.measure(network, list(image.split(4)))
            exact, taught = network(image), teacher(image)
            with rounding.applied():
                rounded = network(image)
            share = taught.flatten(2).softmax(-1)
            entropy = -(share * rounded.flatten(2).log_softmax(-1)).sum(-1).mean()
            terms = [entropy, *disagreement(rounded, exact), *disagreement(rounded, taught)]
            weights = (1.0, POSITION_WEIGHT, TILT_WEIGHT, TEACHER_SHARE * POSITION_WEIGHT, TEACHER_SHARE * TILT_WEIGHT)
            loss = sum(weight * term for weight, term in zip(weights, terms, strict=True))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            step += 1
            sums += [float(term.detach()) for term in terms]
            if step % 25 == 0:
                names = ("entropy", "own_px", "own_chord", "teacher_px", "teacher_chord")
                row = dict(zip(names, (sums / 25).round(5).tolist(), strict=True))
                print(json.dumps({"step": step, **row, "seconds": round(time.monotonic() - started)}), flush=True)
                sums[:] = 0
            if step % 100 == 0 or step == STEPS:
                state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
                state |= {"schedule": schedule.state_dict(), "step": step, "epoch": epoch}
                torch.save(state, checkpoint.with_suffix(".new"))
                checkpoint.with_suffix(".new").replace(checkpoint)
            if step == STEPS:
                break
    torch.save(network.state_dict(), arguments.out / "weights.pt")


if __name__ == "__main__":
    main()
