"""Labels of connected components: by hand, against the reference and against SciPy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.masks import GRIDS, SHAPES, connectivities, grid, labels_of, noise, scipy_labels

DENSITIES = (0.05, 0.3, 0.5, 0.7, 0.97)


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
