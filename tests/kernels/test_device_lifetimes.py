"""Order between streams, graphs, scratch memory and faults, on emulated devices: late, scarce or lost on demand."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import DeviceError
from tests.cuda_emulator import Emulator
from tests.kernels.places import CudaPlace
from tests.kernels.test_device import fetched, placed, producer

MAPS = np.random.default_rng(0).normal(0.0, 3.0, (3, 13, 17)).astype(np.float32)


@pytest.fixture
def emulator(emulated: CudaPlace) -> Emulator:
    assert emulated.emulator is not None
    return emulated.emulator


def outputs(emulated: CudaPlace, stream: Any, n: int = 3) -> tuple[Any, Any]:
    return emulated.native.empty((n, 2), "float32", stream), emulated.native.empty((n,), "float32", stream)


class Loop:
    """Maps up, soft-argmax, points down; in buffers made once."""

    def __init__(self, emulated: CudaPlace, stream: Any) -> None:
        self.native, self.stream = emulated.native, stream
        self.host = self.native.pinned(MAPS.shape, "float32")
        self.maps = self.native.empty(MAPS.shape, "float32", stream)
        self.xy, self.confidence = outputs(emulated, stream)
        self.points = self.native.pinned((3, 2), "float32")

    def queue(self) -> None:
        self.native.upload(self.host, self.maps)
        self.native.soft_argmax(self.maps, 3, self.xy, self.confidence, self.stream)
        self.native.download(self.xy, self.points)


def test_without_waiting_for_the_other_stream_the_data_is_not_there_yet(
    emulated: CudaPlace, emulator: Emulator
) -> None:
    """The emulator's own check: what the next test asserts can fail."""
    native = emulated.native
    emulator.lazy(True)
    array = placed(emulated, np.arange(4.0), native.Stream())
    blind = native.device_array(producer(array, stream=None), native.Stream())  # "nothing to wait for"
    assert (fetched(emulated, blind) != np.arange(4.0)).all()


