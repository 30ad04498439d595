"""Volumes to other grids along their axes."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import Array, Place, place_of

Triple = tuple[float, float, float]
_LONGEST = 1e30
_NO_WINDOW = (0.0, -math.inf, math.inf, 1.0)


class Grid(NamedTuple):
    """Voxels laid over a volume along its axes: voxel i of an axis lies at origin + step * i of the volume.

    All three are (slices, rows, columns), in voxels. The volume's voxel 0 extends from -1/2 to 1/2.
    """

    shape: tuple[int, int, int]
    step: Triple
    origin: Triple

    @classmethod
    def of_spacing(cls, shape: tuple[int, int, int], spacing: Triple, new_spacing: Triple) -> "Grid":
        """Voxels of exactly `new_spacing` from the first corner of a volume on: its extent, rounded to whole voxels.

        shape                 of the volume
        spacing, new_spacing  (slice, row, column), any unit

        Raises ValueError for a spacing that is not finite and above 0.
        """
        for name, triple in (("spacing", spacing), ("new_spacing", new_spacing)):
            if not all(0.0 < mm < math.inf for mm in triple):
                raise ValueError(f"{name} is {triple}, expected three finite values above 0")
        step = tuple(new / old for new, old in zip(new_spacing, spacing, strict=True))
        voxels = tuple(max(1, round(count / each)) for count, each in zip(shape, step, strict=True))
        return cls(_three(voxels), _three(step), _three(0.5 * each - 0.5 for each in step))

    @classmethod
    def of_shape(cls, shape: tuple[int, int, int], new_shape: tuple[int, int, int]) -> "Grid":
        """`new_shape` voxels over exactly the extent of a volume; ValueError for a length below 1."""
        for name, triple in (("shape", shape), ("new_shape", new_shape)):
            if min(triple) < 1:
                raise ValueError(f"{name} is {triple}, expected three lengths of at least 1")
        step = tuple(count / new for count, new in zip(shape, new_shape, strict=True))
        return cls(new_shape, _three(step), _three(0.5 * each - 0.5 for each in step))

    def inverse(self, shape: tuple[int, int, int]) -> "Grid":
        """The volume's voxels laid over this grid: brings what was found on the grid back to a volume of `shape`."""
        origin = _three(-begin / each for begin, each in zip(self.origin, self.step, strict=True))
        return Grid(shape, _three(1.0 / each for each in self.step), origin)

    def to_volume(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(x, y, z) in voxels of the grid [..., 3] -> (x, y, z) in voxels of the volume [..., 3]."""
        return np.asarray(np.asarray(points) * self.step[::-1] + self.origin[::-1], np.float64)

    def to_grid(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(x, y, z) in voxels of the volume [..., 3] -> (x, y, z) in voxels of the grid [..., 3]."""
        return np.asarray((np.asarray(points) - self.origin[::-1]) / self.step[::-1], np.float64)


def resample_volume(
    volume: Array,
    grid: Grid,
    *,
    window: tuple[float, float, float, float] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[np.float32]:
    """A volume's values at the voxels of a grid: linear along each axis, antialiased along one that shrinks.

    volume  uint8, int16, uint16 or float32 [slices, rows, columns], stored values
    grid    steps above 0; its voxels may lie outside of the volume, whose border then goes on
    window  (slope, intercept, low, high): slope * stored + intercept, HU for a CT, is clipped to low..high, which
            become 0 and 1, before it is resampled. None: stored values as they are.

    Along an axis, with c the place of the output on it, clamped to the first and the last voxel's centre, voxel j has
    the weight max(0, 1 - |j - c| / max(1, step)), divided by the sum of all: linear interpolation, and where the axis
    shrinks the triangle filter widened by the step. That is what torch calls (bi)linear with antialias=True and Pillow
    BILINEAR. It moves an edge by at most 0.09 voxel. Plain trilinear interpolation is `crop_oblique` with the same map.

    Returns float32 [*grid.shape]; a value that is not finite makes those outputs not finite in which it has a weight.
    """
    place = place_of(volume, threads=threads, stream=stream)
    volume = _take(place, "volume", volume, ("uint8", "int16", "uint16", "float32"))
    _check_grid(grid)
    out = place.empty(grid.shape, np.float32)
    stored = _NO_WINDOW if window is None else _stored_window(*window)
    place.native.resample_volume(volume, grid.step, grid.origin, stored, out, place.lane)
    return out


def resample_labels(labels: Array, grid: Grid, *, threads: int = 1, stream: Any = None) -> NDArray[Any]:
    """The label at the voxels of a grid: that of the nearest voxel, of two equally near ones the latter.

    labels  uint8 or uint16 [slices, rows, columns]
    grid    as for `resample_volume`

    Where a grid keeps the extent this is what torch calls nearest-exact. Returns the dtype of `labels` [*grid.shape].
    """
    place = place_of(labels, threads=threads, stream=stream)
    labels = _take(place, "labels", labels, ("uint8", "uint16"))
    _check_grid(grid)
    out = place.empty(grid.shape, labels.dtype)
    place.native.resample_labels(labels, grid.step, grid.origin, out, place.lane)
    return out


def _take(place: Place, name: str, volume: Array, dtypes: tuple[str, ...]) -> Array:
    volume = place.take(name, volume, dtypes, ("slices", "rows", "columns"))
    if 0 in volume.shape:
        raise ValueError(f"{name} has shape {list(volume.shape)}, expected at least one voxel")
    return volume


def _check_grid(grid: Grid) -> None:
    if min(grid.shape) < 0:
        raise ValueError(f"grid.shape is {grid.shape}, expected three lengths of at least 0")
    if not all(0.0 < step < math.inf for step in grid.step):
        raise ValueError(f"grid.step is {grid.step}, expected three finite values above 0")
    if not all(map(math.isfinite, grid.origin)):
        raise ValueError(f"grid.origin is {grid.origin}, expected three finite values")


def _stored_window(slope: float, intercept: float, low: float, high: float) -> tuple[float, float, float, float]:
    """(shift, least, most, factor): the window is factor * clip(stored - shift, least, most)."""
    fits = all(map(math.isfinite, (slope, intercept, low, high))) and slope != 0.0 and low < high
    shift, width = ((low - intercept) / slope, (high - low) / slope) if fits else (0.0, 0.0)
    if abs(shift) > _LONGEST or not 1.0 / _LONGEST < abs(width) < _LONGEST:
        expected = "(slope, intercept, low, high), slope not 0, low below high, stored values of at most 1e30"
        raise ValueError(f"window is {(slope, intercept, low, high)}, expected {expected}")
    return shift, min(0.0, width), max(0.0, width), 1.0 / width


def _three(values: Any) -> Any:
    """A tuple of three, for the type checker."""
    first, second, third = values
    return first, second, third
