"""Kernels on arrays of a device, emulated and real, by their bindings and by the public functions."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import device as public
from spinert.kernels.residence import place_of
from tests.kernels.device_arrays import fetched, pointer, producer
from tests.kernels.places import CudaPlace


@pytest.mark.parametrize(
    ("arrays", "error", "got"),
    [
        ({"maps": np.zeros((2, 3, 3))}, TypeError, r"maps is float64 \[2, 3, 3\], expected float32 of rank 3"),
        ({"maps": np.zeros((3, 3), np.float32)}, TypeError, r"maps is float32 \[3, 3\], expected float32 of rank 3"),
        ({"maps": np.zeros((2, 0, 3), np.float32)}, ValueError, "no cells"),
        ({"xy": np.zeros((3, 2), np.float32)}, ValueError, "points has another n"),
        ({"xy": np.zeros((2, 3), np.float32)}, ValueError, "points has another number of axes"),
        ({"value": np.zeros(3, np.float32)}, ValueError, "another n"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(
    cuda: CudaPlace, arrays: dict[str, Any], error: type[Exception], got: str
) -> None:
    given = {
        "maps": np.zeros((2, 3, 3), np.float32),
        "xy": np.zeros((2, 2), np.float32),
        "value": np.zeros(2, np.float32),
    }
    maps, xy, value = (cuda.put(array) for array in {**given, **arrays}.values())
    with pytest.raises(error, match=got):
        cuda.native.peak(maps, xy, value, maps.stream)
    if "value" not in arrays:
        with pytest.raises(error, match=got):
            cuda.native.soft_argmax(maps, 1.0, 3, xy, value, maps.stream)


def test_outputs_that_overlap_are_refused(cuda: CudaPlace) -> None:
    maps, memory = cuda.put(np.zeros((4, 3, 3), np.float32)), cuda.put(np.zeros(12, np.float32))
    xy = cuda.native.device_array(producer(memory, shape=(4, 2)))
    value = cuda.native.device_array(producer(memory, shape=(4,), data=(pointer(memory) + 28, False)))
    with pytest.raises(ValueError, match="points overlaps value"):
        cuda.native.peak(maps, xy, value, maps.stream)


def test_a_negative_radius_is_refused_on_a_device_too(cuda: CudaPlace) -> None:
    maps = cuda.put(np.zeros((1, 3, 3), np.float32))
    xy, confidence = cuda.native.empty((1, 2), "float32"), cuda.native.empty((1,), "float32")
    with pytest.raises(ValueError, match="radius is below 0"):
        cuda.native.soft_argmax(maps, 1.0, -1, xy, confidence, maps.stream)


def test_kernels_write_their_outputs_and_nothing_else(cuda: CudaPlace) -> None:
    guard = 64
    maps = cuda.put(np.random.default_rng(0).normal(size=(3, 5, 7)).astype(np.float32))
    for kernel, extra in ((cuda.native.soft_argmax, (1.0, 3)), (cuda.native.peak, ())):
        memory = cuda.put(np.full(6 + 3 + 3 * guard, -12345.0, np.float32))
        start = pointer(memory)
        xy = cuda.native.device_array(producer(memory, shape=(3, 2), data=(start + 4 * guard, False)))
        scalar = cuda.native.device_array(producer(memory, shape=(3,), data=(start + 4 * (2 * guard + 6), False)))
        kernel(maps, *extra, xy, scalar, maps.stream)
        after = fetched(cuda, memory)
        written = np.r_[guard : guard + 6, 2 * guard + 6 : 2 * guard + 9]
        assert (after[written] != -12345.0).all()
        assert (np.delete(after, written) == -12345.0).all()


def test_kernels_run_where_their_arrays_live_whoever_made_them(cuda: CudaPlace) -> None:
    host = np.random.default_rng(0).normal(size=(2, 9, 11)).astype(np.float32)
    maps = cuda.put(host, cuda.native.Stream())
    want = kernels.peak(host)[1]
    by_dlpack = SimpleNamespace(__dlpack__=maps.__dlpack__, __dlpack_device__=maps.__dlpack_device__)
    for source in (maps, producer(maps), producer(maps, stream="absent"), producer(maps, stream=None), by_dlpack):
        for stream in (None, cuda.native.Stream(), SimpleNamespace(cuda_stream=maps.stream.handle)):
            xy, value = kernels.peak(source, stream=stream)
            assert isinstance(xy, public.DeviceArray)
            np.testing.assert_array_equal(fetched(cuda, value), want)


def test_results_stay_on_the_stream_that_was_asked_for(cuda: CudaPlace) -> None:
    maps, stream = cuda.put(np.zeros((1, 3, 3), np.float32), cuda.native.Stream()), cuda.native.Stream()
    assert kernels.peak(maps)[1].stream.handle == maps.stream.handle
    assert kernels.peak(maps, stream=stream)[1].stream.handle == stream.handle


def test_kernels_refuse_arrays_of_two_places(cuda: CudaPlace) -> None:
    maps = cuda.put(np.zeros((1, 3, 3), np.float32))
    with pytest.raises(TypeError, match=r"on a device \(DeviceArray\) and in host memory \(ndarray\)"):
        place_of(maps, np.zeros(3))
    with pytest.raises(TypeError, match="stream is given for arrays in host memory"):
        kernels.peak(np.zeros((1, 3, 3), np.float32), stream=maps.stream)
    with pytest.raises(TypeError, match=r"heatmaps is float64 \[1, 3, 3\], expected float32 \[n, height, width\]"):
        kernels.peak(cuda.put(np.zeros((1, 3, 3))))
    with pytest.raises(TypeError, match=r"array is .* not C-contiguous"):
        kernels.peak(producer(maps, strides=(4, 4, 12)))


def test_the_public_module_has_what_the_native_one_has(cuda: CudaPlace) -> None:
    if cuda.emulator is not None:
        assert public.empty is cuda.native.empty
    assert all(hasattr(public, name) for name in public.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = public.nothing
