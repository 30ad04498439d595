"""From a bundle in fp32 to one that also has fp16, int8-trt or int8-cpu files, each proven in clinical units.

read real studies -> ranges -> rewrite -> lint -> rank layers -> trial over held-out studies -> gate -> a new bundle.
torch is not needed, and never imported.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import onnx

import spinert
from spinert import bundle as bundles
from spinert.bundle import Bundle, Precision, Ranked, Variant
from spinert.calibrate import plots, report, rewrite, trial
from spinert.calibrate.agreement import agree
from spinert.calibrate.ranges import PERCENTILE, Method
from spinert.calibrate.report import Report, Timing
from spinert.calibrate.search import Attempt, Graphs, Target, attempt, refused
from spinert.calibrate.sensitivity import Layer
from spinert.calibrate.stages import Stages
from spinert.calibrate.studies import Exact, Progress, Refused
from spinert.calibrate.workspace import Workspace
from spinert.errors import BadRequest, CalibrationFailed
from spinert.runtime import backends, processor
from spinert.runtime.backends import ort
from spinert.runtime.files import find_studies
from spinert.runtime.members import networks_of

TARGETS: Mapping[Precision, tuple[Target, ...]] = {
    "fp16": (Target("fp16", "ort", None, timed=False),),
    "int8-trt": (Target("int8-trt", "ort", rewrite.TENSORRT, timed=False),),
    "int8-cpu": (
        Target("int8-cpu", "openvino", rewrite.OPENVINO, timed=True),
        Target("int8-cpu", "ort", rewrite.ONNXRUNTIME, timed=True),
    ),
}
"""What each precision is proven on. The arithmetic of a GPU's file is proven on onnxruntime, without a GPU; how fast it
is there, `spinert build` measures where it will run."""


class Calibrated(NamedTuple):
    """The new bundle, what proved it, and the studies that were refused, name and problem."""

    bundle: Bundle
    report: Report
    refused: tuple[tuple[str, str], ...]


class _Proven(NamedTuple):
    """A target's trials, the graphs of the last one, and the ranking that it was made by."""

    target: Target
    attempts: tuple[Attempt, ...]
    graphs: Graphs
    ranking: tuple[Layer, ...]

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]


def calibrate(
    bundle: Bundle,
    data: Sequence[Path],
    output: Path,
    *,
    precision: Precision,
    held_out: Sequence[Path] = (),
    method: Method = "percentile",
    quantized: Mapping[str, Path] | None = None,
    threads: int,
    progress: Progress,
) -> Calibrated:
    """Write a copy of the bundle that also has files of this precision, if they pass the agreement gate.

    data       studies to calibrate on: files, folders, archives, as `spinert infer` takes them
    held_out   studies to prove it on; by default a third of `data`
    quantized  network -> ONNX file that already carries Q/DQ (from quantization-aware training): it is not rewritten,
               only linted and put on trial
    Raises BadRequest (arguments), BadBundle, CalibrationFailed (too few studies, a lint rule, or outside the gate and
    by how much; nothing is written then).
    """
    _check_request(bundle, output, precision, quantized)
    given = {name: _read(path) for name, path in (quantized or {}).items()}
    arguments = {
        "precision": precision,
        "method": method,
        "bundle": bundle.sha256,
        "spinert": spinert.__version__,
        "libraries": [onnx.__version__, ort.library().__version__, *processor.vnni()],
        "given": {name: hashlib.sha256(graph.SerializeToString()).hexdigest() for name, graph in given.items()},
    }
    key = {**arguments, "studies": _listing([*data, *held_out]), "held_out": len(held_out)}
    with Workspace(output, key) as workspace:
        stages = Stages(bundle, data, held_out, workspace, method=method, threads=threads, progress=progress)
        material = stages.material  # too few studies end all, what is found later only one target
        proven = (
            [_prove_given(target, given, stages) for target in TARGETS[precision]]
            if given
            else [_prove(target, stages) for target in TARGETS[precision]]
        )
        best, made = _judged(proven, stages, "given with Q/DQ" if given else None)
        written = _write(bundle, output, precision, best.graphs, made)
    refused = (*_named(material.refused, data), *_named(material.refused_held_out, held_out or data))
    return Calibrated(written, made, refused)


