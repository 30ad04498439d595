"""`spinert calibrate` as a user runs it; the calibration itself is replaced where only words are looked at."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import spinert.calibrate
from spinert import bundle as bundles
from spinert.calibrate import Calibrated
from spinert.calibrate.report import Report, Timing
from spinert.cli import calibrate as command
from spinert.errors import BadRequest, CalibrationFailed
from tests.calibrate import small_bundle
from tests.calibrate.test_agreement import HOLDS
from tests.calibrate.test_report import attempt
from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 studies, and one that is none."""
    folder = small_bundle.films(tmp_path_factory.mktemp("data") / "films", 48)
    (folder / "not-a-film.dcm").write_bytes(b"no DICOM")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_bundle.small_bundle(tmp_path_factory.mktemp("bundles") / "small").folder


class Called(dict[str, Any]):
    """Stands in for the calibration, and keeps its arguments."""

    def __init__(self, result: Calibrated | None = None) -> None:
        super().__init__()
        self._result = result

    def __call__(self, bundle: Any, data: Any, output: Any, **options: Any) -> Calibrated:
        self.update(options, bundle=bundle, data=data, output=output)
        if self._result is None:
            raise CalibrationFailed("int8-cpu is not written: far off", "keep fp32")
        return self._result


def test_it_writes_the_bundle_and_says_what_it_measured(run: Run, small: Path, films: Path, tmp_path: Path) -> None:
    done = run("calibrate", small, "--data", films, "--precision", "fp16", "-o", "new", "--threads", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("refused: not-a-film: ")
    assert lines[0].count("not-a-film") == 1
    assert lines[1] == (
        "fp16 of bundle 'small': float16, float32 where a tensor leaves its range; proven on CPUExecutionProvider, "
        "0 layers float"
    )
    assert lines[2].split() == ["16", "studies,", "32", "curves", "measured", "gate"]
    rows = {" ".join(line.split()[:2]): line for line in lines[3:10]}
    assert list(rows) == [
        "cobb median",
        "cobb 95th",
        "cobb largest",
        "corners 95th",
        "same ends",
        "curves 32",
        "failed 0",
    ]
    assert re.search(r"  \S+  at most 0\.5 px at network size$", rows["corners 95th"])
    assert lines[10:12] == [
        "written: new/reports/fp16.json",
        "written: new/reports/fp16.agreement.png",
    ]
    found = bundles.load(tmp_path / "new")
    assert lines[12:] == [f"bundle in new, SHA-256 {found.sha256}"]


def test_elsewhere_than_in_a_terminal_each_stage_is_one_line(run: Run, small: Path, films: Path) -> None:
    done = run("calibrate", small, "--data", films, "--precision", "fp16", "-o", "new", "--threads", "1")
    assert done.stderr.splitlines() == ["examining studies (49)", "magnitudes, landmarks (32)", "trials on ort"]


def test_timings_and_layers_are_told(run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = bundles.load(small)
    variant = bundles.Variant(method="m", calibrated_on="32", report="r.json", pictures=("a.png", "b.png"))
    manifest = msgspec.structs.replace(bundle.manifest, variants={"int8-cpu": variant})
    made = Report(
        precision="int8-cpu",
        method="percentile 99.99",
        calibrated_on="32",
        held_out="16",
        refused=0,
        processor="Example 9000",
        versions={},
        limits={},
        chosen=msgspec.structs.replace(attempt(2), provider="OpenVINO", agreement=HOLDS),
        ranking=(),
        attempts=(),
        timings=(
            Timing(backend="openvino", precision="int8-cpu", milliseconds=12.34, speedup=2.6),
            Timing(backend="ort", precision="fp32", milliseconds=32.1, speedup=1.0),
        ),
    )
    called = Called(Calibrated(msgspec.structs.replace(bundle, manifest=manifest), made, (("film", "too dark"),)))
    monkeypatch.setattr(spinert.calibrate, "calibrate", called)
    done = run("calibrate", small, "--data", "a", "--data", "b", "--precision", "int8-cpu", "-o", "new")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "refused: film: too dark"
    assert lines[1].endswith("percentile 99.99; proven on OpenVINO, 2 layers float")
    assert "  int8-cpu on openvino: 12.3 ms, 2.60 x fp32 on onnxruntime" in lines
    assert "  fp32 on ort: 32.1 ms, 1.00 x fp32 on onnxruntime" in lines
    assert [line for line in lines if line.startswith("written: ")] == [
        f"written: {small / name}" for name in ("r.json", "a.png", "b.png")
    ]
    assert called["data"] == [Path("a"), Path("b")]
    assert (called["method"], called["held_out"], called["quantized"]) == ("percentile", (), None)


def test_what_is_not_written_ends_in_10(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spinert.calibrate, "calibrate", Called())
    done = run("calibrate", small, "--data", "a", "--precision", "int8-cpu", "-o", "new")
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr == "error: int8-cpu is not written: far off\n  remedy: keep fp32\n"


def test_too_few_studies_end_in_10_and_name_the_refused(run: Run, small: Path, tmp_path: Path) -> None:
    few = small_bundle.films(tmp_path / "few", 3)
    (few / "not-a-film.dcm").write_bytes(b"no DICOM")
    done = run("calibrate", small, "--data", few, "--precision", "fp16", "-o", "new")
    assert done.returncode == 10
    assert "2 studies to calibrate on, at least 16 are needed (1 were refused: not-a-film: " in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--precision", "fp32", "-o", "new"), 2, "'fp32' is not one of"),
        (("--precision", "fp16", "-o", "."), 2, "exists already"),
        (("--precision", "fp16", "-o", "new", "--graph", "other=a.onnx"), 2, "given for other, the bundle has"),
        (("--precision", "fp16", "-o", "new", "--graph", "a.onnx"), 2, "cannot read a.onnx as ONNX"),
        (("--precision", "fp16", "-o", "new"), 2, "there is no file or folder nowhere"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_carried_out_end_in_2(
    run: Run, small: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = run("calibrate", small, "--data", "nowhere", *arguments)
    assert done.returncode == code
    assert told in " ".join(done.stderr.split())


def test_a_bundle_that_is_none_ends_in_5(run: Run) -> None:
    done = run("calibrate", "nothing", "--data", "a", "--precision", "fp16", "-o", "new")
    assert done.returncode == 5


def test_what_is_not_installed_is_named_with_the_command_that_brings_it(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "matplotlib" else object())
    done = run("calibrate", small, "--data", "a", "--precision", "fp16", "-o", "new")
    assert done.returncode == 10
    assert "not installed: matplotlib" in done.stderr
    assert 'pip install "spinert[cpu,openvino,calibrate]"' in done.stderr


@pytest.mark.parametrize(
    ("given", "networks", "graphs"),
    [
        (None, ["a"], None),
        ([], ["a"], None),
        (["x.onnx"], ["a"], {"a": Path("x.onnx")}),
        (["a=x.onnx"], ["a"], {"a": Path("x.onnx")}),
        (["a=x.onnx", "b=dir/y=2.onnx"], ["a", "b"], {"a": Path("x.onnx"), "b": Path("dir/y=2.onnx")}),
    ],
)
def test_graphs_are_given_by_network(given: Any, networks: list[str], graphs: Any) -> None:
    assert command._graphs(given, networks) == graphs


def test_with_several_networks_a_graph_says_for_which_it_is() -> None:
    with pytest.raises(BadRequest, match=r"'x\.onnx' does not say for which network: a, b"):
        command._graphs(["x.onnx"], ["a", "b"])
