"""An evaluation as files: a table of the films and three plots of each bundle, one summary of all.

`summary.json` has the schema `spinert.evaluation/1`; a number that cannot be computed is null.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

import spinert
from spinert.errors import BadRequest
from spinert.evaluate import Evaluated, Evaluation, plots
from spinert.evaluate.compared import Compared
from spinert.evaluate.metrics import smape_of_films
from spinert.evaluate.scores import found_and_labelled
from spinert.findings import DISCLAIMER
from spinert.kernels import active_isa
from spinert.runtime import processor
from spinert.runtime.report.write import put, stems

SCHEMA = "spinert.evaluation/1"
SUMMARY = "summary.json"
SIDES = ("labelled", "found", "low", "high")


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `summary.json`; milliseconds belong to the processor and the instruction set."""

    schema: str = SCHEMA
    disclaimer: str = DISCLAIMER
    spinert: str
    processor: str
    isa: str
    dataset: str
    fold: int | None
    bundles: tuple[Evaluated, ...]


def write(evaluations: Sequence[Evaluation], folder: Path, *, dataset: str, fold: int | None) -> list[Path]:
    """Write everything into `folder`, made where it is missing; older files give way. Returns the paths.

    The summary comes last, so where it lies all the others do. Raises BadRequest where the folder cannot be written.
    """
    contents: dict[Path, bytes] = {}
    names = stems([each.scores.bundle for each in evaluations])
    for name, evaluation in zip(names, evaluations, strict=True):
        contents[folder / f"{name}.films.csv"] = films_csv(evaluation.films)
        contents |= {folder / f"{name}.{plot}.png": png for plot, png in _plots(evaluation).items()}
    summary = Summary(
        spinert=spinert.__version__,
        processor=processor.name(),
        isa=active_isa(),
        dataset=dataset,
        fold=fold,
        bundles=tuple(each.scores for each in evaluations),
    )
    contents[folder / SUMMARY] = msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put(contents)
    except OSError as error:
        raise BadRequest(
            f"cannot write {Path(error.filename or folder).name!r} into {folder}: {error.strerror}",
            "name a folder that can be written with -o",
        ) from None
    return list(contents)


def films_csv(films: Sequence[Compared]) -> bytes:
    """One line a film: what was labelled and found, errors, milliseconds, flags, and why there is no result.

    Degrees of a failed film are left empty, although the scores count them as 0; lengths are in `unit`.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    angles = [f"{side}_{angle}" for side in SIDES for angle in (1, 2, 3)]
    errors = ["smape_percent", "corner_error", "vertebrae", "identified", "localisation", "unit"]
    table.writerow(["case", "fold", *angles, *errors, "milliseconds", "flags", "failure"])
    for film in films:
        found = [
            film.case.degrees,
            film.degrees,
            *(np.full((2, 3), None) if film.intervals is None else film.intervals.T),
        ]
        distances = [each.distance for each in film.located if each.distance is not None]
        table.writerow(
            [
                film.case.name,
                "" if film.case.fold is None else film.case.fold,
                *(_number(value) for three in found for value in ([None] * 3 if three is None else three)),
                _number(None if film.case.degrees is None else float(smape_of_films(*found_and_labelled([film]))[0])),
                _number(film.corner_error),
                len(film.located),
                sum(each.identified for each in film.located),
                _number(float(np.mean(distances)) if distances else None),
                "mm" if film.has_spacing else "px",
                _number(sum(film.timings_ms.values()) if film.timings_ms else None),
                " ".join(film.flags),
                film.failure or "",
            ]
        )
    return text.getvalue().encode()


def _plots(evaluation: Evaluation) -> dict[str, bytes]:
    """None where the bundle or the dataset has no angles."""
    scores, title = evaluation.scores.all_films.angles, evaluation.scores.bundle
    if scores is None:
        return {}
    films = [film for film in evaluation.films if film.case.degrees is not None]
    found, labelled = found_and_labelled(films)
    flagged = np.array([film.failure is not None or bool(film.flags) for film in films])
    return {
        "predicted_against_true": plots.predicted_against_true(found, labelled, flagged, title),
        "bland_altman": plots.bland_altman(found[:, 0], labelled[:, 0], flagged, title),
        "severity": plots.severity(np.array(scores.severity), title),
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
