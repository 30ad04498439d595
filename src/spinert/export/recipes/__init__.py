"""Recipes: the networks that `spinert export` can rebuild from a checkpoint. The folder is the registry.

A recipe is an ordinary module that says what its network takes and gives, so that a description states only data
facts. A new network = one new file here, with the names of `Recipe`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

from spinert.errors import BadRequest

if TYPE_CHECKING:
    from torch import Tensor, nn


class Recipe(Protocol):
    """What the module of a recipe holds; every tensor is float32 with the batch as first axis."""

    NETWORK: str
    """Name of the network in the bundle, as the pipeline asks for it."""
    INPUTS: dict[str, tuple[int, ...]]
    """Name -> shape without batch, (channels, *spatial size), in the order of `forward`'s arguments."""
    OUTPUTS: tuple[str, ...]
    """Names in the order in which `forward` returns them."""

    def build(self, state: "Mapping[str, Tensor]") -> "nn.Module":
        """The network in evaluation mode with these weights; RuntimeError (torch's) when a name or shape is wrong."""
        ...


def names() -> tuple[str, ...]:
    """Every recipe, without importing one."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Recipe:
    """Import a recipe (and torch with it). Raises BadRequest with the names there are."""
    if name not in names():
        raise unknown(name)
    return cast(Recipe, importlib.import_module(f"{__name__}.{name}"))


def unknown(name: str) -> BadRequest:
    """The error for a name that is no recipe."""
    return BadRequest(
        f"no recipe {name!r}, only: {', '.join(names())}", "name one of these, or a .pt2 file of torch.export.save"
    )
