"""The bindings refuse outputs that lie over an input or over each other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from spinert.kernels import _cpu


def array(dtype: DTypeLike, *shape: int) -> NDArray[Any]:
    """Zeros, in memory of their own."""
    return np.zeros(shape, dtype)


def over(other: NDArray[Any], dtype: DTypeLike, *shape: int) -> NDArray[Any]:
    """An array over the first bytes of another one."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return other.reshape(-1).view(np.uint8)[:size].view(dtype).reshape(shape)


CALLS: dict[str, Callable[[], object]] = {}


def call(function: Callable[[], object]) -> Callable[[], object]:
    CALLS[function.__name__] = function
    return function


@call
def window_over_pixels() -> None:
    pixels = array(np.uint8, 8, 8)
    _cpu.order_statistics(pixels, 1, 2, over(pixels, np.int32, 2), 1)


@call
def resized_over_pixels() -> None:
    pixels = array(np.uint16, 8, 8)
    _cpu.window_resize(pixels, np.array([0, 9], np.int32), False, 0, 0, 2, 2, over(pixels, np.float32, 2, 2), 1)


@call
def hu_over_stored() -> None:
    stored, one = array(np.int16, 4, 8), np.ones(1)
    _cpu.rescale_hu(stored, one, array(float, 1), 0.0, 1.0, 0.0, 1.0, 0.0, False, over(stored, np.uint8, 4, 8), 1)


@call
def zscore_over_mask() -> None:
    stored, one, mask = array(np.int16, 4, 8), np.ones(1), array(np.uint8, 4, 8)
    _cpu.zscore_hu(stored, one, one, 0.0, 1.0, mask, over(mask, float, 3), array(np.float32, 4, 8), 1)


@call
def box_over_mask() -> None:
    stored, one, mask = array(np.int16, 4, 8), np.ones(1), array(np.uint8, 4, 8)
    _cpu.threshold_mask(stored, one, one, 0.0, 1.0, mask, over(mask, np.int64, 2, 2), 1)


@call
def equalized_over_images() -> None:
    images = array(np.uint8, 4, 4)
    _cpu.equalize_histogram(images, images, 1)


@call
def clahe_over_images() -> None:
    images = array(np.uint16, 4, 4)
    _cpu.clahe(images, 2.0, 2, 2, images, 1)


@call
def resampled_over_volume() -> None:
    volume, steps, window = array(np.float32, 2, 2, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)
    _cpu.resample_volume(volume, steps, steps, window, volume, 1)


@call
def resampled_over_labels() -> None:
    labels, steps = array(np.uint8, 2, 2, 2), (1.0, 1.0, 1.0)
    _cpu.resample_labels(labels, steps, steps, labels, 1)


@call
def crops_over_maps() -> None:
    maps = array(float, 1, 2, 3)
    _cpu.crop_rotated(array(np.uint8, 1, 4, 4), maps, 1, 0.0, over(maps, np.float32, 1, 1, 2, 2), 1)


@call
def crops_over_volume() -> None:
    volume = array(np.float32, 2, 2, 2)
    _cpu.crop_oblique(volume, array(float, 1, 3, 4), 0.0, over(volume, np.float32, 1, 2, 2, 2), 1)


@call
def points_over_maps() -> None:
    maps = array(np.float32, 2, 4, 4)
    _cpu.soft_argmax(maps, 1.0, 1, over(maps, np.float32, 2, 2), array(np.float32, 2), 1)


@call
def confidence_over_covariance() -> None:
    covariance = array(np.float32, 2, 2, 2)
    confidence = over(covariance, np.float32, 2)
    _cpu.soft_moments(array(np.float32, 2, 4, 4), 1.0, 1, array(np.float32, 2, 2), confidence, covariance, 1)


@call
def count_over_mask() -> None:
    maps, mask = array(np.float32, 2, 4, 4), array(np.uint8, 2, 4, 4)
    _cpu.mean_above(maps, 0.0, mask, array(np.float32, 2, 2), over(mask, np.int32, 2), array(np.float32, 2), 1)


@call
def values_over_points() -> None:
    points = array(np.float32, 2, 2)
    _cpu.peak(array(np.float32, 2, 4, 4), points, over(points, np.float32, 2), 1)


@call
def peaks_over_maps() -> None:
    maps, count = array(np.float32, 1, 4, 4), array(np.int32, 1)
    _cpu.top_peaks(maps, 1.0, 0.0, over(maps, np.float32, 1, 2, 2), array(np.float32, 1, 2), count, 1)


@call
def clusters_over_offsets() -> None:
    offsets = np.array([0, 3], np.int64)
    _cpu.dbscan(array(float, 3, 2), offsets, 1.0, 1, over(offsets, np.int32, 3), 1)


@call
def labels_over_centres() -> None:
    centres = array(float, 2, 1)
    _cpu.kmeans(array(float, 3, 1), 9, 0.0, over(centres, np.int32, 3), centres, 1)


