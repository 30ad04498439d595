"""Train the networks of a published system, narrower than in its paper, and describe the bundle that they make.

    python -m examples.train_system examples/systems/r5.json --data DIR --out runs/r5    (repeat the command to resume)
    spinert export runs/r5/bundle.json -o BUNDLE --model-card runs/r5/card.md

DIR holds the films of the AASCE 2019 challenge, which are for research only. One case-wise fold is held out and never
trained on; films whose labels are known to be wrong are left out. Networks are trained one after the other, each in a
folder of its own, with a checkpoint after every epoch.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from examples import fitting
from examples.training import films, system
from examples.training.task import Film, Samples
from spinert.export import recipes
from spinert.runtime.preparation import Preparation

Films = Callable[[int, Preparation], list[Film]]
"""Those to train on, so many pixels high and prepared so."""


def train(described: system.System, films_of: Films, out: Path) -> dict[str, nn.Module]:
    """Train all networks that are not yet; each is returned in evaluation mode."""
    trained: dict[str, nn.Module] = {}
    for name, network in described.networks.items():
        torch.manual_seed(0)
        fresh = recipes.load(network.recipe).network(recipes.options_of(network.recipe, network.options))
        weights = out / name / "weights.pt"
        if weights.exists():
            fresh.load_state_dict(torch.load(weights, weights_only=True))
            trained[name] = fresh.eval()
            continue
        print(json.dumps({"network": name, "parameters": sum(each.numel() for each in fresh.parameters())}), flush=True)
        drawn = films_of(network.film_height, described.preparation(name))
        trained[name] = _fit(fresh, network, drawn, trained, out / name).eval()
    return trained


def _fit(
    fresh: nn.Module, network: system.Network, drawn: list[Film], trained: dict[str, nn.Module], out: Path
) -> nn.Module:
    task = network.training()
    before = tuple(trained[each] for each in network.after)

    def batches(epoch: int) -> Samples:
        torch.manual_seed(epoch)  # dropout and sampled anchors are the same where an epoch is begun anew
        return Samples(task, drawn, batch=network.batch, draws=network.draws, seed=epoch)

    return fitting.fit(
        fresh,
        batches,
        lambda module, batch: task.losses(module, batch, before),
        out,
        epochs=network.epochs,
        steps=len(batches(0)),
        learning_rate=network.learning_rate,
    )


def main() -> None:
    arguments = fitting.arguments_of(__doc__, system="a configuration of examples/systems")
    described = system.read(arguments.system)
    arguments.out.mkdir(parents=True, exist_ok=True)

    real = len([film for film in films.read_films(arguments.data) if film.fold != arguments.fold])

    def films_of(height: int, preparation: Preparation) -> list[Film]:
        return films.real(arguments.data, arguments.fold, height, preparation) + films.synthetic(
            films.SYNTHETIC, height, preparation
        )

    train(described, films_of, arguments.out)
    facts = system.description(described, films=real, fold=arguments.fold)
    system.write(system.card(described, films=real, fold=arguments.fold), arguments.out / "card.md")
    system.write(json.dumps(facts, indent=2) + "\n", arguments.out / "bundle.json")


if __name__ == "__main__":
    main()
