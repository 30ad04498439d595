"""The key of an engine, and the description that lies beside it in the cache."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import msgspec

from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.target import Target, differences

ABI = 2
"""Raised whenever engines are built or run in another way than before."""
FORMAT = 2
VERSION_COMPATIBLE = "version compatible"
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that the bytes of an engine depend on. The ONNX file carries the precision; its hash covers the recipe."""

    onnx_sha256: str
    precision: str
    max_batch: int
    options: tuple[str, ...]
    target: Target
    abi: int = ABI

    @property
    def key(self) -> str:
        """SHA-256 of all fields: the name of the engine in the cache."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    @property
    def host_code(self) -> bool:
        """A version compatible engine carries the library that runs it: code, for trusted engines only."""
        return VERSION_COMPATIBLE in self.options


class Sidecar(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `KEY.json` says of an engine. No part of it names a person or a path of this machine."""

    format: int = FORMAT
    identity: Identity
    bundle: str
    network: str
    file: str
    plan_sha256: Sha256
    plan_bytes: int
    layers: int
    layer_types: dict[str, int]
    build_seconds: float
    milliseconds: float | None
    """Median of a run with one item on the GPU here, copies included; None where it was built without a GPU."""
    measured_on: str | None = None
    """The GPU and driver that timed and proved it: an engine for many GPUs is known on those alone."""
    difference: float | None = None
    """Largest difference from fp32 on the processor over the golden inputs, as a share of an output's magnitude."""
    kernels_sha256: Sha256 | None = None
    """Of what TensorRT for RTX compiled while it was timed here, which spares the next process that."""
    driver: str | None
    cuda: str
    """That the driver supported when it was built."""
    spinert: str
    box: str
    """The random name of the cache that it was built in."""
    built: str

    @property
    def plan(self) -> str:
        """Name of its file: by content, so that a description never names another engine's bytes."""
        return f"{self.plan_sha256[:40]}.plan"

    @property
    def kernels(self) -> str | None:
        """Name of the file with compiled kernels, where there is one."""
        return None if self.kernels_sha256 is None else f"{self.kernels_sha256[:40]}.kernels"


def label(path: Path) -> str:
    """How an ONNX file is called in a description: its name and its folder's."""
    return f"{path.parent.name}/{path.name}"


def onnx_sha256(path: Path) -> str:
    """SHA-256 of a bundle's file; BadBundle has checked it against the manifest before."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def misfits(sidecar: Sidecar, sha256: str, here: Target, library: Library) -> list[str]:
    """Why an engine does not fit this file, library and GPU: each field with both values; empty where it fits."""
    identity = sidecar.identity
    told: list[str] = []
    if identity.onnx_sha256 != sha256:
        told.append(f"the ONNX file was {identity.onnx_sha256[:12]}, here it is {sha256[:12]}")
    if identity.abi != ABI:
        told.append(f"the engine was built in manner {identity.abi}, this spinert's is {ABI}")
    target = identity.target
    if identity.host_code and _runs_newer(target, library):
        target = msgspec.structs.replace(target, library=here.library, version=here.version)
    return told + differences(target, here)


def _runs_newer(target: Target, library: Library) -> bool:
    """A version compatible engine runs with the same and later versions, of the lean library too."""
    if target.library != "tensorrt" or library.name not in ("tensorrt", "tensorrt_lean"):
        return False
    built, here = numbers(target.version), numbers(library.version)
    return built <= here and here[:1] <= (*(number + 1 for number in built[:1]),)


def numbers(version: str) -> tuple[int, ...]:
    """11.4.0.106 as numbers; what is no number ends it."""
    parts: list[int] = []
    for part in version.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


def encode(document: Any) -> bytes:
    """Indented JSON, for people too."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
