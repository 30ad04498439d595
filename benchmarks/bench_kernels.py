"""Kernels against the best NumPy, OpenCV, torch and scikit-learn arrangements of the same steps.

    python -m benchmarks.bench_kernels [--rounds 31] [--smoke]

Both sides of a row take turns in one process, each with as many threads as the row says. Milliseconds are medians over
the rounds and the least one, which is what a busy machine spoils least; a ratio is the median and the quartiles of
peer / ours in one round: above 1, ours is faster. `error` is the largest difference from spinert.kernels.reference in
float64: pixels of 0..1, cells, degrees, cluster numbers, units of the points. Of 100,000 points it is the largest
difference from scikit-learn's labels, since the reference takes all distances at once.
"""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, KMeans
from threadpoolctl import threadpool_limits

from benchmarks.compare import interleaved
from benchmarks.host import host_line
from spinert import kernels
from spinert.kernels import _cpu, reference

FILM, SIZE = (3000, 1500), (1024, 512)
MAPS = (68, 256, 128)


class Row(NamedTuple):
    """One kernel on one input. `ours` takes the number of threads; both return the array that `truth` is about."""

    kernel: str
    shape: str
    peer_name: str
    ours: Callable[[int], NDArray[Any]]
    peer: Callable[[], NDArray[Any]]
    truth: NDArray[np.float64]
    threads: tuple[int, ...]


def make_film(dtype: type, bits: int) -> NDArray[Any]:
    """A bright, wavy column on a soft background with grain, and black borders: the histogram of a spine film."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: FILM[0], : FILM[1]].astype(np.float32)
    light = 0.15 + 0.6 * np.exp(-(((x - 750) / 300) ** 2)) + 0.2 * np.sin(y / 40) * np.exp(-(((x - 750) / 80) ** 2))
    light += rng.normal(0.0, 0.01, FILM)
    light[:, :150] = light[:, -150:] = 0.0
    return (np.clip(light, 0.0, 1.0) * (2**bits - 1)).astype(dtype)


def opencv_prepare(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Fastest of those tried: one histogram instead of np.percentile, clipping in the stored type, scaling last."""
    levels = int(np.iinfo(pixels.dtype).max) + 1
    cumulated = cv2.calcHist([pixels], [0], None, [levels], [0, levels]).ravel().cumsum()
    low = int(np.searchsorted(cumulated, 0.01 * pixels.size))
    high = int(np.searchsorted(cumulated, 0.99 * pixels.size))
    clipped = cv2.min(cv2.subtract(pixels, low), high - low)
    small = cv2.resize(clipped, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1.0 / (high - low))


def prepare_row(name: str, pixels: NDArray[Any]) -> Row:
    return Row(
        f"prepare_radiograph, {name}",
        f"{FILM[0]}x{FILM[1]} -> {SIZE[0]}x{SIZE[1]}",
        "OpenCV",
        lambda threads: kernels.prepare_radiograph(pixels, size=SIZE, threads=threads).pixels,
        lambda: opencv_prepare(pixels),
        reference.prepare_radiograph(pixels, size=SIZE),
        (1, 2),
    )


def soft_argmax_row(name: str, maps: NDArray[np.float32]) -> Row:
    """The peer finds positions only, no confidence."""
    n, height, width = maps.shape
    tensor = torch.from_numpy(maps).reshape(n, -1)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    cells = torch.from_numpy(np.stack([x.ravel(), y.ravel()], axis=1))
    return Row(
        f"soft_argmax, {name}",
        "x".join(map(str, maps.shape)),
        "torch",
        lambda threads: kernels.soft_argmax(maps, threads=threads)[0],
        lambda: (torch.softmax(tensor, 1) @ cells).numpy(),
        reference.soft_argmax(maps)[0],
        (1, 2),
    )


