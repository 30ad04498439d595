"""From a bundle in fp32 to one with another precision, over made films: what is written, and when nothing is."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import onnx
import pytest

from spinert import bundle as bundles
from spinert.bundle import Bundle, Precision
from spinert.calibrate import Calibrated, calibrate, lint, trial
from spinert.calibrate.ranges import collect
from spinert.calibrate.rewrite import OPENVINO, TENSORRT, Layout, quantize
from spinert.calibrate.studies import inputs_of
from spinert.calibrate.trial import Candidate, Outcome
from spinert.calibrate.workspace import Workspace
from spinert.errors import BadRequest, CalibrationFailed
from spinert.runtime import backends
from spinert.runtime.infer import Model
from spinert.runtime.infer import load as open_model
from tests.calibrate import small_bundle
from tests.calibrate.test_studies import gathered

CALIBRATED = ("fp16", "int8-trt", "int8-cpu")
SPEEDUPS = {("openvino", "int8-cpu"): 3.0, ("ort", "int8-cpu"): 2.0, ("openvino", "fp32"): 1.5}
"""Told in place of what was measured: so small a network is no faster in eight bits, and time decides no test."""

pytestmark = pytest.mark.skipif(
    backends.load("openvino").missing() is not None, reason="the layouts are compared on OpenVINO, not installed here"
)


@pytest.fixture(autouse=True, scope="module")
def _told_speedups() -> Iterator[None]:
    real = trial.run

    def run(bundle: Bundle, candidate: Candidate, *arguments: Any, timed: bool, **options: Any) -> Outcome:
        outcome = real(bundle, candidate, *arguments, timed=timed, **options)
        speedup = SPEEDUPS.get((candidate.backend, candidate.precision), 1.0)
        return msgspec.structs.replace(outcome, speedup=speedup) if timed else outcome

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trial, "run", run)
        yield


class Heard:
    """Progress that may be interrupted where a stage begins."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.stages: dict[str, list[tuple[int, int]]] = {}
        self._stop_at = stop_at

    def __call__(self, what: str, done: int, total: int) -> None:
        self.stages.setdefault(what, []).append((done, total))
        if self._stop_at is not None and what.startswith(self._stop_at):
            raise KeyboardInterrupt


def calibrated(bundle: Bundle, data: Path, output: Path, precision: Precision, **options: Any) -> Calibrated:
    given: dict[str, Any] = {"threads": 1, "progress": Heard()} | options
    return calibrate(bundle, [data], output, precision=precision, **given)


def graph(done: Calibrated, precision: Precision) -> onnx.ModelProto:
    return onnx.load(done.bundle.network_file("landmarks", precision))


@pytest.fixture(scope="module")
def heard() -> dict[str, Heard]:
    """What was told while `written` was made."""
    return {each: Heard() for each in CALIBRATED}


@pytest.fixture(scope="module")
def written(
    small: Bundle, films: Path, heard: dict[str, Heard], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Calibrated]:
    folder = tmp_path_factory.mktemp("written")
    return {each: calibrated(small, films, folder / each, each, progress=heard[each]) for each in CALIBRATED}


@pytest.mark.parametrize("precision", CALIBRATED)
def test_the_new_bundle_has_files_proof_and_all_that_it_had(
    written: dict[str, Calibrated], small: Bundle, precision: Precision
) -> None:
    done = written[precision]
    found = bundles.load(done.bundle.folder)
    assert found.sha256 == done.bundle.sha256
    spec = found.manifest.networks["landmarks"]
    assert set(spec.files) == {"fp32", precision}
    assert found.network_file("landmarks", "fp32").read_bytes() == small.network_file("landmarks", "fp32").read_bytes()
    variant = found.manifest.variants[precision]
    assert variant.calibrated_on.startswith("32, SHA-256 of their pixels ")
    assert (variant.method, variant.calibrated_on) == (done.report.method, done.report.calibrated_on)
    assert len(variant.pictures) == (1 if precision == "fp16" else 2)
    for picture in variant.pictures:
        assert (found.folder / picture).read_bytes().startswith(b"\x89PNG")
    assert done.refused == ()
    left = [path for path in done.bundle.folder.parent.iterdir() if path.name.startswith(".")]
    assert left == []


