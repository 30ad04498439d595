"""Find the engine of an ONNX file in the cache, or say why there is none that fits."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spinert.errors import DeviceError, NoEngine
from spinert.runtime.tensorrt import cache, target
from spinert.runtime.tensorrt.identity import Sidecar, label, misfits, onnx_sha256
from spinert.runtime.tensorrt.library import Library

REMEDY = "build it again: spinert build BUNDLE"


class Found(NamedTuple):
    """An engine whose bytes were checked; `host_code` where it carries code and was built in this very cache."""

    plan: bytes
    kernels: bytes
    host_code: bool
    sidecar: Sidecar


def find(path: Path, library: Library) -> Found:
    """The engine of this file for this library and GPU. Raises NoEngine with both values of whatever differs."""
    here = target.of(library)
    sha256 = onnx_sha256(path)
    name = label(path)
    sidecars = [entry.sidecar for entry in cache.entries() if entry.sidecar is not None]
    related = [(misfits(each, sha256, here, library), each) for each in sidecars if _is_of(each, sha256, name)]
    if not related:
        raise NoEngine(f"no engine of {name} was built here for {library}", "build it: spinert build BUNDLE")
    # first those that fit, or miss by least; of several the one for the larger batch
    related.sort(key=lambda pair: (len(pair[0]), -pair[1].identity.max_batch))
    problems: list[NoEngine] = []
    for differing, sidecar in related:
        if differing:
            problems.append(NoEngine(f"the engine of {name} does not fit: {'; '.join(differing)}", REMEDY))
            continue
        try:
            return _checked(sidecar, name)
        except NoEngine as error:
            problems.append(error)
    raise problems[0]


def title(entry: cache.Entry) -> str:
    """An engine of the cache in a few words."""
    if entry.sidecar is None:
        return entry.path.name
    of, target_of = entry.sidecar, entry.sidecar.identity.target
    return (
        f"{of.bundle} {of.network} {of.identity.precision}, batch 1 to {of.identity.max_batch}, "
        f"{target_of.library} {target_of.version} for {target_of.gpu}"
    )


def state(entry: cache.Entry, usable: Sequence[Library]) -> str | None:
    """Why none of these libraries can run an engine of the cache here, None where one can. None of them is asked."""
    if entry.sidecar is None:
        return entry.problem
    reasons: list[str] = []
    for library in usable:
        try:
            here = target.of(library)
        except DeviceError as error:
            reasons.append(error.problem)
            continue
        differing = misfits(entry.sidecar, entry.sidecar.identity.onnx_sha256, here, library)
        if not differing:
            return _untrusted(entry.sidecar) or cache.damage(entry.sidecar) or target.no_device()
        reasons.append("; ".join(differing))
    return min(reasons, key=len, default="no TensorRT library is installed")


def _is_of(sidecar: Sidecar, sha256: str, name: str) -> bool:
    return sidecar.identity.onnx_sha256 == sha256 or sidecar.file == name


def _checked(sidecar: Sidecar, name: str) -> Found:
    if (reason := _untrusted(sidecar)) is not None:
        raise NoEngine(f"the engine of {name} is not run: {reason}", REMEDY)
    try:
        return Found(cache.plan(sidecar), cache.kernels(sidecar), sidecar.identity.host_code, sidecar)
    except ValueError as error:
        raise NoEngine(f"the engine of {name} is damaged: {error}", REMEDY) from None


def _untrusted(sidecar: Sidecar) -> str | None:
    """Why an engine is not run though it fits and is whole."""
    if sidecar.identity.host_code and sidecar.box != cache.box():
        return "it carries code and was built elsewhere"
    if sidecar.identity.precision == "int8-trt" and sidecar.milliseconds is None:
        return "it is int8-trt and was never measured faster than fp16: it was built without a GPU"
    if sidecar.identity.precision == "int8-trt" and sidecar.measured_on != (here := target.machine()):
        measured = sidecar.measured_on or "an unknown GPU"
        return f"it is int8-trt and was measured faster than fp16 on {measured}, here is {here or 'no GPU'}"
    return None
