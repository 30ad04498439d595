"""One decoded radiograph to findings: spinert against torch eager + NumPy + OpenCV with the same FP32 weights.

    python -m benchmarks.bench_film [--bundle cobb] [--threads 1 2] [--rounds 25] [--smoke]

Both sides start from the same 2400 x 1000 pixels in memory and end with corners, checks and angles. They take turns in
one process; milliseconds are medians, ratios are of neighbouring runs (torch / spinert: above 1, spinert is faster).
The second row is what a user gets who asks for nothing: the precision that the bundle was proven in.
The further torch rows are what tuning by hand gains there: OpenCV's histogram in place of np.percentile, the
channels_last layout, the normalisation folded into the convolutions, which the exported networks have too. Below each
table: how far the results of the two sides lie apart, and where spinert's time goes.
"""

import argparse
import statistics
from pathlib import Path

import cv2
import numpy as np
import torch

import spinert
from benchmarks.compare import interleaved
from benchmarks.films import film
from benchmarks.host import host_line
from benchmarks.peer import Measured, TorchFilm, measured, window_by_percentile
from spinert.findings import Result
from spinert.image import Image


def agreement(ours: Measured, theirs: Measured) -> str:
    """How far two sides lie apart; rounding in the result document is 0.0005 px, 0.0005 and 0.005 degrees."""
    corners = np.abs(ours.corners_px - theirs.corners_px).max()
    aasce = np.abs(ours.aasce_degrees - theirs.aasce_degrees).max()
    curves = f"{len(ours.cobb_degrees)} and {len(theirs.cobb_degrees)} curves"
    if ours.cobb_degrees and len(ours.cobb_degrees) == len(theirs.cobb_degrees):
        cobb = np.abs(np.subtract(ours.cobb_degrees, theirs.cobb_degrees)).max()
        curves += f", apart by at most {cobb:.3f} degrees"
    return f"corners at most {corners:.4f} px apart, challenge's angles {aasce:.4f} degrees; {curves}"


def bench(image: Image, bundle: str | Path, threads: int, rounds: int) -> None:
    """Print the table for one number of threads."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)  # the film's resize takes as long with two
    fp32 = spinert.load(bundle, threads=threads, backend="ort", precision="fp32")
    with fp32 as model, spinert.load(bundle, threads=threads) as default:
        usual = TorchFilm(model.bundle, window=window_by_percentile)
        eager = TorchFilm(model.bundle)
        channels_last = TorchFilm(model.bundle, layout=torch.channels_last)
        folded = TorchFilm(model.bundle, layout=torch.channels_last, folded=True)
        results: list[Result] = []
        chosen = f"spinert as it chooses, {default.choice.precision} on {default.choice.backend}"
        sides = {
            "spinert, fp32 on ort": lambda: results.append(model.infer_images([image]).result),
            chosen: lambda: default.infer_images([image]),
            "torch eager + NumPy + OpenCV": lambda: usual(image),
            "with a histogram for np.percentile": lambda: eager(image),
            "and channels_last": lambda: channels_last(image),
            "and normalisation folded": lambda: folded(image),
        }
        compared = interleaved(sides, rounds=rounds)
        print(f"\nthreads {threads}")
        print(compared)
        print(f"agreement: {agreement(measured(results[-1].findings), eager(image))}")
    stages = {
        stage: statistics.median(result.timings_ms[stage] for result in results) for stage in results[0].timings_ms
    }
    print("spinert's stages: " + ", ".join(f"{stage} {ms:.2f} ms" for stage, ms in stages.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="cobb", help="name or folder of the bundle")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--smoke", action="store_true", help="two rounds on one thread")
    arguments = parser.parse_args()

    print(host_line("torch", "opencv-python-headless"))
    for threads in [1] if arguments.smoke else arguments.threads:
        bench(film(), arguments.bundle, threads, 2 if arguments.smoke else arguments.rounds)


if __name__ == "__main__":
    main()