@call
def gaps_over_places() -> None:
    places = array(float, 4)
    _cpu.gap_outliers(places, 2.0, places, array(np.uint8, 4), 1)


@call
def degrees_over_offsets() -> None:
    offsets, x = np.array([0, 3], np.int64), array(float, 3)
    _cpu.fit_polynomial(x, x, None, offsets, array(float, 1, 2), array(float, 1, 2, 3), over(offsets, np.int32, 1), 1)


@call
def curve_over_terms() -> None:
    terms, x = array(float, 1, 2, 3), array(float, 3)
    _cpu.evaluate_polynomial(array(float, 1, 2), terms, x, None, None, over(terms, float, 3), array(float, 3), 1)


@call
def slopes_over_values() -> None:
    values = array(float, 4)
    _cpu.even_slopes(values, None, over(values, float, 1, 3), 1)


@call
def midline_over_borders() -> None:
    borders = array(float, 3, 2)
    _cpu.mask_midline(array(np.uint8, 3, 4), over(borders, float, 3), borders, 1)


@call
def labels_over_mask() -> None:
    labels = array(np.int32, 4, 4)
    _cpu.label_components(over(labels, np.uint8, 4, 4), False, labels, array(np.int32, 1), 1)


@call
def count_over_labels() -> None:
    labels = array(np.int32, 4, 4)
    _cpu.label_components(array(np.uint8, 4, 4), False, labels, over(labels, np.int32, 1), 1)


@call
def voxels_over_labels() -> None:
    labels = array(np.int32, 4, 4)
    _cpu.component_statistics(labels, over(labels, np.int64, 2), array(np.int32, 2, 4), array(float, 2, 2), 1)


@call
def means_over_values() -> None:
    values, voxels = array(np.float32, 4, 4), array(np.int64, 2)
    boxes, centroids, means = array(np.int32, 2, 4), array(float, 2, 2), over(values, float, 2)
    _cpu.component_statistics(array(np.int32, 4, 4), values, 1.0, 0.0, voxels, boxes, centroids, means, 1)


@call
def kept_over_keep() -> None:
    kept = array(np.int32, 4, 4)
    _cpu.keep_components(array(np.int32, 4, 4), over(kept, np.uint8, 3), kept, 1)


@call
def ring_over_tile() -> None:
    ring, ones, zeros = array(np.float32, 1, 2, 2, 2), np.ones((1, 2), np.float32), (0, 0, 0)
    _cpu.add_tile(ring, ones, ones, ones, zeros, zeros, zeros, ring, 1)


@call
def labels_over_ring() -> None:
    ring = array(np.float32, 1, 2, 2, 2)
    _cpu.label_slices(ring, 0, 0, 2, 0.5, over(ring, np.uint8, 2, 2, 2), 1)


@call
def halves_over_ring() -> None:
    ring = array(np.float32, 1, 2, 2, 2)
    _cpu.half_slices(ring, 0, 0, 2, over(ring, np.float16, 1, 2, 2, 2), 1)


@call
def means_over_centres() -> None:
    centres = array(float, 2, 3)
    _cpu.gaussian_mean(array(np.float32, 2, 2, 2), centres, 3, 1.0, over(centres, float, 2), 1)


@call
def votes_over_offsets() -> None:
    offsets = np.array([0, 3], np.int64)
    _cpu.vertebra_votes(array(np.float32, 3, 2), offsets, 0, over(offsets, np.int32, 1), array(np.int32, 1, 2), 1)


@call
def vectors_over_corners() -> None:
    corners = array(float, 3, 4, 2)
    _cpu.tilt_vectors(corners, over(corners, float, 3, 2), 1)


@call
def degrees_over_vectors() -> None:
    vectors = array(float, 3, 2)
    _cpu.angle_matrix(vectors[:2], over(vectors, float, 2, 2), 1)


@call
def ends_over_heights() -> None:
    heights = array(float, 2)
    _cpu.challenge_angles(array(float, 2, 17, 4, 2), heights, array(float, 2, 3), over(heights, np.int32, 2, 2), 1)


@call
def counts_over_turns() -> None:
    turns = array(float, 2, 2)
    _cpu.end_vertebrae(array(float, 2, 3, 4, 2), 1.0, array(np.int32, 2, 2, 3), turns, over(turns, np.int32, 2), 1)


@pytest.mark.parametrize("name", CALLS)
def test_an_output_over_another_array_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"shares? memory"):
        CALLS[name]()


def test_an_empty_output_within_an_input_shares_nothing_with_it() -> None:
    vectors = array(float, 3, 2)
    _cpu.tilt_vectors(array(float, 0, 4, 2), vectors[1:1], 1)
    _cpu.angle_matrices(vectors.reshape(1, 3, 2)[:0], vectors.reshape(-1)[3:3].reshape(0, 3, 3), 1)
