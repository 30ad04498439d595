"""Suppression of boxes that overlap a better one: by hand, against the quadratic reference, and group by group."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.boxes import COUNTS, LATTICE, SCORES, Boxes, assert_same, boxes_at, scattered, some_scores, turned
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace


def test_suppression_keeps_the_better_of_two(place: Place) -> None:
    boxes = boxes_at((0, 0, 10, 10), (1, 0, 11, 10), (20, 0, 30, 10), (0, 0, 10, 9))
    scores = np.array([0.5, 0.9, 0.1, 0.7], np.float32)
    kept, counts = place.run(kernels.nms, boxes, scores, threshold=0.5)
    assert kept.tolist() == [1, 2, -1, -1]
    assert counts.tolist() == [2]


def test_a_box_that_went_suppresses_nothing(place: Place) -> None:
    """Each overlaps the next by 3/5: the second goes, and the third stays since only the second would cover it."""
    boxes = boxes_at((0, 0, 8, 1), (2, 0, 10, 1), (4, 0, 12, 1))
    kept, _counts = place.run(kernels.nms, boxes, np.array([3, 2, 1], np.float32), threshold=0.5)
    assert kept.tolist() == [0, 2, -1]


def test_an_overlap_of_the_threshold_is_not_above_it(place: Place) -> None:
    boxes = boxes_at((0, 0, 4, 1), (0, 0, 2, 1), (0, 0, 4, 1))
    scores = np.array([3, 2, 1], np.float32)
    assert place.run(kernels.nms, boxes, scores, threshold=0.5)[0].tolist() == [0, 1, -1]
    assert place.run(kernels.nms, boxes, scores, threshold=0.49)[0].tolist() == [0, -1, -1]
    assert place.run(kernels.nms, boxes, scores, threshold=1.0)[0].tolist() == [0, 1, 2]


def test_of_equal_scores_the_first_box_stays(place: Place) -> None:
    boxes = boxes_at(*[(0, 0, 4, 4)] * 3, *[(9, 9, 12, 12)] * 2)
    scores = np.array([-0.0, 0.0, 0.0, np.inf, np.inf], np.float32)
    assert place.run(kernels.nms, boxes, scores, threshold=0.5)[0].tolist() == [3, 0, -1, -1, -1]


def test_the_best_stay_when_only_some_may(place: Place) -> None:
    boxes, scores = scattered(257), some_scores(257)
    everything, counts = kernels.nms(boxes, scores, threshold=0.3)
    for most in (0, 1, 63, 64, 65, 10**12):
        kept, count = place.run(kernels.nms, boxes, scores, threshold=0.3, max_keep=most)
        assert count[0] == min(most, counts[0])
        assert kept[: count[0]].tolist() == everything[: count[0]].tolist()
        assert (kept[count[0] :] == -1).all()


@pytest.mark.parametrize("n", COUNTS)
def test_suppression_keeps_what_the_quadratic_reference_keeps(place: Place, n: int) -> None:
    for threshold in (0.0, 0.1, 0.5, 0.9, 1.0):
        boxes, scores = scattered(n), some_scores(n)
        got = place.run(kernels.nms, boxes, scores, threshold=threshold)
        assert_same(got, reference.nms(boxes, scores, threshold=threshold))


@pytest.mark.parametrize("n", [0, 1, 8, 17, 65])
def test_rotated_suppression_keeps_what_the_quadratic_reference_keeps(place: Place, n: int) -> None:
    boxes, scores = turned(n), some_scores(n)
    for threshold in (0.05, 0.31, 0.77):
        got = place.run(kernels.rotated_nms, boxes, scores, threshold=threshold)
        assert_same(got, reference.rotated_nms(boxes, scores, threshold=threshold))


@given(LATTICE, SCORES, st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.75, 1.0]))
def test_any_boxes_are_suppressed_as_in_the_reference(
    boxes: Boxes, scores: NDArray[np.float32], threshold: float
) -> None:
    own = np.ascontiguousarray(scores[: len(boxes)])
    assert_same(kernels.nms(boxes, own, threshold=threshold), reference.nms(boxes, own, threshold=threshold))


def test_boxes_that_lie_level_are_suppressed_alike_turned_or_not(place: Place) -> None:
    boxes, scores = scattered(200), some_scores(200)
    level = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2], np.zeros(200)])
    got = place.run(kernels.rotated_nms, level.astype(np.float32), scores, threshold=0.4)
    assert_same(got, kernels.nms(boxes, scores, threshold=0.4))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_of_groups_is_each_group_alone(place: Place, threads: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(COUNTS)])
    boxes, rotated = np.concatenate([scattered(n) for n in COUNTS]), np.concatenate([turned(n) for n in COUNTS])
    scores = np.concatenate([some_scores(n) for n in COUNTS])
    keywords = {"threshold": 0.3, "max_keep": 40}
    for kernel, arrays_ in ((kernels.nms, (boxes, scores)), (kernels.rotated_nms, (rotated, scores))):
        kept, counts = place.run(kernel, *arrays_, offsets=offsets, threads=threads, **keywords)
        for group, (begin, end) in enumerate(pairwise(offsets.tolist())):
            own, count = kernel(*[array[begin:end].copy() for array in arrays_], **keywords)
            assert counts[group] == count[0]
            assert kept[begin:end].tolist() == [i + begin if i >= 0 else -1 for i in own.tolist()]
