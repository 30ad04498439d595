"""How two measurements of the same things agree: limits of agreement and intraclass correlation."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Limits(NamedTuple):
    """Bland and Altman's limits: mean difference (found - labelled) and where 95 % of the differences lie."""

    bias: float
    lower: float
    upper: float


def limits_of_agreement(found: NDArray[np.float64], labelled: NDArray[np.float64]) -> Limits:
    """Bias and 95 % limits of one angle, found and labelled float64 [n]: mean +- 1.96 standard deviations.

    The limits are nan for a single film, whose differences have no spread.
    Bland and Altman, Statistical methods for assessing agreement, Lancet 1986;327:307-310.
    """
    difference = found - labelled
    bias = float(difference.mean())
    spread = 1.96 * float(difference.std(ddof=1)) if len(difference) > 1 else float("nan")
    return Limits(bias, bias - spread, bias + spread)


def icc_2_1(ratings: NDArray[np.float64]) -> float:
    """ICC(2,1) of n targets by k raters, float64 [n, k]: two-way random effects, absolute agreement, single rating.

    (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n), the mean squares between targets (B), between raters (J) and
    of what is left (E). nan where there are fewer than two targets or raters, or nothing varies.
    Shrout and Fleiss, Intraclass correlations: uses in assessing rater reliability, Psychol Bull 1979;86:420-428.
    """
    n, k = ratings.shape
    if min(n, k) < 2:
        return float("nan")
    targets, raters, mean = ratings.mean(axis=1), ratings.mean(axis=0), ratings.mean()
    between_targets = k * float(((targets - mean) ** 2).sum()) / (n - 1)
    between_raters = n * float(((raters - mean) ** 2).sum()) / (k - 1)
    left = float(((ratings - targets[:, None] - raters + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    scale = between_targets + (k - 1) * left + k * (between_raters - left) / n
    return (between_targets - left) / scale if scale > 0 else float("nan")
