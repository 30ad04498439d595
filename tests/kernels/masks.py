"""Masks, and their components as SciPy and a place find them, for the tests of components."""

from typing import Any

import numpy as np
import scipy.ndimage
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels

# 64 voxels are a word of bits, 8 are written at once
IMAGES = ((1, 1), (1, 7), (7, 1), (2, 15), (16, 17), (5, 64), (31, 65), (67, 131), (3, 200))
VOLUMES = ((1, 1, 1), (1, 5, 3), (5, 1, 3), (2, 3, 63), (3, 2, 64), (4, 7, 65), (9, 17, 16), (7, 5, 131))
SHAPES = IMAGES + VOLUMES

SIDES = st.integers(1, 9)
GRIDS = st.one_of(st.tuples(SIDES, st.integers(1, 140)), st.tuples(SIDES, SIDES, st.integers(1, 70)))


def connectivities(axes: int) -> tuple[int, int]:
    return (4, 8) if axes == 2 else (6, 26)


def noise(shape: tuple[int, ...], density: float, classes: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(len(shape))
    return (rng.integers(1, classes + 1, shape) * (rng.random(shape) < density)).astype(np.uint8)


def scipy_labels(mask: NDArray[np.uint8], connectivity: int) -> tuple[NDArray[np.int32], int]:
    corners = connectivity in (8, 26)
    return scipy.ndimage.label(mask, scipy.ndimage.generate_binary_structure(mask.ndim, mask.ndim if corners else 1))


def grid(*rows: str) -> NDArray[np.uint8]:
    """Digits are values, dots are 0."""
    return np.array([[0 if cell == "." else int(cell) for cell in row] for row in rows], np.uint8)


def labels_of(place: Any, kernel: Any, voxels: NDArray[Any], **keywords: Any) -> tuple[NDArray[np.int32], int]:
    labels, count = place.run(kernel, voxels, **keywords)
    return labels, int(np.asarray(count).item())


def found_with(voxels: list[int], extents: list[tuple[int, int]]) -> kernels.ComponentStatistics:
    boxes = np.array([(5, 7, 5 + width, 7 + height) for width, height in extents], np.int32)
    return kernels.ComponentStatistics(np.array(voxels), boxes, np.zeros((len(voxels), 2)), None)