@pytest.mark.parametrize("precision", CALIBRATED)
def test_the_report_says_what_was_measured(written: dict[str, Calibrated], precision: Precision) -> None:
    done = written[precision]
    report = json.loads((done.bundle.folder / done.bundle.manifest.variants[precision].report).read_bytes())
    assert report["schema"] == "spinert.calibration/1"
    assert report["limits"]["corners_95th_px"] == 0.5
    assert report["chosen"]["agreement"]["studies"] == 16
    assert report["chosen"]["agreement"]["curves"] > 0
    assert report["chosen"]["broken"] == []
    nodes = {each["node"] for each in report["ranking"]}
    assert nodes == (set() if precision == "fp16" else {"Conv.c1", "Conv.c2"})
    backend = [(each["backend"], each["layout"]) for each in report["attempts"]]
    assert (
        backend
        == {
            "fp16": [("ort", "fp16")],
            "int8-trt": [("ort", "tensorrt")],
            "int8-cpu": [("openvino", "openvino"), ("ort", "onnxruntime")],
        }[precision]
    )
    assert report["processor"]
    assert set(report["versions"]) == {"spinert", "onnx", "onnxruntime"}


@pytest.mark.parametrize("precision", CALIBRATED)
def test_the_file_keeps_the_rules_and_can_be_run(
    written: dict[str, Calibrated], films: Path, precision: Precision
) -> None:
    done = written[precision]
    terms: dict[str, Any] = {"layout": "openvino"} if precision == "int8-cpu" else {}
    assert lint.lint(graph(done, precision), precision, **terms) == ()
    with open_model(done.bundle.folder, precision=precision, threads=1) as model:
        assert isinstance(model, Model)
        assert model.infer(films / "film-000.dcm").provenance.precision == precision


def test_the_record_has_what_ran_fastest_on_a_cpu_first(written: dict[str, Calibrated]) -> None:
    manifest = written["int8-cpu"].bundle.manifest
    ways = [(each.backend, each.precision, each.speedup) for each in manifest.cpu]
    assert ways == [("openvino", "int8-cpu", 3.0), ("openvino", "fp32", 1.5), ("ort", "fp32", 1.0)]
    assert {(each.backend, each.precision) for each in written["int8-cpu"].report.timings} == {
        *(way[:2] for way in ways),
        ("ort", "int8-cpu"),
    }
    with open_model(written["int8-cpu"].bundle.folder, threads=1) as model:
        assert (model.choice.backend, model.choice.precision) == ("openvino", "int8-cpu")
    assert written["fp16"].bundle.manifest.cpu == written["int8-trt"].bundle.manifest.cpu == ()


def same_file(one: Calibrated, other: Calibrated, precision: Precision) -> bool:
    files = [each.bundle.network_file("landmarks", precision).read_bytes() for each in (one, other)]
    return files[0] == files[1]


def test_the_same_command_writes_the_same_bytes(
    written: dict[str, Calibrated], small: Bundle, films: Path, tmp_path: Path
) -> None:
    again = calibrated(small, films, tmp_path / "again", "int8-cpu")
    assert same_file(again, written["int8-cpu"], "int8-cpu")
    assert again.report.ranking == written["int8-cpu"].report.ranking


def test_a_second_precision_joins_the_first(written: dict[str, Calibrated], films: Path, tmp_path: Path) -> None:
    done = calibrated(written["int8-cpu"].bundle, films, tmp_path / "both", "fp16")
    assert set(done.bundle.manifest.variants) == {"int8-cpu", "fp16"}
    assert done.bundle.manifest.cpu == written["int8-cpu"].bundle.manifest.cpu
    assert same_file(done, written["fp16"], "fp16")


