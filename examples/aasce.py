"""The 481 labelled radiographs of the AASCE 2019 challenge, read from a folder on this machine.

The data carries no licence text: research use only, never redistributed. `folder` holds `images/`,
`filenames.csv`, `corners_px.npy` and `known_label_errors.json`.
"""

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


@dataclass(frozen=True)
class Film:
    """One film: `row` of the challenge's tables, `fold` 0..4, `corners_px` float64 [17, 4, 2], TL, TR, BL, BR."""

    row: int
    path: Path
    fold: int
    corners_px: NDArray[np.float64]


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
    listed = json.loads((folder / "known_label_errors.json").read_text())
    groups = [group for source in ("community", "geometric") for group in listed[source].values()]
    return frozenset(entry["i"] if isinstance(entry, dict) else entry for group in groups for entry in group)


def read_films(folder: Path, *, with_label_errors: bool = False) -> list[Film]:
    """All films in the challenge's order, by default without the rows that are known to be mislabelled."""
    corners = np.load(folder / "corners_px.npy").astype(np.float64).reshape(-1, 17, 4, 2)
    with (folder / "filenames.csv").open(newline="") as table:
        names = [row[0] for row in csv.reader(table)]
    folds = folds_of([case_of(name) for name in names])
    wrong = frozenset() if with_label_errors else known_label_errors(folder)
    return [
        Film(row, folder / "images" / name, folds[case_of(name)], corners[row])
        for row, name in enumerate(names)
        if row not in wrong
    ]
