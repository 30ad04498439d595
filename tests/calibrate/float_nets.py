"""Small float networks of the shapes that real ones are made of, to be quantized: three channels in, four inside."""

from collections.abc import Callable

import numpy as np
import onnx
from numpy.typing import NDArray

from spinert.calibrate.ranges import Ranges, collect
from tests.calibrate.pairs import Net

SAME = {"pads": [1, 1, 1, 1]}
SIZE = (1, 3, 8, 8)


def conv(
    net: Net, source: str, to: str, outputs: int = 4, inputs: int = 4, size: int = 3, weights: str | None = None
) -> str:
    rng = np.random.default_rng(sum(map(ord, to)))
    if weights is None:
        weights = net.constant(f"{to}.w", (rng.normal(size=(outputs, inputs, size, size)) / 4).astype(np.float32))
    bias = net.constant(f"{to}.b", (rng.normal(size=outputs) / 4).astype(np.float32))
    return net.node("Conv", source, weights, bias, to=to, pads=[size // 2] * 4)


def block(net: Net, source: str, number: int, inputs: int = 4) -> str:
    return net.node("Relu", conv(net, source, f"c{number}", inputs=inputs), to=f"r{number}")


def headed(net: Net, source: str, *, size: int = 8) -> onnx.ModelProto:
    conv(net, source, "head", outputs=2, size=1)
    net.node("Identity", "head", to="y")
    return net.model({"x": ["n", *SIZE[1:]]}, {"y": ["n", 2, size, size]})


def chain() -> onnx.ModelProto:
    """x -> c1 -> r1 -> c2 -> r2 -> head -> y"""
    net = Net()
    return headed(net, block(net, block(net, "x", 1, 3), 2))


def residual() -> onnx.ModelProto:
    """r1 -> c2 -> r2 -> c3 -> + r1 -> r3 -> c4 -> r4 -> head"""
    net = Net()
    block(net, block(net, "x", 1, 3), 2)
    net.node("Relu", net.node("Add", conv(net, "r2", "c3"), "r1", to="sum"), to="r3")
    return headed(net, block(net, "r3", 4))


def projected() -> onnx.ModelProto:
    """Both branches of the sum are made by a convolution: r1 -> c2, r1 -> short (1 x 1)."""
    net = Net()
    block(net, "x", 1, 3)
    net.node("Relu", net.node("Add", conv(net, "r1", "c2"), conv(net, "r1", "short", size=1), to="sum"), to="r3")
    return headed(net, block(net, "r3", 4))


def two_identities() -> onnx.ModelProto:
    """r1 + r2, both of which convolutions read too."""
    net = Net()
    block(net, "x", 1, 3)
    block(net, "r1", 2)
    block(net, "r2", 3)
    net.node("Add", "r1", "r2", to="first")
    return headed(net, block(net, net.node("Add", "first", "r3", to="sum"), 4))


def lateral() -> onnx.ModelProto:
    """A pyramid: the pooled path is resized and added to a 1 x 1 convolution of the path beside it."""
    net = Net()
    block(net, "x", 1, 3)
    net.node("MaxPool", "r1", to="p", kernel_shape=[2, 2], strides=[2, 2])
    block(net, "p", 2)
    net.node("Resize", "r2", "", net.constant("scales", np.array([1, 1, 2, 2], np.float32)), to="big", mode="nearest")
    return headed(net, block(net, net.node("Add", conv(net, "r1", "side", size=1), "big", to="sum"), 4))


def transposed() -> onnx.ModelProto:
    """r1 -> up (ConvTranspose, weights [4, 4, 2, 2]) -> r2 -> c3 -> r3 -> head"""
    net = Net()
    block(net, "x", 1, 3)
    weights = net.constant("up.w", np.random.default_rng(2).normal(size=(4, 4, 2, 2)).astype(np.float32) / 2)
    bias = net.constant("up.b", np.full(4, 0.1, np.float32))
    net.node("Relu", net.node("ConvTranspose", "r1", weights, bias, to="up", strides=[2, 2]), to="r2")
    return headed(net, block(net, "r2", 3), size=16)


def shared_weights() -> onnx.ModelProto:
    """c2 and c3 have the same weights, and biases of their own."""
    net = Net()
    block(net, block(net, "x", 1, 3), 2)
    net.node("Relu", conv(net, "r2", "c3", weights="c2.w"), to="r3")
    return headed(net, "r3")


def shared_input() -> onnx.ModelProto:
    """c2 and c3 both read r1."""
    net = Net()
    block(net, "x", 1, 3)
    net.node("Mul", block(net, "r1", 2), block(net, "r1", 3), to="product")
    return headed(net, block(net, "product", 4))


def dense() -> onnx.ModelProto:
    """x -> flatten -> g1 (Gemm) -> g2 (Gemm, transB) -> m (MatMul) -> head (Gemm) -> y"""
    net, rng = Net(), np.random.default_rng(5)

    def weights(name: str, *shape: int) -> str:
        return net.constant(name, (rng.normal(size=shape) / 8).astype(np.float32))

    net.node("Flatten", "x", to="flat")
    net.node("Relu", net.node("Gemm", "flat", weights("g1.w", 192, 6), weights("g1.b", 6), to="g1"), to="r1")
    net.node("Relu", net.node("Gemm", "r1", weights("g2.w", 5, 6), weights("g2.b", 5), to="g2", transB=1), to="r2")
    net.node("MatMul", "r2", weights("m.w", 5, 7), to="m")
    net.node("Gemm", net.node("Relu", "m", to="r3"), weights("head.w", 7, 2), to="head")
    net.node("Identity", "head", to="y")
    return net.model({"x": ["n", *SIZE[1:]]}, {"y": ["n", 2]})


ALL: tuple[Callable[[], onnx.ModelProto], ...] = (
    chain,
    residual,
    projected,
    two_identities,
    lateral,
    transposed,
    shared_weights,
    shared_input,
    dense,
)


def films(count: int = 4) -> list[dict[str, NDArray[np.float32]]]:
    return [{"x": np.random.default_rng(seed).uniform(-1, 1, SIZE).astype(np.float32)} for seed in range(count)]


def ranges_of(model: onnx.ModelProto) -> Ranges:
    return collect(model, films(), "minmax")