def _judged(proven: Sequence[_Proven], stages: Stages, how: str | None) -> tuple[_Proven, Report]:
    """The fastest that passed, and its report; `how` it came about, where it was not made here."""
    precision = proven[0].target.precision
    attempts = [each for one in proven for each in one.attempts]
    passed = [each for each in proven if not each.last.broken]
    if not passed:
        raise CalibrationFailed(
            f"{precision} is not written: {report.failure(attempts)}",
            "train the network for 8 bits, as examples/finetune_landmarks.py does, or keep fp32",
        )
    best = max(passed, key=lambda each: each.last.speedup or 0.0)
    timings = _timings(stages, passed) if best.target.timed else ()
    if timings and timings[0].precision == "fp32":
        raise CalibrationFailed(
            f"{precision} is not written: it is {best.last.speedup:.2f} x as fast on {best.target.backend} as fp32 on "
            f"onnxruntime, and so is fp32 on {timings[0].backend}, {timings[0].speedup:.2f} x",
            "keep fp32",
        )
    material = stages.material
    return best, Report(
        precision=precision,
        method=how or _method(best.target, stages.method),
        calibrated_on=_fingerprint(material.calibration),
        held_out=_fingerprint(material.held_out),
        refused=len(material.refused) + len(material.refused_held_out),
        processor=processor.name(),
        versions={"spinert": spinert.__version__, "onnx": onnx.__version__, "onnxruntime": ort.library().__version__},
        limits=report.limits(),
        chosen=best.last,
        ranking=best.ranking,
        attempts=report.brief(attempts),
        timings=timings,
    )


def _check_request(bundle: Bundle, output: Path, precision: Precision, quantized: Mapping[str, Path] | None) -> None:
    if output.exists():
        raise BadRequest(f"{output} exists already", "choose another folder or remove this one")
    if precision not in TARGETS:
        raise BadRequest(f"nothing is calibrated to {precision}", f"choose one of {', '.join(TARGETS)}")
    for name, spec in bundle.manifest.networks.items():
        if precision in spec.files:
            raise BadRequest(
                f"bundle {bundle.name!r} has {precision} files already", "start from the bundle without them"
            )
        if "fp32" not in spec.files:
            raise BadRequest(f"network {name!r} of bundle {bundle.name!r} has no fp32 file", "export the bundle again")
    if idle := sorted(set(bundle.manifest.networks) - set(networks_of(bundle.manifest))):
        raise BadRequest(
            f"no pipeline of bundle {bundle.name!r} calls {', '.join(idle)}, so there is nothing to calibrate it on",
            "export the bundle without it",
        )
    if quantized and set(quantized) != set(bundle.manifest.networks):
        raise BadRequest(
            f"graphs are given for {', '.join(quantized)}, the bundle has {', '.join(bundle.manifest.networks)}",
            "give one graph for each network",
        )


def _prove(target: Target, stages: Stages) -> _Proven:
    """All trials of a target; what makes its graphs impossible is what keeps it from being written."""
    try:
        return _Proven(target, *stages.prove(target))
    except CalibrationFailed as error:
        return _Proven(target, (refused(target, (), error.problem),), {}, ())


def _prove_given(target: Target, graphs: Graphs, stages: Stages) -> _Proven:
    """One trial of graphs that came quantized; what the lint says of them is what keeps them from it."""
    try:
        graphs = stages.finished(target, graphs, "given")
    except CalibrationFailed as error:
        return _Proven(target, (refused(target, (), error.problem),), graphs, ())
    only = attempt(target, graphs, (), stages.held_out, stages.workspace.folder)
    return _Proven(target, (only,), graphs, ())


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's own exceptions share no base with OSError
        raise BadRequest(f"cannot read {path.name} as ONNX: {error}", "name an ONNX file") from None


