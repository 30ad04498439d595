"""Evaluation: how well a bundle's findings agree with labelled films, as a user would get them.

    cases = datasets.read("aasce", folder, fold=0)
    done = evaluate("cobb", cases)
    report.write([done], Path("spinert-evaluation"), dataset="aasce", fold=0)

The bundle runs in this process on one film at a time, through the same reading, preparation and checks as `spinert
infer`. A film that fails is a result like any other: it is counted with its reason, and its angles with 0 degrees.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from spinert.bundle import Bundle, Precision
from spinert.evaluate.case import Case
from spinert.evaluate.compared import Compared, examine
from spinert.evaluate.scores import Scores, measures_angles, scores_of, without_angles_failed
from spinert.runtime.infer import load

Progress = Callable[[str, int, int], None]
"""What is being done, how many films are done, of how many."""


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """What ran and how good it was. `megabytes` are those of the network files that ran, 10^6 bytes each."""

    bundle: str
    bundle_sha256: str
    precision: str
    backend: str
    threads: int
    megabytes: float
    all_films: Scores
    without_warning: Scores | None
    """Over the films that have a result without a flag: what a reader would rely on. None where there is none."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of one bundle, and the films that they are of."""

    scores: Evaluated
    films: Sequence[Compared]


def check(
    bundles: Sequence[str | Path], *, threads: int = 1, backend: str | None = None, precision: Precision | None = None
) -> None:
    """Open each bundle once, so that the last of a long run does not turn out to be unusable. Raises as `load`."""
    for bundle in bundles:
        load(bundle, threads=threads, backend=backend, precision=precision).close()


def evaluate(
    bundle: str | Path,
    cases: Sequence[Case],
    *,
    threads: int = 1,
    backend: str | None = None,
    precision: Precision | None = None,
    progress: Progress = lambda *_: None,
) -> Evaluation:
    """Run a bundle over the cases, of which there is at least one.

    threads, backend, precision   as `spinert.load` takes them; one thread, so that milliseconds can be compared
    Raises as `load`; what it refuses of a film is a failure of that film.
    """
    films = []
    with load(bundle, threads=threads, backend=backend, precision=precision) as model:
        name = model.bundle.name
        for done, case in enumerate(cases):
            progress(name, done, len(cases))
            films.append(examine(case, model))
        progress(name, len(cases), len(cases))
        choice, found = model.choice, model.bundle
    angles = measures_angles(films)
    films = without_angles_failed(films)
    relied_on = [film for film in films if film.failure is None and not film.flags]
    scores = Evaluated(
        bundle=found.name,
        bundle_sha256=found.sha256,
        precision=choice.precision,
        backend=choice.backend,
        threads=threads,
        megabytes=_size(found, choice.precision) / 1e6,
        all_films=scores_of(films, angles=angles),
        without_warning=scores_of(relied_on, angles=angles) if relied_on else None,
    )
    return Evaluation(scores, films)


def _size(bundle: Bundle, precision: Precision) -> int:
    return sum(bundle.network_file(name, precision).stat().st_size for name in bundle.manifest.networks)
