"""Blending of overlapping tiles against NumPy and torch."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

Size = tuple[int, int, int]


def rows() -> list[Row]:
    return [
        blend_row("means", 1, (256, 256, 256), (128, 128, 128), (43, 43, 43), "float32"),
        blend_row("labels", 4, (192, 192, 192), (96, 96, 96), (48, 48, 48), "uint8"),
        blend_row("labels, thin tiles", 4, (100, 224, 224), (32, 64, 64), (20, 40, 40), "uint8"),
    ]


def blend_row(name: str, classes: int, shape: Size, patch: Size, stride: Size, dtype: str) -> Row:
    """A few tiles again and again: what a network leaves in memory is as warm. Peers hold all means at once."""
    rng = np.random.default_rng(0)
    some = [rng.normal(size=(classes, *patch)).astype(np.float32) for _ in range(3)]
    positions = kernels.tile_positions(shape, patch, stride)
    tiles = [some[i % len(some)] for i in range(len(positions))]
    weights = kernels.gaussian_weights(patch, 1 / 8)
    z, y, x = weights
    weight = (z[:, None, None] * y[:, None] * x).astype(np.float32)
    slices = [tuple(slice(b, b + n) for b, n in zip(begin, patch, strict=True)) for begin in positions.tolist()]

    def ours(threads: int) -> NDArray[np.float32]:
        blend = kernels.TileBlend(shape, patch, stride, classes=classes, weights=weights, dtype=dtype, threads=threads)
        for tile, position in zip(tiles, positions, strict=True):
            blend.add(tile, position)
        return blend.result

    exact = reference.blend_tiles(tiles, positions, shape, weights)
    return Row(
        f"blend, {name}",
        f"{len(tiles)} of {classes} x {'x'.join(map(str, patch))}",
        ours,
        {
            "NumPy": lambda: numpy_blend(tiles, slices, shape, weight, dtype),
            "torch": torch_blend(tiles, slices, shape, weight, dtype),
        },
        exact if dtype == "float32" else exact.argmax(axis=0).astype(np.uint8),
        (1, 2),
    )


def numpy_blend(
    tiles: Sequence[NDArray[np.float32]],
    slices: Sequence[tuple[slice, ...]],
    shape: Size,
    weight: NDArray[np.float32],
    dtype: str,
) -> NDArray[np.float32]:
    sums, total = np.zeros((len(tiles[0]), *shape), np.float32), np.zeros(shape, np.float32)
    for tile, here in zip(tiles, slices, strict=True):
        sums[(..., *here)] += tile * weight
        total[here] += weight
    sums /= total
    return sums if dtype == "float32" else sums.argmax(axis=0).astype(np.uint8)


def torch_blend(
    arrays: Sequence[NDArray[np.float32]],
    slices: Sequence[tuple[slice, ...]],
    shape: Size,
    importance: NDArray[np.float32],
    dtype: str,
) -> Callable[[], NDArray[np.float32]]:
    """Fastest of those tried: one fused multiplication and addition in place instead of a product and a sum."""
    tiles, weight = [torch.from_numpy(array) for array in arrays], torch.from_numpy(importance)

    def run() -> NDArray[np.float32]:
        sums, total = torch.zeros((len(tiles[0]), *shape)), torch.zeros(shape)
        for tile, here in zip(tiles, slices, strict=True):
            sums[(..., *here)].addcmul_(tile, weight)
            total[here] += weight
        sums /= total
        return (sums if dtype == "float32" else sums.max(dim=0).indices.to(torch.uint8)).numpy()

    return run
