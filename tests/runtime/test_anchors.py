"""Anchors lie where the detectors' outputs say, and deltas move them."""

import math

import numpy as np
import pytest

from spinert.runtime.anchors import LARGEST_GROWTH, anchors, decode_boxes


def test_an_anchor_lies_on_the_middle_of_its_cell() -> None:
    # the 8 pixels 8..15 of the second cell have their middle at 11.5
    found = anchors((8, 16), (8,), ((4.0,),), (1.0,))
    np.testing.assert_allclose(found, [[1.5, 1.5, 5.5, 5.5], [9.5, 1.5, 13.5, 5.5]])


def test_the_order_is_level_row_column_size_ratio_angle() -> None:
    found = anchors((4, 8), (4, 8), ((2.0, 4.0), (8.0,)), (0.25, 1.0), (-0.5, 0.5))
    expected = [
        (x, y, side / math.sqrt(ratio), side * math.sqrt(ratio), angle)
        for cells, sides in (([(1.5, 1.5), (5.5, 1.5)], (2.0, 4.0)), ([(3.5, 3.5)], (8.0,)))
        for x, y in cells
        for side in sides
        for ratio in (0.25, 1.0)
        for angle in (-0.5, 0.5)
    ]
    np.testing.assert_allclose(found, expected)


def test_rows_come_before_columns() -> None:
    found = anchors((8, 8), (4,), ((2.0,),), (1.0,))
    np.testing.assert_allclose(found[:, :2] + 1, [[1.5, 1.5], [5.5, 1.5], [1.5, 5.5], [5.5, 5.5]])


def test_a_ratio_is_height_over_width_at_the_same_area() -> None:
    ((x0, y0, x1, y1),) = anchors((4, 4), (4,), ((6.0,),), (4.0,))
    assert (x1 - x0, y1 - y0) == pytest.approx((3.0, 12.0))


def test_a_level_has_a_cell_for_pixels_left_over() -> None:
    assert len(anchors((9, 17), (8,), ((4.0,),), (1.0,))) == 2 * 3


@pytest.mark.parametrize("values", [4, 5])
def test_deltas_of_nothing_leave_the_anchors(values: int) -> None:
    given = anchors((16, 16), (8,), ((4.0, 9.0),), (0.5, 2.0), (-0.7, 0.0, 0.7) if values == 5 else ())
    np.testing.assert_allclose(decode_boxes(given, np.zeros(given.shape, np.float32)), given, atol=1e-12)


def test_deltas_move_and_stretch_a_box() -> None:
    box = decode_boxes(np.array([[10.0, 10, 30, 20]]), np.array([[0.5, -0.2, math.log(2), math.log(0.5)]]))
    # centre (20, 15) -> (30, 13), sides (20, 10) -> (40, 5)
    np.testing.assert_allclose(box, [[10, 10.5, 50, 15.5]])


def test_deltas_move_a_rotated_box_along_the_axes_of_the_image() -> None:
    box = decode_boxes(np.array([[20.0, 15, 20, 10, 0.3]]), np.array([[0.5, -0.2, 0, 0, 0.4]]))
    np.testing.assert_allclose(box, [[30, 13, 20, 10, 0.7]])


@pytest.mark.parametrize(
    ("turn", "expected"), [(2.0, 2.0 - math.pi), (-2.0, math.pi - 2.0), (math.pi / 2, -math.pi / 2)]
)
def test_an_angle_is_brought_into_half_a_turn(turn: float, expected: float) -> None:
    ((*_, angle),) = decode_boxes(np.array([[0.0, 0, 2, 1, 0]]), np.array([[0.0, 0, 0, 0, turn]]))
    assert angle == pytest.approx(expected)


def test_weights_divide_the_deltas_and_not_the_turn() -> None:
    box = decode_boxes(np.array([[0.0, 0, 10, 10, 0]]), np.array([[1.0, 2, 3, 4, 0.5]]), (10, 10, 5, 5))
    np.testing.assert_allclose(box, [[1, 2, 10 * math.exp(0.6), 10 * math.exp(0.8), 0.5]])


def test_a_box_never_overflows() -> None:
    ((x0, _, x1, _),) = decode_boxes(np.array([[-8.0, -8, 8, 8]]), np.array([[0.0, 0, 1e30, 0]]))
    assert x1 - x0 == pytest.approx(1000.0)
    assert math.exp(LARGEST_GROWTH) * 16 == pytest.approx(1000.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("column", range(5))
def test_a_delta_that_is_not_finite_gives_no_finite_box(value: float, column: int) -> None:
    deltas = np.zeros((2, 5))
    deltas[0, column] = value
    boxes = decode_boxes(np.array([[0.0, 0, 2, 1, 0]] * 2), deltas)
    # a box may not grow for ever: an infinite dw or dh is the largest growth
    assert np.isfinite(boxes).all(axis=1).tolist() == [value == math.inf and column in (2, 3), True]


@pytest.mark.parametrize(
    "wrong",
    [
        ((8, 8), (), (), (1.0,)),
        ((8, 8), (8,), ((4.0,), (8.0,)), (1.0,)),
        ((8, 8), (8,), ((),), (1.0,)),
        ((8, 8), (8,), ((4.0,),), ()),
        ((8, 8), (8,), ((4.0,),), (-1.0,)),
        ((8, 0), (8,), ((4.0,),), (1.0,)),
        ((8, 8), (8,), ((4.0,),), (1.0,), (math.nan,)),
    ],
)
def test_numbers_that_make_no_anchors_are_refused(wrong: tuple) -> None:
    with pytest.raises(ValueError, match="expected"):
        anchors(*wrong)


@pytest.mark.parametrize(
    ("shapes", "weights"),
    [(((3, 4), (3, 5)), (1, 1, 1, 1)), (((3, 4), (2, 4)), (1, 1, 1, 1)), (((3, 4), (3, 4)), (1, 1))],
)
def test_deltas_that_do_not_fit_are_refused(shapes: tuple, weights: tuple) -> None:
    with pytest.raises(ValueError, match="expected"):
        decode_boxes(np.zeros(shapes[0]), np.zeros(shapes[1]), weights)
