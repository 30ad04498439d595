"""How far found corners and angles lie from the labelled ones.

Angles are float64 [n, 3] in degrees, the challenge's three of n films; corners are float64 [n, 17, 4, 2] as (x, y) in
pixels. A film without a result is not dropped: its angles count as 0 degrees, which is 100 % of SMAPE.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Agreement(NamedTuple):
    """Bland and Altman's limits: mean difference (found - labelled) and where 95 % of the differences lie."""

    bias: float
    lower: float
    upper: float


def smape_of_films(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each film's term of the AASCE 2019 SMAPE, float64 [n] in percent: sum |g - p| / sum (g + p) over its angles.

    A film whose angles are all 0 on both sides has no error: 0 %.
    """
    difference, total = np.abs(found - labelled).sum(axis=1), (found + labelled).sum(axis=1)
    return 100.0 * np.divide(difference, total, out=np.zeros_like(total), where=total > 0)


def smape_percent(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> float:
    """The challenge's score in percent: the mean over films of each film's term."""
    return float(smape_of_films(found, labelled).mean())


def mean_absolute_error(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees, float64 [3], one for each angle."""
    return np.abs(found - labelled).mean(axis=0)


def pearson_r(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each angle over the films, float64 [3]; nan where either side does not vary."""
    a, b = found - found.mean(axis=0), labelled - labelled.mean(axis=0)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), scale, out=np.full_like(scale, np.nan), where=scale > 0)


def corner_errors(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance of a film's corners from the labelled ones, float64 [n] in pixels."""
    return np.linalg.norm(found - labelled, axis=-1).mean(axis=(-2, -1))


def limits_of_agreement(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> Agreement:
    """Bias and 95 % limits of one angle, found and labelled float64 [n >= 2]: mean +- 1.96 standard deviations.

    Bland and Altman, Statistical methods for assessing agreement, Lancet 1986;327:307-310.
    """
    difference = found - labelled
    bias, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    return Agreement(bias, bias - spread, bias + spread)
