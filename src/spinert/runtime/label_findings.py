"""Centres of vertebrae and how sure a network is of them -> findings, checked against each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinert.findings import VertebraCentre
from spinert.image import Image
from spinert.runtime.landmark_checks import spacing_jumps

LOW_CONFIDENCE = "low_confidence"
OFF_PEAK = "off_peak"
OUTSIDE_IMAGE = "outside_image"
OUT_OF_ORDER = "out_of_order"
SPACING_JUMP = "spacing_jump"


def centre_findings(
    image: Image,
    centres: NDArray[np.float64],
    confidence: NDArray[np.float64],
    off_peak: NDArray[np.bool_],
    levels: Sequence[str],
    *,
    least_confidence: float,
) -> list[VertebraCentre]:
    """The levels that the film shows, from head to foot; none where it shows none.

    centres     float64 [n, 2] as (x, y) in pixels of the stored image, finite
    confidence  float64 [n], 0..1;  off_peak  bool [n], whether the centre lies apart from what the confidence is of
    levels      the n vertebrae's names, consecutive

    A film may end before the first or the last of the levels: from either end, those below `least_confidence` or
    outside the image are left out, up to the first that is neither. Between these, every level is reported:

    low_confidence  below `least_confidence`
    off_peak        its centre was moved away from where the network saw it
    outside_image   its centre lies outside the image
    out_of_order    the step to or from a neighbour runs against the spine; both are flagged
    spacing_jump    much nearer to or farther from a neighbour than is usual here; both are flagged
    """
    outside = _outside(centres, image.shape)
    seen = np.flatnonzero((confidence >= least_confidence) & ~outside)
    if not len(seen):
        return []
    shown = slice(int(seen[0]), int(seen[-1]) + 1)
    centres, confidence, levels = centres[shown], confidence[shown], levels[shown]
    centres_mm = image.to_mm(centres)
    failed = {
        LOW_CONFIDENCE: confidence < least_confidence,
        OFF_PEAK: off_peak[shown],
        OUTSIDE_IMAGE: outside[shown],
        OUT_OF_ORDER: out_of_order(centres_mm),
        SPACING_JUMP: spacing_jumps(centres_mm),
    }
    return [
        VertebraCentre(
            level=level,
            centre_px=(round(x, 3), round(y, 3)),
            centre_mm=None if image.spacing_mm is None else (round(x_mm, 3), round(y_mm, 3)),
            confidence=round(float(sure), 3),
            flags=tuple(name for name, mask in failed.items() if mask[v]),
        )
        for v, (level, (x, y), (x_mm, y_mm), sure) in enumerate(
            zip(levels, centres.tolist(), centres_mm.tolist(), confidence, strict=True)
        )
    ]


def out_of_order(centres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the centres [n, 2], from head to foot, lie beside a step that runs against the spine around it.

    The direction of the spine at a step is that from the centre before it to the one after it. Where the last centre
    is not below the first, all are out of order.
    """
    n = len(centres)
    if n < 2:
        return np.zeros(n, bool)
    if centres[-1, 1] <= centres[0, 1]:
        return np.ones(n, bool)
    padded = np.concatenate([centres[:1], centres, centres[-1:]])
    around, step = padded[3:] - padded[:-3], np.diff(centres, axis=0)
    against = (step * around).sum(axis=1) <= 0
    return np.asarray(np.append(against, False) | np.append(False, against))


def _outside(centres: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = shape
    return np.asarray(((centres < -0.5) | (centres > (columns - 0.5, rows - 0.5))).any(axis=1))
