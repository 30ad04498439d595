"""Crops of images and volumes along any directions."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.kernels.resample import Triple
from spinert.kernels.residence import Array, Place, place_of


class Affine(NamedTuple):
    """Pixels of crops to pixels of the image: image = origin + matrix @ crop, for points (x, y) or (x, y, z).

    matrix  float64 [..., axes, axes];  origin  float64 [..., axes], the first pixel's place
    """

    matrix: NDArray[np.float64]
    origin: NDArray[np.float64]

    def to_image(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Points in pixels of the crops [..., k, axes] -> points in pixels of the image [..., k, axes]."""
        return np.asarray(points, np.float64) @ self.matrix.swapaxes(-1, -2) + self.origin[..., None, :]

    def to_crop(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Points in pixels of the image [..., k, axes] -> points in pixels of the crops [..., k, axes]."""
        inverse = np.linalg.inv(self.matrix)
        return (np.asarray(points, np.float64) - self.origin[..., None, :]) @ inverse.swapaxes(-1, -2)


def box_map(boxes: NDArray[np.float64], size: tuple[int, int], *, stride: float = 1.0) -> Affine:
    """Crops of rotated boxes: each box, edge to edge, is divided into size pixels.

    boxes   float64 [n, 5]: centre (cx, cy), width, height in pixels of the image, and the angle in radians that turns
            the box's x axis from that of the image towards its y axis (clockwise on a screen)
    size    (height, width) of the crops
    stride  pixels of the image in one of a feature map that covers it from corner to corner: the map then leads to
            pixels of the feature map (ROI align: He et al., ICCV 2017; half-pixel centres as Detectron2's aligned)

    Returns an Affine of n maps. Raises ValueError for a value that is not finite, a side, size or stride not above 0.
    """
    boxes = np.asarray(boxes, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(f"boxes has shape {list(boxes.shape)}, expected [n, 5]")
    bad = ~np.isfinite(boxes).all(axis=1) | (boxes[:, 2:4] <= 0.0).any(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"boxes has {boxes[row].tolist()} in row {row}, expected finite values, width and height > 0")
    if not 0.0 < stride < math.inf:
        raise ValueError(f"stride is {stride}, expected a finite value above 0")
    _check_size(size, 2)
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    step = boxes[:, None, 2:4] / np.array(size[::-1]) / stride
    matrix = np.stack([cos, -sin, sin, cos], axis=1).reshape(-1, 2, 2) * step
    centre = (boxes[:, :2] + 0.5) / stride - 0.5
    return Affine(matrix, centre - matrix @ _middle(size))


def oblique_map(
    centres: NDArray[np.float64], steps: NDArray[np.float64], size: tuple[int, int, int], *, spacing: Triple
) -> Affine:
    """Crops of a volume along directions of their own, such as discs levelled within the sagittal slices.

    centres  float64 [n, 3]: (x, y, z) of each crop's middle, in voxels of the volume
    steps    float64 [n, 3, 3]: the ways in mm from a voxel of the crop to the next one along its x, its y and its z,
             each as (x, y, z) along the volume's columns, rows and slices; they need not be square to each other
    size     (slices, rows, columns) of a crop
    spacing  (slice, row, column) of the volume in mm

    Raises ValueError for a value that is not finite, steps of which one lies in the plane of the others, a size below 1
    or a spacing not above 0.
    """
    centres, steps = np.asarray(centres, np.float64), np.asarray(steps, np.float64)
    if centres.shape != (len(centres), 3) or steps.shape != (len(centres), 3, 3):
        raise ValueError(f"centres is {list(centres.shape)} and steps {list(steps.shape)}, expected [n, 3], [n, 3, 3]")
    if not np.isfinite(centres).all():
        raise ValueError("centres has a value that is not finite")
    if not all(0.0 < mm < math.inf for mm in spacing):
        raise ValueError(f"spacing is {spacing}, expected three finite values above 0")
    _check_size(size, 3)
    if not np.isfinite(steps).all() or (np.linalg.matrix_rank(steps) < 3).any():
        raise ValueError("steps has a value that is not finite, or three vectors that lie in one plane")
    matrix = steps.swapaxes(1, 2) / np.array(spacing[::-1])[:, None]
    return Affine(matrix, centres - matrix @ _middle(size))


def crop_rotated(
    images: Array,
    maps: Affine,
    size: tuple[int, int],
    *,
    samples: int = 1,
    outside: float = 0.0,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[np.float32]:
    """Crops of an image or of the channels of a feature map, interpolated linearly.

    images   uint8, int16, uint16 or float32 [channels, rows, columns]
    maps     n maps of two axes, as of `box_map`
    size     (height, width) of a crop
    samples  1..64: each pixel is the mean of samples x samples points spaced evenly within it, which keeps a crop that
             shrinks from aliasing; the sampling ratio of ROI align
    outside  the value of points that lie in no pixel of the image; within a pixel of the border, beyond its centre, the
             border goes on

    Returns float32 [n, channels, height, width]. A point whose place is nan lies outside. A value that is not finite
    makes those outputs not finite in which it has a weight.
    """
    if not 1 <= samples <= 64:
        raise ValueError(f"samples is {samples}, expected 1 to 64")
    _check_maps(maps, 2)
    _check_size(size, 2)
    place = place_of(images, threads=threads, stream=stream)
    images = _take(place, "images", images, ("channels", "rows", "columns"))
    out = place.empty((len(maps.matrix), images.shape[0], *size), np.float32)
    place.native.crop_rotated(images, _together(maps), samples, outside, out, place.lane)
    return out


def crop_oblique(
    volume: Array,
    maps: Affine,
    size: tuple[int, int, int],
    *,
    outside: float = 0.0,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[np.float32]:
    """Crops of a volume, interpolated linearly (trilinear).

    volume   uint8, int16, uint16 or float32 [slices, rows, columns]
    maps     n maps of three axes, as of `oblique_map`
    size     (slices, rows, columns) of a crop
    outside  as for `crop_rotated`

    Returns float32 [n, *size]; of values that are not finite as `crop_rotated`.
    """
    _check_maps(maps, 3)
    _check_size(size, 3)
    place = place_of(volume, threads=threads, stream=stream)
    volume = _take(place, "volume", volume, ("slices", "rows", "columns"))
    out = place.empty((len(maps.matrix), *size), np.float32)
    place.native.crop_oblique(volume, _together(maps), outside, out, place.lane)
    return out


def _take(place: Place, name: str, volume: Array, shape: tuple[str, str, str]) -> Array:
    volume = place.take(name, volume, ("uint8", "int16", "uint16", "float32"), shape)
    if 0 in volume.shape:
        raise ValueError(f"{name} has shape {list(volume.shape)}, expected at least one value")
    return volume


def _check_maps(maps: Affine, axes: int) -> None:
    n = len(maps.matrix)
    if maps.matrix.shape != (n, axes, axes) or maps.origin.shape != (n, axes):
        came = f"{list(maps.matrix.shape)} and {list(maps.origin.shape)}"
        raise ValueError(f"maps has {came}, expected [n, {axes}, {axes}] and [n, {axes}]")


def _together(maps: Affine) -> NDArray[np.float64]:
    """[n, axes, axes + 1], as the native module takes them."""
    return np.ascontiguousarray(np.concatenate([maps.matrix, maps.origin[:, :, None]], axis=2))


def _check_size(size: tuple[int, ...], axes: int) -> None:
    if len(size) != axes or min(size) < 1:
        raise ValueError(f"size is {size}, expected {axes} lengths of at least 1")


def _middle(size: tuple[int, ...]) -> NDArray[np.float64]:
    """(x, y) or (x, y, z) of the middle of a crop."""
    return (np.array(size[::-1]) - 1) / 2.0
