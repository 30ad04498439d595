"""From trained networks to a bundle: torch -> ONNX -> compared with onnxruntime -> a folder that the runtime opens.

`export_bundle` takes one network, `export_networks` all that a description names. Only this package imports torch and
onnx, and only when it is used.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from spinert.errors import BadRequest, ExportFailed
from spinert.export import recipes
from spinert.export.description import Description, Origin, Program, read_description
from spinert.export.writing import MODEL_CARD, Exported, check_names, write_networks
from spinert.runtime.backends import ort

if TYPE_CHECKING:
    from spinert.export.source import Source

__all__ = [
    "MODEL_CARD",
    "Description",
    "Exported",
    "Origin",
    "Program",
    "export_bundle",
    "export_networks",
    "read_description",
]

PROGRAM_SUFFIX = ".pt2"


def export_bundle(
    source: str,
    weights: Path | None,
    folder: Path,
    *,
    description: Description,
    model_card: str,
    size: tuple[int, ...] | None = None,
    golden_study: Path | None = None,
) -> Exported:
    """Export a network and write its bundle to `folder`, which appears whole or not at all.

    source      name of a recipe, with `weights` a checkpoint of tensors; or path of a `.pt2` program without `weights`
    model_card  Markdown text
    size        spatial size of a recipe's inputs, (height, width), in place of its own
    golden_study   a synthetic study, from which the pipeline prepares the golden inputs; else they are random blocks
    Raises BadRequest (arguments that do not fit each other) or ExportFailed (what is wrong with network or weights),
    BadStudy or BadGeometry where the pipeline does not take the study.
    """
    _check_request(source, weights, folder, description, model_card, size)
    _check_installed()
    origin = _open(source, weights, description, size)
    return write_networks([origin], folder, description, model_card, golden_study)


def export_networks(
    description: Description, beside: Path, folder: Path, *, model_card: str, golden_study: Path | None = None
) -> Exported:
    """Export every network that the description names and write their bundle to `folder`, whole or not at all.

    beside        the folder that files of weights are relative to: where the description lies
    model_card    Markdown text
    golden_study  a synthetic study: each network's golden inputs are those of its first call when the bundle's
                  pipelines examine it; else they are random blocks
    Raises as `export_bundle`.
    """
    _check_folder(folder, model_card)
    if not description.networks or description.program is not None:
        raise BadRequest(
            "the description has `program`, which is for a single network"
            if description.networks
            else "the description names no `networks`, so there is nothing to export",
            'name each in "networks": {"NAME": {"recipe": .., "weights": ..}}, and leave out "program"',
        )
    for problem in _wrong_origins(description, beside):
        raise BadRequest(problem, "correct the description; `spinert export --help` shows an example")
    check_names(description)
    _check_installed()
    origins = [_open_origin(name, origin, beside) for name, origin in description.networks.items()]
    return write_networks(origins, folder, description, model_card, golden_study)


def _wrong_origins(description: Description, beside: Path) -> Iterator[str]:
    """What is wrong with the networks of a description, before torch is imported."""
    for name, origin in description.networks.items():
        if not name.isidentifier():
            yield f"network {name!r} cannot be the name of a file and a model"
        if not (beside / origin.weights).is_file():
            yield f"network {name!r} has its weights in {origin.weights!r}, but no such file is beside the description"
        if origin.weights.endswith(PROGRAM_SUFFIX):
            if origin.options or not origin.inputs or not origin.outputs:
                yield f"network {name!r} is a program, which has names of `inputs` and `outputs` and no `options`"
        elif origin.inputs or origin.outputs:
            yield f"network {name!r} has `inputs` or `outputs`, but recipe {origin.recipe!r} says that itself"
        elif origin.recipe not in recipes.names():
            yield recipes.unknown(origin.recipe).problem


def _open_origin(name: str, origin: Origin, beside: Path) -> "Source":
    from spinert.export.source import from_program, from_recipe  # torch

    weights = beside / origin.weights
    if origin.weights.endswith(PROGRAM_SUFFIX):
        return from_program(weights, network=name, inputs=origin.inputs, outputs=origin.outputs, recipe=origin.recipe)
    return from_recipe(origin.recipe, weights, None, origin.options)._replace(network=name)


def _check_request(
    source: str,
    weights: Path | None,
    folder: Path,
    description: Description,
    model_card: str,
    size: tuple[int, ...] | None,
) -> None:
    _check_folder(folder, model_card)
    if description.networks:
        raise BadRequest(
            f"the description names its networks, and {source!r} is given besides", "give the description alone"
        )
    if not source.endswith(PROGRAM_SUFFIX):
        if source not in recipes.names():
            raise recipes.unknown(source)
        if weights is None:
            raise BadRequest(f"recipe {source!r} is given without weights", "name the checkpoint after the recipe")
        if description.program is not None:
            raise BadRequest(
                f"the description has `program`, but {source!r} is a recipe, which says that itself", "leave it out"
            )
        return
    if weights is not None or size is not None:
        given = f"weights {weights}" if weights is not None else f"size {size}"
        raise BadRequest(f"{source} is given with {given}, but a program carries its own", "leave it out")
    if description.program is None:
        raise BadRequest(
            "the description lacks `program`, and a .pt2 file does not say what its tensors are called",
            'add "program": {"recipe": .., "network": .., "inputs": [..], "outputs": [..]}',
        )


def _check_folder(folder: Path, model_card: str) -> None:
    if folder.exists():
        raise BadRequest(f"{folder} exists already", "choose another folder or remove this one")
    if not model_card.strip():
        raise BadRequest(
            "the model card is empty", "state data, split, metrics, date and intended use: no bundle is without a card"
        )


def _check_installed() -> None:
    lacking = [name for name in ("torch", "onnx", "onnxscript") if find_spec(name) is None]
    if lacking:
        raise ExportFailed(f"not installed: {', '.join(lacking)}", 'pip install "spinert[export]"')
    if reason := ort.missing():
        raise ExportFailed("the export cannot be compared with onnxruntime", reason)


def _open(source: str, weights: Path | None, description: Description, size: tuple[int, ...] | None) -> "Source":
    from spinert.export.source import from_program, from_recipe  # torch

    if weights is not None:
        return from_recipe(source, weights, size)
    assert description.program is not None
    return from_program(Path(source), **msgspec.structs.asdict(description.program))
