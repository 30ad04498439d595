"""Arrays, copies, streams and events of a device, emulated and real."""

import ctypes
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spinert.errors import DeviceError
from tests.kernels.device_arrays import fetched, pointer, producer
from tests.kernels.places import CudaPlace

DTYPES = ("uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (5, 7), (2, 3, 4, 5)], ids=str)
def test_what_goes_up_comes_down(cuda: CudaPlace, dtype: str, shape: tuple[int, ...]) -> None:
    host = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    array = cuda.put(host, cuda.native.Stream())
    assert (array.shape, array.dtype, array.ndim, array.size, array.nbytes) == (
        host.shape, host.dtype, host.ndim, host.size, host.nbytes,
    )  # fmt: skip
    np.testing.assert_array_equal(fetched(cuda, array), host)


def test_an_array_without_axes_has_no_length(cuda: CudaPlace) -> None:
    assert len(cuda.native.empty((4, 2), "uint8")) == 4
    with pytest.raises(TypeError, match="no length"):
        len(cuda.native.empty((), "uint8"))


@pytest.mark.parametrize("dtype", ["bool", "complex64", "uint32", "U3"])
def test_other_element_types_are_refused(cuda: CudaPlace, dtype: str) -> None:
    with pytest.raises(TypeError, match="which device arrays do not have"):
        cuda.native.empty((2,), dtype)
    with pytest.raises(TypeError, match="which device arrays do not have"):
        cuda.native.pinned((2,), dtype)


def test_a_shape_that_no_memory_holds_is_refused(cuda: CudaPlace) -> None:
    for make in (cuda.native.empty, cuda.native.pinned):
        with pytest.raises(ValueError, match="shape is too large"):
            make((2**40, 2**40), "float64")


def test_copies_need_the_same_dtype_and_shape(cuda: CudaPlace) -> None:
    array = cuda.native.empty((2, 3), "float32")
    for host in (np.zeros((3, 2), np.float32), np.zeros((2, 3)), np.zeros((2, 3), bool)):
        with pytest.raises(TypeError, match=r"the device array float32 \[2, 3\], expected the same"):
            cuda.native.upload(host, array)
        with pytest.raises(TypeError, match=r"the device array float32 \[2, 3\], expected the same"):
            cuda.native.download(array, host)
    with pytest.raises(TypeError):
        cuda.native.upload(np.zeros((3, 2), np.float32).T, array)


def test_arrays_are_copied_on_the_device(cuda: CudaPlace) -> None:
    host = np.arange(12, dtype=np.int32).reshape(3, 4)
    source, out = cuda.put(host, cuda.native.Stream()), cuda.native.empty((3, 4), "int32")
    cuda.native.copy(source, out)
    np.testing.assert_array_equal(fetched(cuda, out), host)
    with pytest.raises(TypeError, match=r"source is int32 \[3, 4\], out is int32 \[4, 3\], expected the same"):
        cuda.native.copy(source, cuda.native.empty((4, 3), "int32"))
    with pytest.raises(TypeError, match="read-only"):
        cuda.native.copy(source, cuda.native.device_array(producer(out, data=(pointer(out), True))))
    with pytest.raises(ValueError, match="out overlaps source"):
        cuda.native.copy(out, out)


def test_the_array_interface_is_taken_without_a_copy(cuda: CudaPlace) -> None:
    array = cuda.put(np.arange(12, dtype=np.int16).reshape(3, 4), cuda.native.Stream())
    interface = array.__cuda_array_interface__
    assert (interface["version"], interface["typestr"], interface["shape"]) == (3, "<i2", (3, 4))
    assert interface["stream"] == array.stream.handle
    taken = cuda.native.device_array(producer(array))
    assert pointer(taken) == pointer(array)
    assert (taken.shape, taken.dtype, taken.readonly) == (array.shape, array.dtype, False)
    assert taken.stream.handle == array.stream.handle  # the producer's


def test_dlpack_is_taken_without_a_copy(cuda: CudaPlace) -> None:
    array = cuda.put(np.arange(12, dtype=np.float16).reshape(3, 4), cuda.native.Stream())
    for method in (array.__dlpack__, lambda *, stream: array.__dlpack__(stream=stream)):  # now, and before DLPack 1.0
        other = SimpleNamespace(__dlpack__=method, __dlpack_device__=array.__dlpack_device__)
        taken = cuda.native.device_array(other)
        assert pointer(taken) == pointer(array)
        assert (taken.shape, taken.dtype) == (array.shape, array.dtype)
        np.testing.assert_array_equal(fetched(cuda, taken), fetched(cuda, array))


def test_an_array_is_kept_alive_by_those_who_took_it(cuda: CudaPlace) -> None:
    array = cuda.put(np.arange(6.0))
    by_interface = cuda.native.device_array(producer(array))
    by_dlpack = cuda.native.device_array(
        SimpleNamespace(__dlpack__=array.__dlpack__, __dlpack_device__=array.__dlpack_device__)
    )
    del array
    cuda.native.empty((6,), "float64")  # would take the memory if it were free
    for taken in (by_interface, by_dlpack):
        np.testing.assert_array_equal(fetched(cuda, taken), np.arange(6.0))


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"strides": (8, 16)}, "not C-contiguous"),
        ({"typestr": ">f8"}, "typestr >f8, expected one of"),
        ({"typestr": "<c8"}, "typestr <c8, expected one of"),
        ({"typestr": "|b1"}, "typestr |b1, expected one of"),
        ({"mask": object()}, "has a mask"),
    ],
)
def test_arrays_of_another_layout_are_refused(cuda: CudaPlace, changes: dict[str, Any], got: str) -> None:
    with pytest.raises(TypeError) as raised:
        cuda.native.device_array(producer(cuda.put(np.zeros((2, 3))), **changes))
    assert got in str(raised.value)


