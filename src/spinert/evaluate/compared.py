"""One film through one bundle, set against its labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spinert.errors import SpinertError
from spinert.evaluate.case import Case
from spinert.evaluate.centres import Located, locate
from spinert.evaluate.curves import Paired, pair
from spinert.findings import T1_TO_L5, AasceAngles, Finding, Point, Vertebra, VertebraCentre
from spinert.image import Image
from spinert.runtime.infer import Model
from spinert.runtime.stopwatch import Stopwatch

NO_ANGLES = "no angles: the findings hold none by the challenge's rule"


@dataclass(frozen=True, eq=False)
class Compared:
    """What was found in a case. Lengths are in mm where `has_spacing`, else in pixels.

    failure       why there is no result, `BadStudy: the problem`; None where there is one
    exit_code     that of the error, 0 where there was none
    degrees       float64 [3], None where the findings hold no angles
    intervals     float64 [3, 2], 95 % intervals of the angles, None where the findings state none
    curves        each found curve and the labelled one, where corners are labelled
    corner_error  mean distance of the corners of the levels that both sides have, None where there are none
    located       every labelled vertebra; of a failed film none was found
    labels        whether the findings name vertebrae, so that they can be scored at all
    flags         of all findings, as `L3:low_confidence`
    """

    case: Case
    failure: str | None = None
    exit_code: int = 0
    rows: int = 0
    has_spacing: bool = False
    degrees: NDArray[np.float64] | None = None
    intervals: NDArray[np.float64] | None = None
    curves: Sequence[Paired] = ()
    corner_error: float | None = None
    located: Sequence[Located] = ()
    labels: bool = False
    flags: tuple[str, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)


def examine(case: Case, model: Model) -> Compared:
    """Read one film and run the bundle on it. What spinert refuses is a failure with its reason, never an exception."""
    stopwatch = Stopwatch()
    try:
        with stopwatch.stage("read"):
            image = case.read()
        image, result = model.infer_images([image], stopwatch)
    except SpinertError as error:
        missed = [Located(level, None, identified=False) for level in case.centres_px]
        failure = f"{type(error).__name__}: {error.problem}"
        return Compared(case, failure=failure, exit_code=error.exit_code, located=missed)
    return compare(case, image, result.findings, result.timings_ms)


def compare(case: Case, image: Image, findings: Sequence[Finding], timings_ms: dict[str, float]) -> Compared:
    """Set the findings of a film against its labels."""
    angles = next((finding for finding in findings if isinstance(finding, AasceAngles)), None)
    intervals = None if angles is None or angles.degrees_95 is None else np.array(angles.degrees_95)
    vertebrae = [finding for finding in findings if isinstance(finding, Vertebra)]
    centres = _centres(findings)
    return Compared(
        case,
        rows=image.shape[0],
        has_spacing=image.spacing_mm is not None,
        degrees=None if angles is None else np.array(angles.degrees),
        intervals=intervals,
        curves=[] if case.corners_px is None else pair(image, findings, case.corners_px),
        corner_error=_corner_error(case, image, vertebrae),
        located=locate(image, centres, case.centres_px),
        labels=bool(centres),
        flags=tuple(f"{_name(finding)}:{flag}" for finding in findings for flag in finding.flags),
        timings_ms=timings_ms,
    )


def _centres(findings: Sequence[Finding]) -> dict[str, Point]:
    """By level: a stated centre, else the mean of the four corners."""
    centres: dict[str, Point] = {}
    for finding in findings:
        if isinstance(finding, Vertebra) and finding.level is not None:
            x, y = np.mean(finding.corners_px, axis=0).tolist()
            centres.setdefault(finding.level, (x, y))
    centres.update({each.level: each.centre_px for each in findings if isinstance(each, VertebraCentre)})
    return centres


def _corner_error(case: Case, image: Image, vertebrae: Sequence[Vertebra]) -> float | None:
    if case.corners_px is None:
        return None
    truth = dict(zip(T1_TO_L5, case.corners_px, strict=True))
    pairs = [(vertebra.corners_px, truth[vertebra.level]) for vertebra in vertebrae if vertebra.level in truth]
    if not pairs:
        return None
    found, labelled = (image.to_mm(np.array(side, np.float64)) for side in zip(*pairs, strict=True))
    return float(np.linalg.norm(found - labelled, axis=-1).mean())


def _name(finding: Finding) -> str:
    level = finding.level if isinstance(finding, Vertebra | VertebraCentre) else None
    return level or type(finding).__name__
