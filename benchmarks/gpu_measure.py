"""Copy bandwidth of a CUDA device, and how much of it each kernel reaches. A stage of benchmarks/gpu.py.

    python -m benchmarks.gpu_measure OUT.json [--dry-run]

Bandwidth counts bytes read plus bytes written. A kernel's is of the bytes that it must move (each input and output
once); its time is that of one call in a captured graph of calls that take several sets of inputs in turn, by the
device's own events: median and least over the replays.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.gpu_rows.row import Row
from spinert.kernels import native

FAMILIES = (
    "intensity", "contrast", "radiograph", "resample", "crops", "heatmaps", "boxes", "clusters", "curves", "midlines",
    "components", "tiles", "votes", "angles",
)  # fmt: skip
BEYOND_CACHE = 1 << 30  # bytes of all sets together
MOST_SETS = 32
REPLAYS = 31


def milliseconds(cuda: ModuleType, stream: Any, calls: list[Callable[[], None]], replays: int) -> tuple[float, float]:
    """(median, least) of one call. Each is made once before, so that nothing is loaded or allocated while it counts."""
    for call in calls:
        call()
    with cuda.Graph(stream) as graph:
        for call in calls:
            call()
    graph.launch()
    times = []
    for _ in range(replays):
        begin, end = cuda.Event(stream.device), cuda.Event(stream.device)
        begin.record(stream)
        graph.launch()
        end.record(stream)
        end.synchronize()
        times.append(end.elapsed_ms(begin) / len(calls))
    return statistics.median(times), min(times)


def copy_gb_per_s(cuda: ModuleType, *, size: int, replays: int) -> float:
    """Of a copy within the device's memory, bytes read plus bytes written."""
    stream = cuda.Stream()
    source, out = cuda.empty((size,), "uint8", stream), cuda.empty((size,), "uint8", stream)
    _median, least = milliseconds(cuda, stream, [lambda: cuda.copy(source, out)] * 4, replays)
    return 2 * size / least / 1e6


def measured(cuda: ModuleType, row: Row, copy: float, replays: int) -> dict[str, Any]:
    stream = cuda.Stream()
    sets = min(MOST_SETS, max(2, BEYOND_CACHE // row.bytes_moved))
    median, least = milliseconds(cuda, stream, [row.make(cuda, stream) for _ in range(sets)], replays)
    gb_per_s = row.bytes_moved / median / 1e6
    return {
        "kernel": row.kernel,
        "shape": row.shape,
        "bytes": row.bytes_moved,
        "ms": median,
        "ms_least": least,
        "gb_per_s": gb_per_s,
        "share_of_copy": gb_per_s / copy,
    }


def measure(cuda: ModuleType, *, dry_run: bool) -> dict[str, Any]:
    """Everything; in a dry run, that everything runs, without its numbers."""
    replays = 2 if dry_run else REPLAYS
    copy = copy_gb_per_s(cuda, size=4096 if dry_run else 1 << 30, replays=replays)
    kernels: list[dict[str, Any]] = []
    for family in FAMILIES:
        for row in import_module(f"benchmarks.gpu_rows.{family}").rows(small=dry_run):
            try:
                kernels.append(measured(cuda, row, copy, replays))
            except Exception as error:  # one kernel's failure is not the others'
                kernels.append({"kernel": row.kernel, "shape": row.shape, "failed": f"{type(error).__name__}: {error}"})
    if dry_run:
        return {"kernels": [{key: of[key] for key in ("kernel", "shape", "failed") if key in of} for of in kernels]}
    name, (major, minor), multiprocessors, memory = cuda.describe(0)
    about = {
        "name": name,
        "compute_capability": f"{major}.{minor}",
        "multiprocessors": multiprocessors,
        "bytes": memory,
    }
    return {"device": about, "copy_gb_per_s": copy, "kernels": kernels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="small, on the emulated module, without numbers")
    arguments = parser.parse_args()
    if arguments.dry_run:
        from tests import cuda_emulator

        cuda = cuda_emulator.load(cuda_emulator.build())
    else:
        cuda = native.cuda()
    arguments.out.write_text(json.dumps(measure(cuda, dry_run=arguments.dry_run), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
