"""Tiles, sizes and weights that cannot be right are refused, with what was got and what was expected."""

import re
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.places import CudaPlace
from tests.kernels.test_tiles import GRIDS, case


def test_a_blend_takes_its_tiles_and_no_others() -> None:
    tiles, settings, _ = case(GRIDS[2], 2)
    blend = kernels.TileBlend(**settings)
    np.testing.assert_array_equal(blend.positions, kernels.tile_positions(*GRIDS[2]))
    positions = [tuple(position) for position in blend.positions.tolist()]
    for number, tile in enumerate(tiles):
        with pytest.raises(ValueError, match=f"{number} tiles were added, expected 12"):
            _ = blend.result
        with pytest.raises(TypeError, match=re.escape("tile is float64 [2, 2, 3, 16], expected float32 or float16")):
            blend.add(tile.astype(np.float64), positions[number])
        with pytest.raises(TypeError, match=re.escape("[1, 2, 3, 16], expected float32 or float16 [2, 2, 3, 16]")):
            blend.add(tile[:1], positions[number])
        with pytest.raises(ValueError, match=re.escape(f"expected {positions[number]}: tiles come in order")):
            blend.add(tile, positions[number - 1])
        blend.add(tile, positions[number])
    with pytest.raises(ValueError, match="tile is one too many, expected 12"):
        blend.add(tiles[0], positions[0])


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"shape": (4, 6)}, "shape is (4, 6), expected 3 lengths of 1 or more"),
        ({"shape": (4, 0, 35)}, "shape is (4, 0, 35)"),
        ({"shape": (4, 6, 15)}, "patch is (2, 3, 16), expected at most the volume's shape (4, 6, 15): pad"),
        ({"patch": (2, 3, -1)}, "patch is (2, 3, -1)"),
        ({"stride": (2, 0, 16)}, "stride is (2, 0, 16)"),
        ({"stride": (2, 3, 17)}, "stride is (2, 3, 17), expected at most the patch (2, 3, 16)"),
        ({"classes": 0}, "classes is 0, expected 1 to 256 for labels"),
        ({"classes": 257}, "classes is 257, expected 1 to 256 for labels"),
        ({"classes": 0, "dtype": "float32"}, "classes is 0, expected 1 or more"),
        ({"dtype": "int64"}, "dtype is int64, expected uint8, float16 or float32"),
        ({"classes": 1}, "threshold is None, expected a number for labels of one class"),
        ({"classes": 1, "threshold": float("nan")}, "threshold is nan, expected a finite value"),
        ({"threshold": 0.5}, "threshold is 0.5, expected None but for labels of one class"),
        ({"classes": 1, "threshold": 0.5, "dtype": "float16"}, "threshold is 0.5, expected None"),
        ({"weights": (np.ones(2), np.ones(3), np.zeros(16))}, "weights along x are 0.0 to 0.0, expected finite"),
        ({"weights": (np.ones(2), np.full(3, np.nan), np.ones(16))}, "weights along y are nan to nan"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_values_that_a_blend_cannot_take_are_refused(arguments: dict[str, Any], got: str) -> None:
    _, settings, _ = case(GRIDS[2], 2)
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.TileBlend(**{**settings, **arguments})


@pytest.mark.parametrize(
    ("weights", "got"),
    [
        ((np.ones(2), np.ones(3)), "weights has 2 arrays, expected 3"),
        ((np.ones(2), np.ones(3), np.ones(15)), "weights along x is float64 [15], expected float64 [16]"),
        ((np.ones(2, np.float32), np.ones(3), np.ones(16)), "weights along z is float32 [2]"),
    ],
)
def test_weights_of_another_type_are_refused(weights: Any, got: str) -> None:
    _, settings, _ = case(GRIDS[2], 2)
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.TileBlend(**{**settings, "weights": weights})


@pytest.mark.parametrize("sigma", [0.0, -1.0, 0.01, float("nan"), float("inf")])
def test_a_sigma_that_is_no_width_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match=re.escape(f"sigma is {sigma}")):
        kernels.gaussian_weights((4, 4, 4), sigma)


