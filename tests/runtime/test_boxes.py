"""Dense outputs of detectors against a slow reference that takes one box after the other."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadNetwork
from spinert.runtime.boxes import AnchorShapes, Selection, centred, probabilities, select_boxes, upright

SIZE = (96, 64)
UPRIGHT = AnchorShapes(strides=(16, 32), sizes=((12.0, 24.0), (48.0,)), ratios=(0.5, 1.0))
ROTATED = AnchorShapes(strides=(16,), sizes=((16.0,),), ratios=(0.5, 1.0), angles_deg=(-30.0, 0.0, 30.0))


def selection(**changes: object) -> Selection:
    settings = {"scores": "sigmoid", "least_score": 0.55, "most_candidates": 60, "overlap": 0.4, "most_boxes": 25}
    return Selection(**{**settings, **changes})  # type: ignore[arg-type]


def slow(
    starts: NDArray[np.float64], logits: NDArray[np.float32], deltas: NDArray[np.float32], wanted: Selection
) -> list[tuple[float, int, list[float]]]:
    """(score, class, box) by score: sort, cut, decode, clip, then each against those that stay, class by class."""
    candidates = []
    for row, values in enumerate(logits.astype(float)):
        if wanted.scores == "sigmoid":
            shares = [1 / (1 + math.exp(-value)) for value in values]
        else:
            total = sum(math.exp(value) for value in values)
            shares = [math.exp(value) / total for value in values[1:]]
        candidates += [(share, row, k) for k, share in enumerate(shares) if share >= wanted.least_score]
    candidates = sorted(candidates, key=lambda each: -each[0])[: wanted.most_candidates]
    stay: list[tuple[float, int, list[float]]] = []
    for share, row, k in candidates:
        delta = deltas[row] if deltas.ndim == 2 else deltas[row, k]
        dx, dy, dw, dh = (float(v) / w for v, w in zip(delta[:4], wanted.delta_weights, strict=True))
        if starts.shape[1] == 5:
            cx, cy, w, h, turn = starts[row]
            turn = (turn + float(delta[4]) + math.pi / 2) % math.pi - math.pi / 2
        else:
            x0, y0, x1, y1 = starts[row]
            cx, cy, w, h, turn = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, 0.0
        cx, cy, w, h = cx + dx * w, cy + dy * h, w * math.exp(dw), h * math.exp(dh)
        if starts.shape[1] == 5:
            if not (-0.5 < cx < SIZE[1] - 0.5 and -0.5 < cy < SIZE[0] - 0.5):
                continue
            box = [cx, cy, w, h, turn]
        else:
            x0, x1 = (min(max(v, -0.5), SIZE[1] - 0.5) for v in (cx - w / 2, cx + w / 2))
            y0, y1 = (min(max(v, -0.5), SIZE[0] - 0.5) for v in (cy - h / 2, cy + h / 2))
            if x1 <= x0 or y1 <= y0:
                continue
            box = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, 0.0]
        if all(c != k or overlap(other, box) <= wanted.overlap for _, c, other in stay):
            stay.append((share, k, box))
    return stay[: wanted.most_boxes]


def overlap(a: list[float], b: list[float]) -> float:
    return float(kernels.rotated_iou(np.float32([a]), np.float32([b]))[0, 0])


@pytest.mark.parametrize("shapes", [UPRIGHT, ROTATED], ids=["upright", "rotated"])
@pytest.mark.parametrize("each", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("scores", ["sigmoid", "softmax"])
def test_boxes_are_selected_as_one_after_the_other(shapes: AnchorShapes, each: bool, scores: str) -> None:
    rng = np.random.default_rng(4)
    starts = shapes.of(SIZE)
    count, values = starts.shape
    classes = 3
    logits = rng.normal(0, 2, (count, classes + (scores == "softmax"))).astype(np.float32)
    deltas = rng.normal(0, 0.4, (count, classes, values) if each else (count, values)).astype(np.float32)
    wanted = selection(scores=scores, delta_weights=(1.0, 2.0, 1.5, 1.0))
    found = select_boxes(starts, logits, deltas, wanted, SIZE)
    want = slow(starts, logits, deltas, wanted)
    assert len(want) > 3
    assert np.allclose(found.scores, [share for share, _, _ in want])
    assert found.classes.tolist() == [k for _, k, _ in want]
    assert np.allclose(found.boxes, [box for _, _, box in want], atol=1e-6)


def test_no_score_above_the_threshold_gives_no_box() -> None:
    starts = UPRIGHT.of(SIZE)
    found = select_boxes(
        starts, np.full((len(starts), 2), -9, np.float32), np.zeros_like(starts, np.float32), selection(), SIZE
    )
    assert found.boxes.shape == (0, 5)
    assert found.scores.shape == found.classes.shape == (0,)


@pytest.mark.parametrize("name", ["scores", "deltas"])
def test_outputs_that_are_not_finite_end_in_an_error(name: str) -> None:
    starts = UPRIGHT.of(SIZE)
    outputs = {"scores": np.zeros((len(starts), 1), np.float32), "deltas": np.zeros(starts.shape, np.float32)}
    outputs[name][3] = np.inf
    with pytest.raises(BadNetwork, match=f"the detector's {name} hold"):
        select_boxes(starts, outputs["scores"], outputs["deltas"], selection(), SIZE)


def test_probabilities_of_large_logits_do_not_overflow() -> None:
    large = np.float32([[-3e38, 3e38], [800, -800]])
    assert probabilities(large, "sigmoid").tolist() == [[0, 1], [1, 0]]
    assert probabilities(large, "softmax").tolist() == [[1], [0]]


def test_the_upright_box_is_the_smallest_round_a_turned_one() -> None:
    boxes = np.array([[10.0, 20, 8, 4, 0.6], [0, 0, 2, 6, -1.2], [5, 5, 3, 1, 0]])
    for box, edges in zip(boxes, upright(boxes), strict=True):
        c, s = math.cos(box[4]), math.sin(box[4])
        corners = [
            (box[0] + sx * box[2] / 2 * c - sy * box[3] / 2 * s, box[1] + sx * box[2] / 2 * s + sy * box[3] / 2 * c)
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
        assert np.allclose(edges, [*np.min(corners, axis=0), *np.max(corners, axis=0)])
    assert np.allclose(upright(centred(upright(boxes))), upright(boxes))
