"""What holds for all kernels of boxes: the same bits everywhere, nothing written beside the outputs, bad arguments."""

import re
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.boxes import COUNTS, STACK, boxes_at, scattered, some_scores, turned
from tests.kernels.guards import guarded
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace


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
