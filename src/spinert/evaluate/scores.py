"""The scores of one bundle over films: what `summary.json` holds.

Percent, degrees, mm and pixels as the names say; a value that cannot be computed is nan, null in JSON. Scores that a
bundle or a dataset gives no ground for are None: angles of a labelling bundle, centres where none are labelled.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.evaluate import metrics
from spinert.evaluate.agreement import icc_2_1, limits_of_agreement
from spinert.evaluate.compared import NO_ANGLES, Compared

Three = tuple[float, float, float]


class AngleScores(msgspec.Struct, frozen=True, kw_only=True):
    """Over the films with labelled angles. A film without result counts as 0 degrees; `angle1` is the major one."""

    films: int
    smape_percent: float
    mae_degrees: Three
    pearson_r: Three
    icc_2_1: Three
    major_bias_degrees: float
    major_limits_degrees: tuple[float, float]
    severity: tuple[tuple[int, ...], ...]
    """Labelled grades in rows, found ones in columns, then one column for films without result."""
    same_severity_percent: float
    coverage_percent: float | None = None
    """Of the 95 % intervals, over the films that have them."""
    interval_width_degrees: float | None = None


class CurveScores(msgspec.Struct, frozen=True, kw_only=True):
    """Over the found curves of films with labelled corners, each against the labelled one: see `curves`."""

    curves: int
    mae_degrees: float
    coverage_percent: float | None
    """Of the 95 % intervals, over the curves that have them."""
    interval_width_degrees: float | None


class CornerScores(msgspec.Struct, frozen=True, kw_only=True):
    """Mean over films of each film's mean distance; in mm over films with spacing, in pixels over the others."""

    films: int
    error_mm: float | None
    error_px: float | None
    error_percent_of_height: float | None


class CentreScores(msgspec.Struct, frozen=True, kw_only=True):
    """Over all labelled vertebrae, those of failed films among them; see `centres` for what identified means."""

    vertebrae: int
    found: int
    identification_percent: float
    localisation_mm: tuple[float, float] | None
    """Mean and standard deviation over the centres that were found on films with spacing."""
    localisation_percent_of_height: tuple[float, float] | None
    """The same on films without."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle over a group of films. `failures` counts the reasons; milliseconds are medians over results."""

    films: int
    failed: int
    flagged: int
    failures: dict[str, int]
    angles: AngleScores | None
    curves: CurveScores | None
    corners: CornerScores | None
    centres: CentreScores | None
    latency_ms: dict[str, float]


def measures_angles(films: Sequence[Compared]) -> bool:
    """Whether the bundle gives angles at all: one that only names vertebrae does not fail where it gives none."""
    results = [film for film in films if film.failure is None]
    return not results or any(film.degrees is not None for film in results) or not any(film.labels for film in results)


def without_angles_failed(films: Sequence[Compared]) -> list[Compared]:
    """The films of a bundle that measures angles, those where it gave none marked as failed."""
    if not measures_angles(films):
        return list(films)
    return [
        replace(film, failure=NO_ANGLES) if film.failure is None and film.degrees is None else film for film in films
    ]


def scores_of(films: Sequence[Compared], *, angles: bool) -> Scores:
    """Score at least one film. `angles` says whether the bundle measures them."""
    results = [film for film in films if film.failure is None]
    labelled = [film for film in films if film.case.degrees is not None]
    return Scores(
        films=len(films),
        failed=len(films) - len(results),
        flagged=sum(bool(film.flags) for film in results),
        failures=dict(Counter(film.failure for film in films if film.failure is not None).most_common()),
        angles=_angles(labelled) if angles and labelled else None,
        curves=_curves(films),
        corners=_corners(films),
        centres=_centres(films),
        latency_ms=_latency(results),
    )


