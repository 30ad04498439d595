"""Boxes that overlap: by hand, against the reference, and under every bad argument."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.places import CpuPlace, CudaPlace
from tests.kernels.test_parity import guarded

Boxes = NDArray[np.float32]
Kept = tuple[NDArray[np.int32], NDArray[np.int32]]

# lanes of 8 and 16, blocks of 64, tiles of 128, and primes
COUNTS = (0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 127, 128, 131, 257)
IOU = 1e-7
# few places, so that boxes coincide, touch, are empty, and overlap by exactly a half
LATTICE = st.integers(0, 150).flatmap(
    lambda n: arrays(np.float32, (n, 4), elements=st.integers(0, 6).map(float), fill=st.nothing())
)
SCORES = arrays(np.float32, 150, elements=st.integers(-3, 3).map(float), fill=st.nothing())


def boxes_at(*corners: tuple[float, float, float, float]) -> Boxes:
    return np.array(corners, np.float32).reshape(-1, 4)


def scattered(n: int, seed: int = 0) -> Boxes:
    """Heaps of boxes that overlap much, and boxes elsewhere; some are empty, some lie twice."""
    rng = np.random.default_rng((seed, n))
    centre = rng.uniform(0.0, 300.0, (8, 2))[rng.integers(0, 8, n)] + rng.normal(0.0, 5.0, (n, 2))
    centre = np.where(rng.random((n, 1)) < 0.7, centre, rng.uniform(-50.0, 350.0, (n, 2)))
    half = rng.uniform(-1.0, 30.0, (n, 2))
    boxes = np.hstack([centre - half, centre + half]).astype(np.float32)
    boxes[: n // 8] = boxes[n - n // 8 :]
    return boxes


def turned(n: int, seed: int = 0) -> Boxes:
    boxes = scattered(n, seed)
    angles = np.random.default_rng((seed, n)).normal(0.0, 2.0, n)
    size = boxes[:, 2:] - boxes[:, :2]
    return np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2.0, size, angles]).astype(np.float32)


def some_scores(n: int) -> NDArray[np.float32]:
    """Of few values, so that many are equal."""
    return np.random.default_rng(n).integers(-20, 20, n).astype(np.float32)


def assert_same(got: Kept, want: Kept) -> None:
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])


def test_iou_by_hand(place: CpuPlace | CudaPlace) -> None:
    a = boxes_at((0, 0, 2, 2))
    b = boxes_at((0, 0, 2, 2), (1, 0, 3, 2), (1, 1, 3, 3), (2, 0, 4, 2), (0, 0, 1, 1), (5, 5, 6, 6))
    assert place.run(kernels.iou, a, b).tolist() == [[1.0, np.float32(1 / 3), np.float32(1 / 7), 0.0, 0.25, 0.0]]


def test_an_empty_box_overlaps_nothing(place: CpuPlace | CudaPlace) -> None:
    empty = boxes_at((1, 1, 1, 1), (1, 1, 3, 1), (3, 3, 1, 1), (3, 0, 1, 4))
    assert not place.run(kernels.iou, empty, empty).any()
    assert not place.run(kernels.iou, boxes_at((0, 0, 9, 9)), empty).any()
    flat = np.array([[1, 1, 0, 5, 0], [1, 1, 5, 0, 1], [1, 1, -2, -2, 0], [1, 1, 0, 0, 0]], np.float32)
    assert not place.run(kernels.rotated_iou, flat, flat).any()
    assert not place.run(kernels.rotated_iou, np.array([[0, 0, 9, 9, 0.5]], np.float32), flat).any()


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("m", [0, 1, 17, 128, 131])
def test_iou_agrees_with_the_reference(place: CpuPlace | CudaPlace, n: int, m: int) -> None:
    a, b = scattered(n), scattered(m, seed=1)
    np.testing.assert_allclose(place.run(kernels.iou, a, b), reference.iou(a, b), rtol=0, atol=IOU)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("value", [0, 1, 2, 3, 4])
def test_a_value_that_is_not_finite_spoils_its_box_only(place: CpuPlace | CudaPlace, bad: float, value: int) -> None:
    rotated = np.array([[0, 0, 4, 4, 0.5]] * 11, np.float32)
    rotated[3, value] = bad
    got = place.run(kernels.rotated_iou, rotated, rotated)
    assert np.isnan(got[3]).all()
    assert np.isnan(got[:, 3]).all()
    assert np.isnan(got).sum() == 21
    if value < 4:
        boxes = boxes_at(*[(0, 0, 4, 4)] * 11)
        boxes[3, value] = bad
        assert np.isnan(place.run(kernels.iou, boxes, boxes)).sum() == 21


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e18])
def test_the_unit_does_not_matter(place: CpuPlace | CudaPlace, scale: float) -> None:
    a, scale32 = scattered(67), np.float32(scale)
    np.testing.assert_allclose(place.run(kernels.iou, a * scale32, a * scale32), reference.iou(a, a), rtol=0, atol=1e-5)
    b = turned(67)
    b[:, 2:4] = np.abs(b[:, 2:4]) + 1.0
    scaled = b * np.array([scale32] * 4 + [1.0], np.float32)
    got = place.run(kernels.rotated_iou, scaled, scaled)
    np.testing.assert_allclose(got, kernels.rotated_iou(b, b), rtol=0, atol=1e-5)


def test_rotated_iou_by_hand(place: CpuPlace | CudaPlace) -> None:
    """A square and the same turned by an eighth: a regular octagon, 2 (sqrt 2 - 1) of the area."""
    square, eighth = [5, 5, 2, 2, 0], [5, 5, 2, 2, np.pi / 4]
    beside, quarter, long = [7, 5, 2, 2, 0], [5, 5, 2, 2, np.pi / 2], [5, 5, 6, 1, np.pi / 2]
    got = place.run(
        kernels.rotated_iou,
        np.array([square], np.float32),
        np.array([square, eighth, beside, quarter, long], np.float32),
    )
    octagon = 8.0 * (np.sqrt(2.0) - 1.0)
    want = [1.0, octagon / (8.0 - octagon), 0.0, 1.0, 2.0 / (4.0 + 6.0 - 2.0)]
    np.testing.assert_allclose(got, [want], rtol=0, atol=1e-7)
    assert got[0, 2] == 0.0


def test_a_positive_angle_turns_clockwise_on_the_screen(place: CpuPlace | CudaPlace) -> None:
    """The corner of x and y both positive lies to the right and down: the long box reaches it turned by +45 degrees."""
    down_right = np.array([[3, 3, 1, 1, 0]], np.float32)
    bars = np.array([[0, 0, 20, 1, np.pi / 4], [0, 0, 20, 1, -np.pi / 4]], np.float32)
    overlap = place.run(kernels.rotated_iou, down_right, bars)
    assert overlap[0, 0] > 0.03
    assert overlap[0, 1] == 0.0


@pytest.mark.parametrize("n", COUNTS[:-4])
def test_rotated_iou_agrees_with_clipping_by_sides(place: CpuPlace | CudaPlace, n: int) -> None:
    a, b = turned(n), turned(19, seed=1)
    np.testing.assert_allclose(place.run(kernels.rotated_iou, a, b), reference.rotated_iou(a, b), rtol=0, atol=IOU)
    np.testing.assert_allclose(place.run(kernels.rotated_iou, b, a), reference.rotated_iou(b, a), rtol=0, atol=IOU)


ROTATED = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.just(5)),
    elements=st.sampled_from([-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, np.pi / 4, np.pi / 2, np.pi, 100.0, 1e-6, 1e3])
    | st.floats(-4.0, 4.0, width=32),
)


@given(ROTATED)
def test_rotated_boxes_that_coincide_or_touch_are_no_trouble(boxes: Boxes) -> None:
    got = kernels.rotated_iou(boxes, boxes)
    np.testing.assert_allclose(got, reference.rotated_iou(boxes, boxes), rtol=0, atol=2e-7)
    np.testing.assert_allclose(got, got.T, rtol=0, atol=2e-7)
    assert ((got >= 0.0) & (got <= 1.0)).all()
    whole = (boxes[:, 2:4] > 0.0).all(axis=1)
    np.testing.assert_allclose(np.diag(got), whole, rtol=0, atol=2e-7)


@pytest.mark.parametrize("radians", np.linspace(-10.0, 10.0, 41).tolist())
def test_a_box_that_touches_another_does_not_overlap_it(place: CpuPlace | CudaPlace, radians: float) -> None:
    """Two bars side by side, 1000 long and 1 wide, turned together."""
    x, y = np.float32(-np.sin(np.float32(radians))), np.float32(np.cos(np.float32(radians)))
    pair = np.array([[0, 0, 1000, 1, radians], [1.0001 * x, 1.0001 * y, 1000, 1, radians]], np.float32)
    overlap = place.run(kernels.rotated_iou, pair, pair)
    assert overlap[0, 1] == overlap[1, 0] == 0.0
    assert overlap.diagonal().tolist() == [1.0, 1.0]


def test_boxes_out_of_reach_share_nothing_whatever_lies_beside_them(place: CpuPlace | CudaPlace) -> None:
    """Nothing at all, where rounding would leave 1e-17: a threshold of 0 is one that may be asked for."""
    boxes = turned(257)
    overlap = place.run(kernels.rotated_iou, boxes, boxes)
    centre, radius = boxes[:, :2].astype(np.float64), np.hypot(*boxes[:, 2:4].T.astype(np.float64)) / 2.0
    apart = np.linalg.norm(centre[:, None] - centre, axis=2) > np.add.outer(radius, radius)
    assert apart.any()
    assert (overlap[apart] == 0.0).all()


@pytest.mark.parametrize("radians", [1e3, 1e5, 1e6, -1e6])
def test_many_turns_are_no_turn(place: CpuPlace | CudaPlace, radians: float) -> None:
    box = np.array([[0, 0, 7, 3, np.float32(radians)]], np.float32)
    rest = np.array([[0, 0, 7, 3, np.fmod(np.float64(np.float32(radians)), 2.0 * np.pi)]], np.float32)
    np.testing.assert_allclose(place.run(kernels.rotated_iou, box, rest), 1.0, rtol=0, atol=1e-6)


def test_rotated_iou_agrees_with_opencv() -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    a, b = turned(20), turned(20, seed=1)
    a[:, 2:4], b[:, 2:4] = np.abs(a[:, 2:4]) + 1.0, np.abs(b[:, 2:4]) + 1.0
    for (x, y, w, h, radians), row in zip(a.tolist(), kernels.rotated_iou(a, b), strict=True):
        for (p, q, u, v, angle), overlap in zip(b.tolist(), row, strict=True):
            first, second = ((x, y), (w, h), np.degrees(radians)), ((p, q), (u, v), np.degrees(angle))
            polygon = cv2.rotatedRectangleIntersection(first, second)[1]
            shared = 0.0 if polygon is None else cv2.contourArea(polygon)
            assert overlap == pytest.approx(shared / (w * h + u * v - shared), abs=1e-3)


def test_suppression_keeps_the_better_of_two(place: CpuPlace | CudaPlace) -> None:
    boxes = boxes_at((0, 0, 10, 10), (1, 0, 11, 10), (20, 0, 30, 10), (0, 0, 10, 9))
    scores = np.array([0.5, 0.9, 0.1, 0.7], np.float32)
    kept, counts = place.run(kernels.nms, boxes, scores, threshold=0.5)
    assert kept.tolist() == [1, 2, -1, -1]
    assert counts.tolist() == [2]


def test_a_box_that_went_suppresses_nothing(place: CpuPlace | CudaPlace) -> None:
    """Each overlaps the next by 3/5: the second goes, and the third stays since only the second would cover it."""
    boxes = boxes_at((0, 0, 8, 1), (2, 0, 10, 1), (4, 0, 12, 1))
    kept, _counts = place.run(kernels.nms, boxes, np.array([3, 2, 1], np.float32), threshold=0.5)
    assert kept.tolist() == [0, 2, -1]


def test_an_overlap_of_the_threshold_is_not_above_it(place: CpuPlace | CudaPlace) -> None:
    boxes = boxes_at((0, 0, 4, 1), (0, 0, 2, 1), (0, 0, 4, 1))
    scores = np.array([3, 2, 1], np.float32)
    assert place.run(kernels.nms, boxes, scores, threshold=0.5)[0].tolist() == [0, 1, -1]
    assert place.run(kernels.nms, boxes, scores, threshold=0.49)[0].tolist() == [0, -1, -1]
    assert place.run(kernels.nms, boxes, scores, threshold=1.0)[0].tolist() == [0, 1, 2]


def test_of_equal_scores_the_first_box_stays(place: CpuPlace | CudaPlace) -> None:
    boxes = boxes_at(*[(0, 0, 4, 4)] * 3, *[(9, 9, 12, 12)] * 2)
    scores = np.array([-0.0, 0.0, 0.0, np.inf, np.inf], np.float32)
    assert place.run(kernels.nms, boxes, scores, threshold=0.5)[0].tolist() == [3, 0, -1, -1, -1]


def test_the_best_stay_when_only_some_may(place: CpuPlace | CudaPlace) -> None:
    boxes, scores = scattered(257), some_scores(257)
    everything, counts = kernels.nms(boxes, scores, threshold=0.3)
    for most in (0, 1, 63, 64, 65, 10**12):
        kept, count = place.run(kernels.nms, boxes, scores, threshold=0.3, max_keep=most)
        assert count[0] == min(most, counts[0])
        assert kept[: count[0]].tolist() == everything[: count[0]].tolist()
        assert (kept[count[0] :] == -1).all()


@pytest.mark.parametrize("n", COUNTS)
def test_suppression_keeps_what_the_quadratic_reference_keeps(place: CpuPlace | CudaPlace, n: int) -> None:
    for threshold in (0.0, 0.1, 0.5, 0.9, 1.0):
        boxes, scores = scattered(n), some_scores(n)
        got = place.run(kernels.nms, boxes, scores, threshold=threshold)
        assert_same(got, reference.nms(boxes, scores, threshold=threshold))


@pytest.mark.parametrize("n", [0, 1, 8, 17, 65])
def test_rotated_suppression_keeps_what_the_quadratic_reference_keeps(place: CpuPlace | CudaPlace, n: int) -> None:
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


def test_boxes_that_lie_level_are_suppressed_alike_turned_or_not(place: CpuPlace | CudaPlace) -> None:
    boxes, scores = scattered(200), some_scores(200)
    level = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2], np.zeros(200)])
    got = place.run(kernels.rotated_nms, level.astype(np.float32), scores, threshold=0.4)
    assert_same(got, kernels.nms(boxes, scores, threshold=0.4))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_of_groups_is_each_group_alone(place: CpuPlace | CudaPlace, threads: int) -> None:
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


def column(n: int, seed: int = 0) -> Boxes:
    """Vertebrae from top to bottom with some astray, some double, in a random order."""
    rng = np.random.default_rng((seed, n))
    x = rng.normal(0.0, 4.0, n) + rng.choice([0.0, 0.0, 0.0, 40.0], n)
    y = np.cumsum(rng.choice([4.0, 20.0, 24.0, 45.0], n))
    half = rng.uniform(8.0, 20.0, (n, 2))
    centre = np.stack([x, y], axis=1)
    return rng.permutation(np.hstack([centre - half, centre + half]).astype(np.float32))


STACK = boxes_at((0, 0, 30, 20), (1, 24, 31, 44), (2, 48, 32, 68), (3, 72, 33, 92))


def test_a_box_squeezed_between_two_goes(place: CpuPlace | CudaPlace) -> None:
    """The third lies half over the second and half over the fourth; those have only one such neighbour."""
    boxes = np.insert(STACK, 2, (1, 36, 31, 56), axis=0)
    overlap = kernels.iou(boxes, boxes)
    threshold = float(np.float32(min(overlap[2, 1], overlap[2, 3]) - 1e-3))
    assert place.run(kernels.neighbour_overlap, boxes, threshold=threshold)[0].tolist() == [0, 1, 3, 4, -1]
    above = float(max(overlap[2, 1], overlap[2, 3]) + 1e-3)
    assert place.run(kernels.neighbour_overlap, boxes, threshold=above)[1].tolist() == [5]


def test_a_box_that_steps_farther_than_its_width_goes_and_so_does_the_next(place: CpuPlace | CudaPlace) -> None:
    """The paper's rule looks at the box before as it was detected."""
    boxes = STACK.copy()
    boxes[1] += (40, 0, 40, 0)
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, 3, -1, -1]
    boxes = STACK.copy()
    boxes[0] -= (100, 0, 100, 0)
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, 2, 3, -1]


