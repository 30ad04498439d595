"""Order between streams, on emulated devices that run work as late as they may, and several devices and threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import DeviceError
from tests.cuda_emulator import Emulator
from tests.kernels.device_arrays import MAPS, fetched, outputs, producer, queued
from tests.kernels.places import CudaPlace


def test_without_waiting_for_the_other_stream_the_data_is_not_there_yet(
    emulated: CudaPlace, emulator: Emulator
) -> None:
    """The emulator's own check: what the next test asserts can fail."""
    native = emulated.native
    emulator.lazy(True)
    array, _held = queued(emulated, np.arange(4.0), native.Stream())
    blind = native.device_array(producer(array, stream=None), native.Stream())  # "nothing to wait for"
    assert (fetched(emulated, blind) != np.arange(4.0)).all()


def test_a_foreign_producers_stream_is_waited_for(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    array, _held = queued(emulated, np.arange(4.0), native.Stream())
    taken = native.device_array(producer(array), native.Stream())
    np.testing.assert_array_equal(fetched(emulated, taken), np.arange(4.0))


def test_a_dlpack_consumers_stream_waits_for_the_array(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    (array, _held), consumer = queued(emulated, np.arange(4.0), native.Stream()), native.Stream()
    array.__dlpack__(stream=consumer.handle)
    blind = native.device_array(producer(array, stream=None), consumer)
    np.testing.assert_array_equal(fetched(emulated, blind), np.arange(4.0))


def test_an_event_orders_two_streams(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    first, second, event = native.Stream(), native.Stream(), native.Event()
    array, _held = queued(emulated, np.arange(4.0), first)
    event.record(first)
    assert not event.query()
    second.wait(event)
    blind = native.device_array(producer(array, stream=None), second)
    np.testing.assert_array_equal(fetched(emulated, blind), np.arange(4.0))


def test_a_kernel_on_a_third_stream_runs_between_its_inputs_and_the_readers_of_its_outputs(
    emulated: CudaPlace, emulator: Emulator
) -> None:
    native = emulated.native
    emulator.lazy(True)
    maps, _held = queued(emulated, MAPS, native.Stream())
    xy, value = outputs(emulated, native.Stream())
    native.peak(maps, xy, value, native.Stream())
    np.testing.assert_array_equal(fetched(emulated, value), kernels.peak(MAPS)[1])


def test_time_to_an_event_that_was_not_reached_is_refused(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    stream, begin, end = native.Stream(), native.Event(), native.Event()
    begin.record(stream)
    end.record(stream)
    with pytest.raises(DeviceError, match="not reached yet"):
        end.elapsed_ms(begin)


def test_copies_with_ordinary_memory_are_waited_for(emulated: CudaPlace, emulator: Emulator) -> None:
    emulator.lazy(True)
    host, back = np.arange(4.0), np.zeros(4)
    array = emulated.native.empty((4,), "float64", emulated.native.Stream())
    emulated.native.upload(host, array)
    host[:] = -1.0
    emulated.native.download(array, back)
    np.testing.assert_array_equal(back, np.arange(4.0))


def test_copies_from_pinned_memory_are_not_waited_for(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    stream, host, back = native.Stream(), native.pinned((4,), "float64"), native.pinned((4,), "float64")
    array = native.empty((4,), "float64", stream)
    host[:], back[:] = 1.0, 0.0
    native.upload(host, array)
    host[:] = 2.0  # too early, and therefore seen
    native.download(array, back)
    assert (back == 0.0).all()
    stream.synchronize()
    assert (back == 2.0).all()


def test_arrays_of_another_device_are_refused(emulated: CudaPlace) -> None:
    native = emulated.native
    there = native.Stream(device=1)
    maps = emulated.put(MAPS, there)
    assert (maps.device, there.device, maps.__dlpack_device__()) == (1, 1, (2, 1))
    with pytest.raises(TypeError, match="maps is on device 1, expected device 0 of the stream"):
        native.peak(maps, *outputs(emulated, native.Stream()), native.Stream())
    for source in (maps, producer(maps)):
        with pytest.raises(TypeError, match="array is on device 1, expected device 0 of the stream"):
            native.device_array(source, native.Stream())
    np.testing.assert_array_equal(fetched(emulated, kernels.peak(maps)[1]), kernels.peak(MAPS)[1])
    with pytest.raises(DeviceError, match="invalid device ordinal"):
        native.Stream(device=2)
    with pytest.raises(DeviceError, match="an event of device 0 on a stream of device 1"):
        native.Event(0).record(there)


def test_threads_may_use_their_own_streams_at_once(emulated: CudaPlace) -> None:
    def once(seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        maps = np.random.default_rng(seed).normal(size=(2, 11, 13)).astype(np.float32)
        return fetched(emulated, kernels.peak(emulated.put(maps, emulated.native.Stream()))[0]), kernels.peak(maps)[0]

    with ThreadPoolExecutor(4) as pool:
        for got, want in pool.map(once, range(24)):
            np.testing.assert_array_equal(got, want)
