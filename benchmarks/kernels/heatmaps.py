"""Heat-maps to points against torch and NumPy."""

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

MAPS = (68, 256, 128)


def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: MAPS[1], : MAPS[2]].astype(np.float32)
    hill = 15.0 - ((x - 60.3) ** 2 + (y - 100.2) ** 2) / 8.0
    noise = rng.normal(0.0, 1.0, MAPS).astype(np.float32)
    shallow = (np.maximum(hill, 0.0) + noise).astype(np.float32)  # every cell counts
    steep = (hill + noise / 10.0).astype(np.float32)  # most rows are negligible
    return [soft_argmax_row("shallow", shallow), soft_argmax_row("steep", steep), peak_row(shallow)]


def soft_argmax_row(name: str, maps: NDArray[np.float32]) -> Row:
    """The peer finds positions only, no confidence."""
    n, height, width = maps.shape
    tensor = torch.from_numpy(maps).reshape(n, -1)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    cells = torch.from_numpy(np.stack([x.ravel(), y.ravel()], axis=1))
    return Row(
        f"soft_argmax, {name}",
        "x".join(map(str, maps.shape)),
        lambda threads: kernels.soft_argmax(maps, threads=threads),
        {"torch": lambda: (torch.softmax(tensor, 1) @ cells).numpy()},
        reference.soft_argmax(maps)[0],
        (1, 2),
    )


def peak_row(maps: NDArray[np.float32]) -> Row:
    return Row(
        "peak",
        "x".join(map(str, maps.shape)),
        lambda threads: kernels.peak(maps, threads=threads),
        {"NumPy": lambda: numpy_peak(maps)},
        reference.peak(maps)[0],
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
