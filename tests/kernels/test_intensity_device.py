"""Volumes on a device: the same bits as on the CPU, in a graph, and without a copy of the header's numbers."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from tests.kernels.places import CudaPlace
from tests.kernels.test_intensity import CT, by_slice, noise

SHAPES = [(5, 1, 17), (3, 11, 13), (2, 64, 65), (7, 131), (4, 32, 48)]


def fetched(cuda: CudaPlace, array: Any) -> NDArray[Any]:
    return np.asarray(cuda.give(array))


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_windows_have_the_bits_of_the_cpu(cuda: CudaPlace, shape: tuple[int, ...], dtype: type) -> None:
    stored = noise(shape, dtype)
    window = {**by_slice(shape), "low": -500.0, "high": 1500.0}
    for kind in (np.float32, np.float16, np.uint8):
        for outside in (None, 7.0):
            settings = {**window, "dtype": kind, "outside": outside}
            got, want = cuda.run(kernels.window_hu, stored, **settings), kernels.window_hu(stored, **settings)
            assert got.tobytes() == want.tobytes()


def test_more_slices_than_travel_at_once_have_their_own_rescale(cuda: CudaPlace) -> None:
    stored = noise((301, 3, 5), np.int16)
    settings = {**by_slice(stored.shape), "low": -500.0, "high": 1500.0}
    for kernel in (kernels.window_hu, kernels.threshold_mask):
        got, want = cuda.run(kernel, stored, **settings), kernel(stored, **settings)  # type: ignore[operator]
        for one, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(one, other)
    got, want = cuda.run(kernels.zscore_hu, stored, **settings), kernels.zscore_hu(stored, **settings)
    np.testing.assert_allclose(got.moments, want.moments, rtol=1e-12)


@pytest.mark.parametrize("first", [1, 3])
def test_an_array_that_begins_anywhere_is_taken(emulated: CudaPlace, first: int) -> None:
    """Neither aligned to eight voxels nor a multiple of them."""
    native, stream = emulated.native, emulated.native.Stream()
    whole = emulated.put(noise((37,), np.int16), stream)
    described = {**whole.__cuda_array_interface__, "shape": (1, 33)}
    described["data"] = (described["data"][0] + 2 * first, True)
    part = type("Part", (), {"__cuda_array_interface__": described, "owner": whole})()
    got = kernels.window_hu(native.device_array(part), **CT, low=0.0, high=900.0, stream=stream)
    want = kernels.window_hu(noise((37,), np.int16)[None, first : first + 33].copy(), **CT, low=0.0, high=900.0)
    np.testing.assert_array_equal(fetched(emulated, got), want)


def test_a_captured_window_runs_again_on_new_values(emulated: CudaPlace) -> None:
    native, stream = emulated.native, emulated.native.Stream()
    stored = emulated.put(noise((4, 6, 8), np.int16), stream)
    out = native.empty((4, 6, 8), "float32", stream)

    def queue() -> None:
        kernels.window_hu(stored, **by_slice((4, 6, 8)), low=-100.0, high=900.0, out=out, stream=stream)

    queue()
    allocated = stream.allocations
    with native.Graph(stream) as graph:
        queue()
    for seed in (1, 2):
        values = noise((4, 6, 8), np.int16, seed)
        native.upload(values, stored)
        graph.launch()
        want = kernels.window_hu(values, **by_slice((4, 6, 8)), low=-100.0, high=900.0)
        np.testing.assert_array_equal(fetched(emulated, out), want)
    assert stream.allocations == allocated


def test_a_mask_without_a_voxel_has_no_mean_and_values_of_0(cuda: CudaPlace) -> None:
    stored = noise((2, 3, 4), np.int16)
    values, moments = cuda.run(kernels.zscore_hu, stored, **CT, mask=np.zeros(stored.shape, np.uint8))
    assert not values.any()
    np.testing.assert_array_equal(moments, [0.0, np.nan, np.nan])


def test_slopes_on_the_device_are_refused(emulated: CudaPlace) -> None:
    stream = emulated.native.Stream()
    stored, slopes = emulated.put(noise((2, 3, 4), np.int16), stream), emulated.put(np.ones(2), stream)
    with pytest.raises(TypeError, match="slope is a DeviceArray, expected a number or 2 of them"):
        kernels.window_hu(stored, slope=slopes, intercept=0.0, low=0.0, high=1.0)
