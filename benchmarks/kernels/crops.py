"""Crops against torch, SciPy and OpenCV."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import Affine, reference


def rows() -> list[Row]:
    return [discs_row(), vertebrae_row(), features_row()]


def discs_row() -> Row:
    """The six lumbar discs of a sagittal MR, levelled."""
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 2000, (15, 448, 448), np.int16)
    tilts = np.radians(np.linspace(-20.0, 40.0, 6))
    along = np.zeros((6, 3, 3))
    along[:, 0, 0] = along[:, 1, 1] = 0.3 * np.cos(tilts)
    along[:, 0, 1], along[:, 1, 0], along[:, 2, 2] = 0.3 * np.sin(tilts), -0.3 * np.sin(tilts), 4.0
    centres = np.stack([np.full(6, 220.0), np.linspace(100.0, 400.0, 6), np.full(6, 7.0)], axis=1)
    maps = kernels.oblique_map(centres, along, (9, 112, 224), spacing=(4.0, 0.6, 0.6))
    floats = torch.from_numpy(volume.astype(np.float32))[None, None].expand(6, -1, -1, -1, -1)

    def scipy() -> NDArray[np.float32]:
        options = {"output_shape": (9, 112, 224), "output": np.float32, "order": 1}
        each = zip(maps.matrix[:, ::-1, ::-1], maps.origin[:, ::-1], strict=True)
        return np.stack([ndimage.affine_transform(volume, matrix, origin, **options) for matrix, origin in each])

    def torch_sample() -> NDArray[np.float32]:
        grids = torch_grids(maps, (9, 112, 224), volume.shape)
        return torch.nn.functional.grid_sample(floats, grids, padding_mode="border", align_corners=False)[:, 0].numpy()

    return Row(
        "crop_oblique, discs",
        "6 of 9x112x224",
        lambda threads: kernels.crop_oblique(volume, maps, (9, 112, 224), threads=threads),
        {"SciPy": scipy, "torch": torch_sample},
        reference.crop_oblique(volume, maps, (9, 112, 224)),
        (1, 2),
    )


def vertebrae_row() -> Row:
    """The 17 vertebrae of a film."""
    film = np.random.default_rng(0).integers(0, 60000, (1, 2048, 1024), np.uint16)
    boxes = vertebrae(1024.0, 2048.0)
    maps = kernels.box_map(boxes, (120, 200))

    def opencv() -> NDArray[np.float32]:
        options = {"flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP}
        each = np.concatenate([maps.matrix, maps.origin[:, :, None]], axis=2)
        return np.stack([cv2.warpAffine(film[0], m, (200, 120), **options) for m in each])[:, None].astype(np.float32)

    return Row(
        "crop_rotated, vertebrae",
        "17 of 120x200",
        lambda threads: kernels.crop_rotated(film, maps, (120, 200), threads=threads),
        {"OpenCV": opencv},
        reference.crop_rotated(film, maps, (120, 200)),
        (1, 2),
    )


def features_row() -> Row:
    """Rotated ROI align."""
    features = np.random.default_rng(0).normal(0.0, 1.0, (256, 256, 128)).astype(np.float32)
    maps = kernels.box_map(vertebrae(512.0, 1024.0), (14, 14), stride=4.0)
    tensor = torch.from_numpy(features)[None].expand(17, -1, -1, -1)

    def torch_sample() -> NDArray[np.float32]:
        finer = kernels.box_map(vertebrae(512.0, 1024.0), (28, 28), stride=4.0)
        grids = torch_grids(finer, (28, 28), features.shape[1:])
        return torch.nn.functional.avg_pool2d(
            torch.nn.functional.grid_sample(tensor, grids, align_corners=False), 2
        ).numpy()

    return Row(
        "crop_rotated, features",
        "17 of 256x14x14, 2x2",
        lambda threads: kernels.crop_rotated(features, maps, (14, 14), samples=2, threads=threads),
        {"torch": torch_sample},
        reference.crop_rotated(features, maps, (14, 14), samples=2),
        (1, 2),
    )


def vertebrae(width: float, height: float) -> NDArray[np.float64]:
    """[17, 5] down the middle of a film."""
    place = (np.arange(17) + 0.5) / 17
    x = width * (0.5 + 0.05 * np.sin(6.0 * place))
    sides = [np.full(17, 0.2 * width), np.full(17, 0.06 * height)]
    return np.stack([x, height * place, *sides, 0.4 * np.cos(6.0 * place)], axis=1)


def torch_grids(maps: Affine, size: tuple[int, ...], shape: tuple[int, ...]) -> torch.Tensor:
    """The places of crops for grid_sample, which counts from -1 to 1 over the extent of crop and image."""
    crop, image = np.array(size[::-1], float), np.array(shape[::-1], float)
    turn = maps.matrix * crop / image[:, None]
    shift = (maps.matrix @ (crop - 1.0) + 2.0 * maps.origin + 1.0) / image - 1.0
    theta = np.concatenate([turn, shift[:, :, None]], axis=2).astype(np.float32)
    return torch.nn.functional.affine_grid(torch.from_numpy(theta), [len(theta), 1, *size], align_corners=False)
