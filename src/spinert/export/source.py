"""What an export starts from: a recipe with a checkpoint, or a `.pt2` program, as one torch.export program.

Weights are data, never code: checkpoints are read with weights_only=True, a `.pt2` archive is looked through first.
"""

import hashlib
import io
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spinert.errors import BadRequest, ExportFailed
from spinert.export import recipes
from spinert.export.archive import refuse_code
from spinert.runtime.network import Arrays

EXAMPLE_BATCH = 2
"""torch.export takes an example of batch 1 for a fixed batch, so the batch is traced with 2."""


class Source(NamedTuple):
    """`program` has a free batch; `reference` is the same network in torch, on arrays keyed by `inputs`."""

    program: torch.export.ExportedProgram
    reference: Callable[[Arrays], dict[str, NDArray[Any]]]
    network: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    recipe: str
    weights_sha256: str


def from_recipe(
    name: str, weights: Path, size: tuple[int, ...] | None, options: Mapping[str, Any] | None = None
) -> Source:
    """Build the recipe's network with a checkpoint's weights; `size` replaces the spatial size of its inputs.

    `options` are the recipe's own, in place of its defaults.
    Raises BadRequest (no such recipe or file, a size of the wrong rank) or ExportFailed (what is wrong in the weights).
    """
    recipe = recipes.load(name)
    chosen = recipes.options_of(name, dict(options or {}))
    tensors = recipe.tensors(chosen)
    content = _read(weights)
    state = _state_of(content, weights.name)
    network = recipe.network(chosen).eval()
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ExportFailed(
            f"{weights.name} does not fit recipe {name!r}: {_shortened(error)}",
            "name the recipe and the version of it that trained these weights",
        ) from error
    shapes = [_resized(shape, size) for shape in tensors.inputs.values()]
    example = tuple(torch.zeros(EXAMPLE_BATCH, *shape) for shape in shapes)
    batch = torch.export.Dim("batch", min=1)
    try:
        program = torch.export.export(network, example, dynamic_shapes=tuple({0: batch} for _ in shapes))
    except Exception as error:  # torch raises whatever the network's code runs into
        raise ExportFailed(
            f"recipe {name!r} cannot be traced with inputs {[list(shape) for shape in shapes]} and a free batch: "
            f"{_shortened(error)}",
            "choose a --size that the network takes, and let no step of it depend on the batch",
        ) from error
    inputs, digest = tuple(tensors.inputs), hashlib.sha256(content).hexdigest()
    run = _runner(network, inputs, tensors.outputs)
    return _checked(Source(program, run, recipe.NETWORK, inputs, tensors.outputs, name, digest))


def from_program(path: Path, *, network: str, inputs: tuple[str, ...], outputs: tuple[str, ...], recipe: str) -> Source:
    """Read a `.pt2` file of torch.export.save. Raises BadRequest (no such file) or ExportFailed (what is wrong)."""
    content = _read(path)
    refuse_code(content, path.name)
    try:
        program = torch.export.load(io.BytesIO(content))
    except Exception as error:  # a damaged archive fails anywhere in torch's reader
        raise ExportFailed(
            f"{path.name} is no torch.export program of torch {torch.__version__}: {_shortened(error)}",
            "write it again with torch.export.save",
        ) from error
    run = _runner(program.module(), inputs, outputs)
    return _checked(Source(program, run, network, inputs, outputs, recipe, hashlib.sha256(content).hexdigest()))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror}", "name a file that exists") from None


def _state_of(content: bytes, name: str) -> dict[str, Tensor]:
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ExportFailed(
            f"{name} is refused: it holds more than tensors, and unpickling that could run code ({_refusal(error)})",
            "save the weights alone: torch.save(network.state_dict(), FILE)",
        ) from error
    except Exception as error:  # bytes that are no checkpoint fail anywhere in torch's unpickler
        raise ExportFailed(
            f"{name} is no torch checkpoint: {_shortened(error)}",
            "save it again: torch.save(network.state_dict(), FILE)",
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        kind = f"a mapping of {', '.join(map(repr, state))}" if isinstance(state, Mapping) else type(state).__name__
        raise ExportFailed(
            f"{name} holds {kind}, not named tensors", "save the weights alone: torch.save(network.state_dict(), FILE)"
        )
    return dict(state)


def _checked(source: Source) -> Source:
    """The source, once its weights are finite, nothing in it trains, and its tensors are as many as were named."""
    program = source.program
    tensors = {**program.state_dict, **program.constants}
    bad = [key for key, value in tensors.items() if isinstance(value, Tensor) and not value.isfinite().all()]
    if bad:
        raise ExportFailed(f"weights that are not finite: {', '.join(bad)}", "train again: this network has diverged")
    for node in program.graph.nodes:
        if _trains(node):
            raise ExportFailed(
                f"the network is in training mode: {node.target} takes statistics or noise from each batch",
                "call network.eval() before torch.export.export",
            )
    signature = program.graph_signature
    for what, named, found in (
        ("input", source.inputs, signature.user_inputs),
        ("output", source.outputs, signature.user_outputs),
    ):
        if len(named) != len(found):
            raise ExportFailed(
                f"the program has {len(found)} {what}s ({', '.join(map(str, found))}), {len(named)} are named: "
                f"{', '.join(named)}",
                f"name each {what} of the program once, in its order",
            )
    return source


def _trains(node: torch.fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None:
        return False
    given = dict(zip((argument.name for argument in schema.arguments), node.args, strict=False)) | node.kwargs
    return bool(given.get("training") or given.get("train"))


def _runner(
    network: nn.Module | Callable[..., Any], inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> Callable[[Arrays], dict[str, NDArray[Any]]]:
    def run(arrays: Arrays) -> dict[str, NDArray[Any]]:
        with torch.inference_mode():
            result = network(*(torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in inputs))
        tensors = (result,) if isinstance(result, Tensor) else tuple(result)
        return {name: tensor.numpy() for name, tensor in zip(outputs, tensors, strict=True)}

    return run


def _resized(shape: tuple[int, ...], size: tuple[int, ...] | None) -> tuple[int, ...]:
    if size is None:
        return shape
    if len(size) != len(shape) - 1 or min(size) < 1:
        raise BadRequest(
            f"size {list(size)} does not fit an input of shape {list(shape)}", f"give {len(shape) - 1} positive numbers"
        )
    return shape[0], *size


def _refusal(error: Exception) -> str:
    """The object that torch did not load, out of a message that mostly explains how to load it all the same."""
    found = re.search(r"(Unsupported (global|class|operand)|Can only|Trying to).*?(?= was not|\n|\.\s|$)", str(error))
    return found.group(0) if found else _shortened(error)


def _shortened(error: Exception) -> str:
    return textwrap.shorten(str(error) or type(error).__name__, 1500)
