"""The processor: its name, and instructions that a result depends on."""

from collections.abc import Sequence
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
VNNI = ("avx512_vnni", "avx_vnni")


def _facts(cpuinfo: Path) -> dict[str, str]:
    try:
        lines = cpuinfo.read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def name(cpuinfo: Path = CPUINFO) -> str:
    """What the system calls it, such as `AMD EPYC`."""
    return _facts(cpuinfo).get("model name", "unknown processor")


def vnni(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """The widest of `VNNI` that this processor has, alone; empty where it has none or that cannot be told."""
    flags = set(_facts(cpuinfo).get("flags", "").split())
    return tuple(name for name in VNNI if name in flags)[:1]


def lacks(instructions: Sequence[str], cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """Those that this processor does not have."""
    flags = set(_facts(cpuinfo).get("flags", "").split())
    return tuple(name for name in instructions if name not in flags)


def has_vnni(cpuinfo: Path = CPUINFO) -> bool:
    """Whether products of 8-bit integers are summed in 32 bits. Where that cannot be told, no: the safe answer."""
    return bool(vnni(cpuinfo))
