"""`spinert build` as a user sees it, with the real builder."""

from pathlib import Path

import pytest

from spinert.runtime.tensorrt import cache
from spinert.runtime.tensorrt import library as libraries
from tests.cli.conftest import Run

needs_rtx = pytest.mark.skipif(
    "tensorrt_rtx" not in libraries.installed(), reason="tensorrt_rtx is not installed: wheels for Linux x86-64 only"
)


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "engines"))
    return tmp_path / "engines"


@needs_rtx
def test_it_says_what_was_built_and_that_it_was_not_timed(run: Run, bundle: Path) -> None:
    first, second = run("build", bundle), run("build", bundle, "--precision", "fp32")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("landmarks fp32: built in ")
    assert "for RTX GPUs from Ampere on; batch 1 to 16; not timed: " in first.stdout
    assert second.stdout.startswith("landmarks fp32: there already; ")
    assert run("build", bundle, "--rebuild").stdout.startswith("landmarks fp32: built in ")


@needs_rtx
def test_a_precision_that_the_bundle_lacks_exits_with_2(run: Run, bundle: Path) -> None:
    done = run("build", bundle, "--precision", "int8-trt")
    assert done.returncode == 2
    assert "has no int8-trt files for a GPU, only: fp32" in done.stderr


@needs_rtx
def test_a_cache_that_cannot_be_written_exits_with_11_and_names_it(run: Run, bundle: Path, engines: Path) -> None:
    engines.write_bytes(b"")
    done = run("build", bundle)
    assert done.returncode == 11
    assert str(engines) in done.stderr
    assert "Traceback" not in done.stderr


def test_no_library_exits_with_6_and_the_command(run: Run, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    done = run("build", bundle, "--library", "tensorrt_rtx")
    assert done.returncode == 6
    assert 'pip install "spinert[rtx]"' in done.stderr


def test_the_batch_has_a_least(run: Run, bundle: Path) -> None:
    assert run("build", bundle, "--batch", "0").returncode == 2
