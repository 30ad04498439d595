"""Heat-maps to points against torch, NumPy and SciPy."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

MAPS, VOLUMES = (68, 256, 128), (4, 64, 128, 128)
PEAKS = {"min_distance": 5.0, "threshold": 3.0}
Maps = NDArray[np.float32]


def rows() -> list[Row]:
    shallow, steep = corner_maps()
    probability = (1.0 / (1.0 + np.exp(-np.maximum(steep, -80.0)))).astype(np.float32)
    volumes = np.random.default_rng(0).normal(0.0, 1.0, VOLUMES).astype(np.float32)
    return [
        soft_argmax_row("shallow", shallow),
        soft_argmax_row("steep", steep),
        soft_argmax_row("volumes", volumes),
        moments_row(shallow),
        mean_above_row(probability),
        peak_row(shallow),
        top_peaks_row("shallow", shallow),
        top_peaks_row("steep", steep),
    ]


def corner_maps() -> tuple[Maps, Maps]:
    """Maps in which every cell counts, and maps as networks give them, where most rows are negligible."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: MAPS[1], : MAPS[2]].astype(np.float32)
    hill = 15.0 - ((x - 60.3) ** 2 + (y - 100.2) ** 2) / 8.0
    noise = rng.normal(0.0, 1.0, MAPS).astype(np.float32)
    return (np.maximum(hill, 0.0) + noise).astype(np.float32), (hill + noise / 10.0).astype(np.float32)


def shape_of(maps: Maps) -> str:
    return "x".join(map(str, maps.shape))


def cells_of(maps: Maps) -> NDArray[np.float32]:
    """[cells, axes] as (x, y[, z])."""
    return np.argwhere(np.ones(maps.shape[1:]))[:, ::-1].astype(np.float32)


def soft_argmax_row(name: str, maps: Maps) -> Row:
    """The peer finds positions only, no confidence."""
    tensor, cells = torch.from_numpy(maps).reshape(len(maps), -1), torch.from_numpy(cells_of(maps).copy())
    return Row(
        f"soft_argmax, {name}",
        shape_of(maps),
        lambda threads: kernels.soft_argmax(maps, threads=threads),
        {"torch": lambda: (torch.softmax(tensor, 1) @ cells).numpy()},
        reference.soft_argmax(maps)[0],
        (1, 2),
    )


def moments_row(maps: Maps) -> Row:
    """The peer finds the covariance from all products of coordinates in one matrix product."""
    tensor, cells = torch.from_numpy(maps).reshape(len(maps), -1), torch.from_numpy(cells_of(maps).copy())
    products = torch.cat([cells, cells[:, :1] * cells, cells[:, 1:] ** 2], 1)

    def peer() -> NDArray[np.float32]:
        moments = torch.softmax(tensor, 1) @ products
        x, y, xx, xy, yy = moments.unbind(1)
        return torch.stack([xx - x * x, xy - x * y, xy - x * y, yy - y * y], 1).reshape(-1, 2, 2).numpy()

    return Row(
        "soft_moments, shallow",
        shape_of(maps),
        lambda threads: kernels.soft_moments(maps, threads=threads)[::-1],
        {"torch": peer},
        reference.soft_moments(maps)[2],
        (1, 2),
    )


def mean_above_row(maps: Maps) -> Row:
    """Four corner maps under the mask of each vertebra."""
    y, x = np.mgrid[: MAPS[1], : MAPS[2]]
    mask = np.repeat((np.hypot(x - 60, y - 100) < 30)[None], len(maps) // 4, axis=0).astype(np.uint8)
    columns, lines = np.arange(MAPS[2], dtype=np.float32), np.arange(MAPS[1], dtype=np.float32)

    def peer() -> NDArray[np.float32]:
        above = (maps > 0.5) & np.repeat(mask, 4, axis=0).astype(bool)
        count = np.count_nonzero(above, axis=(1, 2))
        by_column, by_line = np.count_nonzero(above, axis=1), np.count_nonzero(above, axis=2)
        return np.stack([by_column @ columns, by_line @ lines], axis=1) / count[:, None]

    return Row(
        "mean_above, masked",
        shape_of(maps),
        lambda threads: kernels.mean_above(maps, 0.5, mask=mask, threads=threads),
        {"NumPy": peer},
        reference.mean_above(maps, 0.5, mask=mask)[0],
        (1, 2),
    )


def peak_row(maps: Maps) -> Row:
    return Row(
        "peak",
        shape_of(maps),
        lambda threads: kernels.peak(maps, threads=threads),
        {"NumPy": lambda: numpy_peak(maps)},
        reference.peak(maps)[0],
        (1, 2),
    )


def numpy_peak(maps: Maps) -> NDArray[np.float32]:
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


def top_peaks_row(name: str, maps: Maps) -> Row:
    """Heights, 0 where there are fewer peaks. The peer takes the cells that a maximum filter leaves, one by one."""

    def ours(threads: int) -> tuple[NDArray[np.float32], ...]:
        points, values, counts = kernels.top_peaks(maps, 5, **PEAKS, threads=threads)
        return np.nan_to_num(values), points, counts

    exact = np.nan_to_num(reference.top_peaks(maps, 5, **PEAKS)[1])
    return Row(f"top_peaks, {name}", shape_of(maps), ours, {"SciPy": lambda: scipy_peaks(maps)}, exact, (1, 2))


def scipy_peaks(maps: Maps) -> NDArray[np.float32]:
    values = np.full((len(maps), 5), np.nan, np.float32)
    for i, heatmap in enumerate(maps):
        found = np.argwhere((ndimage.maximum_filter(heatmap, 3) == heatmap) & (heatmap > PEAKS["threshold"]))
        taken: list[NDArray[np.int64]] = []
        for cell in found[np.argsort(-heatmap[tuple(found.T)], kind="stable")]:
            if all(((cell - other) ** 2).sum() >= PEAKS["min_distance"] ** 2 for other in taken):
                values[i, len(taken)] = heatmap[tuple(cell)]
                taken.append(cell)
            if len(taken) == 5:
                break
    return values
