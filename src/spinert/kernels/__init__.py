"""Kernels: functions on arrays, compiled once per instruction set and giving the same bits on each.

Images are C-order [rows, columns], heat-maps C-order [n, height, width]; a point is (x, y), (0, 0) the centre of the
top-left pixel or cell. `threads` changes the time a call takes, never its result. The GIL is released while a kernel
runs. `spinert.kernels.reference` is the same in NumPy float64: the specification.

Every function raises TypeError for an array of another dtype, rank, shape or order than stated, and ValueError for a
value out of its range. SPINERT_FORCE_ISA chooses the instruction set; one that cannot run here is refused at import.
"""

import math
import os
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from spinert.errors import BadRequest
from spinert.kernels import _cpu

__all__ = [
    "PlaneMap",
    "Prepared",
    "active_isa",
    "angle_matrix",
    "compiled_isas",
    "cuda_status",
    "peak",
    "prepare_radiograph",
    "soft_argmax",
    "tilt_vectors",
    "usable_isas",
]

_ABI = 1
_REBUILD = "rebuild: pip install ."

if _cpu.ABI != _ABI:
    raise ImportError(f"spinert.kernels._cpu has ABI {_cpu.ABI}, expected {_ABI}; {_REBUILD}")


def compiled_isas() -> tuple[str, ...]:
    """Instruction sets in this build, best first: "avx512", "avx2", "base"."""
    return tuple(_cpu.compiled_isas())


def usable_isas() -> tuple[str, ...]:
    """Those of `compiled_isas` that this processor and its operating system support."""
    return tuple(_cpu.usable_isas())


def active_isa() -> str:
    """The instruction set that the kernels run with: the best usable one, or SPINERT_FORCE_ISA."""
    return _cpu.active_isa()


def _force_isa(name: str) -> None:
    if name not in usable_isas():
        raise BadRequest(
            f"SPINERT_FORCE_ISA is {name!r}, this build has {', '.join(compiled_isas())} "
            f"and this processor can run {', '.join(usable_isas())}",
            "set it to one that can run here, or unset it",
        )
    _cpu.force_isa(name)


if "SPINERT_FORCE_ISA" in os.environ:
    _force_isa(os.environ["SPINERT_FORCE_ISA"])


def cuda_status() -> str:
    """What the CUDA kernels can run on, or why they cannot run: one line for `spinert doctor`."""
    try:
        from spinert.kernels import _cuda
    except ImportError as error:
        return f"not usable: this build has no CUDA module ({error}); install nvcc, then pip install ."
    if _cuda.ABI != _ABI:
        return f"not usable: the CUDA module has ABI {_cuda.ABI}, expected {_ABI}; {_REBUILD}"
    count, reason = _cuda.devices()
    return f"{count} device{'s' if count > 1 else ''}" if count else f"not usable: {reason}"


