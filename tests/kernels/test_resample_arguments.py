"""Volumes, grids and windows that cannot be right are refused, with what was got and what was expected."""

import re
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import Grid, _cpu

VOLUME = np.zeros((2, 3, 4), np.int16)
SAME = Grid.of_shape((2, 3, 4), (2, 3, 4))


@pytest.mark.parametrize(
    ("volume", "got"),
    [
        (VOLUME.astype(np.int32), "volume is int32 [2, 3, 4], expected uint8 or int16 or uint16 or float32 [slices,"),
        (VOLUME[0], "volume is int16 [3, 4]"),
        (VOLUME.transpose(2, 1, 0), "volume is int16 [4, 3, 2], not C-contiguous"),
        (VOLUME.tolist(), "volume is a list"),
    ],
)
def test_volumes_of_another_type_are_refused(volume: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.resample_volume(volume, SAME)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.resample_volume(VOLUME[:0], SAME), "volume has shape [0, 3, 4], expected at least one voxel"),
        (lambda: kernels.resample_labels(VOLUME[:, :0].view(np.uint16), SAME), "labels has shape [2, 0, 4]"),
        (lambda: kernels.resample_volume(VOLUME, SAME._replace(shape=(2, -1, 4))), "grid.shape is (2, -1, 4)"),
        (lambda: kernels.resample_volume(VOLUME, SAME._replace(step=(1.0, 0.0, 1.0))), "grid.step is (1.0, 0.0, 1.0)"),
        (lambda: kernels.resample_volume(VOLUME, SAME._replace(origin=(0.0, 0.0, np.inf))), "grid.origin is"),
        (lambda: kernels.resample_volume(VOLUME, SAME, window=(0.0, 0.0, 0.0, 1.0)), "window is (0.0, 0.0, 0.0, 1.0)"),
        (lambda: kernels.resample_volume(VOLUME, SAME, window=(1.0, 0.0, 1.0, 1.0)), "window is (1.0, 0.0, 1.0, 1.0)"),
        (lambda: kernels.resample_volume(VOLUME, SAME, window=(1e-300, 0.0, 0.0, 1.0)), "window"),
        (lambda: kernels.resample_volume(VOLUME, SAME, threads=0), "threads is 0"),
        (lambda: Grid.of_spacing((2, 3, 4), (1.0, 1.0, 0.0), (1.0, 1.0, 1.0)), "spacing is (1.0, 1.0, 0.0)"),
        (lambda: Grid.of_spacing((2, 3, 4), (1.0, 1.0, 1.0), (1.0, np.nan, 1.0)), "new_spacing is (1.0, nan, 1.0)"),
        (lambda: Grid.of_shape((2, 3, 4), (2, 0, 4)), "new_shape is (2, 0, 4)"),
    ],
)
def test_values_out_of_range_are_refused(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        call()


@pytest.mark.parametrize(
    ("volume", "step", "origin", "window", "threads", "got"),
    [
        (VOLUME[:0], (1, 1, 1), (0, 0, 0), (0, 0, 1, 1), 1, "volume is empty"),
        (VOLUME, (1, 0, 1), (0, 0, 0), (0, 0, 1, 1), 1, "step"),
        (VOLUME, (1, np.nan, 1), (0, 0, 0), (0, 0, 1, 1), 1, "step"),
        (VOLUME, (1, 1, 1), (0, 0, np.inf), (0, 0, 1, 1), 1, "origin"),
        (VOLUME, (1, 1, 1), (0, 0, 0), (np.nan, 0, 1, 1), 1, "window"),
        (VOLUME, (1, 1, 1), (0, 0, 0), (0, 2, 1, 1), 1, "window"),
        (VOLUME, (1, 1, 1), (0, 0, 0), (0, np.nan, 1, 1), 1, "window"),
        (VOLUME, (1, 1, 1), (0, 0, 0), (0, 0, 1, 1), 0, "threads"),
    ],
)
def test_the_binding_refuses_what_would_leave_the_volume(
    volume: Any, step: Any, origin: Any, window: Any, threads: int, got: str
) -> None:
    with pytest.raises(ValueError, match=got):
        _cpu.resample_volume(volume, step, origin, window, np.zeros((2, 2, 2), np.float32), threads)
