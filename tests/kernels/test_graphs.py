"""Graphs on emulated devices: what they repeat, what they keep, what cannot be captured."""

from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.errors import DeviceError
from tests.cuda_emulator import Emulator
from tests.kernels.device_arrays import MAPS, Loop, fetched
from tests.kernels.places import CudaPlace


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
    loop.stream.reserve(1 << 16)
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
    loop.stream.reserve(1 << 16)
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


def test_what_dies_within_a_capture_of_another_stream_does_not_end_it(emulated: CudaPlace, emulator: Emulator) -> None:
    """Page-locked memory and a graph wait for their last use, which CUDA allows beside a capture only when asked."""
    emulator.lazy(True)
    native = emulated.native
    other = Loop(emulated, native.Stream())
    other.stream.reserve(1 << 16)
    with native.Graph(other.stream) as launched:
        other.queue()
    launched.launch()
    other.queue()
    loop = Loop(emulated, native.Stream())
    loop.stream.reserve(1 << 16)
    loop.host[:] = MAPS
    with native.Graph(loop.stream) as graph:
        del other, launched
        loop.queue()
    graph.launch()
    loop.stream.synchronize()
    np.testing.assert_allclose(loop.points, kernels.soft_argmax(MAPS)[0], atol=2e-5)


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
