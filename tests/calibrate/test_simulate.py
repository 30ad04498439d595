"""A graph run word for word: what the file says is what is computed, however a library would fuse it."""

import numpy as np
import pytest

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.calibrate.half import to_half
from spinert.calibrate.simulate import open_literally
from spinert.errors import CalibrationFailed
from tests.calibrate.graphs import run, values
from tests.calibrate.pairs import Net

SPEC = NetworkSpec(
    inputs=(TensorSpec("x", "float32", (None, 4)),),
    outputs=(TensorSpec("y", "float32", (None, 4)),),
    files={"int8-cpu": "net.onnx"},
    opset=20,
)


def test_every_pair_is_carried_out_where_it_stands() -> None:
    net = Net()
    net.node("Identity", net.pair(net.pair("x", 0.5), 0.3, stem="again"), to="y")
    model = net.model({"x": ["n", 4]}, {"y": ["n", 4]})
    network = open_literally(model, SPEC, threads=1)
    given = values(3, 4)
    by_hand = np.round(np.round(given / 0.5) * 0.5 / np.float32(0.3)) * np.float32(0.3)
    np.testing.assert_allclose(network({"x": given})["y"], by_hand, atol=1e-6)
    np.testing.assert_array_equal(network({"x": given})["y"], run(model, x=given)[0])
    assert network.backend == "onnxruntime"


def test_a_graph_that_is_refused_is_an_error_of_the_rewriter() -> None:
    net = Net()
    net.node("Relu", "x", to="y")
    model = net.model({"x": ["n", 4]}, {"y": ["n", 4]})
    model.graph.node[0].op_type = "Rilu"
    with pytest.raises(CalibrationFailed, match=r"cannot open the rewritten graph: .*Rilu"):
        open_literally(model, SPEC, threads=1)


def run_half(net: Net, given: float) -> float:
    """One value through the float16 form of a net, x to y; nothing was measured, so all tensors are taken to fit."""
    model = to_half(net.model({"x": ["N", 1]}, {"y": ["N", 1]}), {})
    ends = (TensorSpec("x", "float32", (None, 1)),), (TensorSpec("y", "float32", (None, 1)),)
    spec = NetworkSpec(inputs=ends[0], outputs=ends[1], files={"fp16": "net.onnx"}, opset=20)
    return float(open_literally(model, spec, threads=1)({"x": np.array([[given]], np.float32)})["y"][0, 0])


def test_a_float16_tensor_is_rounded_where_it_is_made() -> None:
    """3 x 683 = 2049 has no float16 and becomes 2048; unrounded, the difference would be 1."""
    net = Net()
    net.node("Mul", "x", net.constant("factor", np.full((), 683, np.float32)), to="product")
    net.node("Sub", "product", net.constant("less", np.full((), 2048, np.float32)), to="y")
    assert run_half(net, 3.0) == 0.0


def test_what_leaves_float16_is_infinite() -> None:
    net = Net()
    net.node("Mul", "x", net.constant("factor", np.full((), 300, np.float32)), to="product")
    net.node("Mul", "product", net.constant("back", np.full((), 1 / 300, np.float32)), to="y")
    assert run_half(net, 300.0) == np.inf
