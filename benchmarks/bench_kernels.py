"""Kernels against the best NumPy, SciPy, OpenCV, torch, scikit-learn and SimpleITK arrangements of the same steps.

    python -m benchmarks.bench_kernels [FAMILY ...] [--rounds 31] [--isa avx512] [--smoke]

All sides of a row take turns in one process, each with as many threads as the row says. Milliseconds are medians over
the rounds and the least one, which is what a busy machine spoils least; a ratio is the median and the quartiles of
peer / ours in one round: above 1, ours is faster. `scaling` is the least time on one thread over that on these. `MiB`
is the most memory the call needs beyond what it begins with, and in it that of the result. `error` is the largest
difference from spinert.kernels.reference in float64, in the unit of the result: pixels of 0..1, cells, degrees, cluster
numbers, units of the points. Of 100,000 points it is the largest difference from scikit-learn's labels, since the
reference takes all distances at once.
"""

import argparse
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.compare import interleaved
from benchmarks.host import host_line
from benchmarks.kernels.row import Row
from benchmarks.memory import peak_extra_mib
from spinert import kernels
from spinert.kernels import _cpu

FAMILIES = (
    "intensity", "contrast", "radiograph", "resample", "crops", "heatmaps", "boxes", "clusters", "curves", "midlines",
    "components", "tiles", "votes", "angles",
)  # fmt: skip
LAYOUT = "{:34} {:24} {:7} {:>7} {:>9} {:>9} {:>7} {:>14} {:>9}  {:8} {:>9} {:>9}  {}"
HEADER = ("kernel", "shape", "ISA", "threads", "ms", "least", "scaling", "MiB (result)", "error",
          "peer", "ms", "least", "ratio (quartiles)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; default all")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--isa", action="append", choices=kernels.usable_isas(), help="default all that run here")
    parser.add_argument("--smoke", action="store_true", help="one round of each row")
    arguments = parser.parse_args()
    if unknown := set(arguments.families) - set(FAMILIES):
        parser.error(f"unknown family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")

    print(host_line("scipy", "torch", "opencv-python-headless", "scikit-learn", "simpleitk"))
    print(LAYOUT.format(*HEADER))
    for family in arguments.families or FAMILIES:
        for row in import_module(f"benchmarks.kernels.{family}").rows():
            for isa in arguments.isa or kernels.usable_isas():
                _cpu.force_isa(isa)
                print_row(row, isa, rounds=1 if arguments.smoke else arguments.rounds)


def print_row(row: Row, isa: str, *, rounds: int) -> None:
    result = first(row.ours(1))
    error = "" if row.exact is None else f"{np.abs(result - row.exact).max(initial=0.0):.1e}"
    single = float("nan")
    for threads in row.threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        threadpool_limits(threads)
        sides = {"ours": lambda threads=threads: row.ours(threads), **row.peers}
        compared = interleaved(sides, rounds=rounds)
        ours = compared.timings[0]
        single = ours.least if threads == 1 else single
        memory = f"{peak_extra_mib(lambda threads=threads: row.ours(threads)):.1f} ({result.nbytes / 2**20:.1f})"
        line = [row.kernel, row.shape, isa, threads, f"{ours.median:.3f}", f"{ours.least:.3f}"]
        line += ["" if threads == 1 else f"{single / ours.least:.2f}", memory, error]
        for name, timing, ratio in zip(compared.names[1:], compared.timings[1:], compared.ratios[1:], strict=True):
            print(LAYOUT.format(*line, name, f"{timing.median:.3f}", f"{timing.least:.3f}", str(ratio)), flush=True)
            line = [""] * len(line)


def first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


if __name__ == "__main__":
    main()