def test_strides_of_axes_of_length_1_do_not_count(cuda: CudaPlace) -> None:
    array = cuda.put(np.zeros((3, 1, 2)))
    assert cuda.native.device_array(producer(array, strides=(16, 999, 8))).shape == (3, 1, 2)


def test_host_memory_is_refused_with_what_to_do(cuda: CudaPlace) -> None:
    host = np.zeros(3)
    with pytest.raises(TypeError, match="does not lie on a CUDA device; upload"):
        cuda.native.device_array(host)
    array = cuda.put(host)
    with pytest.raises(TypeError, match="lies in host memory"):
        cuda.native.device_array(producer(array, data=(host.ctypes.data, False)))
    with pytest.raises(TypeError, match="array is a list, expected a DeviceArray"):
        cuda.native.device_array([1, 2])


def test_read_only_arrays_are_inputs_only(cuda: CudaPlace) -> None:
    native = cuda.native
    array = cuda.put(np.zeros((2, 2), np.float32))
    fixed = native.device_array(producer(array, data=(pointer(array), True)))
    assert fixed.readonly
    assert fixed.__cuda_array_interface__["data"][1] is True
    maps, value = cuda.put(np.zeros((2, 3, 3), np.float32)), native.empty((2,), "float32")
    with pytest.raises(TypeError, match=r"points is float32 \[2, 2\], read-only, expected float32 of rank 2, writable"):
        native.peak(maps, fixed, value, maps.stream)
    with pytest.raises(TypeError, match="read-only"):
        native.upload(np.zeros((2, 2), np.float32), fixed)
    with pytest.raises(BufferError, match="read-only"):
        fixed.__dlpack__()
    assert native.device_array(fixed, native.Stream()).readonly
    other = SimpleNamespace(__dlpack__=fixed.__dlpack__, __dlpack_device__=fixed.__dlpack_device__)
    assert native.device_array(other).readonly
    np.testing.assert_array_equal(fetched(cuda, fixed), np.zeros((2, 2)))


def test_dlpack_says_what_it_cannot_do(cuda: CudaPlace) -> None:
    array = cuda.native.empty((2,), "uint8")
    assert array.__dlpack_device__() == (2, array.device)
    assert '"dltensor"' in repr(array.__dlpack__())
    assert '"dltensor_versioned"' in repr(array.__dlpack__(max_version=(1, 0)))
    array.__dlpack__(dl_device=(2, array.device), copy=False, stream=-1)
    with pytest.raises(BufferError, match="copy"):
        array.__dlpack__(copy=True)
    with pytest.raises(BufferError, match="device it lies on"):
        array.__dlpack__(dl_device=(1, 0))
    with pytest.raises(ValueError, match="stream is 0"):
        array.__dlpack__(stream=0)


def test_streams_of_other_libraries_are_taken(cuda: CudaPlace) -> None:
    native = cuda.native
    own = native.Stream()
    address = own.handle
    assert address > 2
    others = [
        address,
        SimpleNamespace(cuda_stream=address),  # torch
        SimpleNamespace(ptr=address, device_id=own.device),  # CuPy
        SimpleNamespace(handle=address),  # PyCUDA
        SimpleNamespace(handle=ctypes.c_void_p(address)),  # Numba
        SimpleNamespace(__cuda_stream__=lambda: (0, address)),  # cuda.core
        SimpleNamespace(__cuda_stream__=(0, address)),  # its first version
        own,
    ]
    for other in others:
        stream = native.Stream(other)
        assert (stream.handle, stream.device) == (address, own.device)
    assert own.__cuda_stream__() == (0, address)
    assert native.Stream(own) is own
    for default in (0, 1, SimpleNamespace(cuda_stream=0), SimpleNamespace(handle=ctypes.c_void_p(0))):
        assert native.Stream(default) is native.default_stream()


def test_what_is_no_stream_is_refused(cuda: CudaPlace) -> None:
    with pytest.raises(TypeError, match="stream is a str, expected a Stream"):
        cuda.native.Stream("fast")


def test_events_order_and_time(cuda: CudaPlace) -> None:
    native = cuda.native
    stream, begin, end = native.Stream(), native.Event(), native.Event()
    assert begin.query()  # never recorded
    with pytest.raises(DeviceError, match="was not recorded"):
        end.elapsed_ms(begin)
    begin.record(stream)
    cuda.put(np.zeros(1000), stream)
    end.record(stream)
    native.Stream().wait(end)
    end.synchronize()
    assert end.query()
    assert end.elapsed_ms(begin) >= 0.0
