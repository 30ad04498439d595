"""Vertebrae by their centres: which were found under their right name, and how far off.

Glocker et al., Automatic localization and identification of vertebrae in arbitrary field-of-view CT scans, MICCAI 2012:
a vertebra is identified where the centre found for its level lies within 20 mm of the true one, and no other true
centre is nearer to it. The localisation distance is over every centre that was found for a level that the film shows,
identified or not. Bayat et al., who label radiographs, take both from there; the standard deviations that they print,
up to 13 mm, are larger than distances within 20 mm can have, so theirs are over all centres that were found, too.

On a film without spacing 20 mm cannot be measured: there the bound is three quarters of the film's median distance of
true neighbours, which is 20 mm where they lie 27 mm apart as T1..L5 of an adult do.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from spinert.findings import LEVELS, Point
from spinert.image import Image

WITHIN_MM = 20.0
WITHIN_SPACINGS = 0.75


class Located(NamedTuple):
    """One vertebra that the film shows: how far off it was found in mm, or in pixels; None where it was not found."""

    level: str
    distance: float | None
    identified: bool


def locate(image: Image, found: Mapping[str, Point], labelled: Mapping[str, Point]) -> list[Located]:
    """Each labelled vertebra of one film; `found` and `labelled` are centres by level in pixels.

    A level that is found and not labelled is left out: nothing is known of it. Distances are in mm where the image has
    spacing, else in pixels.
    """
    if not labelled:
        return []
    levels = sorted(labelled, key=LEVELS.index)
    truth = image.to_mm(np.array([labelled[level] for level in levels]))
    within = _within(image, levels, truth)
    located = []
    for place, level in enumerate(levels):
        if level not in found:
            located.append(Located(level, None, identified=False))
            continue
        distances = np.linalg.norm(truth - image.to_mm(np.array(found[level])), axis=1)
        distance = float(distances[place])
        located.append(Located(level, distance, identified=distance <= min(within, float(distances.min()))))
    return located


def _within(image: Image, levels: list[str], truth: np.ndarray) -> float:
    """The bound in the unit of `truth`; with a single vertebra and no spacing only the nearest centre decides."""
    if image.spacing_mm is not None:
        return WITHIN_MM
    places = np.array([LEVELS.index(level) for level in levels])
    apart = np.linalg.norm(np.diff(truth, axis=0), axis=1)[np.diff(places) == 1]
    return WITHIN_SPACINGS * float(np.median(apart)) if apart.size else float("inf")
