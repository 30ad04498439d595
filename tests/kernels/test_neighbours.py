"""Boxes that do not fit the column they lie in: by hand and against the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.boxes import COUNTS, LATTICE, STACK, Boxes, assert_same, boxes_at, column
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace


def test_a_box_squeezed_between_two_goes(place: Place) -> None:
    """The third lies half over the second and half over the fourth; those have only one such neighbour."""
    boxes = np.insert(STACK, 2, (1, 36, 31, 56), axis=0)
    overlap = kernels.iou(boxes, boxes)
    threshold = float(np.float32(min(overlap[2, 1], overlap[2, 3]) - 1e-3))
    assert place.run(kernels.neighbour_overlap, boxes, threshold=threshold)[0].tolist() == [0, 1, 3, 4, -1]
    above = float(max(overlap[2, 1], overlap[2, 3]) + 1e-3)
    assert place.run(kernels.neighbour_overlap, boxes, threshold=above)[1].tolist() == [5]


def test_a_box_that_steps_farther_than_its_width_goes_and_so_does_the_next(place: Place) -> None:
    """The paper's rule looks at the box before as it was detected."""
    boxes = STACK.copy()
    boxes[1] += (40, 0, 40, 0)
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, 3, -1, -1]
    boxes = STACK.copy()
    boxes[0] -= (100, 0, 100, 0)
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, 2, 3, -1]


def test_a_step_of_the_width_is_not_too_far(place: Place) -> None:
    boxes = boxes_at((0, 0, 30, 20), (18, 24, 48, 44), (36, 48, 66, 68))  # steps of 18 and 24: a distance of 30
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, 1, 2]
    boxes[1:, 2] -= 0.01
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, -1, -1]


def test_a_box_beside_the_column_goes_and_its_neighbours_stay(place: Place) -> None:
    boxes = np.insert(STACK, 2, (40, 40, 60, 50), axis=0)
    assert place.run(kernels.neighbour_shift, boxes)[0].tolist() == [0, 1, 3, 4, -1]


def test_the_first_and_the_last_box_have_one_neighbour_and_a_lone_box_none(place: Place) -> None:
    boxes = STACK.copy()
    boxes[0] += (16, 0, 16, 0)  # 15 from the next: half its width
    boxes[3] += (15, 0, 15, 0)  # 16 from the one before
    assert place.run(kernels.neighbour_shift, boxes)[0].tolist() == [0, 1, 2, -1]
    assert place.run(kernels.neighbour_shift, boxes[3:])[0].tolist() == [0]
    assert place.run(kernels.neighbour_overlap, boxes[3:])[0].tolist() == [0]


def test_columns_are_taken_from_top_to_bottom_in_any_order(place: Place) -> None:
    shuffled = np.ascontiguousarray(STACK[[2, 0, 3, 1]])
    for kernel in (kernels.neighbour_overlap, kernels.neighbour_shift):
        assert place.run(kernel, shuffled)[0].tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("name", ["neighbour_overlap", "neighbour_shift"])
@pytest.mark.parametrize("threads", [1, 3])
def test_rules_of_neighbours_agree_with_the_reference(place: Place, name: str, threads: int) -> None:
    boxes, offsets = np.concatenate([column(n) for n in COUNTS]), np.concatenate([[0], np.cumsum(COUNTS)])
    got = place.run(getattr(kernels, name), boxes, offsets=offsets, threads=threads)
    assert_same(got, getattr(reference, name)(boxes, offsets=offsets))
    assert 0 < got[1].sum() < len(boxes)


@given(LATTICE, st.sampled_from([0.0, 0.25, 0.5]))
def test_any_column_is_judged_as_in_the_reference(boxes: Boxes, limit: float) -> None:
    got = kernels.neighbour_overlap(boxes, threshold=limit)
    assert_same(got, reference.neighbour_overlap(boxes, threshold=limit))
    assert_same(kernels.neighbour_shift(boxes, widths=limit), reference.neighbour_shift(boxes, widths=limit))
