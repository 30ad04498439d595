import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_start import import_ms
from spinert.runtime.infer import load
from tests import bundles, phantoms

SCRIPTS = ("bench_film", "bench_kernels", "bench_network", "bench_start")


def run_script(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_how_to_run_a_script(script: str) -> None:
    assert f"python -m benchmarks.{script}" in run_script(script, "--help")


def test_imports_are_summed_by_package_without_the_interpreters_own() -> None:
    importtime = """import time: self [us] | cumulative | imported package
import time:      9000 |       9000 |   encodings
import time:      4000 |      13000 | site
import time:      1500 |       1500 |     numpy._core
import time:      2000 |       3500 |   numpy
a line of the program itself
import time:       250 |        250 |   json.decoder
import time:       750 |       1000 | zipfile
"""
    assert import_ms(importtime) == {"numpy": 3.5, "standard library": 1.0}


def _spine() -> np.ndarray:
    return phantoms.spine_corners(np.linspace(20.0, -15.0, 17), (200.0, 130.0), 750.0)


@pytest.fixture
def perfect_bundle(tmp_path: Path) -> Path:
    """A bundle that always answers with one spine."""
    network_px = (_spine() + 0.5) * (77 / 400, 0.192) - 0.5 + (9, 0)
    bundles.write_bundle(tmp_path / "truth", bundles.heatmaps_at(network_px))
    return tmp_path / "truth"


def test_start_is_measured_on_the_example_film(perfect_bundle: Path) -> None:
    printed = run_script("bench_start", "--bundle", str(perfect_bundle), "--smoke")
    for row in ("process start to JSON", "imports", "  onnxruntime", "bundle and session", "film: network"):
        assert f"\n{row}" in printed


def test_torch_and_spinert_find_the_same_on_the_benchmark_film() -> None:
    from benchmarks.films import film
    from benchmarks.peer import TorchFilm, measured

    with load(threads=1, backend="ort", precision="fp32") as model:
        ours = measured(model.infer_images([film()]).result.findings)
        theirs = TorchFilm(model.bundle)(film())
    assert ours.corners_px == pytest.approx(theirs.corners_px, abs=0.5)
    assert ours.aasce_degrees == pytest.approx(theirs.aasce_degrees, abs=0.2)
    assert len(ours.cobb_degrees) == len(theirs.cobb_degrees)


def test_both_sides_of_the_film_benchmark_run() -> None:
    printed = run_script("bench_film", "--smoke")
    for row in ("spinert", "torch eager + NumPy + OpenCV", "agreement: ", "spinert's stages: prepare "):
        assert row in printed


def test_the_network_s_table_has_every_cpu_precision_and_torch() -> None:
    printed = run_script("bench_network", "--smoke")
    assert "fp32 on ort" in printed
    assert "fp32 on openvino" in printed
    assert "torch eager" in printed
