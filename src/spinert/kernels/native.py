"""The native modules: that they fit this package, and which instruction set and devices they run on."""

import os

from spinert.errors import BadRequest
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


def cuda_status() -> str:
    """What the CUDA kernels can run on, or why they cannot run: one line for `spinert doctor`."""
    try:
        from spinert.kernels import _cuda
    except ImportError as error:
        return f"not usable: this build has no CUDA module ({error}); install nvcc, then pip install ."
    if _cuda.ABI != _ABI:
        return f"not usable: the CUDA module has ABI {_cuda.ABI}, expected {_ABI}; {_REBUILD}"
    count, reason = _cuda.devices()
    return f"{count} device{'s' if count > 1 else ''}" if count else f"not usable: {reason}"