def test_a_step_of_the_width_is_not_too_far(place: CpuPlace | CudaPlace) -> None:
    boxes = boxes_at((0, 0, 30, 20), (18, 24, 48, 44), (36, 48, 66, 68))  # steps of 18 and 24: a distance of 30
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, 1, 2]
    boxes[1:, 2] -= 0.01
    assert place.run(kernels.neighbour_overlap, boxes)[0].tolist() == [0, -1, -1]


def test_a_box_beside_the_column_goes_and_its_neighbours_stay(place: CpuPlace | CudaPlace) -> None:
    boxes = np.insert(STACK, 2, (40, 40, 60, 50), axis=0)
    assert place.run(kernels.neighbour_shift, boxes)[0].tolist() == [0, 1, 3, 4, -1]


def test_the_first_and_the_last_box_have_one_neighbour_and_a_lone_box_none(place: CpuPlace | CudaPlace) -> None:
    boxes = STACK.copy()
    boxes[0] += (16, 0, 16, 0)  # 15 from the next: half its width
    boxes[3] += (15, 0, 15, 0)  # 16 from the one before
    assert place.run(kernels.neighbour_shift, boxes)[0].tolist() == [0, 1, 2, -1]
    assert place.run(kernels.neighbour_shift, boxes[3:])[0].tolist() == [0]
    assert place.run(kernels.neighbour_overlap, boxes[3:])[0].tolist() == [0]