def found_and_labelled(films: Sequence[Compared]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles [n, 3] of films with labelled ones; 0 degrees where there is no result."""
    found = [np.zeros(3) if film.degrees is None else film.degrees for film in films]
    return np.stack(found), np.array([film.case.degrees for film in films], np.float64)


def _angles(films: Sequence[Compared]) -> AngleScores:
    found, labelled = found_and_labelled(films)
    failed = np.array([film.degrees is None for film in films])
    bias, lower, upper = limits_of_agreement(found[:, 0], labelled[:, 0])
    severity = metrics.severity_confusion(found[:, 0], labelled[:, 0], failed)
    stated = [(film.intervals, film.case.degrees) for film in films if film.intervals is not None]
    covered = metrics.coverage(*(np.array(side, np.float64) for side in zip(*stated, strict=True))) if stated else None
    return AngleScores(
        films=len(films),
        smape_percent=metrics.smape_percent(found, labelled),
        mae_degrees=_three(metrics.mean_absolute_error(found, labelled)),
        pearson_r=_three(metrics.pearson_r(found, labelled)),
        icc_2_1=_three([icc_2_1(np.stack([found[:, a], labelled[:, a]], axis=1)) for a in range(3)]),
        major_bias_degrees=bias,
        major_limits_degrees=(lower, upper),
        severity=tuple(tuple(row) for row in severity.tolist()),
        same_severity_percent=100.0 * float(np.trace(severity)) / len(films),
        coverage_percent=None if covered is None else covered.percent,
        interval_width_degrees=None if covered is None else covered.width_degrees,
    )


def _curves(films: Sequence[Compared]) -> CurveScores | None:
    curves = [curve for film in films for curve in film.curves]
    if not curves:
        return None
    stated = [(curve.interval, curve.labelled) for curve in curves if curve.interval is not None]
    covered = metrics.coverage(*(np.array(side, np.float64) for side in zip(*stated, strict=True))) if stated else None
    return CurveScores(
        curves=len(curves),
        mae_degrees=float(np.mean([abs(curve.degrees - curve.labelled) for curve in curves])),
        coverage_percent=None if covered is None else covered.percent,
        interval_width_degrees=None if covered is None else covered.width_degrees,
    )


def _corners(films: Sequence[Compared]) -> CornerScores | None:
    errors = [(film, film.corner_error) for film in films if film.corner_error is not None]
    if not errors:
        return None
    mm = [error for film, error in errors if film.has_spacing]
    px = [(error, film.rows) for film, error in errors if not film.has_spacing]
    return CornerScores(
        films=len(errors),
        error_mm=float(np.mean(mm)) if mm else None,
        error_px=float(np.mean([error for error, _ in px])) if px else None,
        error_percent_of_height=float(np.mean([100 * error / rows for error, rows in px])) if px else None,
    )


def _centres(films: Sequence[Compared]) -> CentreScores | None:
    vertebrae = [(film, located) for film in films for located in film.located]
    if not vertebrae or not any(film.labels for film in films):
        return None
    distances = [(film, each.distance) for film, each in vertebrae if each.distance is not None]
    mm = [distance for film, distance in distances if film.has_spacing]
    percent = [100 * distance / film.rows for film, distance in distances if not film.has_spacing]
    return CentreScores(
        vertebrae=len(vertebrae),
        found=len(distances),
        identification_percent=100.0 * sum(each.identified for _, each in vertebrae) / len(vertebrae),
        localisation_mm=_mean_and_spread(mm),
        localisation_percent_of_height=_mean_and_spread(percent),
    )


def _mean_and_spread(values: Sequence[float]) -> tuple[float, float] | None:
    return (float(np.mean(values)), float(np.std(values))) if values else None


def _latency(films: Sequence[Compared]) -> dict[str, float]:
    """Median of each stage over the films that have it, in the order in which stages first ran, then of their sum."""
    stages = list(dict.fromkeys(stage for film in films for stage in film.timings_ms))
    medians = {
        stage: float(np.median([film.timings_ms[stage] for film in films if stage in film.timings_ms]))
        for stage in stages
    }
    if medians:
        medians["total"] = float(np.median([sum(film.timings_ms.values()) for film in films]))
    return medians


def _three(values: Sequence[float] | NDArray[np.float64]) -> Three:
    first, second, third = (float(value) for value in values)
    return first, second, third
