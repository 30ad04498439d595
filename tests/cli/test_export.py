"""What `spinert export` says of its arguments, and its way from a bundle to a model repository."""

import importlib.util
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_a_bundle_becomes_a_model_repository(run: Run, bundle: Path, tmp_path: Path) -> None:
    done = run("export", bundle, "--triton", tmp_path / "models")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["model truth_landmarks", f"model repository in {tmp_path / 'models'}"]
    assert (tmp_path / "models" / "truth_landmarks" / "config.pbtxt").is_file()


def test_a_shipped_bundle_is_named_by_its_name(run: Run, tmp_path: Path) -> None:
    assert run("export", "cobb", "--triton", tmp_path / "models").returncode == 0
    assert (tmp_path / "models" / "cobb_coarse" / "1" / "model.onnx").stat().st_size > 1_000_000


def test_a_source_that_is_no_bundle_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("export", "landmarks", "--triton", tmp_path / "models")
    assert done.returncode == 5
    assert "no bundle 'landmarks'" in done.stderr
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("given", [("-o", "x"), ("--size", "64,64"), ("--golden", "study.dcm"), ("--describe", "d")])
def test_a_repository_takes_no_facts_of_a_new_bundle(
    run: Run, bundle: Path, tmp_path: Path, given: tuple[str, str]
) -> None:
    done = run("export", bundle, "--triton", tmp_path / "models", *given)
    assert done.returncode == 2
    assert "but a bundle has all that" in done.stderr


def test_a_new_bundle_needs_its_facts(run: Run, tmp_path: Path) -> None:
    done = run("export", "landmarks", "weights.pt", "-o", tmp_path / "bundle")
    assert done.returncode == 2
    assert "a new bundle needs --describe, --model-card" in done.stderr


def test_a_repository_needs_neither_torch_nor_onnx(
    run: Run, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    hidden = {"torch", "onnx", "onnxscript", "onnxruntime"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, package=None: None if name in hidden else found(name, package)
    )
    for name in hidden:
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert run("export", bundle, "--triton", tmp_path / "models").returncode == 0
