"""Arguments that cannot be right are refused, with what was got and what was expected."""

import re
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import _cpu

PIXELS = np.zeros((6, 8), np.uint16)
MAPS = np.zeros((2, 5, 7), np.float32)


def window(low: int, high: int) -> Any:
    return np.array([low, high], np.int32)


WINDOW = window(0, 9)


@pytest.mark.parametrize(
    ("pixels", "got"),
    [
        (PIXELS.astype(np.float32), "pixels is float32 [6, 8], expected uint8 or uint16 [rows, columns]"),
        (PIXELS.astype(np.int16), "pixels is int16 [6, 8]"),
        (PIXELS.astype(">u2"), "pixels is >u2 [6, 8]"),
        (PIXELS[None], "pixels is uint16 [1, 6, 8]"),
        (PIXELS[:, ::2], "pixels is uint16 [6, 4], not C-contiguous"),
        (PIXELS.T, "pixels is uint16 [8, 6], not C-contiguous"),
        (PIXELS.tolist(), "pixels is a list"),
    ],
)
def test_pixels_of_another_type_are_refused(pixels: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.prepare_radiograph(pixels, size=(4, 4))


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"size": (0, 4)}, "size is (0, 4)"),
        ({"mm_per_pixel_xy": (0.0, 1.0)}, "mm_per_pixel_xy is (0.0, 1.0)"),
        ({"mm_per_pixel_xy": (1.0, float("nan"))}, "mm_per_pixel_xy is (1.0, nan)"),
        ({"mm_per_pixel_xy": (float("inf"), 1.0)}, "mm_per_pixel_xy is (inf, 1.0)"),
        ({"percentiles": (99.0, 1.0)}, "percentiles is (99.0, 1.0)"),
        ({"percentiles": (-1.0, 99.0)}, "percentiles is (-1.0, 99.0)"),
        ({"percentiles": (1.0, float("nan"))}, "percentiles is (1.0, nan)"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_values_out_of_range_are_refused(arguments: dict[str, Any], got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.prepare_radiograph(PIXELS, **{"size": (4, 4), **arguments})


@pytest.mark.parametrize("shape", [(0, 8), (6, 0), (0, 0)])
def test_an_image_without_pixels_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        kernels.prepare_radiograph(np.zeros(shape, np.uint16), size=(4, 4))


@pytest.mark.parametrize("kernel", [kernels.soft_argmax, kernels.peak])
def test_heatmaps_are_checked(kernel: Any) -> None:
    with pytest.raises(TypeError, match=re.escape("heatmaps is float64 [2, 5, 7], expected float32")):
        kernel(MAPS.astype(np.float64))
    with pytest.raises(TypeError, match=re.escape("heatmaps is float32 [5, 7]")):
        kernel(MAPS[0])
    with pytest.raises(ValueError, match="at least one cell"):
        kernel(np.zeros((2, 0, 7), np.float32))
    with pytest.raises(ValueError, match="threads is -1"):
        kernel(MAPS, threads=-1)


def test_a_negative_radius_is_refused() -> None:
    with pytest.raises(ValueError, match="radius is -1"):
        kernels.soft_argmax(MAPS, radius=-1)


def test_corners_and_vectors_are_checked() -> None:
    with pytest.raises(TypeError, match=re.escape("corners is float64 [3, 2, 4], expected float64 [n, 4, 2]")):
        kernels.tilt_vectors(np.zeros((3, 2, 4)))
    with pytest.raises(TypeError, match=re.escape("vectors is float32 [3, 2], expected float64 [n, 2]")):
        kernels.angle_matrix(np.zeros((3, 2), np.float32))


def test_read_only_arrays_are_taken() -> None:
    pixels, maps = PIXELS.copy(), MAPS.copy()
    pixels.flags.writeable = maps.flags.writeable = False
    kernels.prepare_radiograph(pixels, size=(4, 4))
    kernels.soft_argmax(maps)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.order_statistics(PIXELS, 0, 1, WINDOW, 1), "ranks"),
        (lambda: _cpu.order_statistics(PIXELS, 1, PIXELS.size + 1, WINDOW, 1), "ranks"),
        (
            lambda: _cpu.window_resize(PIXELS, window(5, 4), False, 0, 0, 1, 1, np.zeros((4, 4), np.float32), 1),
            "window",
        ),
        (
            lambda: _cpu.window_resize(PIXELS, window(0, 65536), False, 0, 0, 1, 1, np.zeros((4, 4), np.float32), 1),
            "window",
        ),
        (lambda: _cpu.window_resize(PIXELS, WINDOW, False, 1, 0, 4, 4, np.zeros((4, 4), np.float32), 1), "rows"),
        (lambda: _cpu.window_resize(PIXELS, WINDOW, False, 0, -1, 4, 4, np.zeros((4, 4), np.float32), 1), "columns"),
        (lambda: _cpu.soft_argmax(MAPS, 1.0, 3, np.zeros((3, 2), np.float32), np.zeros(2, np.float32), 1), "another n"),
        (lambda: _cpu.peak(MAPS, np.zeros((2, 2), np.float32), np.zeros(2, np.float32), 0), "threads"),
        (lambda: _cpu.angle_matrix(np.zeros((3, 2)), np.zeros((3, 4)), 1), "degrees"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()


def test_the_bindings_refuse_other_dtypes() -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _cpu.angle_matrix(np.zeros((3, 2), np.float32), np.zeros((3, 3)), 1)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _cpu.window_resize(PIXELS, WINDOW, False, 0, 0, 4, 4, np.zeros((4, 4)), 1)
