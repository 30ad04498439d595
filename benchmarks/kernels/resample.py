"""Volumes to 1 mm against SciPy, SimpleITK and torch."""

from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import Grid, reference

SHAPE, SPACING = (300, 512, 512), (1.0, 0.7, 0.7)


def rows() -> list[Row]:
    return [linear_row(None), linear_row((1.0, -1024.0, -160.0, 240.0)), upward_row(), labels_row()]


def scan(dtype: type = np.int16) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, 3000, SHAPE).astype(dtype)


def linear_row(window: tuple[float, float, float, float] | None) -> Row:
    """The peers do less: they do not antialias. `torch aa` does, slice by slice."""
    volume = scan()
    grid = Grid.of_shape(SHAPE, Grid.of_spacing(SHAPE, SPACING, (1.0, 1.0, 1.0)).shape)
    peers = {
        "SciPy": lambda: scipy_linear(volume, grid),
        "SimpleITK": lambda: sitk_resample(volume, grid, sitk.sitkLinear, sitk.sitkFloat32),
        "torch": lambda: torch_linear(volume, grid),
        "torch aa": lambda: torch_antialias(volume, grid),
    }
    return Row(
        "resample_volume" + (", window" if window else ""),
        f"{'x'.join(map(str, SHAPE))}, 0.7 mm",
        lambda threads: kernels.resample_volume(volume, grid, window=window, threads=threads),
        {} if window else peers,
        reference.resample_volume(volume, grid, window=window),
        (1, 2),
    )


def upward_row() -> Row:
    """Slices of 2.5 mm: that axis grows, and no peer antialiases the others."""
    volume = scan()[:120]
    grid = Grid.of_shape(volume.shape, Grid.of_spacing(volume.shape, (2.5, 0.7, 0.7), (1.0, 1.0, 1.0)).shape)
    return Row(
        "resample_volume, thick slices",
        f"{'x'.join(map(str, volume.shape))}, 0.7 mm",
        lambda threads: kernels.resample_volume(volume, grid, threads=threads),
        {"torch": lambda: torch_linear(volume, grid)},
        reference.resample_volume(volume, grid),
        (1, 2),
    )


def labels_row() -> Row:
    labels = (scan() % 25).astype(np.uint8)
    grid = Grid.of_shape(SHAPE, Grid.of_spacing(SHAPE, SPACING, (1.0, 1.0, 1.0)).shape)
    tensor = torch.from_numpy(labels)[None, None]
    return Row(
        "resample_labels",
        f"{'x'.join(map(str, SHAPE))}, 0.7 mm",
        lambda threads: kernels.resample_labels(labels, grid, threads=threads),
        {
            "SimpleITK": lambda: sitk_resample(labels, grid, sitk.sitkNearestNeighbor, sitk.sitkUInt8),
            "torch": lambda: torch.nn.functional.interpolate(tensor, grid.shape, mode="nearest-exact").numpy(),
        },
        reference.resample_labels(labels, grid).astype(np.float64),
        (1, 2),
    )


def scipy_linear(volume: NDArray[Any], grid: Grid) -> NDArray[np.float32]:
    zoom = [new / old for new, old in zip(grid.shape, volume.shape, strict=True)]
    return ndimage.zoom(volume, zoom, np.float32, order=1, mode="nearest", grid_mode=True)


def sitk_resample(volume: NDArray[Any], grid: Grid, interpolator: int, pixel: int) -> NDArray[Any]:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(torch.get_num_threads())
    image = sitk.GetImageFromArray(volume)
    place = (grid.shape[::-1], sitk.Transform(), interpolator, grid.origin[::-1], grid.step[::-1])
    return sitk.GetArrayViewFromImage(sitk.Resample(image, *place, image.GetDirection(), 0.0, pixel))


def torch_linear(volume: NDArray[Any], grid: Grid) -> NDArray[np.float32]:
    tensor = torch.from_numpy(volume)[None, None].float()
    return torch.nn.functional.interpolate(tensor, grid.shape, mode="trilinear").numpy()


def torch_antialias(volume: NDArray[Any], grid: Grid) -> NDArray[np.float32]:
    tensor = torch.from_numpy(volume)[None].float()
    return torch.nn.functional.interpolate(tensor, grid.shape[1:], mode="bilinear", antialias=True).numpy()