@pytest.mark.parametrize("stage", ["ranges", "trials"])
def test_an_interrupted_run_is_resumed(
    small: Bundle, films: Path, written: dict[str, Calibrated], tmp_path: Path, stage: str
) -> None:
    output = tmp_path / "new"
    with pytest.raises(KeyboardInterrupt):
        calibrated(small, films, output, "int8-trt", progress=Heard(stage))
    assert not output.exists()
    heard = Heard()
    done = calibrated(small, films, output, "int8-trt", progress=heard)
    assert not any(each.startswith("examining") for each in heard.stages)
    assert ("ranges, landmarks" in heard.stages) == (stage == "ranges")
    assert same_file(done, written["int8-trt"], "int8-trt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]


@pytest.mark.usefixtures("written")
def test_every_stage_tells_how_far_it_is(heard: dict[str, Heard]) -> None:
    stages = heard["int8-trt"].stages
    assert list(stages) == [
        "examining studies",
        "magnitudes, landmarks",
        "ranges, landmarks",
        "damage of each layer, tensorrt",
        "trials on ort",
    ]
    for told in stages.values():
        assert told[-1][0] == told[-1][1]
    assert stages["examining studies"] == [(place, 48) for place in range(49)]


def test_studies_of_its_own_may_prove_it(small: Bundle, films: Path, tmp_path: Path) -> None:
    given = sorted(films.iterdir())
    done = calibrate(
        small,
        given[:16],
        tmp_path / "new",
        precision="fp16",
        held_out=given[16:34],
        threads=1,
        progress=Heard(),
    )
    assert (done.report.calibrated_on[:3], done.report.held_out[:3]) == ("16,", "18,")


def test_refused_studies_are_named_and_the_rest_goes_on(small: Bundle, films: Path, tmp_path: Path) -> None:
    some = Path(shutil.copytree(films, tmp_path / "some"))
    (some / "no-film.dcm").write_bytes(b"no DICOM")
    done = calibrated(small, some, tmp_path / "new", "fp16")
    ((name, problem),) = done.refused
    assert name == "no-film"
    assert problem
    assert "no-film" not in problem
    assert done.report.refused == 1
    assert b"no-film" not in (done.bundle.folder / "reports" / "fp16.json").read_bytes()


def test_outside_the_gate_nothing_is_written_and_it_is_told_by_how_much(films: Path, tmp_path: Path) -> None:
    coarse = small_bundle.small_bundle(tmp_path / "coarse", small_bundle.network(strength=100.0, unbearable=True))
    with pytest.raises(CalibrationFailed, match="int8-cpu is not written") as caught:
        calibrated(coarse, films, tmp_path / "new", "int8-cpu")
    told = caught.value.problem
    assert "openvino with the openvino layout and 1 layers float: " in told
    assert "ort with the onnxruntime layout and 1 layers float: " in told
    assert "above the limit of 0.5 px at network size" in told
    assert not (tmp_path / "new").exists()


def test_what_is_not_faster_is_not_written(
    small: Bundle, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPEEDUPS, ("openvino", "int8-cpu"), 0.5)
    monkeypatch.setitem(SPEEDUPS, ("ort", "int8-cpu"), 0.8)
    with pytest.raises(CalibrationFailed) as caught:
        calibrated(small, films, tmp_path / "new", "int8-cpu")
    assert "openvino layout and 0 layers float: it takes 2.00 times as long as fp32" in caught.value.problem
    assert "onnxruntime layout and 0 layers float: it takes 1.25 times as long as fp32" in caught.value.problem
    assert not (tmp_path / "new").exists()


def test_the_layout_of_a_library_that_is_not_installed_is_left_out(
    small: Bundle, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends.load("openvino"), "missing", lambda: "openvino is not installed")
    heard = Heard()
    done = calibrated(small, films, tmp_path / "new", "int8-cpu", progress=heard)
    assert "damage of each layer, openvino" not in heard.stages
    assert done.report.chosen.layout == "onnxruntime"
    assert done.report.attempts[0].broken == ("openvino is not installed",)
    assert [each.backend for each in done.bundle.manifest.cpu] == ["ort", "ort"]


def test_every_network_of_an_ensemble_and_of_a_member_is_calibrated_and_the_fused_findings_gated(
    films: Path, tmp_path: Path
) -> None:
    several = small_bundle.several(tmp_path / "several")
    done = calibrated(several, films, tmp_path / "new", "fp16")
    manifest = done.bundle.manifest
    assert (manifest.ensembles, manifest.members) == (several.manifest.ensembles, several.manifest.members)
    assert {name: set(spec.files) for name, spec in manifest.networks.items()} == {
        name: {"fp32", "fp16"} for name in "abc"
    }
    assert done.report.chosen.agreement.curves >= 20
    with open_model(done.bundle.folder, threads=1, backend="ort", precision="fp16") as model:
        assert model.choice.precision == "fp16"


def test_a_network_that_no_pipeline_calls_cannot_be_calibrated(films: Path, tmp_path: Path) -> None:
    several = small_bundle.several(tmp_path / "several")
    manifest = msgspec.structs.replace(several.manifest, members={}, fusion=None)
    with pytest.raises(BadRequest, match="no pipeline of bundle 'truth' calls c"):
        calibrated(Bundle(several.folder, manifest, several.sha256), films, tmp_path / "new", "fp16")
    assert not (tmp_path / "new").exists()


def quantized(small: Bundle, films: Path, folder: Path, layout: Layout) -> Path:
    """The small network with Q/DQ, as one that was trained for eight bits comes."""
    workspace = Workspace(folder / "inputs", {})
    studies = gathered(small, workspace, [films]).calibration
    model = onnx.load(small.network_file("landmarks", "fp32"))
    fed = (arrays for study in studies for arrays in inputs_of(study, "landmarks", workspace))
    path = folder / f"{layout.name}.onnx"
    onnx.save(quantize(model, collect(model, fed, "minmax"), layout), path)
    return path


@pytest.mark.parametrize(("precision", "layout"), [("int8-trt", TENSORRT), ("int8-cpu", OPENVINO)])
def test_a_graph_that_came_quantized_is_only_linted_and_gated(
    small: Bundle, films: Path, tmp_path: Path, precision: Precision, layout: Layout
) -> None:
    given = quantized(small, films, tmp_path, layout)
    heard = Heard()
    done = calibrated(small, films, tmp_path / "new", precision, quantized={"landmarks": given}, progress=heard)
    assert not any(each.startswith(("ranges", "damage")) for each in heard.stages)
    assert done.report.method == "given with Q/DQ"
    assert done.report.ranking == ()
    assert len(done.bundle.manifest.variants[precision].pictures) == 1
    if precision == "int8-cpu":
        assert graph(done, precision) == onnx.load(given)


@pytest.mark.parametrize(
    ("precision", "layout", "rule"),
    [
        ("int8-trt", OPENVINO, "everything is symmetric int8"),
        ("int8-cpu", TENSORRT, "activations are uint8"),
        ("fp16", TENSORRT, "nothing is quantized"),
    ],
)
def test_a_graph_that_breaks_a_rule_is_refused_by_the_node_that_breaks_it(
    small: Bundle, films: Path, tmp_path: Path, precision: Precision, layout: Layout, rule: str
) -> None:
    given = quantized(small, films, tmp_path, layout)
    with pytest.raises(CalibrationFailed, match=r"'(Deq|Q)uantize image'") as caught:
        calibrated(small, films, tmp_path / "new", precision, quantized={"landmarks": given})
    assert rule in caught.value.problem
    assert not (tmp_path / "new").exists()


def test_another_graph_is_not_judged_by_what_was_measured_of_the_one_before(
    small: Bundle, films: Path, tmp_path: Path
) -> None:
    broken, good = (quantized(small, films, tmp_path, layout) for layout in (OPENVINO, TENSORRT))
    with pytest.raises(CalibrationFailed):
        calibrated(small, films, tmp_path / "new", "int8-trt", quantized={"landmarks": broken})
    with pytest.raises(KeyboardInterrupt):  # at a stage that would be skipped if it were resumed
        calibrated(
            small,
            films,
            tmp_path / "new",
            "int8-trt",
            quantized={"landmarks": good},
            progress=Heard("magnitudes"),
        )


def test_requests_that_cannot_be_carried_out(
    small: Bundle, written: dict[str, Calibrated], films: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadRequest, match="exists already"):
        calibrated(small, films, films, "fp16")
    with pytest.raises(BadRequest, match="nothing is calibrated to fp32"):
        calibrated(small, films, tmp_path / "new", "fp32")
    with pytest.raises(BadRequest, match="has fp16 files already"):
        calibrated(written["fp16"].bundle, films, tmp_path / "new", "fp16")
    with pytest.raises(BadRequest, match="graphs are given for heatmaps, the bundle has landmarks"):
        calibrated(small, films, tmp_path / "new", "fp16", quantized={"heatmaps": tmp_path / "no.onnx"})
    with pytest.raises(BadRequest, match=r"cannot read no\.onnx as ONNX"):
        calibrated(small, films, tmp_path / "new", "int8-trt", quantized={"landmarks": tmp_path / "no.onnx"})
    with pytest.raises(BadRequest, match="there is no file or folder nowhere"):
        calibrated(small, tmp_path / "nowhere", tmp_path / "new", "fp16")
    assert list(tmp_path.iterdir()) == []


def test_every_precision_but_fp32_can_be_asked_for() -> None:
    assert {"fp32", *CALIBRATED} == set(get_args(Precision))
