"""One candidate on trial: a file on a backend, timed in turns with fp32 and run over the held-out studies.

Every trial has a process of its own, because a library may crash on a graph that it does not expect, and a calibration
must outlive that.
"""

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import msgspec
import onnx

from spinert import bundle as bundles
from spinert.bundle import Bundle, Precision
from spinert.calibrate.simulate import open_literally
from spinert.calibrate.studies import model_with
from spinert.errors import SpinertError
from spinert.findings import Result, from_json
from spinert.runtime import backends
from spinert.runtime.files import StudyFiles
from spinert.runtime.golden import read_golden
from spinert.runtime.network import Network

ROUNDS = 25
REFERENCE = "ort"
"""The backend whose fp32 time is the measure of every speed-up."""


class Candidate(msgspec.Struct, frozen=True):
    """Files (by network, absolute paths) that a backend runs with a precision."""

    backend: str
    precision: Precision
    files: dict[str, str]
    literally: bool = False
    """Run word for word, see `simulate`: for the file of a GPU, which no library of a CPU computes as it says."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial showed. `results` has a document for each study, None where the candidate failed on it."""

    problem: str | None = None
    """Why there is no more than this: the library is missing, refused the file or crashed."""
    provider: str = ""
    milliseconds: float = 0.0
    reference_milliseconds: float = 0.0
    speedup: float = 0.0
    results: tuple[str | None, ...] = ()

    def examined(self) -> list[Result | None]:
        """The results as objects."""
        return [None if document is None else from_json(document) for document in self.results]


def run(bundle: Bundle, candidate: Candidate, studies: Sequence[StudyFiles], *, threads: int, timed: bool) -> Outcome:
    """Try a candidate in a new process.

    threads   for the studies; times are of one thread
    timed     whether it is timed in turns with fp32
    """
    if reason := backends.load(candidate.backend).missing():
        return Outcome(problem=reason)
    arguments = (str(bundle.folder), candidate, list(studies), threads, timed)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_try, *arguments).result()
        except BrokenProcessPool:
            return Outcome(problem=f"{candidate.backend} crashed on the {candidate.precision} file")
        except SpinertError as error:
            return Outcome(problem=error.problem)
        except Exception as error:  # of the library: its text may quote anything, so its kind must do
            return Outcome(
                problem=f"{candidate.backend} failed on the {candidate.precision} file: {type(error).__name__}"
            )


def _try(folder: str, candidate: Candidate, studies: list[StudyFiles], threads: int, timed: bool) -> Outcome:
    """In the process of the trial."""
    bundle = bundles.load(Path(folder))
    networks = _open(bundle, candidate, threads)
    provider = next(iter(networks.values())).provider
    results: list[str | None] = []
    with model_with(bundle, networks, backend=candidate.backend, precision=candidate.precision) as model:
        for study in studies:
            try:
                results.append(model.infer_files(study).result.to_json().decode())
            except SpinertError:
                results.append(None)  # fp32 examined this study: that the candidate cannot is counted against it
    outcome = Outcome(provider=provider, results=tuple(results))
    return _timed(bundle, candidate, outcome) if timed else outcome


def _open(bundle: Bundle, candidate: Candidate, threads: int) -> dict[str, Network]:
    module = backends.load(candidate.backend)
    opened: dict[str, Network] = {}
    for name, file in candidate.files.items():
        spec = bundle.manifest.networks[name]
        spec = msgspec.structs.replace(spec, files={**spec.files, candidate.precision: Path(file).name})
        if candidate.literally:
            opened[name] = open_literally(onnx.load(file), spec, threads=threads)
        else:
            opened[name] = module.open_network(Path(file), spec, threads=threads)
    return opened


def _timed(bundle: Bundle, candidate: Candidate, outcome: Outcome) -> Outcome:
    """All networks together on one thread, in turns with fp32: medians, and the median ratio of neighbouring runs."""
    exact = {name: str(bundle.network_file(name, "fp32")) for name in candidate.files}
    sides = (_open(bundle, candidate, 1), _open(bundle, Candidate(REFERENCE, "fp32", exact), 1))
    golden = {name: read_golden(bundle, name) for name in candidate.files}
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        for side in (0, 1) if number % 2 else (1, 0):
            elapsed = _milliseconds(sides[side], golden)
            if number:  # the first is a warm-up
                times[side].append(elapsed)
    return msgspec.structs.replace(
        outcome,
        milliseconds=statistics.median(times[0]),
        reference_milliseconds=statistics.median(times[1]),
        speedup=statistics.median(exact / own for own, exact in zip(*times, strict=True)),
    )


def _milliseconds(networks: dict[str, Network], golden: dict[str, dict[str, Any]]) -> float:
    begin = time.perf_counter_ns()
    for name, network in networks.items():
        network(golden[name])
    return (time.perf_counter_ns() - begin) / 1e6
