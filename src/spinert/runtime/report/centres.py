"""Centres of vertebrae as marks on the film: a dot and the level's name beside it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.findings import Result, VertebraCentre
from spinert.runtime.report.film import Film
from spinert.runtime.report.pen import ALARM, PLAIN, Pen, text_size

Points = NDArray[np.float64]

LABEL_SIZES = (11.0, 20.0)
"""Least and greatest height of a level's name in pixels of the film."""
LABEL_SHARE = 0.42
"""Height of the names in distances between neighbours: they stand below each other."""
LABEL_DISTANCE = 34.0
"""Between a dot and the middle of its name: outside most bodies, in pixels of the film."""


class Centres(NamedTuple):
    """What is drawn of a result: the centres that are finite, `at` float64 [n, 2] in pixels of the film."""

    vertebrae: tuple[VertebraCentre, ...]
    at: Points
    label_size: float


def centres_of(result: Result) -> tuple[VertebraCentre, ...]:
    """The labelled vertebrae of a result, from head to foot."""
    return tuple(finding for finding in result.findings if isinstance(finding, VertebraCentre))


def place_centres(result: Result, film: Film) -> Centres:
    """Place the dots of a result on the film; what has no finite coordinates has no place."""
    vertebrae = tuple(v for v in centres_of(result) if np.isfinite(v.centre_px).all())
    at = film.to_display(np.array([v.centre_px for v in vertebrae], np.float64).reshape(-1, 2))
    steps = np.linalg.norm(np.diff(at, axis=0), axis=1)
    size = float(np.clip(LABEL_SHARE * np.median(steps), *LABEL_SIZES)) if len(steps) else LABEL_SIZES[1]
    return Centres(vertebrae, at, size)


def centres_extent(centres: Centres) -> tuple[Points, Points]:
    """Least and greatest (x, y) of dots and names in pixels of the film, of at least one vertebra."""
    name = np.array([LABEL_DISTANCE + text_size("T12", centres.label_size)[0], 0.0])
    return centres.at.min(axis=0), (centres.at + name).max(axis=0)


def draw_centres(centres: Centres, pen: Pen) -> None:
    """A dot at each centre, its level to the right of it; those that failed a check in the colour of alarm."""
    for vertebra, at in zip(centres.vertebrae, centres.at, strict=True):
        colour = ALARM if vertebra.flags else PLAIN
        pen.dot(at, 5.0, (0, 0, 0))
        pen.dot(at, 3.8, colour)
        name = f"{vertebra.level} ?" if vertebra.flags else vertebra.level
        pen.text(at + np.array([LABEL_DISTANCE, 0.0]), name, centres.label_size, colour)
