"""A radiograph to a network's input, in float64."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def percentile_values(pixels: NDArray[np.integer], percentiles: tuple[float, float]) -> tuple[int, int]:
    """Smallest values whose cumulative share of all pixels reaches each percentile."""
    in_order = np.sort(pixels, axis=None)
    low, high = (max(1, int(np.ceil(percent * pixels.size / 100.0))) for percent in percentiles)
    return int(in_order[low - 1]), int(in_order[high - 1])


def resize_weights(inputs: int, outputs: int) -> Array:
    """[outputs, inputs]: area average when the axis shrinks, linear between centres when it grows."""
    step = inputs / outputs
    source = np.arange(inputs)
    if outputs <= inputs:
        begin = np.arange(outputs)[:, None] * step
        overlap = np.minimum(begin + step, source + 1) - np.maximum(begin, source)
        return np.asarray(np.clip(overlap, 0.0, None) / step)
    centre = np.clip((np.arange(outputs)[:, None] + 0.5) * step - 0.5, 0.0, inputs - 1)
    return np.asarray(np.clip(1.0 - np.abs(centre - source), 0.0, None))


def fitted_shape(
    shape: tuple[int, int], size: tuple[int, int], mm_per_pixel_xy: tuple[float, float]
) -> tuple[int, int]:
    """(rows, columns) of an image within `size`, its proportions in mm kept."""
    mm = shape[0] * mm_per_pixel_xy[1], shape[1] * mm_per_pixel_xy[0]
    scale = min(size[0] / mm[0], size[1] / mm[1])
    rows, columns = (min(max(round(length * scale), 1), limit) for length, limit in zip(mm, size, strict=True))
    return rows, columns


def prepare_radiograph(
    pixels: NDArray[np.integer],
    *,
    size: tuple[int, int],
    inverted: bool = False,
    mm_per_pixel_xy: tuple[float, float] = (1.0, 1.0),
    percentiles: tuple[float, float] = (1.0, 99.0),
) -> Array:
    """The pixels of `Prepared`, float64 [height, width]."""
    low, high = percentile_values(pixels, percentiles)
    windowed = np.clip((pixels.astype(np.float64) - low) / max(high - low, 1), 0.0, 1.0) * (high > low)
    rows, columns = fitted_shape(pixels.shape, size, mm_per_pixel_xy)
    image = resize_weights(pixels.shape[0], rows) @ windowed @ resize_weights(pixels.shape[1], columns).T
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    out = np.zeros(size)
    out[top : top + rows, left : left + columns] = 1.0 - image if inverted else image
    return out
