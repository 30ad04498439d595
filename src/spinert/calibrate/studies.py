"""Real studies for a calibration: what the pipeline feeds its networks, and what it finds.

Studies go by the fingerprint of their pixels, never by name or UID, in every file that a calibration writes.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from spinert.bundle import Bundle, Precision
from spinert.calibrate.workspace import Workspace
from spinert.errors import CalibrationFailed, SpinertError
from spinert.findings import Result
from spinert.runtime.choice import Choice, Opened
from spinert.runtime.files import StudyFiles, find_studies
from spinert.runtime.infer import Examined, Model
from spinert.runtime.network import Arrays, Network
from spinert.runtime.recording import Recording

LEAST = 16
"""Studies of either kind. Fewer give ranges of those few films, and a 95th percentile of nothing."""
NAMED = 5
"""Refused studies that an error names."""

Networks = Mapping[str, Network]
Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


class Refused(msgspec.Struct, frozen=True):
    """A study that the pipeline does not take, by its place among the studies of `paths`."""

    place: int
    problem: str


class Exact(msgspec.Struct, frozen=True):
    """A study that fp32 examined: its place among the studies of its paths, and the result as JSON."""

    fingerprint: str
    place: int
    document: str


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """All that a calibration works on, in order of fingerprint."""

    calibration: tuple[Exact, ...]
    held_out: tuple[Exact, ...]
    refused: tuple[Refused, ...]
    refused_held_out: tuple[Refused, ...]


def model_with(bundle: Bundle, networks: Networks, *, backend: str, precision: Precision) -> Model:
    """The bundle's pipeline over networks that were opened elsewhere."""
    return Model(bundle, lambda _: Opened(dict(networks), Choice(backend, "cpu", precision), ()))


def gather(
    bundle: Bundle,
    data: Sequence[Path],
    held_out: Sequence[Path],
    networks: Networks,
    workspace: Workspace,
    progress: Progress,
) -> Material:
    """Examine all studies with the fp32 networks. What those to calibrate on feed the networks goes into the workspace.

    Without `held_out`, a third of `data` is held out, the same third on every machine. Raises CalibrationFailed where
    fewer than `LEAST` are left of either, or where a study is in both.
    """
    kept, refused = _examine(bundle, data, networks, workspace, partial(progress, "examining studies"))
    if held_out:
        held, refused_held_out = _examine(
            bundle, held_out, networks, workspace, partial(progress, "examining held-out studies")
        )
    else:
        held, kept = kept[::3], [each for place, each in enumerate(kept) if place % 3]
        refused_held_out = []
    if both := {each.fingerprint for each in kept} & {each.fingerprint for each in held}:
        raise CalibrationFailed(
            f"{len(both)} of {len(held)} held-out studies are among those to calibrate on",
            "hold out studies of other patients",
        )
    _check_enough(len(kept), refused, data, "to calibrate on")
    _check_enough(len(held), refused_held_out if held_out else refused, held_out or data, "held out")
    return Material(
        calibration=tuple(kept),
        held_out=tuple(held),
        refused=tuple(refused),
        refused_held_out=tuple(refused_held_out),
    )


def inputs_of(study: Exact, network: str, workspace: Workspace) -> Iterator[Arrays]:
    """What a study fed a network, one call after the other; read from the workspace when it is wanted."""
    with workspace.arrays(study.fingerprint) as stored:
        keys = [key.split("|") for key in stored]
        for call in sorted({int(call) for call, name, _ in keys if name == network}):
            prefix = f"{call}|{network}|"
            yield {key.removeprefix(prefix): stored[key] for key in stored if key.startswith(prefix)}


def _examine(
    bundle: Bundle,
    paths: Sequence[Path],
    networks: Networks,
    workspace: Workspace,
    progress: Callable[[int, int], None],
) -> tuple[list[Exact], list[Refused]]:
    """Every study below these paths, in order of fingerprint; one whose pixels were seen before is refused."""
    fed: list[tuple[str, Arrays]] = []

    def recording(name: str) -> Recording:
        return Recording(
            networks[name], lambda arrays: fed.append((name, {key: np.array(each) for key, each in arrays.items()}))
        )

    studies = find_studies(paths)
    exact: dict[str, Exact] = {}
    refused: list[Refused] = []
    model = model_with(bundle, {name: recording(name) for name in networks}, backend="ort", precision="fp32")
    for place, study in enumerate(studies):
        progress(place, len(studies))
        fed.clear()
        try:
            examined = model.infer_files(study)
        except SpinertError as error:
            refused.append(Refused(place, _without_names(error.problem, study)))
            continue
        fingerprint = fingerprint_of(examined)
        if fingerprint in exact:
            refused.append(Refused(place, "its pixels are those of a study before it"))
            continue
        exact[fingerprint] = Exact(fingerprint, place, _anonymous(examined.result).to_json().decode())
        workspace.store_arrays(
            fingerprint,
            {f"{call}|{name}|{key}": each for call, (name, arrays) in enumerate(fed) for key, each in arrays.items()},
        )
    progress(len(studies), len(studies))
    return [exact[fingerprint] for fingerprint in sorted(exact)], refused


def fingerprint_of(examined: Examined) -> str:
    """16 hexadecimal digits of the SHA-256 of shape and pixels."""
    pixels = np.ascontiguousarray(examined.image.pixels)
    return hashlib.sha256(str((pixels.shape, pixels.dtype.str)).encode() + pixels.tobytes()).hexdigest()[:16]


def _anonymous(result: Result) -> Result:
    """The findings without UIDs and without warnings, which may tell of files."""
    study = msgspec.structs.replace(result.study, study_uid=None, series_uid=None, sop_uid=None)
    return msgspec.structs.replace(result, study=study, warnings=())


def _without_names(problem: str, study: StudyFiles) -> str:
    """A problem without the name of the file in front, which is told where it is shown."""
    for file in study.files:
        problem = problem.removeprefix(f"{PurePosixPath(file.name).name}: ")
    return problem


def _check_enough(count: int, refused: Sequence[Refused], paths: Sequence[Path], kind: str) -> None:
    if count >= LEAST:
        return
    studies = find_studies(paths)
    named = "; ".join(f"{studies[each.place].name}: {each.problem}" for each in refused[:NAMED])
    more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
    left_out = f" ({len(refused)} were refused: {named}{more})" if refused else ""
    raise CalibrationFailed(
        f"{count} studies {kind}, at least {LEAST} are needed{left_out}", "give more studies that this bundle examines"
    )
