"""A cache of its own for each test, and TensorRT for RTX, which builds engines without a GPU."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spinert.bundle import Bundle
from spinert.runtime.tensorrt import cache, target
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt.build import Engine, Watch, build
from spinert.runtime.tensorrt.compile import Options
from spinert.runtime.tensorrt.library import Library
from tests.runtime.tensorrt.engines import Builds, write_bundle


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache; it is not there yet."""
    folder = tmp_path / "engines"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    return folder


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT is KeyboardInterrupt, also where the tests were started in the background and it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def rtx() -> Library:
    """The real library: its builder works on the processor."""
    if "tensorrt_rtx" not in libraries.installed():
        pytest.skip("tensorrt_rtx is not installed: there are wheels for Linux x86-64 only")
    return libraries.load("tensorrt_rtx")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return write_bundle(tmp_path / "truth")


@pytest.fixture
def builds(rtx: Library, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Builds:
    """Build precisions of the bundle where no GPU is."""
    monkeypatch.setattr(target, "no_device", lambda: "no NVIDIA driver")

    def call(
        *precisions: str, watch: Watch | None = None, rebuild: bool = False, reference: Any = None, **options: Any
    ) -> list[Engine]:
        asked = precisions or ("fp32",)
        return list(
            build(
                bundle,
                asked,
                rtx,
                Options(**options),
                watch or Watch(),
                by="0.1.0",
                rebuild=rebuild,
                reference=reference,
            )
        )

    return call
