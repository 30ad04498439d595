"""A tiny bundle in several precisions, and engines of it that need not be built."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.bundle import Bundle, NetworkSpec, Precision
from spinert.kernels import native
from spinert.runtime.golden import Run
from spinert.runtime.network import Arrays
from spinert.runtime.tensorrt import build as building
from spinert.runtime.tensorrt import cache, target
from spinert.runtime.tensorrt.build import Engine, choose_library
from spinert.runtime.tensorrt.compile import Options, compile_network
from spinert.runtime.tensorrt.identity import Identity, Sidecar, label, onnx_sha256
from spinert.runtime.tensorrt.target import Target
from tests import bundles

Builds = Callable[..., list[Engine]]
PLAN = b"the bytes of an engine"
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8-trt")


def gpu(
    monkeypatch: pytest.MonkeyPatch, milliseconds: dict[str, float], name: str = "NVIDIA A", run: Run | None = None
) -> list[str]:
    """A GPU on which the engine of each ONNX file takes this long and computes `run`; those that were timed."""
    timed: list[str] = []

    def medians(networks: list[_Engine]) -> tuple[float, ...]:
        timed.extend(network.file for network in networks)
        return tuple(milliseconds[network.file.split(".")[-2]] for network in networks)

    described = (name, (8, 6), 84, 24 << 30)
    monkeypatch.setattr(target, "no_device", lambda: None)
    monkeypatch.setattr(native, "cuda", lambda: SimpleNamespace(describe=lambda device: described))
    monkeypatch.setattr(building, "open_plan", lambda _l, _p, _s, file, **_k: _Engine(file, run))
    monkeypatch.setattr(building, "medians", medians)
    return timed


class _Engine(NamedTuple):
    file: str
    run: Run | None

    def __call__(self, arrays: Arrays) -> Mapping[str, NDArray[Any]]:
        assert self.run is not None
        return self.run(arrays)

    def compiled(self) -> bytes:
        return b"kernels"


def write_bundle(folder: Path, precisions: tuple[Precision, ...] = PRECISIONS, *, golden: bool = False) -> Bundle:
    """The bundle `truth`; the file of each precision differs, though all are float32."""
    written = bundles.write_bundle(folder, np.zeros((68, 48, 24), np.float32), golden=golden)
    spec = written.manifest.networks["landmarks"]
    files = {precision: f"landmarks.{precision}.onnx" for precision in precisions}
    for number, name in enumerate(files.values()):
        (folder / name).write_bytes(bundles.onnx_file(np.full((68, 48, 24), number, np.float32)))
    networks = {"landmarks": msgspec.structs.replace(spec, files=files)}
    return msgspec.structs.replace(written, manifest=msgspec.structs.replace(written.manifest, networks=networks))


def sidecar(path: Path, here: Target, *, plan: bytes = PLAN, **changes: Any) -> Sidecar:
    """The description of an engine of an ONNX file; `changes` are of it or of its identity."""
    fields = {key: changes.pop(key) for key in set(Identity.__struct_fields__) & set(changes)}
    identity = Identity(
        **{
            "onnx_sha256": onnx_sha256(path),
            "precision": "fp32",
            "max_batch": 16,
            "options": (),
            "target": here,
            **fields,
        }
    )
    return Sidecar(
        **{
            "identity": identity,
            "bundle": "truth",
            "network": "landmarks",
            "file": label(path),
            "plan_sha256": hashlib.sha256(plan).hexdigest(),
            "plan_bytes": len(plan),
            "layers": 0,
            "layer_types": {},
            "build_seconds": 1.0,
            "milliseconds": 1.0,
            "measured_on": target.machine(),
            "driver": None,
            "cuda": "13.0",
            "spinert": "0.1.0",
            "box": cache.box() or "elsewhere",
            "built": "2026-01-01T00:00:00+00:00",
            **changes,
        }
    )


def build(path: Path, spec: NetworkSpec) -> None:
    """A real engine of an ONNX file into the cache, with the first library that builds."""
    library = choose_library(None)
    built = compile_network(library, path.read_bytes(), spec, Options(), file=path.name)
    publish(sidecar(path, target.of(library), plan=built.plan), built.plan)


def publish(one: Sidecar, plan: bytes = PLAN) -> None:
    with cache.locked():
        cache.publish(one, plan)
