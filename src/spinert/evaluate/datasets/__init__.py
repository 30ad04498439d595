"""Datasets: readers of labelled films. The folder is the registry; each module has these names.

HELP                what `--data` must name, in one line
read_cases(data)    the labelled films, a list of `Case` in an order that does not change
                    raises BadRequest naming the file or the row that is missing or wrong
"""

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from spinert.errors import BadRequest
from spinert.evaluate.case import Case


class Dataset(Protocol):
    """What a module of this folder offers."""

    HELP: str

    def read_cases(self, data: Path) -> list[Case]: ...


def names() -> tuple[str, ...]:
    """Names of all datasets."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Dataset:
    """The dataset of this name. Raises BadRequest, listing the known ones, when there is none."""
    if name not in names():
        raise BadRequest(
            f"no dataset {name!r}, only: {', '.join(names())}", "name one of these; a table of yours is csv"
        )
    return cast(Dataset, import_module(f"{__name__}.{name}"))


def read(name: str, data: Path, fold: int | None = None) -> Sequence[Case]:
    """The cases of a dataset, or those of one fold.

    Raises BadRequest for an unknown dataset, a path that is not there, what the reader refuses, a fold that the
    dataset does not have, and a dataset without a film.
    """
    reader = load(name)
    if not data.exists():
        raise BadRequest(f"there is no file or folder {data.name or data}", f"name {reader.HELP}")
    cases = reader.read_cases(data)
    if not cases:
        raise BadRequest(f"dataset {name} in {data.name or data} holds no film", f"name {reader.HELP}")
    if fold is None:
        return cases
    chosen = [case for case in cases if case.fold == fold]
    if not chosen:
        have = ", ".join(map(str, sorted({case.fold for case in cases if case.fold is not None})))
        raise BadRequest(
            f"dataset {name} has no film in fold {fold}, {f'only in: {have}' if have else 'it states no folds'}",
            "name one of these folds" if have else "leave --fold out, or add the column fold",
        )
    return chosen
