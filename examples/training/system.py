"""The configuration of a published system: its networks, how each is trained, and the bundle that they make."""

import datetime
import json
import os
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec

from examples.training import angles, boxes, crops, heatmaps, masks, regions
from examples.training.task import Task
from spinert.export import recipes
from spinert.runtime.preparation import Preparation

TASKS: dict[str, type[msgspec.Struct]] = {
    "angles_of_mask": angles.AnglesOfMask,
    "guided_angles": angles.GuidedAngles,
    "mask_and_angles": angles.MaskAndAngles,
    "anchor_boxes": boxes.AnchorBoxes,
    "crop_box": crops.CropBox,
    "crop_coordinates": crops.CropCoordinates,
    "crop_corners": crops.CropCorners,
    "crop_points": crops.CropPoints,
    "film_corners": heatmaps.FilmCorners,
    "patch_corners": heatmaps.PatchCorners,
    "boundaries": masks.Boundaries,
    "centreline": masks.Centreline,
    "cord_logits": masks.CordLogits,
    "gap_classes": masks.GapClasses,
    "spine_classes": masks.SpineClasses,
    "spine_maps": masks.SpineMaps,
    "judged_boxes": regions.JudgedBoxes,
    "region_corners": regions.RegionCorners,
}
Count = Annotated[int, msgspec.Meta(ge=1)]


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One network: `recipe` and `options` as `spinert export` reads them, the rest says how it is trained.

    target       numbers of the task, besides the size in the options
    after        networks of the system that are trained before, and that the task asks
    draws        samples of a film in an epoch
    film_height  pixels that films are reduced to before they are drawn
    contrast     whether films have their contrast changed as the pipeline's `preparation` says; patches and crops that
                 the pipeline cuts from the film have not
    """

    recipe: str
    options: dict[str, Any]
    task: str
    target: dict[str, Any] = {}
    after: tuple[str, ...] = ()
    epochs: Count
    batch: Count
    draws: Count = 1
    learning_rate: Annotated[float, msgspec.Meta(gt=0)]
    film_height: Count = 640
    contrast: bool = True

    def training(self) -> Task:
        """Its task. ValueError for a name that is none, msgspec.ValidationError for numbers that do not fit it."""
        if self.task not in TASKS:
            raise ValueError(f"no task {self.task!r}, only: {', '.join(TASKS)}")
        shared = {name: self.options[name] for name in ("size", "cells") if name in self.options}
        return cast(Task, msgspec.convert({**shared, **self.target}, TASKS[self.task]))


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A system, its networks in the order in which they are trained.

    `paper` says which, and what is smaller here; `result` is what the authors print, on their own data.
    """

    name: str
    paper: str
    result: str
    pipeline: str
    networks: dict[str, Network]
    settings: dict[str, Any]
    class_names: tuple[str, ...]

    def preparation(self, network: str) -> Preparation:
        """How the pipeline prepares what this network sees."""
        prepared = msgspec.convert(self.settings.get("preparation", {}), Preparation)
        return prepared if self.networks[network].contrast else msgspec.structs.replace(prepared, contrast="none")


def read(path: Path) -> System:
    """Read a configuration. msgspec.ValidationError or ValueError where it does not fit itself."""
    system = msgspec.json.decode(path.read_bytes(), type=System)
    earlier: list[str] = []
    for name, network in system.networks.items():
        recipes.options_of(network.recipe, network.options)
        network.training()
        if missing := [each for each in network.after if each not in earlier]:
            raise ValueError(f"network {name!r} comes after {', '.join(missing)}, which must be named before it")
        earlier.append(name)
    return system


def description(system: System, *, films: int, fold: int) -> dict[str, Any]:
    """What `spinert export` reads, with the weights beside it as `train_system.py` leaves them."""
    return {
        "name": system.name,
        "pipeline": system.pipeline,
        "settings": system.settings,
        "class_names": system.class_names,
        "data": f"{films} radiographs of the AASCE 2019 challenge (SpineWeb dataset 16) and synthetic radiographs of "
        "tests/phantoms.py; research use only",
        "split": f"by case: fold {fold} of 5 of spinert/evaluate/datasets/aasce.py held out; rows with known label "
        "errors left out",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "networks": {
            name: {"recipe": network.recipe, "weights": f"{name}/weights.pt", "options": network.options}
            for name, network in system.networks.items()
        },
    }


def card(system: System, *, films: int, fold: int) -> str:
    """The model card, Markdown."""
    rows = [
        f"| {name} | {network.recipe} | {json.dumps(network.options)} | {network.task} | {network.epochs} |"
        for name, network in system.networks.items()
    ]
    return "\n".join(
        [
            f"# {system.name}",
            "",
            system.paper,
            "",
            f"Trained from new weights with `examples/train_system.py` on {films} radiographs of the AASCE 2019",
            f"challenge and on synthetic ones; fold {fold} of 5, by case, was held out, rows with known label errors",
            "left out. The data carries no licence text: for research only, not for clinical use.",
            "",
            "| network | recipe | options | task | epochs |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def write(text: str, path: Path) -> None:
    """All of it or nothing."""
    temporary = path.with_suffix(path.suffix + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
