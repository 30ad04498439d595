"""benchmarks/gpu.py as far as it can go without a GPU."""

import argparse
import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu, gpu_engines
from spinert.errors import BuildFailed
from spinert.runtime.infer import find_bundle
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt import target
from spinert.runtime.tensorrt.compile import Compiled
from spinert.runtime.tensorrt.library import Library
from tests import cuda_emulator

SHIPPED = find_bundle("cobb").manifest.networks["coarse"].files
SETTING = gpu.Setting(Path("nowhere"), dry_run=True, installed=False, select="", seconds=60)


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    reason = cuda_emulator.missing()
    if reason is not None:
        pytest.skip(reason)
    out = tmp_path_factory.mktemp("gpu") / "results.json"
    command = [sys.executable, "-m", "benchmarks.gpu", "--dry-run", "--select", "peak", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"wrote {out}" in done.stdout
    report: dict[str, Any] = json.loads(out.read_text())
    return report


def test_a_dry_run_builds_and_runs_parity_and_every_row(dry_run: dict[str, Any]) -> None:
    stages = dry_run["stages"]
    assert list(stages) == list(gpu.STAGES)
    assert stages["parity"]["passed"] > 0
    assert (stages["parity"]["failures"], stages["parity"]["errors"]) == (0, 0)
    assert {"soft_argmax", "peak"} <= {row["kernel"] for row in stages["bandwidth"]["kernels"]}


def test_a_dry_run_reports_no_number_and_no_device(dry_run: dict[str, Any]) -> None:
    assert dry_run["dry_run"]
    assert set(dry_run["stages"]["bandwidth"]) == {"state", "kernels", "seconds"}
    assert all(set(row) == {"kernel", "shape"} for row in dry_run["stages"]["bandwidth"]["kernels"])
    for name in ("interop", *gpu.CHECKERS):
        assert dry_run["stages"][name]["state"] == "not here"


def test_a_dry_run_builds_engines_and_opens_none(dry_run: dict[str, Any]) -> None:
    if "tensorrt_rtx" not in libraries.installed():
        pytest.skip("tensorrt_rtx is not installed: wheels for Linux x86-64 only")
    precisions = dry_run["stages"]["engines"]["precisions"]
    assert list(precisions) == ["fp32", "fp16", "int8-trt"]
    row = precisions["fp32"]["networks"]["coarse"]
    assert set(row) == {"build_seconds", "plan_bytes", "layers", "layer_types"}
    for precision, of in precisions.items():
        assert of["state"] == ("done" if precision in SHIPPED else "not here")


def test_an_engine_that_fails_leaves_those_of_other_precisions_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], _setting: gpu.Setting) -> None:
        precision = command[command.index("--precision") + 1]
        if precision == "fp16":
            raise gpu.StageFailed("the device is lost")
        Path(command[3]).write_text(json.dumps({"state": "done", "networks": {}}))

    monkeypatch.setattr(gpu, "run", run)
    report = gpu.outcome(gpu.stage_engines, SETTING._replace(folder=tmp_path))
    assert [row["state"] for row in report["precisions"].values()] == ["done", "failed", "done"]
    assert (report["state"], report["reason"]) == ("failed", "fp16: the device is lost")


def test_a_network_that_cannot_be_built_is_a_row_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_keywords: Any) -> None:
        raise BuildFailed("no kernel for compute capability 9.0", "try another library")

    monkeypatch.setattr(gpu_engines, "choose_library", lambda name: Library("tensorrt_rtx", "1.7.1", None))
    monkeypatch.setattr(target, "no_device", lambda: "no NVIDIA driver")
    monkeypatch.setattr(gpu_engines, "compile_network", refuse)
    asked = argparse.Namespace(bundle="cobb", precision="fp32", dry_run=False)
    report = gpu_engines.measure(asked)
    assert report["networks"]["coarse"] == {
        "failed": "BuildFailed: no kernel for compute capability 9.0",
        "remedy": "try another library",
    }
    assert (report["state"], report["reason"]) == ("failed", "BuildFailed: no kernel for compute capability 9.0")


@pytest.mark.parametrize("milliseconds", [1.0, 99.0])
def test_an_int8_engine_is_measured_however_slow_it_is(monkeypatch: pytest.MonkeyPatch, milliseconds: float) -> None:
    built = Compiled(b"plan", "", b"", 1.0)
    monkeypatch.setattr(gpu_engines, "choose_library", lambda name: Library("tensorrt_rtx", "1.7.1", None))
    monkeypatch.setattr(target, "no_device", lambda: "no NVIDIA driver")
    monkeypatch.setattr(gpu_engines, "compile_network", lambda *_a, **_k: built)
    monkeypatch.setattr(gpu_engines, "run_engine", lambda *_a: {"ms_graph": milliseconds})
    report = gpu_engines.measure(argparse.Namespace(bundle="cobb", precision="int8-trt", dry_run=False))
    assert report["state"] == "done"
    assert report["networks"]["coarse"]["ms_graph"] == milliseconds


def test_a_stage_that_breaks_leaves_the_others_alone() -> None:
    def breaks(_setting: gpu.Setting) -> gpu.Report:
        raise ZeroDivisionError("no blocks")

    def absent(_setting: gpu.Setting) -> gpu.Report:
        raise gpu.NotHere("no such tool")

    reports = [gpu.outcome(stage, SETTING) for stage in (breaks, absent, lambda _setting: {"passed": 3})]
    assert [report["state"] for report in reports] == ["failed", "not here", "done"]
    assert reports[0]["reason"] == "ZeroDivisionError: no blocks"


def test_parity_that_only_skips_is_a_failure(tmp_path: Path) -> None:
    setting = SETTING._replace(folder=tmp_path, dry_run=False, installed=True)
    report = gpu.outcome(gpu.stage_parity, setting._replace(select="no_test_has_this_name"))
    assert report["state"] == "failed"


def test_a_command_that_fails_ends_its_stage_with_what_it_said() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the fan is off')"]
    with pytest.raises(gpu.StageFailed, match="ended with 1: the fan is off"):
        gpu.run(command, SETTING._replace(folder=Path()))


def test_results_are_filed_under_the_device_and_the_date() -> None:
    day = datetime.date(2026, 2, 3)
    report = {"stages": {"bandwidth": {"device": {"name": "NVIDIA RTX 4000 (Ada)"}}}}
    assert gpu.results_file(report, day) == gpu.RESULTS / "nvidia-rtx-4000-ada_2026-02-03.json"
    assert gpu.results_file({"stages": {}}, day).name == "unknown_2026-02-03.json"


@pytest.mark.parametrize("script", ["gpu", "gpu_measure", "gpu_engines"])
def test_help_shows_how_to_run_it(script: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{script}", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"python -m benchmarks.{script}" in done.stdout