def test_columns_are_taken_from_top_to_bottom_in_any_order(place: CpuPlace | CudaPlace) -> None:
    shuffled = np.ascontiguousarray(STACK[[2, 0, 3, 1]])
    for kernel in (kernels.neighbour_overlap, kernels.neighbour_shift):
        assert place.run(kernel, shuffled)[0].tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("name", ["neighbour_overlap", "neighbour_shift"])
@pytest.mark.parametrize("threads", [1, 3])
def test_rules_of_neighbours_agree_with_the_reference(place: CpuPlace | CudaPlace, name: str, threads: int) -> None:
    boxes, offsets = np.concatenate([column(n) for n in COUNTS]), np.concatenate([[0], np.cumsum(COUNTS)])
    got = place.run(getattr(kernels, name), boxes, offsets=offsets, threads=threads)
    assert_same(got, getattr(reference, name)(boxes, offsets=offsets))
    assert 0 < got[1].sum() < len(boxes)


@given(LATTICE, st.sampled_from([0.0, 0.25, 0.5]))
def test_any_column_is_judged_as_in_the_reference(boxes: Boxes, limit: float) -> None:
    got = kernels.neighbour_overlap(boxes, threshold=limit)
    assert_same(got, reference.neighbour_overlap(boxes, threshold=limit))
    assert_same(kernels.neighbour_shift(boxes, widths=limit), reference.neighbour_shift(boxes, widths=limit))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_and_instruction_sets_do_not_change_a_bit(isa: str, threads: int) -> None:
    a, b, scores = scattered(131), turned(131), some_scores(131)
    offsets = np.array([0, 7, 7, 80, 131])

    def results(threads: int) -> bytes:
        found = [kernels.iou(a, a, threads=threads), kernels.rotated_iou(b, b, threads=threads)]
        found += [*kernels.nms(a, scores, threshold=0.2, offsets=offsets, threads=threads)]
        found += [*kernels.rotated_nms(b, scores, threshold=0.2, offsets=offsets, threads=threads)]
        found += [*kernels.neighbour_overlap(a, offsets=offsets, threads=threads)]
        return b"".join(array.tobytes() for array in found)

    here = results(threads)
    _cpu.force_isa("base")
    assert here == results(1)


