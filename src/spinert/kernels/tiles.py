"""Overlapping tiles of a volume, as a network with a small field of view gives them, to one volume."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spinert.kernels.arguments import check_array, check_threads
from spinert.kernels.residence import Place, place_of

Size = tuple[int, int, int]
Weights = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

_MOST_CLASSES = 256
_NARROWEST = 1.0 / 64.0  # the weight of a corner is then far from underflow


def tile_positions(shape: Size, patch: Size, stride: Size) -> NDArray[np.int64]:
    """First voxels of the tiles that cover a volume: a grid, slab after slab.

    shape   (z, y, x) of the volume; each at least that of the patch
    patch   (z, y, x) of a tile
    stride  (z, y, x) from a tile to the next, at most the patch; the last tile of an axis is moved back to end with
            the volume

    Returns int64 [n, 3], (z, y, x), x fastest: for a length of 10, a patch of 4 and a stride of 4 the tiles of an axis
    begin at 0, 4, 6.
    """
    grid = np.meshgrid(*_starts(shape, patch, stride), indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=1)


def gaussian_weights(patch: Size, sigma: float) -> Weights:
    """How much each voxel of a tile counts: a Gaussian round its centre, as one factor per axis.

    patch  (z, y, x) of a tile
    sigma  standard deviation in lengths of the patch, 1/64 or more; nnU-Net (Isensee, Nature Methods 2021) uses 1/8

    Returns float64 [z], [y] and [x]; a voxel weighs the product of its three, 1 in the centre.
    """
    _check_size("patch", patch)
    if not _NARROWEST <= sigma < math.inf:
        raise ValueError(f"sigma is {sigma}, expected a finite value of at least 1/64 patch")
    z, y, x = (np.exp(-0.5 * ((np.arange(n) - 0.5 * (n - 1)) / (sigma * n)) ** 2) for n in patch)
    return z, y, x


class TileBlend:
    """The weighted mean of overlapping tiles, voxel by voxel, while the tiles come in.

        blend = TileBlend(shape, patch, stride, classes=4, weights=gaussian_weights(patch, 1 / 8))
        for z, y, x in blend.positions:
            blend.add(network(volume[z : z + depth, y : y + height, x : x + width]), (z, y, x))
        labels = blend.result

    shape, patch, stride  as for `tile_positions`, which gives the order in which the tiles come
    classes    channels of a tile; 1 to 256 for labels
    weights    float64 [z], [y] and [x] of a patch, finite and above 0: a voxel weighs the product of its three
    dtype      of the result. "uint8": labels [z, y, x], for each voxel the class with the largest mean (the first of
               equals; nan is never chosen, and where all are nan the label is 0). "float32" or "float16": the means,
               [classes, z, y, x]
    threshold  for labels of one class, which are 1 where the mean is above it and 0 elsewhere; else None
    threads    change the time, never the result: the sums of a voxel are made in the order of the tiles
    stream     of tiles on a device, all of which lie there; None is that of each tile

    The means are made in float32. A value that is not finite spoils the voxels it stands for, no others.

    Besides the result there are sums for as many slices as a patch has, of float32 [classes, patch z, y, x], and none
    for a result of float32: slices that no later tile reaches are finished and their room is used again. Weights are
    divided beforehand by their sum over the tiles, axis by axis, so that no volume of weights is held either.
    """

    def __init__(
        self,
        shape: Size,
        patch: Size,
        stride: Size,
        *,
        classes: int,
        weights: Weights,
        dtype: DTypeLike = "uint8",
        threshold: float | None = None,
        threads: int = 1,
        stream: Any = None,
    ) -> None:
        self._starts = _starts(shape, patch, stride)
        self._dtype = np.dtype(dtype)
        if self._dtype.name not in ("uint8", "float16", "float32"):
            raise ValueError(f"dtype is {self._dtype}, expected uint8, float16 or float32")
        _check_classes(classes, self._dtype.name == "uint8", threshold)
        _check_weights(weights, patch)
        check_threads(threads)
        self.positions = tile_positions(shape, patch, stride)
        self.positions.flags.writeable = False
        self._shape, self._patch, self._classes = shape, patch, classes
        self._threshold = 0.0 if threshold is None else threshold
        self._threads, self._stream = threads, stream
        axes = zip(self._starts, weights, shape, strict=True)
        self._shares = tuple(_shares(starts, own, length) for starts, own, length in axes)
        self._added = 0

    def add(self, tile: NDArray[Any], position: Sequence[int] | NDArray[np.int64]) -> None:
        """Take the next tile, float32 or float16 [classes, patch z, patch y, patch x], and its place in `positions`."""
        place = place_of(tile, threads=self._threads, stream=self._stream)
        tile = place.take("tile", tile, ("float32", "float16"), (self._classes, *self._patch))
        if self._added == len(self.positions):
            raise ValueError(f"tile is one too many, expected {len(self.positions)}")
        z, y, x = self.positions[self._added].tolist()
        if [int(i) for i in position] != [z, y, x]:
            raise ValueError(f"position is {tuple(map(int, position))}, expected {(z, y, x)}: tiles come in order")
        if self._added == 0:
            self._begin(place)
        index = np.unravel_index(self._added, [len(starts) for starts in self._starts])
        fresh = [self._fresh(axis, int(i)) for axis, i in enumerate(index)]
        at = (z % self._ring.shape[1], y, x)
        place.native.add_tile(tile, *self._weights, tuple(map(int, index)), at, tuple(fresh), self._ring, place.lane)
        self._added += 1
        if self._added % (len(self._starts[1]) * len(self._starts[2])) == 0:
            self._finish(place, int(index[0]))

    @property
    def result(self) -> NDArray[Any]:
        """Labels [z, y, x], or means [classes, z, y, x]; ValueError while tiles are missing."""
        if self._added < len(self.positions):
            raise ValueError(f"{self._added} tiles were added, expected {len(self.positions)}")
        return self._result

    def _begin(self, place: Place) -> None:
        self._weights = [place.bring(shares) for shares in self._shares]
        volume = (self._classes, *self._shape)
        self._result = place.empty(volume[1:] if self._dtype == np.uint8 else volume, self._dtype)
        slab = (self._classes, self._patch[0], *self._shape[1:])
        self._ring = self._result if self._dtype == np.float32 else place.empty(slab, np.float32)

    def _fresh(self, axis: int, index: int) -> int:
        """How many voxels of a tile the one before it on the axis covers too."""
        if index == 0:
            return 0
        starts = self._starts[axis]
        return int(starts[index - 1]) + self._patch[axis] - int(starts[index])

    def _finish(self, place: Place, slab: int) -> None:
        """The slices that end with this slab of tiles, from sums to results."""
        starts = self._starts[0].tolist()
        begin, end = starts[slab], [*starts, self._shape[0]][slab + 1]
        where = (begin % self._ring.shape[1], begin, end - begin)
        if self._dtype == np.uint8:
            place.native.label_slices(self._ring, *where, self._threshold, self._result, place.lane)
        elif self._dtype == np.float16:
            place.native.half_slices(self._ring, *where, self._result, place.lane)


def _starts(shape: Size, patch: Size, stride: Size) -> list[NDArray[np.int64]]:
    """Where the tiles begin, axis by axis."""
    for name, size in (("shape", shape), ("patch", patch), ("stride", stride)):
        _check_size(name, size)
    if any(p > n for p, n in zip(patch, shape, strict=True)):
        raise ValueError(f"patch is {patch}, expected at most the volume's shape {shape}: pad the volume")
    if any(s > p for s, p in zip(stride, patch, strict=True)):
        raise ValueError(f"stride is {stride}, expected at most the patch {patch}")
    axes = zip(shape, patch, stride, strict=True)
    return [np.minimum(np.arange(-((p - n) // s) + 1, dtype=np.int64) * s, n - p) for n, p, s in axes]


def _shares(starts: NDArray[np.int64], weights: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    """[tiles of an axis, patch]: each tile's weights over the sum of all tiles' where it lies."""
    places = starts[:, None] + np.arange(len(weights))
    total = np.zeros(length)
    for place in places:
        total[place] += weights
    return np.asarray(weights / total[places], np.float32)


def _check_size(name: str, size: Sequence[int]) -> None:
    if len(size) != 3 or min(size) < 1:
        raise ValueError(f"{name} is {size}, expected 3 lengths of 1 or more")


def _check_classes(classes: int, labels: bool, threshold: float | None) -> None:
    if classes < 1 or (labels and classes > _MOST_CLASSES):
        raise ValueError(
            f"classes is {classes}, expected 1 {f'to {_MOST_CLASSES} for labels' if labels else 'or more'}"
        )
    if (threshold is not None) != (labels and classes == 1):
        expected = "a number for labels of one class" if threshold is None else "None but for labels of one class"
        raise ValueError(f"threshold is {threshold}, expected {expected}")
    if threshold is not None and not math.isfinite(threshold):
        raise ValueError(f"threshold is {threshold}, expected a finite value")


def _check_weights(weights: Weights, patch: Size) -> None:
    if len(weights) != 3:
        raise TypeError(f"weights has {len(weights)} arrays, expected 3: z, y and x")
    for axis, own, length in zip("zyx", weights, patch, strict=True):
        check_array(f"weights along {axis}", own, ("float64",), (length,))
        if not (np.isfinite(own) & (own > 0.0)).all():
            raise ValueError(f"weights along {axis} are {own.min()} to {own.max()}, expected finite values above 0")
