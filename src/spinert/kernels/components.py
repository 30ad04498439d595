"""Connected components: from a mask to labels, what is known of each component, and those that are wanted."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.residence import Array, Place, place_of

_AXES = {2: ("rows", "columns"), 3: ("slices", "rows", "columns")}
_CORNERS = {(2, 4): False, (2, 8): True, (3, 6): False, (3, 26): True}
_MOST = 2**31 - 2


class ComponentStatistics(NamedTuple):
    """Sizes, places and mean values; entry i is of the component with label i + 1.

    voxels     int64 [count]
    boxes      int32 [count, 4] x0, y0, x1, y1 or [count, 6] x0, y0, z0, x1, y1, z1: the first voxel on each axis, and
               the one after the last
    centroids  float64 [count, 2] (x, y) or [count, 3] (x, y, z), in voxels
    means      float64 [count], in the unit of slope * value + intercept; None where no values were given

    A label without voxels has 0 voxels, a box of zeros, and nan for centroid and mean.
    """

    voxels: NDArray[np.int64]
    boxes: NDArray[np.int32]
    centroids: NDArray[np.float64]
    means: NDArray[np.float64] | None


def label_components(
    mask: NDArray[np.uint8] | NDArray[np.bool_], *, connectivity: int, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.int32], int]:
    """Labels of the connected components of a mask: those that scipy.ndimage.label gives.

    mask          uint8 or bool [rows, columns] or [slices, rows, columns], fewer than 2**31 - 1 voxels; all that is not
                  0 is foreground
    connectivity  4 or 8 in an image, 6 or 26 in a volume: voxels are neighbours that share a side, or a corner too

    Returns labels int32 of the mask's shape and how many components there are: 0 for background, 1, 2 ... for the
    components in the order of their first voxels, row by row. On a device the number is an int32 [1] array there, so
    that nothing waits. Beside the labels, the CPU takes a third of a byte for each voxel of one slice, for each thread.
    """
    return _label("label_components", "mask", _as_bytes(mask), connectivity, threads, stream)


def label_classes(
    classes: NDArray[np.uint8], *, connectivity: int, threads: int = 1, stream: Any = None
) -> tuple[NDArray[np.int32], int]:
    """Labels of the connected components of each class: of voxels that have the same value, 0 apart.

    classes       uint8 [rows, columns] or [slices, rows, columns], fewer than 2**31 - 1 voxels; 0 is background
    connectivity  4 or 8 in an image, 6 or 26 in a volume: voxels are neighbours that share a side, or a corner too

    Returns labels int32 of this shape and how many components there are: 0 for background, 1, 2 ... for the components
    of all classes in the order of their first voxels, row by row; the number as `label_components` returns it.
    Beside the labels, the CPU takes 4/3 bytes for each voxel of one slice, for each thread.
    """
    return _label("label_classes", "classes", classes, connectivity, threads, stream)


def component_statistics(
    labels: NDArray[np.int32],
    count: int,
    values: NDArray[np.int16] | NDArray[np.uint16] | NDArray[np.float32] | None = None,
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
    threads: int = 1,
    stream: Any = None,
) -> ComponentStatistics:
    """Size, box, centroid and mean value of each label 1..count, in one pass.

    labels            int32 [rows, columns] or [slices, rows, columns], fewer than 2**31 - 1 voxels; voxels with labels
                      outside 1..count belong to no component
    count             0 or more
    values            int16, uint16 or float32 of the labels' shape, as stored: slope * value + intercept is in HU, say.
                      Sums of integers are exact, of floats in float64; a value that is not finite spoils the mean of
                      its own component only.
    """
    place = place_of(labels, values, threads=threads, stream=stream)
    labels = _take_grid(place, "labels", labels, ("int32",))
    if not 0 <= count <= _MOST:
        raise ValueError(f"count is {count}, expected 0 to {_MOST}")
    axes = len(labels.shape)
    voxels, boxes = place.empty((count,), np.int64), place.empty((count, 2 * axes), np.int32)
    centroids = place.empty((count, axes), np.float64)
    if values is None:
        place.native.component_statistics(labels, voxels, boxes, centroids, place.lane)
        return ComponentStatistics(voxels, boxes, centroids, None)
    values = place.take("values", values, ("int16", "uint16", "float32"), labels.shape)
    means = place.empty((count,), np.float64)
    place.native.component_statistics(labels, values, slope, intercept, voxels, boxes, centroids, means, place.lane)
    return ComponentStatistics(voxels, boxes, centroids, means)


def select_components(
    found: ComponentStatistics,
    *,
    min_voxels: int = 1,
    min_extent: tuple[int, ...] | None = None,
    largest: int | None = None,
) -> NDArray[np.bool_]:
    """Which components are wanted: `keep_components` takes it.

    found       statistics as NumPy arrays
    min_voxels  at least so many voxels
    min_extent  a box of at least this many voxels along (x, y) or (x, y, z): (40, 140) leaves out what is smaller than
                40 x 140 pixels (Dubost et al., CSI 2019, section 2.3)
    largest     of those, only so many: the ones with most voxels, the first of equals

    Returns bool [count].
    """
    axes = found.centroids.shape[1]
    keep = np.asarray(found.voxels >= max(min_voxels, 1))
    if min_extent is not None:
        if len(min_extent) != axes:
            raise ValueError(f"min_extent is {min_extent}, expected {axes} lengths, along x, y{', z' * (axes - 2)}")
        keep &= (found.boxes[:, axes:] - found.boxes[:, :axes] >= min_extent).all(axis=1)
    if largest is not None:
        if largest < 0:
            raise ValueError(f"largest is {largest}, expected 0 or more")
        order = np.argsort(-np.where(keep, found.voxels, 0), kind="stable")
        keep[order[largest:]] = False
    return keep


def keep_components(
    labels: NDArray[np.int32], keep: NDArray[np.bool_] | NDArray[np.uint8], *, threads: int = 1, stream: Any = None
) -> NDArray[np.int32]:
    """The labels of some components, counted anew from 1 in the same order; 0 for all others.

    labels  int32 [rows, columns] or [slices, rows, columns], fewer than 2**31 - 1 voxels; voxels with labels outside
            1..count belong to no component
    keep    bool or uint8 [count], entry i for label i + 1

    Returns int32 of the labels' shape. A table of 4 bytes for each component is all the memory beside it.
    """
    place = place_of(labels, keep, threads=threads, stream=stream)
    labels = _take_grid(place, "labels", labels, ("int32",))
    keep = place.take("keep", _as_bytes(keep), ("uint8",), ("count",))
    kept = place.empty(labels.shape, np.int32)
    place.native.keep_components(labels, keep, kept, place.lane)
    return kept


def _label(
    kernel: str, name: str, voxels: Array, connectivity: int, threads: int, stream: Any
) -> tuple[NDArray[np.int32], int]:
    place = place_of(voxels, threads=threads, stream=stream)
    voxels = _take_grid(place, name, voxels, ("uint8",))
    axes = len(voxels.shape)
    if (axes, connectivity) not in _CORNERS:
        raise ValueError(
            f"connectivity is {connectivity}, expected {'4 or 8' if axes == 2 else '6 or 26'} of {axes} axes"
        )
    labels, count = place.empty(voxels.shape, np.int32), place.empty((1,), np.int32)
    getattr(place.native, kernel)(voxels, _CORNERS[axes, connectivity], labels, count, place.lane)
    return labels, int(count[0]) if isinstance(count, np.ndarray) else count


def _take_grid(place: Place, name: str, grid: Array, dtypes: tuple[str, ...]) -> Array:
    axes = getattr(grid, "ndim", 2)
    if axes not in _AXES:
        shapes = " or ".join(f"[{', '.join(shape)}]" for shape in _AXES.values())
        raise TypeError(f"{name} is {grid.dtype} {list(grid.shape)}, expected {' or '.join(dtypes)} {shapes}")
    grid = place.take(name, grid, dtypes, _AXES[axes])
    if math.prod(grid.shape) > _MOST:
        raise ValueError(f"{name} has {math.prod(grid.shape)} voxels, expected at most {_MOST}")
    return grid


def _as_bytes(array: Array) -> Array:
    """Booleans are bytes of 0 and 1."""
    return array.view(np.uint8) if isinstance(array, np.ndarray) and array.dtype == np.bool_ else array
