"""What is known of components and which are kept: by hand, against the reference, bincount and SciPy."""

from itertools import cycle
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.masks import GRIDS, SHAPES, connectivities, found_with, grid, noise, scipy_labels


def test_statistics_of_an_image_by_hand(place: Any) -> None:
    labels = grid(".11", "21.", "2..").astype(np.int32)
    values = np.array([[0, 10, 20], [7, 60, 0], [9, 0, 0]], np.int16)
    found = place.run(kernels.component_statistics, labels, 2, values, slope=2.0, intercept=-1000.0)
    assert found.voxels.tolist() == [3, 2]
    assert found.boxes.tolist() == [[1, 0, 3, 2], [0, 1, 1, 3]]
    np.testing.assert_array_equal(found.centroids, [[4 / 3, 1 / 3], [0.0, 1.5]])
    assert found.means.tolist() == [-940.0, -984.0]


def test_statistics_of_a_volume_have_x_first(place: Any) -> None:
    labels = np.zeros((4, 5, 6), np.int32)
    labels[1:3, 2, 3:6] = 1
    found = place.run(kernels.component_statistics, labels, 1)
    assert found.boxes.tolist() == [[3, 2, 1, 6, 3, 3]]
    assert found.centroids.tolist() == [[4.0, 2.0, 1.5]]
    assert found.means is None


def test_labels_that_are_not_counted_and_labels_without_voxels(place: Any) -> None:
    labels = np.array([[-1, 0, 3, 9, 2**31 - 1, -(2**31)]], np.int32)
    found = place.run(kernels.component_statistics, labels, 3, np.ones((1, 6), np.float32))
    assert found.voxels.tolist() == [0, 0, 1]
    assert found.boxes.tolist() == [[0] * 4, [0] * 4, [2, 0, 3, 1]]
    assert np.isnan(found.centroids[:2]).all()
    assert np.isnan(found.means).tolist() == [True, True, False]
    kept = place.run(kernels.keep_components, labels, np.ones(3, np.uint8))
    assert kept.tolist() == [[0, 0, 3, 0, 0, 0]]


# every shape without values and with those of one type, every type with shapes of all sizes
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [(shape, None) for shape in SHAPES] + list(zip(SHAPES, cycle(["int16", "uint16", "float32"]), strict=False)),
    ids=str,
)
def test_statistics_agree_with_the_reference(place: Any, shape: tuple[int, ...], dtype: str | None) -> None:
    labels, count = scipy_labels(noise(shape, 0.6), connectivities(len(shape))[0])
    rng = np.random.default_rng(0)
    values = None if dtype is None else rng.integers(0, 2**16, shape).astype(np.uint16).view(np.int16).astype(dtype)
    found = place.run(
        kernels.component_statistics, labels, count, *([] if values is None else [values]), slope=0.7, intercept=-90.0
    )
    voxels, boxes, centroids, means = reference.component_statistics(labels, count, values, slope=0.7, intercept=-90.0)
    np.testing.assert_array_equal(found.voxels, voxels)
    np.testing.assert_array_equal(found.boxes, boxes)
    np.testing.assert_array_equal(found.centroids, centroids)
    if dtype == "float32":
        np.testing.assert_allclose(found.means, means, rtol=1e-12, atol=1e-9)
    elif dtype is not None:
        np.testing.assert_array_equal(found.means, means)


def test_statistics_of_thousands_of_components(place: Any) -> None:
    labels, count = scipy_labels(noise((8, 60, 60), 0.2), 6)
    assert count > 1024
    values = np.random.default_rng(0).integers(-1024, 3000, labels.shape, np.int16)
    check_by_bincount(place.run(kernels.component_statistics, labels, count, values), labels, count, values)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_statistics_of_many_voxels(isa: str, dtype: type) -> None:
    labels = np.random.default_rng(0).integers(0, 9, (70, 130, 140), np.int32)
    values = np.random.default_rng(1).integers(0, 3000, labels.shape).astype(dtype)
    check_by_bincount(kernels.component_statistics(labels, 8, values, threads=3), labels, 8, values)


