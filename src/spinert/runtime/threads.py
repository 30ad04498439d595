"""How many threads this process may really use.

A container with a quota of two cores on a machine of sixty-four still reports sixty-four; a network opened with that
many threads is several times slower than with two.
"""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_threads() -> int:
    """The processors this process may run on, capped by the CPU quota of its control group; at least 1."""
    quota = _quota(CGROUP, _own_group())
    return max(1, min(_affinity(), _affinity() if quota is None else math.ceil(quota)))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own_group() -> str:
    """Path of this process's group in the unified hierarchy, as in `0::/user.slice/session.scope`."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return "/"
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _quota(root: Path, group: str) -> float | None:
    """Processors granted by the tightest limit from `group` up to the root, None where nothing limits."""
    limits = []
    folder = root / group.lstrip("/")
    for place in (folder, *folder.parents):
        limits.append(_limit_v2(place / "cpu.max"))
        if place == root:
            break
    limits.append(_limit_v1(root / "cpu"))
    return min((limit for limit in limits if limit is not None), default=None)


def _limit_v2(file: Path) -> float | None:
    """`cpu.max` holds "quota period" in microseconds, or "max period": 150000 100000 is one processor and a half."""
    try:
        quota, period = file.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _limit_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
