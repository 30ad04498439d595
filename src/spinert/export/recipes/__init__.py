"""Recipes: the networks that `spinert export` can rebuild from a checkpoint. The folder is the registry.

A recipe is an ordinary module for one network of one published system: its docstring names the paper and its section,
the tensors, and every choice that the paper leaves open. A new network = one new file here, with the names of `Recipe`.
Parts that several share are in `spinert.export.blocks`.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import msgspec

from spinert.errors import BadRequest

if TYPE_CHECKING:
    from torch import nn


class Tensors(NamedTuple):
    """What a network takes and gives; every tensor is float32 with the batch as first axis.

    `inputs` has name -> shape without batch, (channels, *spatial size), in the order of `forward`'s arguments;
    `outputs` the names in the order in which `forward` returns them.
    """

    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]


class Recipe(Protocol):
    """What the module of a recipe holds."""

    NETWORK: str
    """Name of the network in the bundle, as the pipeline asks for it."""
    Options: type[msgspec.Struct]
    """Frozen: depth, widths, sizes; the defaults are the paper's. ValueError where they do not fit each other."""

    def tensors(self, options: Any) -> Tensors: ...

    def network(self, options: Any) -> "nn.Module":
        """The network with new weights, in training mode."""
        ...


def names() -> tuple[str, ...]:
    """Every recipe, without importing one."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Recipe:
    """Import a recipe (and torch with it). Raises BadRequest with the names there are."""
    if name not in names():
        raise unknown(name)
    return cast(Recipe, importlib.import_module(f"{__name__}.{name}"))


def options_of(name: str, given: dict[str, Any]) -> msgspec.Struct:
    """The recipe's options, the given ones in place of its defaults. Raises BadRequest naming the one that is wrong."""
    try:
        return msgspec.convert(given, load(name).Options)
    except msgspec.ValidationError as error:
        raise BadRequest(f"options of recipe {name!r}: {error}", "correct them") from None


def unknown(name: str) -> BadRequest:
    """The error for a name that is no recipe."""
    return BadRequest(
        f"no recipe {name!r}, only: {', '.join(names())}", "name one of these, or a .pt2 file of torch.export.save"
    )
