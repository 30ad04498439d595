"""What a bundle states besides its networks' weights, as `spinert export` reads it from JSON."""

import datetime
from pathlib import Path
from typing import Any

import msgspec

from spinert.errors import BadRequest
from spinert.manifest import Ensemble, Fusion, Member


class Program(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipe would say of a `.pt2` program: where its architecture is, and names in the program's order."""

    recipe: str
    network: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one of several networks comes from.

    weights   a file, relative to the folder of the description: a checkpoint of the recipe, or a `.pt2` program
    options   of the recipe, in place of its defaults
    inputs, outputs   of a program, in its order; `recipe` then says where its architecture is
    """

    recipe: str
    weights: str
    options: dict[str, Any] = {}
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle states besides its networks.

    `settings` are those of the pipeline; `data`, `split` and `date` say what the weights were trained on and when.
    `networks` has every network of the bundle by its name there, where the bundle is exported from the description
    alone; `ensembles`, `members` and `fusion` go into the bundle as they are, see `spinert.manifest`.
    """

    name: str
    pipeline: str
    settings: dict[str, Any]
    class_names: tuple[str, ...]
    data: str
    split: str
    date: datetime.date
    program: Program | None = None
    networks: dict[str, Origin] = {}
    ensembles: dict[str, Ensemble] = {}
    members: dict[str, Member] = {}
    fusion: Fusion | None = None


def read_description(path: Path) -> Description:
    """Read a description. Raises BadRequest naming the key that is unknown, missing or of the wrong type."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror}", "name a JSON file that exists") from None
    except msgspec.MsgspecError as error:
        raise BadRequest(f"{path}: {error}", "correct it; `spinert export --help` shows an example") from None
