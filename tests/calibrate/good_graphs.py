"""One small graph for each precision that keeps all its rules: the stuff that broken copies are made of."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from spinert.bundle import Precision
from spinert.calibrate.graph import rebuild
from spinert.calibrate.half import to_half
from tests.calibrate.graphs import values
from tests.calibrate.pairs import Net

ZERO, MIDDLE = np.int8(0), np.uint8(128)


def trt_float(*, stored: bool = False) -> ModelProto:
    """int8-trt before its float islands are made FP16.

    x -> c1 -> r1 -> c2 -> r2 -> c3 -> sum with r1 -> r3 -> pool -> up (transposed) -> r4 -> head (float) -> y (softmax)
    """
    net = Net()
    weights = {name: net.weight(f"{name}.w", 0.2 * values(4, 4, 3, 3), stored=stored) for name in ("c1", "c2", "c3")}
    weights["up"] = net.weight("up.w", values(4, 2, 2, 2), axis=1, stored=stored)
    same = {"pads": [1, 1, 1, 1]}
    net.node("Conv", net.pair("x", 0.02), weights["c1"], net.constant("c1.b", values(4)), to="c1", **same)
    identity = net.pair(net.node("Relu", "c1", to="r1"), 0.03)
    net.node("Relu", net.node("Conv", identity, weights["c2"], to="c2", **same), to="r2")
    net.node("Conv", net.pair("r2", 0.04), weights["c3"], to="c3", **same)
    net.node("Relu", net.node("Add", "c3", identity, to="sum"), to="r3")
    net.node("MaxPool", net.pair("r3", 0.05), to="pool", kernel_shape=[2, 2], strides=[2, 2])
    net.node("Relu", net.node("ConvTranspose", "pool", weights["up"], to="up", strides=[2, 2]), to="r4")
    net.node("Conv", "r4", net.constant("head.w", values(3, 2, 1, 1)), net.constant("head.b", values(3)), to="head")
    net.node("Softmax", "head", to="y", axis=1)
    return net.model({"x": ["n", 4, 6, 8]}, {"y": ["n", 3, 6, 8]})


def int8_trt(*, stored: bool = False) -> ModelProto:
    return to_half(trt_float(stored=stored), {})


def int8_cpu(layout: str = "onnxruntime") -> ModelProto:
    """x -> c1 (int32 bias) -> r1 -> c2 -> head (float) -> y"""
    net = Net()
    weights = {name: net.weight(f"{name}.w", 0.2 * values(4, 4, 3, 3), stored=True) for name in ("c1", "c2")}
    same = {"pads": [1, 1, 1, 1]}
    paired = net.pair("x", 0.02, MIDDLE)
    net.constant("c1.b.int32", np.round(values(4) * 1000).astype(np.int32))
    net.constant("c1.b.scale", net.constants["c1.w.scale"] * np.float32(0.02))
    bias = net.node("DequantizeLinear", "c1.b.int32", "c1.b.scale", to="c1.b.dq", axis=0)
    net.node("Relu", net.node("Conv", paired, weights["c1"], bias, to="c1", **same), to="r1")
    result = net.node("Conv", net.pair("r1", 0.03, np.uint8(0)), weights["c2"], to="c2", **same)
    if layout == "onnxruntime":
        result = net.pair(result, 0.05, MIDDLE)
    net.node("Conv", result, net.constant("head.w", values(3, 4, 1, 1)), to="y")
    return net.model({"x": ["n", 4, 6, 8]}, {"y": ["n", 3, 6, 8]})


def fp32() -> ModelProto:
    net = Net()
    net.node("Relu", net.node("Conv", "x", net.constant("w", values(3, 4, 3, 3)), to="c"), to="r")
    net.node("Softmax", net.node("Mul", "r", net.constant("k", np.float32(2)), to="m"), to="y", axis=1)
    return net.model({"x": ["n", 4, 6, 8]}, {"y": ["n", 3, 4, 6]})


def fp16() -> ModelProto:
    return to_half(fp32(), {})


GOOD: dict[Precision, Callable[[], ModelProto]] = {
    "fp32": fp32,
    "fp16": fp16,
    "int8-trt": int8_trt,
    "int8-cpu": int8_cpu,
}


def node(model: ModelProto, name: str) -> NodeProto:
    return next(each for each in model.graph.node if each.name == name)


def stored(model: ModelProto, name: str) -> NDArray[Any]:
    return numpy_helper.to_array(next(tensor for tensor in model.graph.initializer if tensor.name == name))


def store(model: ModelProto, name: str, numbers: Any) -> str:
    """Give an initializer new values, or add one."""
    tensor = numpy_helper.from_array(np.asarray(numbers), name)
    found = [each for each in model.graph.initializer if each.name == name]
    if found:
        found[0].CopyFrom(tensor)
    else:
        model.graph.initializer.append(tensor)
    return name


def put(model: ModelProto, *nodes: NodeProto) -> None:
    """Add nodes where their readers need them."""
    rebuild(model.graph, [*model.graph.node, *nodes], model.graph.initializer)
