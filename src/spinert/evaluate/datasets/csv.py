"""A table of angles beside films: `angles.csv` in a folder, or a CSV file of any name.

One line a film below a line of headings, in any order of the columns:

    file,angle1,angle2,angle3,fold,spacing_mm
    one.dcm,41.1,14.6,40.1,0,
    two/film.png,12.0,3.5,8.2,1,0.15

file          one DICOM, PNG or JPEG file, its path beginning at the table's folder
angle1..3     degrees by the AASCE challenge's rule and in its order, angle1 the largest of the film
fold          may be left out: a whole number from 0 for `--fold`, all films of one patient in one
spacing_mm    may be left out: the distance between rows in mm, and after a space that between columns where it differs,
              of a picture or of a DICOM file without spacing; without it lengths stay in pixels
"""

import csv
import math
from functools import partial
from pathlib import Path

import numpy as np

from spinert.errors import BadRequest
from spinert.evaluate.case import Case, read_image

HELP = "a folder with angles.csv, or a CSV file: file,angle1,angle2,angle3 and, where wanted, fold,spacing_mm"
TABLE = "angles.csv"
ANGLES = ("angle1", "angle2", "angle3")
NEEDED = ("file", *ANGLES)
OPTIONAL = ("fold", "spacing_mm")


def read_cases(data: Path) -> list[Case]:
    """The films of the table, in its order; none is opened yet.

    Raises BadRequest for a table that is missing or unreadable, for columns that are missing, unknown or repeated,
    and for a row with a wrong value or a film that is not there, by its number: the first below the headings is row 1.
    """
    table = data / TABLE if data.is_dir() else data
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadRequest(f"cannot read {table.name} as CSV in UTF-8: {why}", f"name {HELP}") from None
    if not lines:
        return []
    headings = [heading.strip() for heading in lines[0]]
    _check_headings(headings, table.name)
    rows = [(number, line) for number, line in enumerate(lines[1:], start=1) if any(map(str.strip, line))]
    return [_case(headings, line, f"row {number}", table) for number, line in rows]


def _check_headings(headings: list[str], table: str) -> None:
    missing = [name for name in NEEDED if name not in headings]
    unknown = [name for name in headings if name not in (*NEEDED, *OPTIONAL)]
    repeated = sorted({name for name in headings if headings.count(name) > 1})
    for what, names in (("lacks", missing), ("has unknown", unknown), ("repeats", repeated)):
        if names:
            raise BadRequest(
                f"{table} {what} columns {', '.join(map(repr, names))}",
                f"its first line names {','.join(NEEDED)} and, where wanted, {','.join(OPTIONAL)}",
            )


def _case(headings: list[str], line: list[str], name: str, table: Path) -> Case:
    if len(line) != len(headings):
        raise BadRequest(
            f"{name} of {table.name} has {len(line)} values, the headings are {len(headings)}", "correct the row"
        )
    values = {heading: value.strip() for heading, value in zip(headings, line, strict=True)}
    path = table.parent / values["file"]
    if not values["file"] or not path.is_file():
        raise BadRequest(f"the film of {name} of {table.name} is not there", f"correct its path, from {table.name} on")
    return Case(
        name=name,
        read=partial(read_image, path, _spacing(values.get("spacing_mm", ""), name, table.name)),
        degrees=np.array([_degrees(values[angle], angle, name, table.name) for angle in ANGLES]),
        fold=_fold(values.get("fold", ""), name, table.name),
    )


def _degrees(text: str, angle: str, name: str, table: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 180:
        raise BadRequest(
            f"{angle} of {name} of {table} is {text!r}, expected 0 to 180 degrees",
            "write it with a decimal point; leave a film without angles out",
        )
    return value


def _fold(text: str, name: str, table: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise BadRequest(f"fold of {name} of {table} is {text!r}, expected a whole number from 0", "correct the row")
    return int(text)


def _spacing(text: str, name: str, table: str) -> tuple[float, float] | None:
    """None where it is left out. Whether lengths above 0 can be those of a radiograph is asked when it is read."""
    if not text:
        return None
    try:
        values = [float(value) for value in text.split()]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(math.isfinite(value) and value > 0 for value in values):
        raise BadRequest(
            f"spacing_mm of {name} of {table} is {text!r}, expected one or two distances above 0 mm",
            "such as 0.15, or 0.2 0.14 for rows and columns",
        )
    return values[0], values[-1]