class PlaneMap(NamedTuple):
    """Pixels of the network's input to pixels of the image, for each axis: image = origin + step * network."""

    step_x: float
    step_y: float
    origin_x: float
    origin_y: float

    def to_image(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(x, y) in network pixels [..., 2] -> (x, y) in image pixels [..., 2]."""
        return np.asarray(points, np.float64) * (self.step_x, self.step_y) + (self.origin_x, self.origin_y)

    def to_network(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(x, y) in image pixels [..., 2] -> (x, y) in network pixels [..., 2]."""
        return (np.asarray(points, np.float64) - (self.origin_x, self.origin_y)) / (self.step_x, self.step_y)


class Prepared(NamedTuple):
    """A network's input: float32 [height, width] in 0..1 and the way back to the image.

    `low` and `high` are the stored values that became 0 and 1 (before inversion).
    """

    pixels: NDArray[np.float32]
    map: PlaneMap
    low: int
    high: int


def prepare_radiograph(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    size: tuple[int, int],
    inverted: bool = False,
    mm_per_pixel_xy: tuple[float, float] = (1.0, 1.0),
    percentiles: tuple[float, float] = (1.0, 99.0),
    threads: int = 1,
) -> Prepared:
    """Window a radiograph by its percentiles and fit it into `size`, its proportions in mm kept.

    pixels           uint8 or uint16 [rows, columns], stored values
    size             (height, width) of the result; the image lies in its middle, the rest is 0
    inverted         bone is dark: the image becomes 1 - x
    mm_per_pixel_xy  spacing (x, y), any unit: only its ratio counts
    percentiles      the window is [low, high]: the smallest stored values that at least this share of all pixels does
                     not exceed. Values outside are clipped first, then the image is resized. low = high gives 0.

    An axis that shrinks takes the exact average over each pixel's area, one that grows is interpolated linearly between
    pixel centres, edges clamped.
    """
    _check("pixels", pixels, ("uint8", "uint16"), ("rows", "columns"))
    if pixels.size == 0:
        raise ValueError(f"pixels has shape {list(pixels.shape)}, expected at least one pixel")
    if min(size) < 1:
        raise ValueError(f"size is {size}, expected (height, width) of at least 1")
    if not all(0.0 < mm < math.inf for mm in mm_per_pixel_xy):
        raise ValueError(f"mm_per_pixel_xy is {mm_per_pixel_xy}, expected two finite values above 0")
    if not 0.0 <= percentiles[0] <= percentiles[1] <= 100.0:
        raise ValueError(f"percentiles is {percentiles}, expected 0 <= low <= high <= 100")
    _check_threads(threads)

    rank_low, rank_high = (max(1, math.ceil(percent * pixels.size / 100.0)) for percent in percentiles)
    low, high = _cpu.order_statistics(pixels, rank_low, rank_high, threads)

    rows, columns = pixels.shape
    height_mm, width_mm = rows * mm_per_pixel_xy[1], columns * mm_per_pixel_xy[0]
    scale = min(size[0] / height_mm, size[1] / width_mm)
    new_rows = min(max(round(height_mm * scale), 1), size[0])
    new_columns = min(max(round(width_mm * scale), 1), size[1])
    top, left = (size[0] - new_rows) // 2, (size[1] - new_columns) // 2
    out = np.empty(size, np.float32)
    _cpu.window_resize(pixels, low, high, inverted, top, left, new_rows, new_columns, out, threads)

    step_x, step_y = columns / new_columns, rows / new_rows
    plane_map = PlaneMap(step_x, step_y, (0.5 - left) * step_x - 0.5, (0.5 - top) * step_y - 0.5)
    return Prepared(out, plane_map, low, high)


def soft_argmax(
    heatmaps: NDArray[np.float32], *, radius: int = 3, threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean position under the softmax of each map, and how much of it lies around the highest cell.

    heatmaps  float32 [n, height, width], logits
    radius    cells in x and in y around the highest cell (the first of equals) that count for the confidence

    Returns xy float32 [n, 2] in cells and confidence float32 [n], 0..1. A map with a value that is not finite has
    xy = nan and confidence = 0.
    """
    _check_maps(heatmaps)
    if radius < 0:
        raise ValueError(f"radius is {radius}, expected 0 or more cells")
    _check_threads(threads)
    xy, confidence = np.empty((len(heatmaps), 2), np.float32), np.empty(len(heatmaps), np.float32)
    _cpu.soft_argmax(heatmaps, radius, xy, confidence, threads)
    return xy, confidence


def peak(heatmaps: NDArray[np.float32], *, threads: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Highest cell of each map (the first of equals), refined to a fraction of a cell.

    In x and in y, a parabola through the cell and its two neighbours moves the point to its vertex, by half a cell at
    most; not along an axis on which the cell lies at the border.

    heatmaps  float32 [n, height, width], logits

    Returns xy float32 [n, 2] in cells and the cell's value float32 [n]. A map with a value that is not finite has nan
    in both.
    """
    _check_maps(heatmaps)
    _check_threads(threads)
    xy, value = np.empty((len(heatmaps), 2), np.float32), np.empty(len(heatmaps), np.float32)
    _cpu.peak(heatmaps, xy, value, threads)
    return xy, value


def tilt_vectors(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left-to-right direction of each vertebra: (TR + BR) / 2 - (TL + BL) / 2.

    corners  float64 [n, 4, 2], (x, y) of TL, TR, BL, BR in any unit

    Returns float64 [n, 2], (x, y) in the same unit.
    """
    _check("corners", corners, ("float64",), ("n", 4, 2))
    vectors = np.empty((len(corners), 2), np.float64)
    _cpu.tilt_vectors(corners, vectors)
    return vectors


def angle_matrix(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle between each two vectors, atan2(|a x b|, a . b).

    vectors  float64 [n, 2]

    Returns float64 [n, n] in degrees, 0..180, good to 1e-12 for lengths of 1e-150 to 1e150, and symmetric. A vector of
    length 0 has angle 0 to any other; one with a value that is not finite has nan.
    """
    _check("vectors", vectors, ("float64",), ("n", 2))
    degrees = np.empty((len(vectors), len(vectors)), np.float64)
    _cpu.angle_matrix(vectors, degrees)
    return degrees


def _check(name: str, array: Any, dtypes: tuple[str, ...], shape: tuple[str | int, ...]) -> None:
    expected = f"{' or '.join(dtypes)} [{', '.join(map(str, shape))}], C-contiguous"
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, expected an array {expected}")
    fits = array.ndim == len(shape) and all(
        want == have for want, have in zip(shape, array.shape, strict=True) if isinstance(want, int)
    )
    if array.dtype.name not in dtypes or not array.dtype.isnative or not fits or not array.flags.c_contiguous:
        order = "" if array.flags.c_contiguous else ", not C-contiguous"
        raise TypeError(f"{name} is {array.dtype} {list(array.shape)}{order}, expected {expected}")


def _check_maps(heatmaps: NDArray[np.float32]) -> None:
    _check("heatmaps", heatmaps, ("float32",), ("n", "height", "width"))
    if 0 in cast("tuple[int, ...]", heatmaps.shape[1:]):
        raise ValueError(f"heatmaps has shape {list(heatmaps.shape)}, expected at least one cell in a map")


def _check_threads(threads: int) -> None:
    if threads < 1:
        raise ValueError(f"threads is {threads}, expected 1 or more")
