import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from benchmarks import metrics
from benchmarks.bench_start import import_ms
from examples.aasce import read_films
from spinert.runtime.cobb import aasce_angles
from spinert.runtime.infer import load
from tests import bundles, phantoms

SCRIPTS = ("accuracy", "bench_film", "bench_kernels", "bench_network", "bench_start")


def run_script(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_how_to_run_a_script(script: str) -> None:
    assert f"python -m benchmarks.{script}" in run_script(script, "--help")


def test_smape_is_the_mean_over_films_of_each_films_ratio() -> None:
    found = np.array([[20.0, 10.0, 0.0], [50.0, 30.0, 20.0]])
    labelled = np.array([[30.0, 10.0, 0.0], [50.0, 20.0, 30.0]])
    # film 0: 10 / 70; film 1: 20 / 200
    assert metrics.smape_of_films(found, labelled) == pytest.approx([100 / 7, 10.0])
    assert metrics.smape_percent(found, labelled) == pytest.approx((100 / 7 + 10) / 2)


def test_smape_of_a_film_without_result_is_100_percent() -> None:
    assert metrics.smape_percent(np.zeros((1, 3)), np.array([[40.0, 20.0, 0.5]])) == pytest.approx(100.0)


def test_smape_of_a_straight_spine_found_straight_is_0() -> None:
    assert metrics.smape_percent(np.zeros((1, 3)), np.zeros((1, 3))) == 0.0


def test_mean_absolute_error_is_kept_apart_for_each_angle() -> None:
    found, labelled = np.array([[10.0, 5.0, 0.0], [30.0, 5.0, 8.0]]), np.array([[13.0, 5.0, 1.0], [29.0, 7.0, 5.0]])
    assert metrics.mean_absolute_error(found, labelled) == pytest.approx([2.0, 1.0, 2.0])


def test_pearson_r_is_1_on_a_line_minus_1_on_its_mirror_and_nan_without_spread() -> None:
    labelled = np.array([[1.0, 1.0, 7.0], [2.0, 2.0, 7.0], [4.0, 4.0, 7.0]])
    found = np.stack([2 * labelled[:, 0] + 3, -labelled[:, 1], labelled[:, 0]], axis=1)
    assert metrics.pearson_r(found, labelled) == pytest.approx([1.0, -1.0, float("nan")], nan_ok=True)


def test_pearson_r_matches_numpy() -> None:
    rng = np.random.default_rng(0)
    labelled = rng.normal(size=(20, 3))
    found = labelled + rng.normal(size=(20, 3))
    expected = [np.corrcoef(found[:, angle], labelled[:, angle])[0, 1] for angle in range(3)]
    assert metrics.pearson_r(found, labelled) == pytest.approx(expected)


def test_corner_error_is_the_mean_distance_of_a_films_corners() -> None:
    labelled = np.zeros((2, 17, 4, 2))
    found = labelled.copy()
    found[0] += (3.0, 4.0)
    found[1, 0, 0] = (0.0, 68.0)
    assert metrics.corner_errors(found, labelled) == pytest.approx([5.0, 1.0])


def test_limits_of_agreement_are_the_bias_and_1_96_standard_deviations() -> None:
    # differences 1, 2, 3: mean 2, standard deviation (of a sample) 1
    bias, lower, upper = metrics.limits_of_agreement(np.array([11.0, 22.0, 33.0]), np.array([10.0, 20.0, 30.0]))
    assert (bias, lower, upper) == pytest.approx((2.0, 2.0 - 1.96, 2.0 + 1.96))


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


FILMS, SIZE_PX = 10, (1000, 400)


@pytest.fixture
def labelled_films(tmp_path: Path) -> Path:
    """Ten films of ten persons laid out as the challenge's data, all with one spine; two in each fold."""
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    names = [f"made-1th-01-Jan-2017-{case} A AP.jpg" for case in range(FILMS)]
    (data / "filenames.csv").write_text("".join(f"{name}\n" for name in names))
    (data / "known_label_errors.json").write_text('{"community": {}, "geometric": {}}')
    corners = _spine()
    np.save(data / "corners_px.npy", np.stack([corners.reshape(68, 2)] * FILMS))
    # one curve of tilts from +20 to -15: the major angle is 35 degrees
    np.savetxt(data / "angles.csv", np.tile(_angles(corners), (FILMS, 1)), delimiter=",")
    film = (phantoms.draw(corners, SIZE_PX, np.random.default_rng(0)).pixels >> 4).astype(np.uint8)
    for name in names:
        PIL.Image.fromarray(film).save(data / "images" / name)
    return data


def _spine() -> np.ndarray:
    return phantoms.spine_corners(np.linspace(20.0, -15.0, 17), (200.0, 130.0), 750.0)


def _angles(corners: np.ndarray) -> np.ndarray:
    return aasce_angles(corners, SIZE_PX[0])


@pytest.fixture
def perfect_bundle(tmp_path: Path) -> Path:
    """A bundle that finds that spine exactly: the film is 0.192 of its size in the network, 9 pixels from the left."""
    network_px = (_spine() + 0.5) * (77 / 400, 0.192) - 0.5 + (9, 0)
    bundles.write_bundle(tmp_path / "truth", bundles.heatmaps_at(network_px))
    return tmp_path / "truth"


def test_accuracy_of_a_perfect_network_is_perfect(tmp_path: Path, labelled_films: Path, perfect_bundle: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--data", str(labelled_films), "--fold", "1", "--bundle", str(perfect_bundle), "-o", str(out))
    printed = run_script("accuracy", *arguments)
    assert "smape_percent" in printed
    summary = json.loads((out / "summary.json").read_text())
    scores = summary["all films"]
    assert (scores["films"], scores["failed"]) == (2, 0)
    assert scores["mae_degrees_1"] < 0.05
    assert scores["smape_percent"] < 0.2
    assert scores["corner_error_px"] < 0.1
    assert summary["bundle"] == "truth"
    assert {path.name for path in out.iterdir()} == {
        "bland_altman.png", "films.csv", "predicted_against_true.png", "summary.json"
    }  # fmt: skip


def test_start_is_measured_on_the_example_film(perfect_bundle: Path) -> None:
    printed = run_script("bench_start", "--bundle", str(perfect_bundle), "--smoke")
    for row in ("process start to JSON", "imports", "  onnxruntime", "bundle and session", "film: network"):
        assert f"\n{row}" in printed


def test_accuracy_counts_a_film_that_cannot_be_read(tmp_path: Path, labelled_films: Path, perfect_bundle: Path) -> None:
    spoilt = next(film for film in read_films(labelled_films) if film.fold == 1)
    PIL.Image.new("L", (1, 1)).save(spoilt.path)
    out = tmp_path / "out"
    arguments = ("--data", str(labelled_films), "--fold", "1", "--bundle", str(perfect_bundle), "-o", str(out))
    run_script("accuracy", *arguments)
    scores = json.loads((out / "summary.json").read_text())["all films"]
    assert (scores["films"], scores["failed"]) == (2, 1)
    assert scores["smape_percent"] == pytest.approx(50.0, abs=0.2)
    with (out / "films.csv").open(newline="") as file:
        failed = {int(line["row"]): line["failed"] for line in csv.DictReader(file)}
    assert failed.pop(spoilt.row) == "1"
    assert list(failed.values()) == ["0"]


def test_torch_and_spinert_find_the_same_on_the_benchmark_film() -> None:
    from benchmarks.bench_film import measured
    from benchmarks.films import film
    from benchmarks.peer import TorchFilm

    with load(threads=1, backend="ort", precision="fp32") as model:
        ours = measured(model.infer_images([film()]).result)
        theirs = TorchFilm(model.bundle)(film())
    assert ours.corners_px == pytest.approx(theirs.corners_px, abs=0.1)
    assert ours.aasce_degrees == pytest.approx(theirs.aasce_degrees, abs=0.05)
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