def numpy_peak(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """argmax, and the parabola for cells off the border; the benchmark's peaks all are."""
    n, _height, width = maps.shape
    flat = maps.reshape(n, -1)
    index = flat.argmax(axis=1)
    row = np.arange(n)
    middle = flat[row, index]
    left, right = flat[row, index - 1], flat[row, index + 1]
    above, below = flat[row, index - width], flat[row, index + width]
    step_x = 0.5 * (left - right) / (left - 2 * middle + right)
    step_y = 0.5 * (above - below) / (above - 2 * middle + below)
    return np.stack([index % width + step_x, index // width + step_y], axis=1)


def dbscan_groups_row() -> Row:
    """The landmarks of a spine: what the patches of a film said of each corner, and every tenth of it gone astray."""
    rng = np.random.default_rng(0)
    groups, each, eps, min_samples = 68, 50, 4.0, 5
    points = rng.uniform(0.0, 500.0, (groups, 1, 2)) + rng.normal(0.0, 3.0, (groups, each, 2))
    points[:, ::10] = rng.uniform(0.0, 500.0, points[:, ::10].shape)
    together = np.ascontiguousarray(points.reshape(-1, 2))
    offsets = np.arange(groups + 1) * each
    peer = DBSCAN(eps=eps, min_samples=min_samples)
    return Row(
        "dbscan, many groups",
        f"{groups} of {each} points",
        "sklearn",
        lambda threads: kernels.dbscan(together, eps=eps, min_samples=min_samples, offsets=offsets, threads=threads),
        lambda: np.concatenate([peer.fit(group).labels_ for group in points]),
        reference.dbscan(together, eps=eps, min_samples=min_samples, offsets=offsets),
        (1, 2),
    )


def dbscan_row(name: str, points: NDArray[np.float64], eps: float) -> Row:
    peer = DBSCAN(eps=eps, min_samples=5)
    return Row(
        f"dbscan, {name}",
        f"{len(points)} points",
        "sklearn",
        lambda threads: kernels.dbscan(points, eps=eps, min_samples=5, threads=threads),
        lambda: peer.fit(points).labels_,
        peer.fit(points).labels_,
        (1,),
    )


def kmeans_row() -> Row:
    """One of the four corners of 17 vertebrae; scikit-learn begins with the same centres."""
    rng = np.random.default_rng(0)
    places = np.stack([250.0 + 40.0 * np.sin(np.arange(17.0) / 4.0), 30.0 * np.arange(17.0)], axis=1)
    points = (places[:, None] + rng.normal(0.0, 3.0, (17, 50, 2))).reshape(-1, 2)
    peer = KMeans(17, init=reference.farthest_points(points, 17), n_init=1, tol=0.0)
    return Row(
        "kmeans, k = 17",
        f"{len(points)} points",
        "sklearn",
        lambda _threads: kernels.kmeans(points, 17)[1],
        lambda: peer.fit(points).cluster_centers_,
        reference.kmeans(points, 17)[1],
        (1,),
    )


def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: MAPS[1], : MAPS[2]].astype(np.float32)
    hill = 15.0 - ((x - 60.3) ** 2 + (y - 100.2) ** 2) / 8.0
    noise = rng.normal(0.0, 1.0, MAPS).astype(np.float32)
    shallow = (np.maximum(hill, 0.0) + noise).astype(np.float32)  # every cell counts
    steep = (hill + noise / 10.0).astype(np.float32)  # most rows are negligible
    vectors = rng.normal((100.0, 0.0), 30.0, (17, 2))
    even = rng.uniform(0.0, 1000.0, (100_000, 2))
    heaps = rng.uniform(0.0, 1000.0, (200, 2))[rng.integers(0, 200, 100_000)] + rng.normal(0.0, 5.0, (100_000, 2))
    return [
        prepare_row("12 of 16 bits", make_film(np.uint16, 12)),
        prepare_row("16 bits", make_film(np.uint16, 16)),
        prepare_row("8 bits", make_film(np.uint8, 8)),
        soft_argmax_row("shallow", shallow),
        soft_argmax_row("steep", steep),
        Row(
            "peak",
            "x".join(map(str, MAPS)),
            "NumPy",
            lambda threads: kernels.peak(shallow, threads=threads)[0],
            lambda: numpy_peak(shallow),
            reference.peak(shallow)[0],
            (1,),
        ),
        Row(
            "angle_matrix",
            "17 vectors",
            "NumPy",
            lambda _threads: kernels.angle_matrix(vectors),
            lambda: reference.angle_matrix(vectors),
            reference.angle_matrix(vectors),
            (1,),
        ),
        dbscan_groups_row(),
        dbscan_row("even", even, 5.0),
        dbscan_row("heaps", heaps, 1.0),
        kmeans_row(),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--smoke", action="store_true", help="one round of each row")
    arguments = parser.parse_args()

    print(host_line("torch", "opencv-python-headless", "scikit-learn"))
    header = ("kernel", "shape", "ISA", "threads", "ms", "least", "peer", "ms", "least", "ratio (quartiles)", "error")
    layout = "{:34} {:22} {:7} {:>7} {:>8} {:>8} {:>7} {:>8} {:>8}  {:24} {:>8}"
    print(layout.format(*header))
    for row in rows():
        for isa in kernels.usable_isas():
            _cpu.force_isa(isa)
            for threads in row.threads:
                torch.set_num_threads(threads)
                cv2.setNumThreads(threads)
                threadpool_limits(threads)
                sides = {"ours": lambda row=row, threads=threads: row.ours(threads), row.peer_name: row.peer}
                compared = interleaved(sides, rounds=1 if arguments.smoke else arguments.rounds)
                error = np.abs(row.ours(threads) - row.truth).max()
                ours, peer = ((f"{side.median:.3f}", f"{side.least:.3f}") for side in compared.timings)
                measured = (*ours, row.peer_name, *peer, str(compared.ratios[1]), f"{error:.1e}")
                print(layout.format(row.kernel, row.shape, isa, threads, *measured), flush=True)


if __name__ == "__main__":
    main()
