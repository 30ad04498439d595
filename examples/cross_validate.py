"""All folds of a dataset at once, each film by the bundle that was not trained on it, and intervals that fit them.

    python -m examples.cross_validate FOLD0 FOLD1 FOLD2 FOLD3 FOLD4 --dataset aasce --data DIR

Bundle k was trained without fold k. Printed are the scores over all films together, and numbers for the `intervals` of
the bundle, of which 95 % hold the labelled angle. What such intervals hold is measured fold by fold, with numbers that
were fitted on the other folds. The bundles must state intervals, of any numbers with a scale above 0: the spread of the
corners is taken back out of them.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

import spinert
from spinert.cli.progress import stages
from spinert.cli.scores import table
from spinert.evaluate import datasets, evaluate
from spinert.evaluate.compared import Compared
from spinert.evaluate.report import films_csv
from spinert.evaluate.scores import scores_of
from spinert.runtime.intervals import Intervals, Spread, half_width

Floats = NDArray[np.float64]

COVERED = 0.95
FLOORS = np.geomspace(0.05, 50.0, 61)
"""Of an interval, in degrees, where its scale is 1."""


class Angles(NamedTuple):
    """Of one kind, over films: how far each is off and the deviation that its corners give it, in degrees [n]."""

    error: Floats
    deviation: Floats
    fold: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "Angles":
        return Angles(self.error[chosen], self.deviation[chosen], self.fold[chosen])


def fit(angles: Angles) -> Spread:
    """The numbers under which errors are in proportion to the intervals, and `COVERED` of the angles are held.

    Intervals of the same coverage could be narrower on average, but only by holding too few of the uncertain angles. So
    floor and scale have the proportion that makes the errors likeliest, a mean absolute error taken for exponential.
    """
    losses = []
    for floor in FLOORS:
        half = half_width(angles.deviation, Spread(scale=1.0, floor_degrees=float(floor)))
        losses.append(np.log((angles.error / half).mean()) + np.log(half).mean())
    floor = float(FLOORS[int(np.argmin(losses))])
    half = half_width(angles.deviation, Spread(scale=1.0, floor_degrees=floor))
    stretch = float(np.quantile(angles.error / half, COVERED))
    return Spread(scale=round(stretch, 3), floor_degrees=round(stretch * floor, 2))


def held(angles: Angles, spread: Spread) -> NDArray[np.bool_]:
    return np.asarray(angles.error <= half_width(angles.deviation, spread))


def cross_fitted(angles: Angles) -> tuple[float, float]:
    """Percent of the angles that are held, and the mean width, with numbers fitted on the other folds."""
    inside, widths = np.empty(len(angles.error), bool), np.empty(len(angles.error))
    for fold in np.unique(angles.fold):
        own = angles.fold == fold
        spread = fit(angles.of(~own))
        inside[own] = held(angles.of(own), spread)
        widths[own] = 2 * half_width(angles.deviation[own], spread)
    return 100.0 * float(inside.mean()), float(widths.mean())


def deviations(degrees: Floats, high: Floats, spread: Spread) -> Floats:
    """Out of intervals that end at `high`: the lower end may have been cut off at 0 degrees."""
    unit = half_width(np.zeros(1), Spread(scale=0.0, floor_degrees=1.0))[0]
    squared = ((high - degrees) / unit) ** 2 - spread.floor_degrees**2
    return np.sqrt(np.maximum(squared, 0.0)) / spread.scale


def challenge_angles(films: Sequence[Compared], which: int, spread: Spread) -> Angles:
    stated = [film for film in films if film.intervals is not None and film.degrees is not None]
    found = np.array([film.degrees[which] for film in stated if film.degrees is not None])
    high = np.array([film.intervals[which, 1] for film in stated if film.intervals is not None])
    labelled = np.array([film.case.degrees[which] for film in stated if film.case.degrees is not None])
    return Angles(np.abs(found - labelled), deviations(found, high, spread), _folds(stated))


def curves(films: Sequence[Compared], spread: Spread) -> Angles:
    stated = [(film, each, each.interval[1]) for film in films for each in film.curves if each.interval is not None]
    found = np.array([each.degrees for _, each, _ in stated])
    labelled = np.array([each.labelled for _, each, _ in stated])
    high = np.array([end for _, _, end in stated])
    return Angles(np.abs(found - labelled), deviations(found, high, spread), _folds([film for film, _, _ in stated]))


def _folds(films: Sequence[Compared]) -> NDArray[np.int64]:
    return np.array([-1 if film.case.fold is None else film.case.fold for film in films])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", help="the bundle of fold 0, of fold 1, ..")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--precision", help="by default the fastest proven one")
    parser.add_argument("--films", type=Path, help="write the table of all films there")
    arguments = parser.parse_args()

    films: list[Compared] = []
    with stages() as progress:
        for fold, bundle in enumerate(arguments.bundles):
            cases = datasets.read(arguments.dataset, arguments.data, fold)
            done = evaluate(bundle, cases, precision=arguments.precision, progress=progress)
            films += done.films
    relied_on = [film for film in films if film.failure is None and not film.flags]
    scores = msgspec.structs.replace(
        done.scores,
        all_films=scores_of(films, angles=True),
        without_warning=scores_of(relied_on, angles=True) if relied_on else None,
    )
    print(table([scores]))
    if arguments.films:
        arguments.films.write_bytes(films_csv(films))

    with spinert.load(arguments.bundles[0]) as model:
        stated = msgspec.convert(model.bundle.manifest.settings["intervals"], Intervals)
    kinds = {"cobb": curves(films, stated.cobb)}
    kinds |= {f"aasce {k + 1}": challenge_angles(films, k, stated.aasce[k]) for k in range(3)}
    for name, angles in kinds.items():
        percent, width = cross_fitted(angles)
        print(f"{name}: {len(angles.error)} angles, {percent:.1f} % held by intervals {width:.1f} degrees wide")
    fitted = {name: msgspec.to_builtins(fit(angles)) for name, angles in kinds.items()}
    print(json.dumps({"intervals": {"cobb": fitted.pop("cobb"), "aasce": list(fitted.values())}}))


if __name__ == "__main__":
    main()
