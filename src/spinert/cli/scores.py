"""The scores of several bundles side by side, as text for a person: ASCII only, so it prints everywhere."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from spinert.cli.table import aligned
from spinert.findings import DISCLAIMER
from spinert.runtime.report.write import stems

if TYPE_CHECKING:
    from spinert.evaluate import Evaluated
    from spinert.evaluate.scores import AngleScores, CentreScores, CornerScores, CurveScores

NONE = "n/a"
MOST_REASONS = 5

Row = tuple[str, Callable[["Evaluated"], str]]


def table(evaluated: Sequence["Evaluated"]) -> str:
    """A column for each bundle, then why films failed, then the disclaimer. A row that no bundle has is left out.

    Bundles of one name are numbered in the order in which they were named, as their files are.
    """
    stages = list(dict.fromkeys(stage for each in evaluated for stage in each.all_films.latency_ms))
    stages.sort(key=lambda stage: stage == "total")
    rows = [(name, *map(cell, evaluated)) for name, cell in (*ROWS, *map(_stage, stages))]
    names = stems([each.bundle for each in evaluated])
    heading = ("", *names)
    lines = aligned([heading, *(row for row in rows if set(row[1:]) != {NONE})], words=("",))
    for name, each in zip(names, evaluated, strict=True):
        lines += _failures(name, each)
    return "\n".join([*lines, DISCLAIMER])


def _failures(name: str, each: "Evaluated") -> list[str]:
    reasons = list(each.all_films.failures.items())
    lines = [f"{name}: {count} failed: {reason}" for reason, count in reasons[:MOST_REASONS]]
    if len(reasons) > MOST_REASONS:
        lines.append(f"{name}: {sum(n for _, n in reasons[MOST_REASONS:])} failed for other reasons")
    return lines


def _stage(stage: str) -> Row:
    return f"ms, {stage}, median", lambda each: _value(each.all_films.latency_ms.get(stage), 1)


def _angles(text: Callable[["AngleScores"], str]) -> Callable[["Evaluated"], str]:
    return lambda each: NONE if each.all_films.angles is None else text(each.all_films.angles)


def _relied_on(text: Callable[["AngleScores"], str]) -> Callable[["Evaluated"], str]:
    def cell(each: "Evaluated") -> str:
        scores = each.without_warning
        return NONE if scores is None or scores.angles is None else text(scores.angles)

    return cell


def _curves(text: Callable[["CurveScores"], str]) -> Callable[["Evaluated"], str]:
    return lambda each: NONE if each.all_films.curves is None else text(each.all_films.curves)


def _corners(text: Callable[["CornerScores"], str]) -> Callable[["Evaluated"], str]:
    return lambda each: NONE if each.all_films.corners is None else text(each.all_films.corners)


def _centres(text: Callable[["CentreScores"], str]) -> Callable[["Evaluated"], str]:
    return lambda each: NONE if each.all_films.centres is None else text(each.all_films.centres)


def _value(value: float | None, digits: int) -> str:
    return NONE if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _three(values: Sequence[float], digits: int) -> str:
    return " ".join(_value(value, digits) for value in values)


def _spread(values: tuple[float, float] | None) -> str:
    return NONE if values is None else f"{values[0]:.2f} +- {values[1]:.2f}"


ROWS: tuple[Row, ...] = (
    ("runs", lambda each: f"{each.precision} on {each.backend}"),
    ("network files, MB", lambda each: _value(each.megabytes, 1)),
    ("films", lambda each: str(each.all_films.films)),
    ("failed", lambda each: str(each.all_films.failed)),
    ("flagged by the checks", lambda each: str(each.all_films.flagged)),
    ("SMAPE, %", _angles(lambda scores: _value(scores.smape_percent, 2))),
    ("MAE of angle 1, 2, 3, degrees", _angles(lambda scores: _three(scores.mae_degrees, 2))),
    ("Pearson r", _angles(lambda scores: _three(scores.pearson_r, 3))),
    ("ICC(2,1)", _angles(lambda scores: _three(scores.icc_2_1, 3))),
    ("bias of angle 1, degrees", _angles(lambda scores: f"{scores.major_bias_degrees:+.1f}")),
    ("its 95 % limits", _angles(lambda scores: _three(scores.major_limits_degrees, 1))),
    ("same severity, %", _angles(lambda scores: _value(scores.same_severity_percent, 1))),
    ("95 % intervals hold, %", _angles(lambda scores: _value(scores.coverage_percent, 1))),
    ("their mean width, degrees", _angles(lambda scores: _value(scores.interval_width_degrees, 1))),
    ("curves found", _curves(lambda scores: str(scores.curves))),
    ("curve MAE, degrees", _curves(lambda scores: _value(scores.mae_degrees, 2))),
    ("curve 95 % intervals hold, %", _curves(lambda scores: _value(scores.coverage_percent, 1))),
    ("curve interval width, degrees", _curves(lambda scores: _value(scores.interval_width_degrees, 1))),
    ("films without a warning", _relied_on(lambda scores: str(scores.films))),
    ("their SMAPE, %", _relied_on(lambda scores: _value(scores.smape_percent, 2))),
    ("their MAE, degrees", _relied_on(lambda scores: _three(scores.mae_degrees, 2))),
    ("corner error, mm", _corners(lambda scores: _value(scores.error_mm, 2))),
    ("corner error, px", _corners(lambda scores: _value(scores.error_px, 1))),
    ("corner error, % of height", _corners(lambda scores: _value(scores.error_percent_of_height, 2))),
    ("vertebrae identified, %", _centres(lambda scores: _value(scores.identification_percent, 1))),
    ("localisation, mm", _centres(lambda scores: _spread(scores.localisation_mm))),
    ("localisation, % of height", _centres(lambda scores: _spread(scores.localisation_percent_of_height))),
)
