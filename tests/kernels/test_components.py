"""Connected components: by hand, against the reference and against SciPy."""

import re
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.test_parity import guarded

# 64 voxels are a word of bits, 8 are written at once
IMAGES = ((1, 1), (1, 7), (7, 1), (2, 15), (16, 17), (5, 64), (31, 65), (67, 131), (3, 200))
VOLUMES = ((1, 1, 1), (1, 5, 3), (5, 1, 3), (2, 3, 63), (3, 2, 64), (4, 7, 65), (9, 17, 16), (7, 5, 131))
SHAPES = IMAGES + VOLUMES
EMPTY = ((0, 5), (5, 0), (0, 4, 4), (4, 0, 4), (4, 4, 0))
DENSITIES = (0.05, 0.3, 0.5, 0.7, 0.97)

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


def test_a_common_side_connects_and_a_corner_only_where_it_is_asked_for(place: Any) -> None:
    mask = grid("11..", "..1.", ".1.1")
    labels, count = labels_of(place, kernels.label_components, mask, connectivity=4)
    np.testing.assert_array_equal(labels, grid("11..", "..2.", ".3.4"))
    assert count == 4
    labels, count = labels_of(place, kernels.label_components, mask, connectivity=8)
    np.testing.assert_array_equal(labels, mask)
    assert count == 1


def test_components_are_numbered_by_their_first_voxels(place: Any) -> None:
    """The second column reaches the first row's right end only at the bottom."""
    mask = grid("..1.1", "1...1", "1.1.1", "1.111")
    labels, count = labels_of(place, kernels.label_components, mask, connectivity=4)
    np.testing.assert_array_equal(labels, grid("..1.2", "3...2", "3.2.2", "3.222"))
    assert count == 3


def test_slices_are_connected_too(place: Any) -> None:
    mask = np.zeros((3, 2, 2), np.uint8)
    mask[0, 0, 0] = mask[1, 0, 0] = mask[2, 1, 1] = 1
    labels, count = labels_of(place, kernels.label_components, mask, connectivity=6)
    assert (labels[0, 0, 0], labels[1, 0, 0], labels[2, 1, 1], count) == (1, 1, 2, 2)
    labels, count = labels_of(place, kernels.label_components, mask, connectivity=26)
    assert (labels[2, 1, 1], count) == (1, 1)


def test_any_value_but_0_is_foreground_of_a_mask_and_a_class_of_its_own_among_classes(place: Any) -> None:
    values = grid("12.", "1.3", "233")
    labels, count = labels_of(place, kernels.label_components, values, connectivity=4)
    np.testing.assert_array_equal(labels, values > 0)
    assert count == 1
    labels, count = labels_of(place, kernels.label_classes, values, connectivity=4)
    np.testing.assert_array_equal(labels, grid("12.", "1.3", "433"))
    assert count == 4
    labels, count = labels_of(place, kernels.label_classes, grid("12", "21"), connectivity=8)
    np.testing.assert_array_equal(labels, grid("12", "21"))


def test_a_mask_of_booleans_is_a_mask(isa: str) -> None:
    mask = noise((9, 70), 0.5) != 0
    labels, _ = kernels.label_components(mask, connectivity=4)
    np.testing.assert_array_equal(labels, scipy_labels(mask, 4)[0])


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_are_those_of_scipy_and_of_the_reference(place: Any, shape: tuple[int, ...], density: float) -> None:
    mask = noise(shape, density)
    for connectivity in connectivities(len(shape)):
        labels, count = labels_of(place, kernels.label_components, mask, connectivity=connectivity)
        for want in (scipy_labels, lambda m, c: reference.label_components(m, connectivity=c)):
            np.testing.assert_array_equal(labels, want(mask, connectivity)[0])
            assert count == want(mask, connectivity)[1]


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_of_classes_are_those_of_the_reference(place: Any, shape: tuple[int, ...], density: float) -> None:
    classes = noise(shape, density, classes=3)
    for connectivity in connectivities(len(shape)):
        labels, count = labels_of(place, kernels.label_classes, classes, connectivity=connectivity)
        want, want_count = reference.label_classes(classes, connectivity=connectivity)
        np.testing.assert_array_equal(labels, want)
        assert count == want_count


