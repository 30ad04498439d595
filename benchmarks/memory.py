"""The most memory that a call needs beyond what it begins with."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

STATUS, CLEAR_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_extra_mib(call: Callable[[], object]) -> float:
    """MiB that the process grew to at most during the call, its result included; nan where Linux does not tell."""
    if not CLEAR_PEAK.exists():
        return float("nan")
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)  # memory that earlier calls left behind would hide what this one takes
    CLEAR_PEAK.write_text("5")
    before = _kib("VmRSS")
    result = call()
    after = _kib("VmHWM")
    del result
    return max(0, after - before) / 1024.0


def _kib(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1])