def check_by_bincount(
    found: kernels.ComponentStatistics, labels: NDArray[np.int32], count: int, values: NDArray[Any]
) -> None:
    def sums(weights: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(labels.ravel(), weights.ravel(), minlength=count + 1)[1:]

    voxels = sums(np.ones(labels.shape))
    np.testing.assert_array_equal(found.voxels, voxels)
    z, y, x = np.indices(labels.shape)
    for axis, places in enumerate((x, y, z)):
        np.testing.assert_array_equal(found.centroids[:, axis], sums(places) / voxels)
    np.testing.assert_array_equal(found.means, sums(values) / voxels)
    slices = scipy.ndimage.find_objects(labels, count)
    np.testing.assert_array_equal(found.boxes[:, :3], [[along.start for along in box[::-1]] for box in slices])
    np.testing.assert_array_equal(found.boxes[:, 3:], [[along.stop for along in box[::-1]] for box in slices])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_spoils_the_mean_of_its_component_only(place: Any, bad: float) -> None:
    labels = np.repeat(np.array([[1, 2, 3]], np.int32), 40, axis=1)
    values = np.full(labels.shape, 2.0, np.float32)
    values[0, 55] = bad
    means = place.run(kernels.component_statistics, labels, 3, values).means
    assert means[[0, 2]].tolist() == [2.0, 2.0]
    np.testing.assert_equal(means[1], bad)


def test_sums_of_extreme_integers_are_exact(place: Any) -> None:
    labels = np.ones((16, 64, 64), np.int32)
    for dtype in (np.int16, np.uint16):
        for extreme in (np.iinfo(dtype).min, np.iinfo(dtype).max):
            means = place.run(kernels.component_statistics, labels, 1, np.full(labels.shape, extreme, dtype)).means
            assert means.tolist() == [extreme]


@given(
    st.integers(0, 5).flatmap(
        lambda count: st.tuples(
            GRIDS.flatmap(lambda shape: arrays(np.int32, shape, elements=st.integers(-1, 6))),
            arrays(np.bool_, count),
        )
    )
)
def test_kept_components_are_counted_anew(place: Any, case: tuple[NDArray[np.int32], NDArray[np.bool_]]) -> None:
    labels, keep = case
    kept = place.run(kernels.keep_components, labels, keep.view(np.uint8))
    np.testing.assert_array_equal(kept, reference.keep_components(labels, keep))


def test_components_are_selected_by_size_extent_and_rank() -> None:
    found = found_with([900, 900, 5000, 30, 0], [(40, 140), (200, 139), (39, 200), (40, 140), (0, 0)])
    assert kernels.select_components(found).tolist() == [True, True, True, True, False]
    assert kernels.select_components(found, min_voxels=31).tolist() == [True, True, True, False, False]
    assert kernels.select_components(found, min_extent=(40, 140)).tolist() == [True, False, False, True, False]
    assert kernels.select_components(found, largest=1).tolist() == [False, False, True, False, False]
    assert kernels.select_components(found, largest=2).tolist() == [True, False, True, False, False]
    assert kernels.select_components(found, min_extent=(40, 140), largest=1).tolist() == [True] + [False] * 4
    assert kernels.select_components(found, largest=9).tolist() == [True, True, True, True, False]
    assert not kernels.select_components(found, largest=0).any()


def test_the_largest_component_of_a_mask_is_found_through_all_steps(isa: str) -> None:
    mask = noise((40, 60), 0.55)
    labels, count = kernels.label_components(mask, connectivity=4)
    keep = kernels.select_components(kernels.component_statistics(labels, count), largest=1)
    kept = kernels.keep_components(labels, keep)
    sizes = np.bincount(labels.ravel())
    np.testing.assert_array_equal(kept, labels == sizes[1:].argmax() + 1)
