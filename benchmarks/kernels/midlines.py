"""Mid-lines of a mask against NumPy and SciPy."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

Floats = NDArray[np.float64]

FILM, WIDTH = (3000, 1500), 160


def rows() -> list[Row]:
    return [midline_row(), midpoints_row()]


def spine_mask() -> NDArray[np.uint8]:
    """A wavy band."""
    y, x = np.mgrid[: FILM[0], : FILM[1]]
    mask = abs(x - (750.0 + 200.0 * np.sin(y / 400.0) + 10.0 * np.sin(y / 17.0))) <= WIDTH / 2
    return mask.astype(np.uint8)


def midline_row() -> Row:
    mask = spine_mask()
    return Row(
        "mask_midline",
        "3000x1500 uint8",
        lambda threads: kernels.mask_midline(mask, threads=threads),
        {"NumPy": lambda: numpy_midline(mask)},
        reference.mask_midline(mask)[0],
        (1, 2),
    )


def numpy_midline(mask: NDArray[np.uint8]) -> Floats:
    """The bytes as truth values, for which argmax ends at the first."""
    truth = mask.view(bool)
    left = truth.argmax(axis=1).astype(np.float64)
    right = mask.shape[1] - 1.0 - truth[:, ::-1].argmax(axis=1)
    left[~truth.any(axis=1)] = np.nan
    middle: Floats = (left + right) / 2.0
    return middle


def midpoints_row() -> Row:
    borders = reference.mask_midline(spine_mask())[1]
    return Row(
        "border_midpoints",
        f"3000 rows, {WIDTH} wide",
        lambda threads: kernels.border_midpoints(borders, threads=threads),
        {"SciPy": lambda: scipy_midpoints(borders)},
        reference.border_midpoints(borders),
        (1, 2),
    )


def scipy_midpoints(borders: Floats) -> Floats:
    """A k-d tree of each border; of equally near points it takes any."""
    midpoints = np.full((2, len(borders), 2), np.nan)
    rows = np.flatnonzero(np.isfinite(borders[:, 0]))
    points = [np.stack([borders[rows, side], rows], axis=1) for side in (0, 1)]
    for way in (0, 1):
        nearest = cKDTree(points[1 - way]).query(points[way])[1]
        midpoints[way, rows] = (points[way] + points[1 - way][nearest]) / 2.0
    return midpoints