@pytest.mark.parametrize("n", COUNTS)
def test_boxes_write_their_outputs_and_nothing_else(isa: str, n: int) -> None:
    boxes, rotated, scores = scattered(n), turned(n), some_scores(n)
    for kernel, a in ((_cpu.iou, boxes), (_cpu.rotated_iou, rotated)):
        with guarded((5, n), np.float32) as out:
            kernel(a[:5].copy() if n >= 5 else np.zeros((5, a.shape[1]), np.float32), a, out, 2)
    offsets = np.array([0, n // 3, n])
    for kernel, a in ((_cpu.nms, boxes), (_cpu.rotated_nms, rotated)):
        with guarded((n,), np.int32) as kept, guarded((2,), np.int32) as counts:
            kernel(a, scores, offsets, 0.5, n, kept, counts, 2)
    for kernel in (_cpu.neighbour_overlap, _cpu.neighbour_shift):
        with guarded((n,), np.int32) as kept, guarded((2,), np.int32) as counts:
            kernel(boxes, offsets, 0.5, kept, counts, 2)


def test_the_binding_leaves_out_what_is_no_number(isa: str) -> None:
    """As on a device, where nobody looks at the values first."""
    boxes = boxes_at((0, 0, 4, 4), (np.nan, 0, 4, 4), (0, 0, np.inf, 4), (0, 0, 4, 3.9), (8, 8, 9, 9))
    scores, offsets = np.array([1, 9, 9, 2, np.nan], np.float32), np.array([0, 5])
    kept, counts = np.empty(5, np.int32), np.empty(1, np.int32)
    _cpu.nms(boxes, scores, offsets, 0.5, 5, kept, counts, 1)
    assert (kept.tolist(), counts.tolist()) == ([3, -1, -1, -1, -1], [1])
    _cpu.neighbour_shift(boxes, offsets, 9.0, kept, counts, 1)
    assert (kept.tolist(), counts.tolist()) == ([3, 0, 4, -1, -1], [3])


SCORES_4 = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("call", "error", "got"),
    [
        (lambda b: kernels.iou(b.astype(np.float64), b), TypeError, "a is float64 [4, 4], expected float32 [n, 4]"),
        (lambda b: kernels.iou(b, b[:, :3].copy()), TypeError, "b is float32 [4, 3], expected float32 [m, 4]"),
        (lambda b: kernels.rotated_iou(b, b), TypeError, "a is float32 [4, 4], expected float32 [n, 5]"),
        (lambda b: kernels.iou(b[:, ::-1], b), TypeError, "not C-contiguous"),
        (lambda b: kernels.iou(b, b, threads=0), ValueError, "threads is 0"),
        (lambda b: kernels.nms(b, np.ones(3, np.float32), threshold=0.5), TypeError, "scores is float32 [3]"),
        (lambda b: kernels.nms(b, np.ones(4), threshold=0.5), TypeError, "scores is float64 [4]"),
        (lambda b: kernels.nms(b, SCORES_4 * np.nan, threshold=0.5), ValueError, "scores is nan in row 0"),
        (lambda b: kernels.nms(b * np.nan, SCORES_4, threshold=0.5), ValueError, "row 0, expected finite values"),
        (lambda b: kernels.nms(b, SCORES_4, threshold=1.1), ValueError, "threshold is 1.1, expected 0 to 1"),
        (lambda b: kernels.nms(b, SCORES_4, threshold=float("nan")), ValueError, "threshold is nan"),
        (lambda b: kernels.nms(b, SCORES_4, threshold=0.5, max_keep=-1), ValueError, "max_keep is -1"),
        (lambda b: kernels.nms(b, SCORES_4, threshold=0.5, offsets=np.array([0, 3])), ValueError, "offsets is [0 3]"),
        (
            lambda b: kernels.nms(b, SCORES_4, threshold=0.5, offsets=np.array([0, 5, 4])),
            ValueError,
            "offsets is [0 5 4]",
        ),
        (
            lambda b: kernels.nms(b, SCORES_4, threshold=0.5, offsets=np.array([], np.int64)),
            ValueError,
            "offsets has shape [0], expected at least one offset",
        ),
        (lambda b: kernels.neighbour_overlap(b, threshold=-1.0), ValueError, "threshold is -1.0"),
        (lambda b: kernels.neighbour_shift(b, widths=float("inf")), ValueError, "widths is inf"),
        (lambda b: kernels.neighbour_shift(b * np.nan), ValueError, "expected finite values"),
        (
            lambda b: kernels.rotated_nms(np.full((4, 5), 2e6, np.float32), SCORES_4, threshold=0.5),
            ValueError,
            "boxes has an angle of 2000000.0 in row 0, expected -1e6 to 1e6 radians",
        ),
    ],
)
def test_what_is_no_box_is_refused(call: Any, error: type[Exception], got: str) -> None:
    with pytest.raises(error, match=re.escape(got)):
        call(STACK)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda b, s, o, k, c: _cpu.iou(b, b, np.empty((4, 3), np.float32), 1), "out"),
        (lambda b, s, o, k, c: _cpu.iou(b, b, np.empty((4, 4), np.float32), 0), "threads"),
        (lambda b, s, o, k, c: _cpu.nms(b, s[:3], o, 0.5, 4, k, c, 1), "scores"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o[:1], 0.5, 4, k, c, 1), "offsets"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, np.array([0, 9, 4]), 0.5, 4, k, c, 1), "offsets"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o, 1.5, 4, k, c, 1), "threshold"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o, float("nan"), 4, k, c, 1), "threshold"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o, 0.5, -1, k, c, 1), "max_keep"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o, 0.5, 4, k[:3], c, 1), "kept"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o, 0.5, 4, k, k, 1), "counts"),
        (lambda b, s, o, k, c: _cpu.nms(b, s, o, 0.5, 4, k, c, 0), "threads"),
        (lambda b, s, o, k, c: _cpu.neighbour_shift(b, o, float("nan"), k, c, 1), "limit"),
        (lambda b, s, o, k, c: _cpu.neighbour_overlap(b, o, 0.5, k[:3], c, 1), "kept"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(STACK, SCORES_4, np.array([0, 4]), np.empty(4, np.int32), np.empty(1, np.int32))


@pytest.mark.parametrize("offsets", [[5, -3, 1000], [0, 40, 7], [2**40, -(2**40), 64], [9, 9, 9], [64, 0, 64]])
@pytest.mark.parametrize("name", ["nms", "neighbour_shift"])
def test_a_device_holds_impossible_offsets_to_the_boxes(cuda: CudaPlace, name: str, offsets: list[int]) -> None:
    """The host does not look at them: what comes back is of no use, and nothing else is touched."""
    arrays_ = (scattered(64), some_scores(64)) if name == "nms" else (scattered(64),)
    keywords = {"threshold": 0.5} if name == "nms" else {}
    kept, counts = cuda.run(getattr(kernels, name), *arrays_, offsets=np.array(offsets), **keywords)
    assert ((kept >= -1) & (kept < 64)).all()
    assert ((counts >= 0) & (counts <= 64)).all()


def test_a_device_leaves_out_what_is_no_number(cuda: CudaPlace) -> None:
    boxes = boxes_at((0, 0, 4, 4), (np.nan, 0, 4, 4), (0, 0, np.inf, 4), (0, 0, 4, 3.9), (8, 8, 9, 9))
    scores = np.array([1, 9, 9, 2, np.nan], np.float32)
    kept, counts = cuda.run(kernels.nms, boxes, scores, threshold=0.5)
    assert (kept.tolist(), counts.tolist()) == ([3, -1, -1, -1, -1], [1])
    kept, counts = cuda.run(kernels.neighbour_shift, boxes, widths=9.0)
    assert (kept.tolist(), counts.tolist()) == ([3, 0, 4, -1, -1], [3])


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda c, b, s, k: c.native.nms(b, s, None, 0.5, 4, k, k, c.native.Stream()), "counts"),
        (lambda c, b, s, k: c.native.nms(b, k, None, 0.5, 4, k, k, c.native.Stream()), "scores is int32"),
        (lambda c, b, s, k: c.native.rotated_nms(b, s, None, 0.5, 4, k, k, c.native.Stream()), "values"),
        (lambda c, b, s, k: c.native.iou(b, b, b, c.native.Stream()), r"\[a, b\]|overlap"),
    ],
)
def test_the_device_bindings_refuse_what_would_leave_an_array(cuda: CudaPlace, call: Any, got: str) -> None:
    home = cuda.native.Stream()
    boxes, scores, kept = (cuda.put(array, home) for array in (scattered(4), some_scores(4), np.zeros(4, np.int32)))
    with pytest.raises((ValueError, TypeError), match=got):
        call(cuda, boxes, scores, kept)
