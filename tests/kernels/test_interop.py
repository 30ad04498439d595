"""Arrays and streams of other libraries on a real device, both ways, without a copy."""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from tests.kernels.places import CudaPlace

MAPS = np.random.default_rng(0).normal(0.0, 3.0, (4, 21, 17)).astype(np.float32)


class Library(NamedTuple):
    """How a library makes an array on the current device, names its address, takes ours, and makes a stream."""

    place: Callable[[NDArray[Any]], Any]
    address: Callable[[Any], int]
    take: Callable[[Any], Any]
    fetch: Callable[[Any], NDArray[Any]]
    stream: Callable[[], Any]


def imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # PyCUDA raises its own where there is no driver
        pytest.skip(f"{name} cannot be used here: {error}")


def torch() -> Library:
    library = imported("torch")
    if not library.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    return Library(
        lambda host: library.from_numpy(host).cuda(),
        lambda array: int(array.data_ptr()),
        library.from_dlpack,
        lambda array: np.asarray(array.cpu()),
        library.cuda.Stream,
    )


def cupy() -> Library:
    library = imported("cupy")
    return Library(
        library.asarray,
        lambda array: int(array.data.ptr),
        library.from_dlpack,
        lambda array: np.asarray(array.get()),
        lambda: library.cuda.Stream(non_blocking=True),
    )


def numba() -> Library:
    library = imported("numba.cuda")
    if not library.is_available():
        pytest.skip("numba finds no CUDA")
    return Library(
        library.to_device,
        lambda array: int(array.device_ctypes_pointer.value),
        library.as_cuda_array,
        lambda array: np.asarray(array.copy_to_host()),
        library.stream,
    )


def pycuda() -> Library:
    imported("pycuda.autoprimaryctx")  # the context that CUDA's runtime uses too
    arrays, driver = imported("pycuda.gpuarray"), imported("pycuda.driver")

    def take(array: Any) -> Any:
        interface = array.__cuda_array_interface__
        return arrays.GPUArray(array.shape, array.dtype, base=array, gpudata=interface["data"][0])

    return Library(
        arrays.to_gpu, lambda array: int(array.ptr), take, lambda array: np.asarray(array.get()), driver.Stream
    )


@pytest.fixture(params=[torch, cupy, numba, pycuda], ids=lambda make: make.__name__)
def library(request: pytest.FixtureRequest, device: CudaPlace) -> Library:
    made: Library = request.param()
    return made


def address(array: Any) -> int:
    return int(array.__cuda_array_interface__["data"][0])


def test_their_array_is_taken_where_it_lies(library: Library, device: CudaPlace) -> None:
    theirs = library.place(MAPS)
    taken = device.native.device_array(theirs)
    assert address(taken) == library.address(theirs)
    assert (taken.shape, taken.dtype) == (MAPS.shape, MAPS.dtype)


def test_our_array_is_taken_where_it_lies(library: Library, device: CudaPlace) -> None:
    ours = device.take(MAPS, device.native.Stream())
    ours.stream.synchronize()
    theirs = library.take(ours)
    assert library.address(theirs) == address(ours)
    np.testing.assert_array_equal(library.fetch(theirs), MAPS)


def test_a_kernel_runs_on_their_array_and_their_stream(library: Library, device: CudaPlace) -> None:
    want = kernels.soft_argmax(MAPS)
    stream = library.stream()
    ours = device.native.Stream(stream)
    for placed in (kernels.soft_argmax(library.place(MAPS)), kernels.soft_argmax(library.place(MAPS), stream=stream)):
        for got, expected in zip(device.give(placed), want, strict=True):
            np.testing.assert_allclose(got, expected, atol=2e-5)
    assert kernels.soft_argmax(library.place(MAPS), stream=ours)[0].stream.handle == ours.handle


def test_our_result_lives_on_in_their_array(library: Library, device: CudaPlace) -> None:
    xy, _confidence = kernels.soft_argmax(library.place(MAPS))
    xy.stream.synchronize()
    theirs = library.take(xy)
    del xy
    np.testing.assert_allclose(library.fetch(theirs), kernels.soft_argmax(MAPS)[0], atol=2e-5)


def test_their_non_contiguous_array_is_refused(library: Library, device: CudaPlace) -> None:
    with pytest.raises(TypeError, match="not C-contiguous"):
        device.native.device_array(library.place(MAPS)[:, ::2])
