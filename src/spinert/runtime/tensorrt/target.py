"""What an engine is built for and with: library and GPU. Two that differ in any of its fields share no engine."""

import ctypes
import re
from pathlib import Path
from typing import Any

import msgspec

from spinert.errors import DeviceError
from spinert.kernels import native
from spinert.runtime.tensorrt.library import Library

ANY_GPU = "RTX GPUs from Ampere on"
_MEMORY_STEP_GIB = 4
_TAKEN = 1 << 30
"""Bytes that a driver or ECC may take of a memory that is a multiple of the step."""
_DRIVER = Path("/proc/driver/nvidia/version")


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The library and the GPU, of an engine or of this machine."""

    library: str
    version: str
    gpu: str
    """The rest below is empty where an engine is for many."""
    compute_capability: str = ""
    multiprocessors: int = 0
    memory_gib: int = 0
    hardware_compatibility: str = "none"


def of(library: Library) -> Target:
    """What an engine would be built for here. Raises DeviceError where that is a GPU and there is none.

    Engines of TensorRT for RTX are portable, but to and from GPUs that it does not build for unasked: those get theirs.
    """
    reason = no_device()
    if library.portable and (reason is not None or _is_common(native.cuda().describe(0)[1])):
        return Target(library=library.name, version=library.version, gpu=ANY_GPU)
    if reason is not None:
        raise DeviceError(f"{library} works with the GPU that is there, and none is usable: {reason}", "spinert doctor")
    name, (major, minor), multiprocessors, memory = native.cuda().describe(0)
    return Target(
        library=library.name,
        version=library.version,
        gpu=name,
        compute_capability=f"{major}.{minor}",
        multiprocessors=multiprocessors,
        memory_gib=(memory + _TAKEN) // (_MEMORY_STEP_GIB << 30) * _MEMORY_STEP_GIB,
    )


def _is_common(capability: tuple[int, int]) -> bool:
    """8.0, 8.6, 8.9, 12.0 and later: https://docs.nvidia.com/deeplearning/tensorrt-rtx, CPU-only AOT."""
    return capability in ((8, 0), (8, 6), (8, 9)) or capability >= (12, 0)


def no_device() -> str | None:
    """Why no CUDA device is usable here, None where one is."""
    try:
        count, reason = native.cuda().devices()
    except DeviceError as error:
        return f"{error.problem}; {error.remedy}"
    return None if count else reason or "no CUDA device"


def machine() -> str | None:
    """The first GPU with its driver, which a measurement is true of; None where there is none."""
    if no_device() is not None:
        return None
    name, (major, minor), *_ = native.cuda().describe(0)
    return f"{name}, {major}.{minor}, driver {driver() or 'unknown'}"


def cuda_of_driver() -> str:
    """The CUDA version that the driver supports, such as 13.0; "unknown" where it does not say. Told, not compared."""
    version = ctypes.c_int()
    try:
        failed = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return "unknown"
    return "unknown" if failed else f"{version.value // 1000}.{version.value % 1000 // 10}"


def driver() -> str | None:
    """The version of the kernel's NVIDIA driver. An engine outlives a new one: it is told, not compared."""
    try:
        text = _DRIVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"\d+\.\d+(\.\d+)*", text)
    return found[0] if found else None


def differences(engine: msgspec.Struct, here: msgspec.Struct) -> list[str]:
    """Each field that differs, with both values: "gpu was NVIDIA A10, here it is NVIDIA H200"."""
    told: list[str] = []
    for field in engine.__struct_fields__:
        built, found = getattr(engine, field), getattr(here, field)
        if built != found:
            told.append(f"{field.replace('_', ' ')} was {_short(built)}, here it is {_short(found)}")
    return told


def _short(value: Any) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text or "none"  # a SHA-256 by its beginning
