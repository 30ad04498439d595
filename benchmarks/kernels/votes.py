"""Votes against NumPy."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

CUBE, SIGMA = 10, 3.0


def rows() -> list[Row]:
    return [gaussian_row(), votes_row()]


def gaussian_row() -> Row:
    """The vertebrae of a CT at 1 mm."""
    rng = np.random.default_rng(0)
    volume = rng.random((600, 160, 160), np.float32)
    centres = np.stack(
        [np.linspace(20.0, 580.0, 24), rng.uniform(60.0, 100.0, 24), rng.uniform(60.0, 100.0, 24)], axis=1
    )
    return Row(
        "gaussian_mean, 10 voxels",
        "24 centres",
        lambda threads: kernels.gaussian_mean(volume, centres, cube=CUBE, sigma=SIGMA, threads=threads),
        {"NumPy": lambda: numpy_means(volume, centres)},
        reference.gaussian_mean(volume, centres, cube=CUBE, sigma=SIGMA),
        (1, 2),
    )


def numpy_means(volume: NDArray[np.floating], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of each axis, and their product by einsum."""
    means = np.empty(len(centres))
    for i, centre in enumerate(centres):
        first = np.ceil(centre - CUBE / 2).astype(int)
        z, y, x = first
        near = np.arange(CUBE) + (first - centre)[:, None]
        weights = np.exp(-(near**2) / (2.0 * SIGMA**2))
        weights /= weights.sum(axis=1, keepdims=True)
        cube = volume[z : z + CUBE, y : y + CUBE, x : x + CUBE]
        means[i] = np.einsum("zyx,x,y,z", cube, weights[2], weights[1], weights[0], optimize=False)
    return means


def votes_row() -> Row:
    """24 vertebrae of 40 slices each, four kinds of bone."""
    vertebrae, each = 24, 40
    slices = np.random.default_rng(0).random((vertebrae * each, 4), np.float32)
    offsets = np.arange(vertebrae + 1) * each
    return Row(
        "vertebra_votes",
        f"{vertebrae} of {each} slices",
        lambda threads: kernels.vertebra_votes(slices, threshold=8, offsets=offsets, threads=threads),
        {"NumPy": lambda: numpy_votes(slices, vertebrae, 8)},
        reference.vertebra_votes(slices, threshold=8, offsets=offsets)[0],
    )


def numpy_votes(slices: NDArray[np.float32], vertebrae: int, threshold: int) -> NDArray[np.int64]:
    counts = np.zeros((vertebrae, slices.shape[1]), np.int64)
    labels = slices.argmax(axis=1)
    np.add.at(counts, (np.repeat(np.arange(vertebrae), len(slices) // vertebrae), labels), 1)
    lesion = counts[:, 1:].argmax(axis=1) + 1
    most = counts[np.arange(vertebrae), lesion]
    found: NDArray[np.int64] = np.where(most > threshold, lesion, 0)
    return found
