"""How an engine is run: our buffers, streams, graphs and threads, with a stand-in engine on the emulated device.

This tests our bookkeeping only. TensorRT itself runs where there is a GPU: `python -m benchmarks.gpu`.
"""

import gc
import threading
from typing import Any

import msgspec
import numpy as np
import pytest

from spinert.bundle import TensorSpec
from spinert.errors import BadNetwork, DeviceError, NoEngine
from spinert.runtime.tensorrt.buffers import KEPT
from spinert.runtime.tensorrt.execution import EngineNetwork, open_plan
from tests.cuda_emulator import Emulator
from tests.kernels.device_arrays import pointer, producer
from tests.kernels.places import CudaPlace
from tests.runtime.tensorrt.stand_in import SPEC, World, images, opened


@pytest.fixture
def world(emulator: Emulator) -> World:
    return World(emulator)


@pytest.fixture
def network(world: World) -> EngineNetwork:
    return opened(world)


@pytest.mark.parametrize("lazy", [False, True])
def test_arrays_go_through_the_engine(network: EngineNetwork, emulator: Emulator, lazy: bool) -> None:
    emulator.lazy(lazy)
    for batch in (1, 3, 1):
        for value in (1.0, 2.0, 3.0):
            copy = network(images(batch, value))["copy"]
            assert copy.shape == (batch, 2, 3)
            assert (copy == value).all()


def test_it_says_what_runs(network: EngineNetwork) -> None:
    assert (network.backend, network.provider) == ("tensorrt", "tensorrt 11.4.0")


def test_no_layer_is_named_to_profilers_while_it_runs(world: World, network: EngineNetwork) -> None:
    network(images(1, 1.0))
    assert [context.nvtx_verbosity for context in world.contexts] == ["none"]


@pytest.mark.parametrize("on_device", [False, True])
def test_nothing_is_allocated_once_a_batch_size_was_met(
    network: EngineNetwork, emulated: CudaPlace, on_device: bool
) -> None:
    inputs = [
        {"image": emulated.put(images(batch, 1.0)["image"])} if on_device else images(batch, 1.0) for batch in (1, 4)
    ]
    for arrays in inputs:
        network(arrays)
    before = emulated.native.allocations()
    for _ in range(5):
        for arrays in inputs:
            network(arrays)
    assert emulated.native.allocations() == before


def test_an_engine_of_other_shapes_or_more_inputs_is_refused(world: World, network: EngineNetwork) -> None:
    world.wider = 1
    with pytest.raises(BadNetwork, match=r"makes output 'copy' of shape \[2, 2, 4\], the bundle says \[2, 2, 3\]"):
        network(images(2, 1.0))
    world.wider, world.not_given = 0, ["mask"]
    with pytest.raises(BadNetwork, match="inputs of its bundle alone: mask is not given"):
        network(images(2, 1.0))