@given(GRIDS.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.sampled_from((0, 0, 1, 255)))), st.booleans())
def test_whatever_the_mask_labels_are_those_of_scipy(place: Any, mask: NDArray[np.uint8], corners: bool) -> None:
    connectivity = connectivities(mask.ndim)[corners]
    labels, count = labels_of(place, kernels.label_components, mask, connectivity=connectivity)
    want, want_count = scipy_labels(mask, connectivity)
    np.testing.assert_array_equal(labels, want)
    assert count == want_count


@given(GRIDS.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 3))), st.booleans())
def test_whatever_the_classes_each_is_labelled_by_itself(place: Any, classes: NDArray[np.uint8], corners: bool) -> None:
    connectivity = connectivities(classes.ndim)[corners]
    labels, count = labels_of(place, kernels.label_classes, classes, connectivity=connectivity)
    assert count == sum(scipy_labels(classes == value, connectivity)[1] for value in (1, 2, 3))
    for value in (1, 2, 3):
        own = labels * (classes == value)
        renumbered = np.searchsorted(np.unique(np.append(own, 0)), own)
        np.testing.assert_array_equal(renumbered, scipy_labels(classes == value, connectivity)[0])


def snake(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """One component that goes to and fro over the whole image, and so does the background."""
    mask = np.zeros(shape, np.uint8)
    mask[::2] = 1
    mask[1::4, -1] = mask[3::4, 0] = 1
    return mask


def comb(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """As many runs in a row as there can be, all of them connected in the last row only."""
    mask = np.zeros(shape, np.uint8)
    mask[:, ::2] = 1
    mask[-1] = 1
    return mask


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("make", [snake, comb, np.ones, np.zeros])
def test_a_component_may_wind_through_all_rows(isa: str, make: Any, threads: int) -> None:
    image = np.asarray(make((61, 133)), np.uint8)
    for mask in (image, np.ascontiguousarray(image.T), np.repeat(image[None], 3, axis=0)):
        for connectivity in connectivities(mask.ndim):
            labels, count = kernels.label_components(mask, connectivity=connectivity, threads=threads)
            want, want_count = scipy_labels(mask, connectivity)
            np.testing.assert_array_equal(labels, want)
            assert count == want_count


@pytest.mark.parametrize("shape", EMPTY, ids=str)
def test_no_voxels_have_no_components(place: Any, shape: tuple[int, ...]) -> None:
    connectivity = connectivities(len(shape))[0]
    labels, count = labels_of(place, kernels.label_components, np.zeros(shape, np.uint8), connectivity=connectivity)
    assert (labels.shape, count) == (shape, 0)
    found = place.run(kernels.component_statistics, np.zeros(shape, np.int32), 0)
    assert found.centroids.shape == (0, len(shape))
    assert place.run(kernels.keep_components, np.zeros(shape, np.int32), np.zeros(0, np.uint8)).shape == shape


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


@pytest.mark.parametrize("dtype", [None, np.int16, np.uint16, np.float32])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_statistics_agree_with_the_reference(place: Any, shape: tuple[int, ...], dtype: type | None) -> None:
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
    if dtype is np.float32:
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


def found_with(voxels: list[int], extents: list[tuple[int, int]]) -> kernels.ComponentStatistics:
    boxes = np.array([(5, 7, 5 + width, 7 + height) for width, height in extents], np.int32)
    return kernels.ComponentStatistics(np.array(voxels), boxes, np.zeros((len(voxels), 2)), None)


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


def all_results(threads: int) -> list[NDArray[Any]]:
    results: list[NDArray[Any]] = []
    for shape in [*SHAPES, (40, 170, 160)]:
        values = np.random.default_rng(0).normal(0.0, 1000.0, shape).astype(np.float32)
        for density in (0.3, 0.6):
            for connectivity in connectivities(len(shape)):
                labels, count = kernels.label_classes(
                    noise(shape, density, classes=2), connectivity=connectivity, threads=threads
                )
                found = kernels.component_statistics(np.minimum(labels, 30), 30, values, threads=threads)
                kept = kernels.keep_components(labels, np.arange(count) % 3 == 0, threads=threads)
                results += [labels, *(array for array in found if array is not None), kept]
                labels, _ = kernels.label_components(noise(shape, density), connectivity=connectivity, threads=threads)
                results.append(labels)
    return results


def test_every_isa_gives_the_same_bits(isa: str) -> None:
    got = all_results(threads=1)
    _cpu.force_isa("base")
    for ours, base in zip(got, all_results(threads=1), strict=True):
        assert ours.tobytes() == base.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_change_a_bit(isa: str, threads: int) -> None:
    for ours, single in zip(all_results(threads), all_results(threads=1), strict=True):
        assert ours.tobytes() == single.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kernels_write_their_outputs_and_nothing_else(isa: str, shape: tuple[int, ...], threads: int) -> None:
    classes = noise(shape, 0.7, classes=3)
    for kernel in (_cpu.label_components, _cpu.label_classes):
        for corners in (False, True):
            with guarded(shape, np.int32) as labels, guarded((1,), np.int32) as count:
                kernel(classes, corners, labels, count, threads)
            statistics_are_written_within(labels, int(count[0]), classes.astype(np.float32), threads)
    with guarded(shape, np.int32) as kept:
        _cpu.keep_components(labels, np.ones(count[0], np.uint8), kept, threads)
    np.testing.assert_array_equal(kept, labels)


def statistics_are_written_within(
    labels: NDArray[np.int32], count: int, values: NDArray[np.float32], threads: int
) -> None:
    axes = labels.ndim
    with (
        guarded((count,), np.int64) as voxels,
        guarded((count, 2 * axes), np.int32) as boxes,
        guarded((count, axes), np.float64) as centroids,
        guarded((count,), np.float64) as means,
    ):
        _cpu.component_statistics(labels, voxels, boxes, centroids, threads)
        _cpu.component_statistics(labels, values, 1.0, 0.0, voxels, boxes, centroids, means, threads)


def test_the_count_of_a_device_stays_there(cuda: Any) -> None:
    """Nothing waits for the labels: reading the count does."""
    mask = cuda.put(grid("1.1", "...", "11."), cuda.native.Stream())
    labels, count = kernels.label_components(mask, connectivity=4)
    assert isinstance(count, cuda.native.DeviceArray)
    assert cuda.give(count).tolist() == [3]
    with pytest.raises(ValueError, match="count is not"):
        cuda.native.label_components(mask, True, labels, cuda.native.empty((2,), np.int32), mask.stream)
    with pytest.raises(ValueError, match="another shape"):
        cuda.native.keep_components(labels, mask_of(cuda, 3), cuda.native.empty((3, 2), np.int32), mask.stream)
    outputs = [cuda.native.empty(*of) for of in (((2,), np.int64), ((2, 6), np.int32), ((2, 2), np.float64))]
    with pytest.raises(ValueError, match="boxes are not"):
        cuda.native.component_statistics(labels, *outputs, mask.stream)


def mask_of(cuda: Any, count: int) -> Any:
    return cuda.put(np.ones(count, np.uint8), cuda.native.Stream())


MASK, LABELS = np.zeros((4, 5), np.uint8), np.zeros((4, 5), np.int32)


@pytest.mark.parametrize(
    ("mask", "got"),
    [
        (MASK.astype(np.int32), "mask is int32 [4, 5], expected uint8 [rows, columns]"),
        (MASK[:, ::2], "mask is uint8 [4, 3], not C-contiguous"),
        (MASK[0], "mask is uint8 [5], expected uint8 [rows, columns] or [slices, rows, columns]"),
        (MASK[None, None], "mask is uint8 [1, 1, 4, 5]"),
        (MASK.tolist(), "mask is a list"),
    ],
)
def test_a_mask_of_another_type_is_refused(mask: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.label_components(mask, connectivity=4)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.label_components(MASK, connectivity=6), "connectivity is 6, expected 4 or 8"),
        (lambda: kernels.label_components(MASK[None], connectivity=4), "connectivity is 4, expected 6 or 26"),
        (lambda: kernels.label_classes(MASK, connectivity=4, threads=0), "threads is 0"),
        (lambda: kernels.component_statistics(LABELS, -1), "count is -1"),
        (lambda: kernels.component_statistics(LABELS, 2**31), "count is 2147483648"),
        (lambda: kernels.select_components(found_with([1], [(1, 1)]), min_extent=(1, 1, 1)), "min_extent is (1, 1, 1)"),
        (lambda: kernels.select_components(found_with([1], [(1, 1)]), largest=-1), "largest is -1"),
    ],
)
def test_values_out_of_range_are_refused(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        call()


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.label_classes(MASK != 0, connectivity=4), "classes is bool [4, 5], expected uint8"),
        (lambda: kernels.component_statistics(MASK, 1), "labels is uint8 [4, 5], expected int32"),
        (lambda: kernels.component_statistics(LABELS, 1, np.zeros((4, 4), np.int16)), "values is int16 [4, 4]"),
        (lambda: kernels.component_statistics(LABELS, 1, LABELS), "values is int32 [4, 5], expected int16 or uint16"),
        (lambda: kernels.keep_components(LABELS, np.zeros(3)), "keep is float64 [3], expected"),
    ],
)
def test_arrays_of_another_type_are_refused(call: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        call()


ONE, BOXES, CENTROIDS = np.zeros(1, np.int64), np.zeros((1, 4), np.int32), np.zeros((1, 2))


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.label_components(MASK, True, LABELS[:3], np.zeros(1, np.int32), 1), "another shape"),
        (lambda: _cpu.label_components(MASK, True, LABELS[None], np.zeros(1, np.int32), 1), "another shape"),
        (lambda: _cpu.label_components(MASK[0], True, LABELS[0], np.zeros(1, np.int32), 1), "neither"),
        (lambda: _cpu.label_components(MASK, True, LABELS, np.zeros(2, np.int32), 1), "count"),
        (lambda: _cpu.label_components(MASK, True, LABELS, np.zeros(1, np.int32), 0), "threads"),
        (lambda: _cpu.label_components(LABELS.view(np.uint8)[:, :5].copy()[:0], True, LABELS[:0],
                                       np.zeros(0, np.int32), 1), "count"),
        (lambda: _cpu.component_statistics(LABELS, ONE, BOXES[:, :3].copy(), CENTROIDS, 1), "boxes"),
        (lambda: _cpu.component_statistics(LABELS, ONE, BOXES, CENTROIDS[:0], 1), "centroids"),
        (lambda: _cpu.component_statistics(LABELS, MASK.astype(np.int16)[:2], 1.0, 0.0, ONE, BOXES, CENTROIDS,
                                           np.zeros(1), 1), "values"),
        (lambda: _cpu.component_statistics(LABELS, MASK.astype(np.int16), 1.0, 0.0, ONE, BOXES, CENTROIDS,
                                           np.zeros(2), 1), "means"),
        (lambda: _cpu.keep_components(LABELS, np.zeros(1, np.uint8), LABELS[:3].copy(), 1), "kept"),
    ],
)  # fmt: skip
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()


def test_labels_over_the_mask_are_refused() -> None:
    memory = np.zeros((8, 8), np.int32)
    mask = memory.view(np.uint8).reshape(4, 8, 8)[0]
    with pytest.raises(ValueError, match=r"shares? memory"):
        _cpu.label_components(mask, True, memory, np.zeros(1, np.int32), 1)


def test_kept_labels_over_the_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shares? memory"):
        _cpu.keep_components(LABELS, np.zeros(1, np.uint8), LABELS, 1)
