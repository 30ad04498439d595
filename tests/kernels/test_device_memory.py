"""Device memory on emulated devices: behind which work it goes, when it is allocated, when there is none."""

import numpy as np
import pytest

from spinert import kernels
from spinert.errors import DeviceError
from tests.cuda_emulator import Emulator
from tests.kernels.device_arrays import MAPS, Loop, fetched, producer, queued
from tests.kernels.places import CudaPlace


def test_pinned_memory_waits_for_its_copies_before_it_goes(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    host = native.pinned((1000,), "float64")
    host[:] = 3.0
    array = native.empty((1000,), "float64", native.Stream())
    native.upload(host[:500], native.device_array(producer(array, shape=(500,))))
    native.upload(host, array)
    del host
    assert (fetched(emulated, array) == 3.0).all()


def test_memory_is_freed_behind_the_work_that_uses_it(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    home, work = native.Stream(), native.Stream()
    maps, _held = queued(emulated, MAPS, home)
    xy, _ = kernels.peak(maps, stream=work)
    del maps
    home.synchronize()  # frees the maps, which it may only do behind the kernel of the other stream
    np.testing.assert_array_equal(fetched(emulated, xy), kernels.peak(MAPS)[0])


def test_foreign_memory_is_let_go_behind_the_work_that_uses_it(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    theirs, ours = native.Stream(), native.Stream()
    array, _held = queued(emulated, MAPS, theirs)
    maps = producer(array)
    xy, _ = kernels.peak(maps, stream=ours)
    del maps, array
    theirs.synchronize()  # the producer may free or fill its memory again
    np.testing.assert_array_equal(fetched(emulated, xy), kernels.peak(MAPS)[0])


def test_nothing_is_left_behind(emulated: CudaPlace, emulator: Emulator) -> None:
    before = emulator.bytes_in_use()
    loop = Loop(emulated, emulated.native.Stream())
    loop.host[:] = MAPS
    loop.queue()
    kernels.soft_argmax(loop.maps)
    loop.maps.__dlpack__()  # a capsule that nobody takes
    with emulated.native.Graph(loop.stream) as graph:
        loop.queue()
    graph.launch()
    loop.stream.reserve(10_000_000)
    del loop, graph
    assert emulator.bytes_in_use() == before


def test_steady_state_allocates_nothing(emulated: CudaPlace) -> None:
    loop = Loop(emulated, emulated.native.Stream())
    loop.queue()
    before = emulated.native.allocations(), loop.stream.allocations
    for _ in range(20):
        loop.queue()
        loop.stream.synchronize()
    assert (emulated.native.allocations(), loop.stream.allocations) == before


def test_scratch_grows_once_and_is_counted(emulated: CudaPlace) -> None:
    stream = emulated.native.Stream()
    for size in (1, 1000, 1 << 16):
        stream.reserve(size)
    assert stream.allocations == 1
    stream.reserve((1 << 16) + 1)
    assert stream.allocations == 2


def test_an_allocation_that_fails_names_its_size_and_the_next_one_works(
    emulated: CudaPlace, emulator: Emulator
) -> None:
    native = emulated.native
    emulator.fail_allocation(0)
    with pytest.raises(
        DeviceError, match=r"allocating 400 bytes on device 0: out of memory \(cudaErrorMemoryAlloc"
    ) as raised:
        native.empty((100,), "int32")
    assert "free memory" in raised.value.remedy
    assert native.empty((100,), "int32").size == 100
    emulator.fail_allocation(0)
    with pytest.raises(DeviceError, match="allocating 400 bytes of page-locked host memory: out of memory"):
        native.pinned((100,), "int32")
    maps = emulated.put(MAPS)
    emulator.fail_allocation(1)  # the second output
    with pytest.raises(DeviceError, match="out of memory"):
        kernels.peak(maps)
    np.testing.assert_array_equal(fetched(emulated, kernels.peak(maps)[1]), kernels.peak(MAPS)[1])
