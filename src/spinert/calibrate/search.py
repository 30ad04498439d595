"""Find the variant of a precision that is as fast as the agreement gate allows: the fewest layers put back to float."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import onnx

from spinert.bundle import Bundle, Precision
from spinert.calibrate import trial
from spinert.calibrate.agreement import Agreement, agree
from spinert.calibrate.rewrite import Layout
from spinert.calibrate.sensitivity import Keep, Layer, kept_in, most_put_back, put_back
from spinert.errors import CalibrationFailed
from spinert.findings import Result
from spinert.runtime.files import StudyFiles

Graphs = Mapping[str, onnx.ModelProto]


class Target(NamedTuple):
    """What a file is written for: the backend that proves it, and the layout of its pairs, None for fp16."""

    precision: Precision
    backend: str
    layout: Layout | None
    timed: bool

    @property
    def layout_name(self) -> str:
        return self.layout.name if self.layout else "fp16"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of one candidate, as the report keeps it."""

    backend: str
    layout: str
    kept_float: tuple[str, ...]
    """Layers that were put back to float, `network: node`, in the order in which that is worth it."""
    agreement: Agreement | None
    """None where there was no result; `problem` says why."""
    broken: tuple[str, ...]
    """What keeps it from being written; empty for one that may be."""
    provider: str = ""
    milliseconds: float | None = None
    reference_milliseconds: float | None = None
    speedup: float | None = None
    """Over fp32 on onnxruntime, one thread, in turns; None where the target is not this machine."""
    curves: tuple[tuple[float, float], ...] = ()
    """Degrees of every curve, fp32 and candidate."""
    corners_px: tuple[float, ...] = ()
    """Distances of the corners: the percentiles 0, 1, .. 100."""


class HeldOut(NamedTuple):
    """What candidates are proven on."""

    bundle: Bundle
    studies: Sequence[StudyFiles]
    exact: Sequence[Result]
    network_size: tuple[int, int]
    threads: int


def attempt(target: Target, graphs: Graphs, kept: Sequence[Layer], held_out: HeldOut, folder: Path) -> Attempt:
    """Write these graphs into `folder`, run them on trial, and say whether they may replace fp32 there."""
    files = {}
    for name, graph in graphs.items():
        files[name] = str(folder / f"{name}.{target.precision}.onnx")
        try:
            Path(files[name]).write_bytes(graph.SerializeToString(deterministic=True))
        except OSError as error:
            raise CalibrationFailed(f"cannot write in {folder}: {error.strerror}", "make room") from None
    candidate = trial.Candidate(target.backend, target.precision, files, literally=not target.timed)
    outcome = trial.run(held_out.bundle, candidate, held_out.studies, threads=held_out.threads, timed=target.timed)
    float_layers = tuple(f"{layer.network}: {layer.node}" for layer in kept)
    if outcome.problem is not None:
        return refused(target, float_layers, outcome.problem)
    agreement, found = agree(held_out.exact, outcome.examined(), held_out.network_size)
    broken = agreement.broken
    if target.timed and outcome.speedup <= 1.0:
        broken += (f"it takes {1 / outcome.speedup:.2f} times as long as fp32 on onnxruntime",)
    return Attempt(
        backend=target.backend,
        layout=target.layout_name,
        kept_float=float_layers,
        agreement=agreement,
        broken=broken,
        provider=outcome.provider,
        milliseconds=outcome.milliseconds if target.timed else None,
        reference_milliseconds=outcome.reference_milliseconds if target.timed else None,
        speedup=outcome.speedup if target.timed else None,
        curves=tuple((c.reference_degrees, c.candidate_degrees) for each in found for c in each.curves),
        corners_px=_percentiles([px for each in found for px in (*each.corners_px, *each.points_px)]),
    )


def refused(target: Target, float_layers: tuple[str, ...], problem: str) -> Attempt:
    """What is kept of a candidate that did not run."""
    return Attempt(
        backend=target.backend,
        layout=target.layout_name,
        kept_float=float_layers,
        agreement=None,
        broken=(problem,),
    )


def search(
    target: Target,
    make: Callable[[Keep], Graphs],
    ranking: Sequence[Layer],
    first: int,
    held_out: HeldOut,
    folder: Path,
    tried: Callable[[Attempt], None],
) -> tuple[Attempt, Graphs]:
    """Put layers back to float until the gate holds, those first that gain most for their cost, `first` at the start.

    Ends with the first candidate that may be written, or with the last one: when the backend cannot run it, when it is
    no faster than fp32 any more, or when half of its multiply-adds are float. `tried` hears of each.
    """
    count = first
    while True:
        kept = put_back(ranking, count)
        graphs = make(kept_in(kept))
        result = attempt(target, graphs, kept, held_out, folder)
        tried(result)
        slow = result.speedup is not None and result.speedup <= 1.0
        most = most_put_back(ranking)
        if not result.broken or result.agreement is None or slow or count >= most:
            return result, graphs
        count = min(count + max(1, count // 8), most)


def _percentiles(values: Sequence[float]) -> tuple[float, ...]:
    if not values:
        return ()
    return tuple(round(value, 4) for value in np.percentile(values, range(101)).tolist())
