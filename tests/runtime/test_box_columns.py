"""Rules that drop boxes and smooth corners, against slow references written from the papers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.runtime.boxes import Boxes
from spinert.runtime.corner_curves import smooth_corners
from spinert.runtime.vertebra_column import Aside, DropRule, Squeezed, column
from tests.phantoms import random_tilts, spine_corners


def overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = a, b
    w, h = max(0.0, min(ax1, bx1) - max(ax0, bx0)), max(0.0, min(ay1, by1) - max(ay0, by0))
    return w * h / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - w * h)


def slow_squeezed(boxes: list[NDArray[np.float64]]) -> list[int]:
    """Chen et al., section 3.1: "if the two IoU values are larger than the threshold, 0.36, the current box will be
    dropped"; so will it be if the distance of the upper left vertexes exceeds its width."""
    kept = []
    for n, box in enumerate(boxes):
        squeezed = 0 < n < len(boxes) - 1 and overlap(box, boxes[n - 1]) > 0.36 and overlap(box, boxes[n + 1]) > 0.36
        astray = n > 0 and np.hypot(*(box[:2] - boxes[n - 1][:2])) > box[2] - box[0]
        if not squeezed and not astray:
            kept.append(n)
    return kept


def slow_aside(boxes: list[NDArray[np.float64]]) -> list[int]:
    """Khanal et al., section 4: "if the x-center of any detected bounding box is more than half box width away from the
    x-centers of both of its two nearest neighboring boxes"; the topmost and bottom ones have one."""
    kept = []
    for n, box in enumerate(boxes):
        near = [boxes[k] for k in (n - 1, n + 1) if 0 <= k < len(boxes)]
        away = [abs((box[0] + box[2]) / 2 - (other[0] + other[2]) / 2) > (box[2] - box[0]) / 2 for other in near]
        if not all(away) or not away:
            kept.append(n)
    return kept


@pytest.mark.parametrize(("rule", "slow"), [(Squeezed(), slow_squeezed), (Aside(), slow_aside)])
@pytest.mark.parametrize("seed", range(6))
def test_boxes_are_dropped_as_the_papers_say(rule: DropRule, slow: object, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 20
    centres = np.stack([60 + rng.normal(0, 13, count), np.sort(rng.uniform(0, 260, count))], axis=1)
    sides = rng.uniform((24, 16), (40, 26), (count, 2))
    by_height = np.concatenate([centres, sides, np.zeros((count, 1))], axis=1)
    shuffled = rng.permutation(count)
    found = Boxes(by_height[shuffled], rng.random(count), np.zeros(count, np.int64))
    edges = [np.array([*(box[:2] - box[2:4] / 2), *(box[:2] + box[2:4] / 2)]) for box in by_height]
    want = slow(edges)  # type: ignore[operator]
    assert 0 < len(want) < count
    assert np.allclose(column(found, rule).boxes, by_height[want])


def test_without_a_rule_all_stand_from_head_to_foot() -> None:
    boxes = np.array([[0, 9.0, 2, 2, 0.3], [0, 1, 2, 2, 0], [0, 5, 2, 2, 0]])
    found = column(Boxes(boxes, np.array([0.9, 0.8, 0.7]), np.zeros(3, np.int64)), None)
    assert found.boxes[:, 1].tolist() == [1, 5, 9]
    assert found.scores.tolist() == [0.8, 0.7, 0.9]


@pytest.mark.parametrize("rule", [None, Squeezed(), Aside()])
def test_no_boxes_are_an_empty_column(rule: DropRule | None) -> None:
    nothing = Boxes(np.empty((0, 5)), np.empty(0), np.empty(0, np.int64))
    assert column(nothing, rule).boxes.shape == (0, 5)


@pytest.mark.parametrize("degree", [3, 6, 8])
def test_corners_are_smoothed_by_polynomials_of_x_over_y(degree: int) -> None:
    """Khanal et al., section 4, with numpy.polyfit on centred rows."""
    rng = np.random.default_rng(degree)
    corners = spine_corners(random_tilts(rng)) + rng.normal(0, 6, (17, 4, 2))
    smooth = smooth_corners(corners, degree)
    for corner in range(4):
        x, y = corners[:, corner].T
        t = (y - y.mean()) / np.ptp(y)
        assert np.allclose(smooth[:, corner, 0], np.polyval(np.polyfit(t, x, degree), t), atol=1e-6)
    assert np.array_equal(smooth[..., 1], corners[..., 1])


def test_few_vertebrae_are_not_bent_by_a_high_degree() -> None:
    corners = spine_corners(np.array([3.0, -2.0, 5.0]))
    assert np.allclose(smooth_corners(corners, 6), corners)
