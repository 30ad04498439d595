"""How far found angles and corners lie from the labelled ones.

Angles are float64 [n, 3] in degrees, the challenge's three of n films; corners are float64 [n, 17, 4, 2] as (x, y) in
pixels. A film without a result is not dropped: its angles count as 0 degrees, which is 100 % of SMAPE.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GRADES = ("below 10", "10 to 25", "25 to 45", "above 45")
"""Severity by the major angle in degrees: no scoliosis, mild, moderate, severe. 45 degrees are still moderate."""


class Coverage(NamedTuple):
    """Of intervals: how many there are, the share that holds the true angle, and how wide they are on average."""

    intervals: int
    percent: float
    width_degrees: float


def smape_of_films(found: Array, labelled: Array) -> Array:
    """Each film's term of the AASCE 2019 SMAPE, float64 [n] in percent: sum |g - p| / sum (g + p) over its angles.

    A film whose angles are all 0 on both sides has no error: 0 %.
    """
    difference, total = np.abs(found - labelled).sum(axis=1), (found + labelled).sum(axis=1)
    return np.asarray(100.0 * np.divide(difference, total, out=np.zeros_like(total), where=total > 0))


def smape_percent(found: Array, labelled: Array) -> float:
    """The challenge's score in percent: the mean over films of each film's term."""
    return float(smape_of_films(found, labelled).mean())


def mean_absolute_error(found: Array, labelled: Array) -> Array:
    """Degrees, float64 [3], one for each angle."""
    return np.asarray(np.abs(found - labelled).mean(axis=0))


def pearson_r(found: Array, labelled: Array) -> Array:
    """Correlation of each angle over the films, float64 [3]; nan where either side does not vary."""
    a, b = found - found.mean(axis=0), labelled - labelled.mean(axis=0)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.asarray(np.divide((a * b).sum(axis=0), scale, out=np.full_like(scale, np.nan), where=scale > 0))


def corner_errors(found: Array, labelled: Array) -> Array:
    """Mean distance of a film's corners from the labelled ones, float64 [n] in the unit of the points."""
    return np.asarray(np.linalg.norm(found - labelled, axis=-1).mean(axis=(-2, -1)))


def grades_of(degrees: Array) -> NDArray[np.intp]:
    """Place in `GRADES` of each major angle [n]."""
    return np.asarray((degrees >= 10).astype(np.intp) + (degrees >= 25) + (degrees > 45))


def severity_confusion(found: Array, labelled: Array, failed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many films of each labelled grade (rows) were found in each (columns), [4, 5]; the last: without a result.

    found, labelled  major angles [n] in degrees; where `failed` [n] nothing was found, whatever `found` holds
    """
    columns = np.where(failed, len(GRADES), grades_of(found))
    confusion = np.zeros((len(GRADES), len(GRADES) + 1), np.intp)
    np.add.at(confusion, (grades_of(labelled), columns), 1)
    return confusion


def coverage(intervals: Array, labelled: Array) -> Coverage:
    """Of 95 % intervals [.., 2], (low, high) in degrees, the share that holds the labelled angles [..].

    An angle on an end of its interval is held.
    """
    low, high = intervals[..., 0], intervals[..., 1]
    inside = (low <= labelled) & (labelled <= high)
    return Coverage(labelled.size, 100.0 * float(inside.mean()), float((high - low).mean()))
