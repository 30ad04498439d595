"""A cache of its own for each test, and TensorRT for RTX, which builds engines without a GPU."""

from pathlib import Path

import pytest

from spinert.runtime.tensorrt import cache
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt.library import Library


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache; it is not there yet."""
    folder = tmp_path / "engines"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    return folder


@pytest.fixture(scope="session")
def rtx() -> Library:
    """The real library: its builder works on the processor."""
    if "tensorrt_rtx" not in libraries.installed():
        pytest.skip("tensorrt_rtx is not installed: there are wheels for Linux x86-64 only")
    return libraries.load("tensorrt_rtx")
