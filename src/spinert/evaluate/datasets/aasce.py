"""The labelled radiographs of the AASCE 2019 challenge (SpineWeb dataset 16), read from a folder on this machine.

The data carries no licence text: research use only, never redistributed. The folder holds

    images/                  grey JPEG files without pixel spacing
    filenames.csv            one name a line; its order is that of everything below
    corners_px.npy           [films, 68, 2] (x, y) pixels, T1..L5, TL, TR, BL, BR each
    angles.csv               the challenge's three angles of each film, in degrees
    known_label_errors.json  rows whose corners are known to be wrong; they are left out

Folds are by case, so that all films of one person are in one.
"""

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinert.errors import BadRequest
from spinert.evaluate.case import Case, read_image
from spinert.findings import T1_TO_L5

HELP = "the folder with images/, filenames.csv, corners_px.npy, angles.csv, known_label_errors.json"
FOLDS = 5
FILES = ("images", "filenames.csv", "corners_px.npy", "angles.csv", "known_label_errors.json")


@dataclass(frozen=True)
class Film:
    """One film: `row` of the challenge's tables, `fold` 0..4, `corners_px` float64 [17, 4, 2], TL, TR, BL, BR."""

    row: int
    path: Path
    fold: int
    corners_px: NDArray[np.float64]


def read_cases(data: Path) -> list[Case]:
    """The films without known label errors, each with angles, corners and the centres of T1..L5: their mean corners.

    Raises BadRequest where a file of the folder is missing or its rows are not those of `filenames.csv`.
    """
    if lacking := [name for name in FILES if not (data / name).exists()]:
        raise BadRequest(f"{data.name or data} lacks {', '.join(lacking)}", f"name {HELP}")
    try:
        films = read_films(data)
        angles = np.loadtxt(data / "angles.csv", delimiter=",", ndmin=2)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise BadRequest(f"the tables in {data.name or data} do not fit: {error}", f"name {HELP}") from None
    if films and angles.shape != (_rows(data), 3):
        raise BadRequest(
            f"angles.csv has {' x '.join(map(str, angles.shape))} values, filenames.csv {_rows(data)} names",
            "give three angles for each name",
        )
    return [
        Case(
            name=f"film {film.row}",
            read=partial(read_image, film.path),
            degrees=angles[film.row],
            corners_px=film.corners_px,
            centres_px={
                level: (float(x), float(y))
                for level, (x, y) in zip(T1_TO_L5, film.corners_px.mean(axis=1), strict=True)
            },
            fold=film.fold,
        )
        for film in films
    ]


def read_films(folder: Path, *, with_label_errors: bool = False) -> list[Film]:
    """All films in the challenge's order, by default without the rows that are known to be mislabelled.

    Raises OSError for a missing file, ValueError for tables that do not fit each other.
    """
    corners = np.load(folder / "corners_px.npy").astype(np.float64).reshape(-1, 17, 4, 2)
    names = _names(folder)
    if len(names) != len(corners):
        raise ValueError(f"filenames.csv has {len(names)} names, corners_px.npy {len(corners)} films")
    folds = folds_of([case_of(name) for name in names])
    wrong = frozenset() if with_label_errors else known_label_errors(folder)
    return [
        Film(row, folder / "images" / name, folds[case_of(name)], corners[row])
        for row, name in enumerate(names)
        if row not in wrong
    ]


def case_of(filename: str) -> str:
    """`sunhl-1th-09-Jan-2017-194 C AP.jpg` -> `194`; `..-2016-coronal12.jpg` -> `coronal12`."""
    found = re.search(r"-\d{4}-(coronal\d+|\d+)", filename)
    if not found:
        raise ValueError(f"no case number in the file name {filename!r}")
    return found.group(1)


def folds_of(cases: list[str]) -> dict[str, int]:
    """Fold of each case: all films of one person in one fold, folds of about equal size, the same on every machine."""
    ordered = sorted(cases, key=lambda case: (hashlib.sha256(case.encode()).hexdigest(), case))
    return {case: place * FOLDS // len(ordered) for place, case in reversed(list(enumerate(ordered)))}


def known_label_errors(folder: Path) -> frozenset[int]:
    """Rows whose corners are known to be wrong (order, swaps, other corrections)."""
    listed = json.loads((folder / "known_label_errors.json").read_text(encoding="utf-8"))
    groups = [group for source in ("community", "geometric") for group in listed[source].values()]
    return frozenset(entry["i"] if isinstance(entry, dict) else entry for group in groups for entry in group)


def _names(folder: Path) -> list[str]:
    with (folder / "filenames.csv").open(newline="", encoding="utf-8") as table:
        return [row[0] for row in csv.reader(table)]


def _rows(folder: Path) -> int:
    return len(_names(folder))
