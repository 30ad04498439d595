"""How much boxes overlap, level and turned: by hand, against the reference and OpenCV, and whatever the boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spinert import kernels
from spinert.kernels import reference
from tests.kernels.boxes import COUNTS, Boxes, boxes_at, scattered, turned
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace

IOU = 1e-7


def test_iou_by_hand(place: Place) -> None:
    a = boxes_at((0, 0, 2, 2))
    b = boxes_at((0, 0, 2, 2), (1, 0, 3, 2), (1, 1, 3, 3), (2, 0, 4, 2), (0, 0, 1, 1), (5, 5, 6, 6))
    assert place.run(kernels.iou, a, b).tolist() == [[1.0, np.float32(1 / 3), np.float32(1 / 7), 0.0, 0.25, 0.0]]


def test_an_empty_box_overlaps_nothing(place: Place) -> None:
    empty = boxes_at((1, 1, 1, 1), (1, 1, 3, 1), (3, 3, 1, 1), (3, 0, 1, 4))
    assert not place.run(kernels.iou, empty, empty).any()
    assert not place.run(kernels.iou, boxes_at((0, 0, 9, 9)), empty).any()
    flat = np.array([[1, 1, 0, 5, 0], [1, 1, 5, 0, 1], [1, 1, -2, -2, 0], [1, 1, 0, 0, 0]], np.float32)
    assert not place.run(kernels.rotated_iou, flat, flat).any()
    assert not place.run(kernels.rotated_iou, np.array([[0, 0, 9, 9, 0.5]], np.float32), flat).any()


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("m", [0, 1, 17, 128, 131])
def test_iou_agrees_with_the_reference(place: Place, n: int, m: int) -> None:
    a, b = scattered(n), scattered(m, seed=1)
    np.testing.assert_allclose(place.run(kernels.iou, a, b), reference.iou(a, b), rtol=0, atol=IOU)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("value", [0, 1, 2, 3, 4])
def test_a_value_that_is_not_finite_spoils_its_box_only(place: Place, bad: float, value: int) -> None:
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
def test_the_unit_does_not_matter(place: Place, scale: float) -> None:
    a, scale32 = scattered(67), np.float32(scale)
    np.testing.assert_allclose(place.run(kernels.iou, a * scale32, a * scale32), reference.iou(a, a), rtol=0, atol=1e-5)
    b = turned(67)
    b[:, 2:4] = np.abs(b[:, 2:4]) + 1.0
    scaled = b * np.array([scale32] * 4 + [1.0], np.float32)
    got = place.run(kernels.rotated_iou, scaled, scaled)
    np.testing.assert_allclose(got, kernels.rotated_iou(b, b), rtol=0, atol=1e-5)


def test_rotated_iou_by_hand(place: Place) -> None:
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


def test_a_positive_angle_turns_clockwise_on_the_screen(place: Place) -> None:
    """The corner of x and y both positive lies to the right and down: the long box reaches it turned by +45 degrees."""
    down_right = np.array([[3, 3, 1, 1, 0]], np.float32)
    bars = np.array([[0, 0, 20, 1, np.pi / 4], [0, 0, 20, 1, -np.pi / 4]], np.float32)
    overlap = place.run(kernels.rotated_iou, down_right, bars)
    assert overlap[0, 0] > 0.03
    assert overlap[0, 1] == 0.0


@pytest.mark.parametrize("n", COUNTS[:-4])
def test_rotated_iou_agrees_with_clipping_by_sides(place: Place, n: int) -> None:
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
def test_a_box_that_touches_another_does_not_overlap_it(place: Place, radians: float) -> None:
    """Two bars side by side, 1000 long and 1 wide, turned together."""
    x, y = np.float32(-np.sin(np.float32(radians))), np.float32(np.cos(np.float32(radians)))
    pair = np.array([[0, 0, 1000, 1, radians], [1.0001 * x, 1.0001 * y, 1000, 1, radians]], np.float32)
    overlap = place.run(kernels.rotated_iou, pair, pair)
    assert overlap[0, 1] == overlap[1, 0] == 0.0
    assert overlap.diagonal().tolist() == [1.0, 1.0]


def test_boxes_out_of_reach_share_nothing_whatever_lies_beside_them(place: Place) -> None:
    """Nothing at all, where rounding would leave 1e-17: a threshold of 0 is one that may be asked for."""
    boxes = turned(257)
    overlap = place.run(kernels.rotated_iou, boxes, boxes)
    centre, radius = boxes[:, :2].astype(np.float64), np.hypot(*boxes[:, 2:4].T.astype(np.float64)) / 2.0
    apart = np.linalg.norm(centre[:, None] - centre, axis=2) > np.add.outer(radius, radius)
    assert apart.any()
    assert (overlap[apart] == 0.0).all()


@pytest.mark.parametrize("radians", [1e3, 1e5, 1e6, -1e6])
def test_many_turns_are_no_turn(place: Place, radians: float) -> None:
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
