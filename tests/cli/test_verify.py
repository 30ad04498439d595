"""`spinert verify` as a user runs it: a table or a document, and an exit code that a script can rely on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinert.runtime.backends import openvino, ort
from tests.bundles import heatmaps_at, write_bundle
from tests.cli.conftest import Run
from tests.runtime.test_verify import CORNERS, answering


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    others: Any = {"fp16": heatmaps_at(CORNERS + np.array([0.3, 0.4]))}
    return write_bundle(tmp_path / "truth", heatmaps_at(CORNERS), others=others, golden=True).folder


def test_the_table_has_a_line_for_each_row(run: Run, truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "missing", lambda: "openvino is not installed")
    done = run("verify", truth)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "1 golden image(s) and 0 study(ies), compared with fp32 on onnxruntime" in lines[0]
    assert lines[1].split()[:2] == ["backend", "precision"]
    assert lines[2].split()[:2] + lines[2].split()[-1:] == ["ort", "fp32", "agrees"]
    assert lines[3].split()[:2] + lines[3].split()[5:7] == ["ort", "fp16", "0.500", "0.500"]
    assert "did not run: openvino fp32: openvino is not installed" in lines
    assert lines[-1].startswith("fp32 agrees wherever it ran")
    assert done.stderr == ""


def test_the_document_is_all_that_is_printed(run: Run, truth: Path) -> None:
    done = run("verify", truth, "--json", "--backend", "ort", "--precision", "fp16")
    document = json.loads(done.stdout)
    assert [(row["backend"], row["precision"]) for row in document["rows"]] == [("ort", "fp16")]
    assert document["agrees"] is True


def test_a_backend_that_disagrees_ends_in_7(run: Run, truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 1.0)
    done = run("verify", truth)
    assert done.returncode == 7
    assert "differs by more than fp32 may" in done.stdout
    assert done.stdout.splitlines()[-1] == "not all that ran agree"


def test_what_is_not_finite_ends_in_7_and_says_so(run: Run, truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, np.inf)
    done = run("verify", truth, "--backend", "openvino")
    assert done.returncode == 7
    assert "failed: output 'heatmaps' of the candidate is not finite" in done.stdout


def test_nothing_to_run_ends_in_6(run: Run, truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "missing", lambda: "onnxruntime is not installed")
    done = run("verify", truth)
    assert done.returncode == 6
    assert "onnxruntime is not installed" in done.stderr
    assert done.stdout == ""


def test_studies_are_counted_and_one_that_is_left_out_is_named(run: Run, truth: Path, dicom: Path, film: Path) -> None:
    done = run("verify", truth, "--backend", "ort", "--studies", dicom, "--studies", film)
    assert done.returncode == 0
    assert "1 golden image(s) and 1 study(ies)" in done.stdout
    assert "left out: film: " in done.stdout
    assert "PHANTOM-7141" not in done.stdout + done.stderr
