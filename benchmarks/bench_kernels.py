"""Kernels against the best NumPy, SciPy, OpenCV, torch, scikit-learn, SimpleITK and cc3d arrangements of each.

    python -m benchmarks.bench_kernels [FAMILY ...] [--rounds 31] [--isa avx512] [--smoke]

All sides of a row take turns in one process, each with as many threads as the row says, or with the one it can use:
NumPy, SciPy, scikit-learn's DBSCAN and cc3d have no more. Milliseconds are medians over the rounds and the least one,
which is what a busy machine spoils least; a ratio is the median and the quartiles of peer / ours in one round: above 1,
ours is faster. `scaling` is the least time on one thread over that on these. `MiB` is the most memory the call needs
beyond what it begins with, and in brackets what all its results take: part of it unless they go to `out`. `error` is
the largest difference of the first result from spinert.kernels.reference in float64, in the unit of the result: pixels
of 0..1, cells, degrees, cluster numbers, units of the points. Where the reference would take minutes it is the
difference from a peer: scikit-learn's labels of 100,000 points, SciPy's components and many smoothed curves, OpenCV's
grey levels, NumPy's polynomials.
"""

import argparse
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.compare import interleaved
from benchmarks.host import host_line
from benchmarks.kernels.row import Row
from benchmarks.kernels.threads import limit_peers
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

    print(host_line("scipy", "torch", "opencv-python-headless", "scikit-learn", "simpleitk", "connected-components-3d"))
    print(LAYOUT.format(*HEADER))
    for family in arguments.families or FAMILIES:
        for row in import_module(f"benchmarks.kernels.{family}").rows():
            for isa in arguments.isa or kernels.usable_isas():
                _cpu.force_isa(isa)
                print_row(row, isa, rounds=1 if arguments.smoke else arguments.rounds)


def print_row(row: Row, isa: str, *, rounds: int) -> None:
    results = arrays_of(row.ours(1))
    error = "" if row.exact is None else f"{largest_difference(results[0], row.exact):.1e}"
    size = sum(result.nbytes for result in results) / 2**20
    single = float("nan")
    for threads in row.threads:
        limit_peers(threads)
        sides = {"ours": lambda threads=threads: row.ours(threads), **row.peers}
        compared = interleaved(sides, rounds=rounds)
        ours = compared.timings[0]
        single = ours.least if threads == 1 else single
        memory = f"{peak_extra_mib(lambda threads=threads: row.ours(threads)):.1f} ({size:.1f})"
        line = [row.kernel, row.shape, isa, threads, f"{ours.median:.3f}", f"{ours.least:.3f}"]
        line += ["" if threads == 1 else f"{single / ours.least:.2f}", memory, error]
        if not row.peers:
            print(LAYOUT.format(*line, "", "", "", "").rstrip(), flush=True)
        for name, timing, ratio in zip(compared.names[1:], compared.timings[1:], compared.ratios[1:], strict=True):
            print(LAYOUT.format(*line, name, f"{timing.median:.3f}", f"{timing.least:.3f}", str(ratio)), flush=True)
            line = [""] * len(line)


def arrays_of(result: Any) -> list[NDArray[Any]]:
    if isinstance(result, tuple):
        return [array for part in result for array in arrays_of(part)]
    return [result] if isinstance(result, np.ndarray) else []


def largest_difference(result: NDArray[Any], exact: NDArray[Any]) -> float:
    """In a type that can be negative: two uint8 of 1 and 2 are 1 apart."""
    wide = np.result_type(result, exact, np.int16)
    return float(np.abs(np.subtract(result, exact, dtype=wide)).max(initial=0))


if __name__ == "__main__":
    main()