def test_each_thread_has_its_own_context_and_results(world: World, network: EngineNetwork) -> None:
    threads = 6
    wrong: list[Any] = []
    ready = threading.Barrier(threads)

    def work(value: float) -> None:
        try:
            for _ in range(30):
                ready.wait(10)
                copy = network(images(2, value))["copy"]
                ready.wait(10)  # all results are there before any is looked at
                if not (copy == value).all():
                    wrong.append(value)
        except Exception as error:
            wrong.append(error)
            ready.abort()

    workers = [threading.Thread(target=work, args=(float(value),)) for value in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    assert len(world.contexts) == threads
    assert len({context.thread for context in world.contexts}) == threads
    assert {context.captured_runs for context in world.contexts} == {1}


def test_a_thread_uses_its_output_buffers_again(network: EngineNetwork) -> None:
    first, second = network(images(1, 1.0))["copy"], network(images(1, 2.0))["copy"]
    assert first.ctypes.data == second.ctypes.data


def test_buffers_of_few_batch_sizes_are_kept(world: World, network: EngineNetwork, emulator: Emulator) -> None:
    for batch in range(1, KEPT + 1):
        network(images(batch, 1.0))
    gc.collect()
    before = emulator.bytes_in_use()
    network(images(1, 1.0))  # used again, so that another one is the oldest
    network(images(KEPT + 1, 1.0))
    assert emulator.bytes_in_use() - before < 2 * (KEPT + 1) * 1024
    made = len(world.contexts)
    network(images(1, 2.0))
    assert len(world.contexts) == made
    network(images(2, 2.0))
    assert len(world.contexts) == made + 1


def test_device_arrays_are_read_where_they_lie(world: World, network: EngineNetwork, emulated: CudaPlace) -> None:
    image = emulated.put(images(2, 7.0)["image"], emulated.native.Stream())
    copy = network({"image": image})["copy"]
    assert isinstance(copy, emulated.native.DeviceArray)
    assert (emulated.give(copy) == 7.0).all()
    (context,) = world.contexts
    assert context.addresses["image"] == image.__cuda_array_interface__["data"][0]
    assert context.captured_runs == 0
    assert network.provider == "tensorrt 11.4.0, no CUDA graph"


def test_a_part_of_a_device_array_that_begins_anywhere_is_copied(
    world: World, network: EngineNetwork, emulated: CudaPlace
) -> None:
    images_of_two = np.stack([np.full((2, 3), 1.0, np.float32), np.full((2, 3), 2.0, np.float32)])
    both = emulated.put(images_of_two)
    part = producer(both, shape=(1, 2, 3), data=(pointer(both) + 24, False))
    second = emulated.native.device_array(part, emulated.native.Stream())
    for _ in range(2):
        copy = network({"image": second})["copy"]
        assert (emulated.give(copy) == 2.0).all()
    before = emulated.native.allocations()
    network({"image": second})
    assert emulated.native.allocations() == before


def test_device_arrays_are_read_behind_their_stream_and_before_it_goes_on(
    network: EngineNetwork, emulated: CudaPlace, emulator: Emulator
) -> None:
    emulator.lazy(True)
    native = emulated.native
    stream = native.Stream()
    hosts = [native.pinned((1, 2, 3), "float32") for _ in range(2)]
    image = native.empty((1, 2, 3), "float32", stream)
    for host, value in zip(hosts, (5.0, 6.0), strict=True):
        host[...] = value
    native.upload(hosts[0], image)
    copy = network({"image": image})["copy"]
    native.upload(hosts[1], image)
    stream.synchronize()
    assert (emulated.give(copy) == 5.0).all()


def test_arrays_of_both_places_are_refused(emulated: CudaPlace, network: EngineNetwork) -> None:
    with pytest.raises(BadNetwork, match=r"takes \['image'\], got \['image', 'more'\]"):
        network(images(1, 1.0) | {"more": np.zeros(3)})
    with pytest.raises(BadNetwork, match="input 'image' lies in host memory, another on a device"):
        network(images(1, 1.0) | {"more": emulated.put(np.zeros(3, np.float32))})


def test_arrays_of_another_device_are_refused(emulated: CudaPlace, network: EngineNetwork) -> None:
    other = emulated.put(images(1, 1.0)["image"], emulated.native.Stream(device=1))
    with pytest.raises(BadNetwork, match="input 'image' lies on device 1, the engine on device 0"):
        network({"image": other})


def test_an_array_of_another_library_must_be_taken_on_its_stream_first(
    emulated: CudaPlace, network: EngineNetwork
) -> None:
    foreign = producer(emulated.put(images(1, 1.0)["image"]))
    with pytest.raises(BadNetwork, match="input 'image' is an array of another library") as caught:
        network({"image": foreign})
    assert "device_array(array, Stream(...))" in caught.value.remedy


def test_a_device_array_of_another_shape_is_refused(emulated: CudaPlace, network: EngineNetwork) -> None:
    with pytest.raises(BadNetwork, match=r"image float32 \[1, 3, 2\], expected image float32 \[N, 2, 3\]"):
        network({"image": emulated.put(np.zeros((1, 3, 2), np.float32))})


def test_a_batch_beyond_the_profile_is_refused_with_the_command(network: EngineNetwork) -> None:
    with pytest.raises(BadNetwork, match="batch 17") as caught:
        network(images(17, 1.0))
    assert "spinert build --batch 17" in caught.value.remedy
    assert (network(images(16, 1.0))["copy"] == 1.0).all()


def test_a_failing_run_is_a_device_error_in_the_library_s_words(world: World, network: EngineNetwork) -> None:
    world.failure = "Error Code 1: Cuda Runtime (an illegal memory access was encountered)"
    with pytest.raises(DeviceError, match=r"running the engine of copy\.onnx failed: .*illegal memory access"):
        network(images(1, 1.0))


def test_a_library_that_cannot_start_is_a_device_error(world: World) -> None:
    world.cannot_start = "CUDA initialization failure with error: 35"
    with pytest.raises(DeviceError, match=r"tensorrt 11\.4\.0 cannot start: CUDA initialization failure"):
        opened(world)


@pytest.mark.parametrize(
    "said",
    [
        "Error Code 6: API Usage Error (built with another version of TensorRT)",
        "Error Code 6: API Usage Error (the engine was built for CUDA compute capability 8.6, the device has 9.0)",
    ],
)
def test_a_plan_that_the_library_refuses_is_no_engine(world: World, said: str) -> None:
    world.refusal = said
    with pytest.raises(NoEngine, match=r"refuses the engine of copy\.onnx: Error Code 6"):
        opened(world)


@pytest.mark.parametrize(
    "said",
    [
        "Error Code 1: Cuda Runtime (cudaError 35: CUDA driver version is insufficient)",
        "Requested amount of GPU memory could not be allocated: out of memory",
    ],
)
def test_a_device_that_fails_while_a_plan_is_opened_is_a_device_error(world: World, said: str) -> None:
    world.refusal = said
    with pytest.raises(DeviceError, match=r"cannot open the engine of copy\.onnx on a device"):
        opened(world)


@pytest.mark.parametrize("host_code", [False, True])
def test_code_in_a_plan_runs_only_where_it_is_allowed(world: World, host_code: bool) -> None:
    opened(world, host_code=host_code)
    assert world.host_code_allowed == [host_code]


def test_tensors_that_differ_from_the_bundle_are_refused(world: World) -> None:
    world.tensors["copy"] = ("OUTPUT", "HALF", (-1, 2, 4))
    with pytest.raises(BadNetwork, match=r"are copy float16 \[N, 2, 4\], the bundle says copy float32 \[N, 2, 3\]"):
        opened(world)


def test_a_type_that_arrays_of_a_device_do_not_have_is_refused(world: World) -> None:
    spec = msgspec.structs.replace(SPEC, outputs=(TensorSpec("copy", "int8", (None, 2, 3)),))
    with pytest.raises(BadNetwork, match=r"'copy' of copy\.onnx is int8, arrays of a device are uint8, "):
        open_plan(world.library, b"plan", spec, "copy.onnx", host_code=False)


def test_no_memory_left_is_a_device_error(network: EngineNetwork, emulator: Emulator) -> None:
    emulator.fail_allocation(1)
    with pytest.raises(DeviceError):
        network(images(1, 1.0))
    emulator.fail_allocation(-1)
    assert (network(images(1, 4.0))["copy"] == 4.0).all()


def test_kernels_that_the_library_compiles_are_given_to_the_next_process(world: World) -> None:
    assert opened(world).compiled() == b""
    world.compiles = True
    first = opened(world)
    assert first.compiled() == b""  # nothing has run
    first(images(1, 1.0))
    first(images(2, 1.0))
    assert first.compiled() == b"compiled for 2 contexts"
    again = open_plan(world.library, b"plan", SPEC, "f", host_code=False, kernels=first.compiled())
    again(images(1, 1.0))
    assert world.kernels_given == [b"compiled for 2 contexts"]


def test_a_closed_network_says_so_and_gives_its_memory_back(world: World, emulator: Emulator) -> None:
    gc.collect()  # networks of other tests, which were not closed
    before = emulator.bytes_in_use()
    network = opened(world)
    network(images(3, 1.0))
    assert emulator.bytes_in_use() > before
    network.close()
    with pytest.raises(BadNetwork, match="was closed"):
        network(images(3, 1.0))
    assert emulator.bytes_in_use() == before
