"""Equalized networks compute the same, and every channel of what they compute on reaches equally far."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from spinert.calibrate.equalize import LEAST, equalize
from spinert.calibrate.ranges import reaches
from tests.calibrate.graphs import run, values
from tests.calibrate.pairs import Net

SAME = {"pads": [1, 1, 1, 1]}
RNG = np.random.default_rng


def uneven(outputs: int, inputs: int, *, axis: int = 0, size: int = 3, seed: int = 1) -> NDArray[np.float32]:
    """Weights whose output channels lie two orders of magnitude apart."""
    shape = [inputs, outputs] if axis else [outputs, inputs]
    weights = RNG(seed).normal(size=(*shape, size, size))
    along = [-1 if each == axis else 1 for each in range(4)]
    return (weights * np.geomspace(0.01, 1, outputs).reshape(along)).astype(np.float32)


def conv(net: Net, source: str, to: str, *, outputs: int = 4, inputs: int = 4, seed: int = 1) -> str:
    weights = net.constant(f"{to}.w", uneven(outputs, inputs, seed=seed))
    bias = net.constant(f"{to}.b", RNG(seed).normal(size=outputs).astype(np.float32) * 0.01)
    return net.node("Conv", source, weights, bias, to=to, **SAME)


def begun() -> Net:
    net = Net()
    net.node("Relu", conv(net, "x", "c1"), to="r1")
    return net


def ended(net: Net, source: str, *, inputs: int = 4, height: int = 8, width: int = 8) -> onnx.ModelProto:
    conv(net, source, "y", outputs=2, inputs=inputs, seed=9)
    return net.model({"x": ["n", 4, 8, 8]}, {"y": ["n", 2, height, width]})


def chain() -> onnx.ModelProto:
    net = begun()
    return ended(net, net.node("Relu", conv(net, "r1", "c2", seed=2), to="r2"))


def residual() -> onnx.ModelProto:
    net = begun()
    net.node("Relu", conv(net, "r1", "c2", seed=2), to="r2")
    return ended(net, net.node("Relu", net.node("Add", conv(net, "r2", "c3", seed=3), "r1", to="sum"), to="r3"))


def transposed() -> onnx.ModelProto:
    net = begun()
    weights = net.constant("up.w", uneven(4, 4, axis=1, size=2))
    bias = net.constant("up.b", values(4) * np.float32(0.001))
    net.node("Relu", net.node("ConvTranspose", "r1", weights, bias, to="up", strides=[2, 2]), to="r2")
    return ended(net, "r2", height=16, width=16)


def resized() -> onnx.ModelProto:
    net = begun()
    scales = net.constant("scales", np.array([1, 1, 2, 2], np.float32))
    return ended(net, net.node("Resize", "r1", "", scales, to="big", mode="linear"), height=16, width=16)


def branched() -> onnx.ModelProto:
    net = begun()
    net.node("Relu", conv(net, "r1", "c2", seed=2), to="r2")
    net.node("Relu", conv(net, "r1", "c3", seed=3), to="r3")
    return ended(net, net.node("Add", "r2", "r3", to="sum"))


def dead() -> onnx.ModelProto:
    """The first channel is nought whatever comes."""
    net = begun()
    net.constants["c1.w"][0] = 0
    net.constants["c1.b"][0] = -1
    return ended(net, "r1")


def concatenated() -> onnx.ModelProto:
    net = begun()
    return ended(net, net.node("Concat", "r1", "r1", to="both", axis=1), inputs=8)


def grouped() -> onnx.ModelProto:
    net = begun()
    net.node("Conv", "r1", net.constant("g.w", uneven(4, 1)), to="g", group=4, **SAME)
    return ended(net, "g")


def given_out() -> onnx.ModelProto:
    net = begun()
    conv(net, "r1", "y", outputs=2, seed=9)
    return net.model({"x": ["n", 4, 8, 8]}, {"y": ["n", 2, 8, 8], "r1": ["n", 4, 8, 8]})


def shared_weights() -> onnx.ModelProto:
    net = begun()
    net.node("Relu", net.node("Conv", "r1", "c1.w", to="c2", **SAME), to="r2")
    return ended(net, "r2")


def broadcast() -> onnx.ModelProto:
    net = begun()
    net.node("Relu", conv(net, "x", "gate", outputs=1, seed=5), to="g")
    return ended(net, net.node("Add", "r1", "g", to="sum"))


EQUALIZED: dict[Callable[[], onnx.ModelProto], tuple[str, ...]] = {
    chain: ("r1", "r2"),
    residual: ("r2",),
    transposed: ("r1", "r2"),
    resized: ("big",),
    branched: ("r1",),
    dead: (),
}
"""Activations that one convolution alone reads, or that are read by several and tied to nothing else."""
LEFT_ALONE = (concatenated, grouped, given_out, broadcast)


def films() -> list[dict[str, NDArray[np.float32]]]:
    return [{"x": RNG(seed).normal(size=(1, 4, 8, 8)).astype(np.float32)} for seed in range(3)]


def equalized(model: onnx.ModelProto) -> onnx.ModelProto:
    return equalize(model, reaches(model, films(), threads=1)[0])


@pytest.mark.parametrize("net", [*EQUALIZED, *LEFT_ALONE, shared_weights])
def test_it_computes_the_same(net: Callable[[], onnx.ModelProto]) -> None:
    model = net()
    film = RNG(7).normal(size=(2, 4, 8, 8)).astype(np.float32)
    for want, got in zip(run(model, x=film), run(equalized(model), x=film), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("net", EQUALIZED)
def test_weights_change_and_channels_then_reach_equally_far(net: Callable[[], onnx.ModelProto]) -> None:
    model = net()
    before, after = (reaches(each, films(), threads=1)[0] for each in (model, equalized(model)))
    for name in EQUALIZED[net]:
        assert before[name].max() > 5 * before[name].min()
        np.testing.assert_allclose(after[name], before[name].max(), rtol=1e-3)
    assert equalized(model).SerializeToString() != model.SerializeToString()


def test_a_residual_stream_shares_its_factors() -> None:
    model = residual()
    before, after = (reaches(each, films(), threads=1)[0] for each in (model, equalized(model)))
    factors = before["r1"] / after["r1"]
    np.testing.assert_allclose(before["r3"] / after["r3"], factors, rtol=1e-3)
    together = np.maximum(*(before[name] / before[name].max() for name in ("r1", "r3")))
    np.testing.assert_allclose(factors, together, rtol=1e-3)


def test_a_dead_channel_is_stretched_no_further_than_a_thousandfold() -> None:
    model = dead()
    changed = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in equalized(model).graph.initializer}
    given = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert changed["c1.b"][0] == pytest.approx(given["c1.b"][0] / LEAST)
    assert all(np.isfinite(each).all() for each in changed.values())


@pytest.mark.parametrize("net", LEFT_ALONE)
def test_what_cannot_bear_factors_is_left_alone(net: Callable[[], onnx.ModelProto]) -> None:
    model = net()
    assert equalized(model).SerializeToString() == model.SerializeToString()


@pytest.mark.parametrize("net", EQUALIZED)
def test_the_given_model_is_not_modified(net: Callable[[], onnx.ModelProto]) -> None:
    model = net()
    before = model.SerializeToString()
    equalized(model)
    assert model.SerializeToString() == before