# a tile [2, 3, 4, 5] into the middle of a ring [2, 4, 6, 8]
MIDDLE: dict[str, Any] = {
    "tile": np.ones((2, 3, 4, 5), np.float32),
    "weights_z": np.ones((2, 3), np.float32),
    "weights_y": np.ones((2, 4), np.float32),
    "weights_x": np.ones((2, 5), np.float32),
    "index": (1, 1, 1),
    "at": (3, 2, 3),
    "fresh": (1, 1, 1),
    "ring": np.ones((2, 4, 6, 8), np.float32),
}


@pytest.mark.parametrize(
    ("changed", "got"),
    [
        ({"tile": np.ones((1, 3, 4, 5), np.float32)}, "other classes"),
        ({"weights_z": np.ones((2, 4), np.float32)}, "another length"),
        ({"weights_x": np.ones((2, 4), np.float32)}, "another length"),
        ({"index": (2, 0, 0)}, "index"),
        ({"index": (0, 0, -1)}, "index"),
        ({"at": (-1, 0, 0)}, "reaches out"),
        ({"at": (5, 0, 0)}, "reaches out"),
        ({"at": (0, 3, 0)}, "reaches out"),
        ({"at": (0, 0, 4)}, "reaches out"),
        ({"at": (0, 0, 2**62)}, "reaches out"),
        ({"fresh": (4, 0, 0)}, "fresh"),
        ({"fresh": (0, 0, -1)}, "fresh"),
        ({"ring": np.ones((2, 0, 6, 8), np.float32)}, "no slots"),
        ({"ring": np.ones((2, 2, 6, 8), np.float32)}, "reaches out|deeper"),
    ],
)
def test_the_bindings_refuse_what_would_leave_the_ring(emulated: CudaPlace, changed: dict[str, Any], got: str) -> None:
    _cpu.add_tile(**MIDDLE, threads=1)
    with pytest.raises(ValueError, match=got):
        _cpu.add_tile(**{**MIDDLE, **changed}, threads=1)
    stream = emulated.native.Stream()
    given = {**MIDDLE, **changed}
    placed = {k: emulated.put(v, stream) if isinstance(v, np.ndarray) else v for k, v in given.items()}
    with pytest.raises(ValueError, match=got):
        emulated.native.add_tile(**placed, stream=stream)


RING = np.ones((2, 4, 6, 8), np.float32)
LABELS = np.zeros((9, 6, 8), np.uint8)
HALVES = np.zeros((2, 9, 6, 8), np.float16)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda m, a, s: m.label_slices(a(RING), 4, 0, 1, 0.0, a(LABELS), s), "slot"),
        (lambda m, a, s: m.label_slices(a(RING), 0, 0, 5, 0.0, a(LABELS), s), "count"),
        (lambda m, a, s: m.label_slices(a(RING), 0, 0, -1, 0.0, a(LABELS), s), "count"),
        (lambda m, a, s: m.label_slices(a(RING), 0, 6, 4, 0.0, a(LABELS), s), "outside the volume"),
        (lambda m, a, s: m.label_slices(a(RING), 0, -1, 4, 0.0, a(LABELS), s), "outside the volume"),
        (lambda m, a, s: m.label_slices(a(RING), 0, 0, 4, 0.0, a(LABELS[:, :, 1:]), s), "other rows or columns"),
        (lambda m, a, s: m.label_slices(a(np.repeat(RING, 129, 0)), 0, 0, 1, 0.0, a(LABELS), s), "256"),
        (lambda m, a, s: m.half_slices(a(RING), 0, 6, 4, a(HALVES), s), "outside the volume"),
        (lambda m, a, s: m.half_slices(a(RING), 0, 0, 4, a(HALVES[:1]), s), "other classes"),
    ],
)
def test_the_bindings_refuse_slices_that_are_not_there(emulated: CudaPlace, call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(_cpu, np.ascontiguousarray, 1)
    stream = emulated.native.Stream()
    with pytest.raises(ValueError, match=got):
        call(emulated.native, lambda array: emulated.put(np.ascontiguousarray(array), stream), stream)


def test_the_bindings_refuse_less_than_one_thread() -> None:
    for call in (
        lambda: _cpu.add_tile(**MIDDLE, threads=0),
        lambda: _cpu.label_slices(RING, 0, 0, 4, 0.0, LABELS, 0),
        lambda: _cpu.half_slices(RING, 0, 0, 4, HALVES, 0),
    ):
        with pytest.raises(ValueError, match="threads is below 1"):
            call()
