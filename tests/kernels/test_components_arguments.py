"""What holds for all kernels of components: the same bits everywhere, guards around outputs, bad arguments."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.guards import guarded
from tests.kernels.masks import SHAPES, connectivities, found_with, grid, labels_of, noise


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 4, 4), (4, 0, 4), (4, 4, 0)], ids=str)
def test_no_voxels_have_no_components(place: Any, shape: tuple[int, ...]) -> None:
    connectivity = connectivities(len(shape))[0]
    labels, count = labels_of(place, kernels.label_components, np.zeros(shape, np.uint8), connectivity=connectivity)
    assert (labels.shape, count) == (shape, 0)
    found = place.run(kernels.component_statistics, np.zeros(shape, np.int32), 0)
    assert found.centroids.shape == (0, len(shape))
    assert place.run(kernels.keep_components, np.zeros(shape, np.int32), np.zeros(0, np.uint8)).shape == shape


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