def test_a_foreign_producers_stream_is_waited_for(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    array = placed(emulated, np.arange(4.0), native.Stream())
    taken = native.device_array(producer(array), native.Stream())
    np.testing.assert_array_equal(fetched(emulated, taken), np.arange(4.0))


def test_a_dlpack_consumers_stream_waits_for_the_array(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    array, consumer = placed(emulated, np.arange(4.0), native.Stream()), native.Stream()
    array.__dlpack__(stream=consumer.handle)
    blind = native.device_array(producer(array, stream=None), consumer)
    np.testing.assert_array_equal(fetched(emulated, blind), np.arange(4.0))


def test_an_event_orders_two_streams(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    first, second, event = native.Stream(), native.Stream(), native.Event()
    array = placed(emulated, np.arange(4.0), first)
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
    maps = placed(emulated, MAPS, native.Stream())
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
    maps = placed(emulated, MAPS, home)
    xy, _ = kernels.peak(maps, stream=work)
    del maps
    home.synchronize()  # frees the maps, which it may only do behind the kernel of the other stream
    np.testing.assert_array_equal(fetched(emulated, xy), kernels.peak(MAPS)[0])


def test_foreign_memory_is_let_go_behind_the_work_that_uses_it(emulated: CudaPlace, emulator: Emulator) -> None:
    native = emulated.native
    emulator.lazy(True)
    theirs, ours = native.Stream(), native.Stream()
    maps = producer(placed(emulated, MAPS, theirs))
    xy, _ = kernels.peak(maps, stream=ours)
    del maps
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


def test_a_graph_does_its_work_again_on_new_data(emulated: CudaPlace, emulator: Emulator) -> None:
    emulator.lazy(True)
    loop = Loop(emulated, emulated.native.Stream())
    loop.queue()
    with emulated.native.Graph(loop.stream) as graph:
        assert loop.stream.capturing
        loop.queue()
    for data in (MAPS, -MAPS):
        loop.host[:] = data
        loop.points[:] = 0.0
        graph.launch()
        loop.stream.synchronize()
        np.testing.assert_allclose(loop.points, kernels.soft_argmax(data)[0], atol=2e-5)


def test_a_graph_keeps_what_it_uses(emulated: CudaPlace, emulator: Emulator) -> None:
    loop = Loop(emulated, emulated.native.Stream())
    loop.host[:] = MAPS
    with emulated.native.Graph(loop.stream) as graph:
        loop.queue()
    stream, xy = loop.stream, loop.xy
    del loop
    graph.launch()
    stream.synchronize()
    np.testing.assert_allclose(fetched(emulated, xy), kernels.soft_argmax(MAPS)[0], atol=2e-5)


def test_a_graph_on_another_stream_is_ordered_with_its_own(emulated: CudaPlace, emulator: Emulator) -> None:
    emulator.lazy(True)
    loop = Loop(emulated, emulated.native.Stream())
    loop.host[:] = MAPS
    with emulated.native.Graph(loop.stream) as graph:
        loop.queue()
    graph.launch(emulated.native.Stream())
    np.testing.assert_allclose(fetched(emulated, loop.xy), kernels.soft_argmax(MAPS)[0], atol=2e-5)


def capture(emulated: CudaPlace, stream: Any, work: Any) -> None:
    with emulated.native.Graph(stream):
        work()


@pytest.mark.parametrize(
    ("work", "got"),
    [
        (
            lambda n, s, loop: n.empty((5,), "uint8", s),
            "allocating 5 bytes on device 0 while the stream is being captured",
        ),
        (lambda n, s, loop: kernels.peak(loop.maps), "while the stream is being captured"),
        (lambda n, s, loop: s.reserve(1 << 20), "while the stream is being captured"),
        (lambda n, s, loop: s.synchronize(), "synchronizing a stream that is being captured"),
        (lambda n, s, loop: n.upload(MAPS, loop.maps), "ordinary host memory"),
        (lambda n, s, loop: n.download(loop.maps, MAPS.copy()), "ordinary host memory"),
        (lambda n, s, loop: n.Graph(s).__enter__(), "captured already"),
        (
            lambda n, s, loop: n.upload(loop.host, n.empty(MAPS.shape, "float32", n.Stream()), s),
            "another stream than the",
        ),
    ],
)
def test_a_capture_refuses_what_a_graph_cannot_do(emulated: CudaPlace, work: Any, got: str) -> None:
    stream = emulated.native.Stream()
    loop = Loop(emulated, stream)
    with pytest.raises(DeviceError, match=got) as raised:
        capture(emulated, stream, lambda: work(emulated.native, stream, loop))
    assert raised.value.remedy
    assert not stream.capturing
    loop.host[:] = MAPS
    loop.queue()  # the stream is as usable as before
    stream.synchronize()
    np.testing.assert_allclose(loop.points, kernels.soft_argmax(MAPS)[0], atol=2e-5)


def test_the_default_stream_cannot_be_captured(emulated: CudaPlace) -> None:
    with pytest.raises(DeviceError, match="legacy default stream"):
        capture(emulated, emulated.native.default_stream(), lambda: None)


def test_a_graph_is_captured_once_and_launched_after(emulated: CudaPlace) -> None:
    stream = emulated.native.Stream()
    graph = emulated.native.Graph(stream)
    with pytest.raises(DeviceError, match="not captured"):
        graph.launch()
    with graph:
        pass
    graph.launch()
    with pytest.raises(DeviceError, match="captured already"), graph:
        pass


def test_an_error_within_a_capture_comes_out_and_gives_it_up(emulated: CudaPlace) -> None:
    stream = emulated.native.Stream()
    graph = emulated.native.Graph(stream)
    with pytest.raises(ZeroDivisionError), graph:
        _ = 1 / 0
    assert not stream.capturing
    with pytest.raises(DeviceError, match="not captured"):
        graph.launch()


def test_an_array_that_dies_within_a_capture_is_freed_after_it(emulated: CudaPlace, emulator: Emulator) -> None:
    stream = emulated.native.Stream()
    before = emulator.bytes_in_use()
    array = emulated.native.empty((100,), "uint8", stream)
    with emulated.native.Graph(stream):
        del array
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


def test_a_graph_keeps_the_scratch_it_was_captured_with(emulated: CudaPlace, emulator: Emulator) -> None:
    stream = emulated.native.Stream()
    before = emulator.bytes_in_use()
    stream.reserve(1 << 16)
    with emulated.native.Graph(stream) as graph:
        stream.reserve(1 << 16)
    stream.reserve(1 << 20)
    assert emulator.bytes_in_use() - before == (1 << 16) + (1 << 20)
    del graph
    assert emulator.bytes_in_use() - before == 1 << 20


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
    maps = placed(emulated, MAPS)
    emulator.fail_allocation(1)  # the second output
    with pytest.raises(DeviceError, match="out of memory"):
        kernels.peak(maps)
    np.testing.assert_array_equal(fetched(emulated, kernels.peak(maps)[1]), kernels.peak(MAPS)[1])


def test_arrays_of_another_device_are_refused(emulated: CudaPlace) -> None:
    native = emulated.native
    there = native.Stream(device=1)
    maps = placed(emulated, MAPS, there)
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
    from concurrent.futures import ThreadPoolExecutor

    def once(seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        maps = np.random.default_rng(seed).normal(size=(2, 11, 13)).astype(np.float32)
        return fetched(emulated, kernels.peak(placed(emulated, maps, emulated.native.Stream()))[0]), kernels.peak(maps)[
            0
        ]

    with ThreadPoolExecutor(4) as pool:
        for got, want in pool.map(once, range(24)):
            np.testing.assert_array_equal(got, want)