def _timings(stages: Stages, passed: Sequence[_Proven]) -> tuple[Timing, ...]:
    """The proven candidates, and fp32 on every CPU backend that agrees with onnxruntime, fastest first."""
    bundle, held_out = stages.bundle, stages.held_out
    found = [
        Timing(
            backend=each.target.backend,
            precision=each.target.precision,
            milliseconds=each.last.milliseconds or 0.0,
            speedup=each.last.speedup or 0.0,
        )
        for each in passed
    ]
    exact = {name: str(bundle.network_file(name, "fp32")) for name in bundle.manifest.networks}
    for backend in backends.of_device("cpu"):
        outcome = trial.run(
            bundle, trial.Candidate(backend, "fp32", exact), held_out.studies, threads=stages.threads, timed=True
        )
        agrees = (
            outcome.problem is None and not agree(held_out.exact, outcome.examined(), held_out.network_size)[0].broken
        )
        if agrees:
            found.append(
                Timing(backend=backend, precision="fp32", milliseconds=outcome.milliseconds, speedup=outcome.speedup)
            )
    return tuple(sorted(found, key=lambda each: -each.speedup))


def _write(bundle: Bundle, output: Path, precision: Precision, graphs: Graphs, made: Report) -> Bundle:
    manifest = bundle.manifest
    contents = {name: (bundle.folder / name).read_bytes() for name in manifest.sha256 if name != bundles.MANIFEST}
    networks = {}
    for name, spec in manifest.networks.items():
        file = f"{name}.{precision}.onnx"
        contents[file] = graphs[name].SerializeToString(deterministic=True)
        networks[name] = msgspec.structs.replace(spec, files={**spec.files, precision: file})
    title = f"{bundle.name}: {precision} against fp32, {made.held_out.split(',')[0]} held-out studies"
    stem = f"reports/{precision}"
    contents[f"{stem}.json"] = made.to_json()
    pictures = {f"{stem}.agreement.png": plots.agreement(made.chosen, title)}
    if made.ranking:
        heading = f"{bundle.name}: layers of {precision}, {made.chosen.layout} layout"
        pictures[f"{stem}.layers.png"] = plots.sensitivity(made.ranking, made.chosen.kept_float, heading)
    variant = Variant(
        method=made.method,
        calibrated_on=made.calibrated_on,
        report=f"{stem}.json",
        pictures=tuple(pictures),
    )
    record = tuple(
        Ranked(
            backend=each.backend,
            precision=each.precision,
            milliseconds=each.milliseconds,
            speedup=each.speedup,
            instructions=processor.vnni() if each.precision == precision else (),
        )
        for each in made.timings
        if each.precision != precision or each.backend == made.chosen.backend  # there is one file of a precision
    )
    complete = msgspec.structs.replace(
        manifest,
        networks=networks,
        variants={**manifest.variants, precision: variant},
        cpu=record or manifest.cpu,
    )
    return bundles.write(output, complete, {**contents, **pictures})


def _method(target: Target, method: Method) -> str:
    if target.layout is None:
        return "float16, float32 where a tensor leaves its range"
    reach = f"percentile {PERCENTILE}" if method == "percentile" else method
    return f"{reach}, channels equalized, {target.layout.name} layout"


def _fingerprint(studies: Sequence[Exact]) -> str:
    together = hashlib.sha256("".join(each.fingerprint for each in studies).encode()).hexdigest()
    return f"{len(studies)}, SHA-256 of their pixels {together[:16]}"


def _named(left_out: Sequence[Refused], paths: Sequence[Path]) -> list[tuple[str, str]]:
    studies = find_studies(paths) if left_out else []
    return [(studies[each.place].name, each.problem) for each in left_out]


def _listing(paths: Sequence[Path]) -> str:
    """Changes when a file of the studies does: a run is resumed over the same studies only."""
    facts = [
        f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for study in find_studies(paths)
        for path in study.paths
    ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
