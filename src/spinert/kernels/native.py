"""The native modules: that they fit this package, and which instruction set and devices they run on."""

import os
from types import ModuleType

from spinert.errors import BadRequest, DeviceError
from spinert.kernels import _cpu

_ABI = 2
_REBUILD = "rebuild: pip install ."

if _cpu.ABI != _ABI:
    raise ImportError(f"spinert.kernels._cpu has ABI {_cpu.ABI}, expected {_ABI}; {_REBUILD}")


def compiled_isas() -> tuple[str, ...]:
    """Instruction sets in this build, best first: "avx512", "avx2", "base"."""
    return tuple(_cpu.compiled_isas())


def usable_isas() -> tuple[str, ...]:
    """Those of `compiled_isas` that this processor and its operating system support."""
    return tuple(_cpu.usable_isas())


def active_isa() -> str:
    """The instruction set that the kernels run with: the best usable one, or SPINERT_FORCE_ISA."""
    return _cpu.active_isa()


def _force_isa(name: str) -> None:
    if name not in usable_isas():
        raise BadRequest(
            f"SPINERT_FORCE_ISA is {name!r}, this build has {', '.join(compiled_isas())} "
            f"and this processor can run {', '.join(usable_isas())}",
            "set it to one that can run here, or unset it",
        )
    _cpu.force_isa(name)


if "SPINERT_FORCE_ISA" in os.environ:
    _force_isa(os.environ["SPINERT_FORCE_ISA"])


def cuda() -> ModuleType:
    """The CUDA module; DeviceError where this build has none that fits."""
    try:
        from spinert.kernels import _cuda
    except ImportError as error:
        raise DeviceError(f"this build has no CUDA module ({error})", "install nvcc, then pip install .") from None
    if _cuda.ABI != _ABI:
        raise DeviceError(f"the CUDA module has ABI {_cuda.ABI}, expected {_ABI}", _REBUILD)
    return _cuda


def cuda_status() -> str:
    """What the CUDA kernels can run on, or why they cannot run: one line for `spinert doctor`."""
    try:
        module = cuda()
    except DeviceError as error:
        return f"not usable: {error.problem}; {error.remedy}"
    count, reason = module.devices()
    if not count:
        return f"not usable: {reason}"
    return (
        f"{count} device{'s' if count > 1 else ''}: {', '.join(map(_device_text, map(module.describe, range(count))))}"
    )


def _device_text(description: tuple[str, tuple[int, int], int, int]) -> str:
    name, (major, minor), _multiprocessors, _bytes = description
    return f"{name} (compute capability {major}.{minor})"
