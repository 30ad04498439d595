"""The processor that a candidate is measured on."""

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
VNNI = {"avx512_vnni", "avx_vnni"}


def _facts(cpuinfo: Path) -> dict[str, str]:
    try:
        lines = cpuinfo.read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def name(cpuinfo: Path = CPUINFO) -> str:
    """What the system calls it, such as `AMD EPYC`."""
    return _facts(cpuinfo).get("model name", "unknown processor")


def has_vnni(cpuinfo: Path = CPUINFO) -> bool:
    """Whether products of 8-bit integers are summed in 32 bits. Where that cannot be told, no: the safe answer."""
    return bool(VNNI & set(_facts(cpuinfo).get("flags", "").split()))
