"""When an engine is run as a CUDA graph, with a stand-in engine on the emulated device."""

import pytest

from spinert.runtime.tensorrt.execution import EngineNetwork, open_plan
from tests.cuda_emulator import Emulator
from tests.runtime.tensorrt.stand_in import SPEC, World, images, opened


@pytest.fixture
def world(emulator: Emulator) -> World:
    return World(emulator)


@pytest.fixture
def network(world: World) -> EngineNetwork:
    return opened(world)


def test_the_graph_of_a_batch_size_is_captured_once_after_a_warm_run(world: World, network: EngineNetwork) -> None:
    for value in (1.0, 2.0, 3.0):
        network(images(2, value))
    (context,) = world.contexts
    assert (context.runs, context.captured_runs) == (1, 1)
    network(images(5, 1.0))
    assert [each.captured_runs for each in world.contexts] == [1, 1]


def test_graphs_can_be_done_without(world: World) -> None:
    network = open_plan(world.library, b"plan", SPEC, "copy.onnx", host_code=False, graphs=False)
    for value in (1.0, 2.0):
        assert (network(images(1, value))["copy"] == value).all()
    assert [(context.runs, context.captured_runs) for context in world.contexts] == [(2, 0)]


def test_an_engine_that_cannot_be_captured_is_queued_each_time(world: World) -> None:
    world.capturable = False
    network = opened(world)
    for value in (1.0, 2.0, 3.0):
        assert (network(images(1, value))["copy"] == value).all()
    (context,) = world.contexts
    assert (context.runs, context.captured_runs) == (3, 0)
    assert network.provider == "tensorrt 11.4.0, no CUDA graph"


@pytest.mark.parametrize("lazy", [False, True])
def test_a_graph_that_does_not_compute_the_same_is_not_used(world: World, emulator: Emulator, lazy: bool) -> None:
    emulator.lazy(lazy)
    world.graphs_lose_it = True
    network = opened(world)
    for value in (1.0, 2.0, 0.0):
        assert (network(images(1, value))["copy"] == value).all()
    (context,) = world.contexts
    assert (context.runs, context.captured_runs) == (3, 1)
    assert network.provider == "tensorrt 11.4.0, no CUDA graph"
