"""One tiny network for each pattern of operators that exported networks are made of, in fp32, fp16 and int8."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from spinert.bundle import NetworkSpec, TensorSpec

CHANNELS = 8
OPSET = 20
SCALES = "scales"
_RNG = np.random.default_rng(0)


class Pattern(NamedTuple):
    """Nodes from `x` to `y`, their initializers, and the shapes without the batch."""

    nodes: Sequence[NodeProto]
    weights: dict[str, NDArray[Any]]
    input: tuple[int, ...]
    output: tuple[int, ...]


def network(pattern: Pattern, dtype: str) -> tuple[bytes, NetworkSpec]:
    """The file of a pattern whose tensors have this type, and its spec."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    # the scales of Resize are float32 whatever it resizes
    weights = {
        name: array.astype(dtype) if array.dtype == np.float32 and name != SCALES else array
        for name, array in pattern.weights.items()
    }
    graph = helper.make_graph(
        pattern.nodes,
        "pattern",
        [helper.make_tensor_value_info("x", kind, ["N", *pattern.input])],
        [helper.make_tensor_value_info("y", kind, ["N", *pattern.output])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    spec = NetworkSpec(
        inputs=(TensorSpec("x", dtype, (None, *pattern.input)),),
        outputs=(TensorSpec("y", dtype, (None, *pattern.output)),),
        files={"fp32": "pattern.onnx"},
        opset=OPSET,
    )
    return model.SerializeToString(), spec


def _weights(*shape: int) -> NDArray[np.float32]:
    return _RNG.normal(0.0, 0.1, shape).astype(np.float32)


def _conv(name: str, source: str, target: str, **attributes: Any) -> NodeProto:
    return helper.make_node("Conv", [source, f"{name}.w", f"{name}.b"], [target], name=name, **attributes)


def _plane(
    nodes: Sequence[NodeProto], weights: dict[str, NDArray[Any]], output: tuple[int, ...] | None = None
) -> Pattern:
    size = (CHANNELS, 16, 16)
    return Pattern(nodes, weights, size, output or size)


def conv() -> Pattern:
    w = {"c.w": _weights(CHANNELS, CHANNELS, 3, 3), "c.b": _weights(CHANNELS)}
    return _plane([_conv("c", "x", "h", pads=[1, 1, 1, 1]), helper.make_node("Relu", ["h"], ["y"])], w)


def conv_transpose() -> Pattern:
    w = {"t.w": _weights(CHANNELS, CHANNELS, 2, 2), "t.b": _weights(CHANNELS)}
    node = helper.make_node("ConvTranspose", ["x", "t.w", "t.b"], ["y"], strides=[2, 2])
    return _plane([node], w, (CHANNELS, 32, 32))


def gemm() -> Pattern:
    w = {"g.w": _weights(4, CHANNELS), "g.b": _weights(4)}
    return Pattern([helper.make_node("Gemm", ["x", "g.w", "g.b"], ["y"], transB=1)], w, (CHANNELS,), (4,))


def residual_add() -> Pattern:
    w = {f"{c}.{p}": _weights(*s) for c in "ab" for p, s in (("w", (CHANNELS, CHANNELS, 3, 3)), ("b", (CHANNELS,)))}
    nodes = [
        _conv("a", "x", "h", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        _conv("b", "r", "s", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["s", "x"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["y"]),
    ]
    return _plane(nodes, w)


def resize() -> Pattern:
    scales = np.array([1, 1, 2, 2], np.float32)
    node = helper.make_node(
        "Resize", ["x", "", SCALES], ["y"], mode="linear", coordinate_transformation_mode="half_pixel"
    )
    return _plane([node], {SCALES: scales}, (CHANNELS, 32, 32))


def max_pool() -> Pattern:
    return _plane(
        [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], {}, (CHANNELS, 8, 8)
    )


def concat() -> Pattern:
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Concat", ["x", "r"], ["y"], axis=1)]
    return _plane(nodes, {}, (2 * CHANNELS, 16, 16))


def softmax_head() -> Pattern:
    w = {"c.w": _weights(3, CHANNELS, 1, 1), "c.b": _weights(3)}
    return _plane([_conv("c", "x", "h"), helper.make_node("Softmax", ["h"], ["y"], axis=1)], w, (3, 16, 16))


def sigmoid() -> Pattern:
    return _plane([helper.make_node("Sigmoid", ["x"], ["y"])], {})


def global_average_pool() -> Pattern:
    return _plane([helper.make_node("GlobalAveragePool", ["x"], ["y"])], {}, (CHANNELS, 1, 1))


def conv_3d() -> Pattern:
    w = {"c.w": _weights(CHANNELS, CHANNELS, 3, 3, 3), "c.b": _weights(CHANNELS)}
    size = (CHANNELS, 8, 8, 8)
    return Pattern([_conv("c", "x", "y", pads=[1] * 6)], w, size, size)


def instance_norm() -> Pattern:
    w = {"n.s": _weights(CHANNELS), "n.b": _weights(CHANNELS)}
    return _plane([helper.make_node("InstanceNormalization", ["x", "n.s", "n.b"], ["y"])], w)


FLOAT: dict[str, Callable[[], Pattern]] = {
    function.__name__: function
    for function in (
        conv,
        conv_transpose,
        gemm,
        residual_add,
        resize,
        max_pool,
        concat,
        softmax_head,
        sigmoid,
        global_average_pool,
        conv_3d,
        instance_norm,
    )
}


def int8_conv(dtype: str = "int8", zero: int = 0, *, int32_bias: bool = False) -> Pattern:
    """Explicit Q/DQ: activations with one scale, weights with one for each output channel, a float bias."""
    w: dict[str, NDArray[Any]] = {
        "x.scale": np.array(0.05, np.float32),
        "x.zero": np.array(zero, dtype),
        "c.q": _RNG.integers(-127, 128, (CHANNELS, CHANNELS, 3, 3)).astype(np.int8),
        "c.scale": np.full(CHANNELS, 0.01, np.float32),
        "c.zero": np.zeros(CHANNELS, np.int8),
        "c.b": _weights(CHANNELS),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "x.scale", "x.zero"], ["x.q"]),
        helper.make_node("DequantizeLinear", ["x.q", "x.scale", "x.zero"], ["x.d"]),
        helper.make_node("DequantizeLinear", ["c.q", "c.scale", "c.zero"], ["c.w"], axis=0),
        helper.make_node("Conv", ["x.d", "c.w", "c.b"], ["h"], pads=[1, 1, 1, 1], name="c"),
        helper.make_node("Relu", ["h"], ["y"]),
    ]
    if int32_bias:
        del w["c.b"]
        w |= {"b.q": np.arange(CHANNELS, dtype=np.int32), "b.scale": np.full(CHANNELS, 0.0005, np.float32)}
        nodes.insert(0, helper.make_node("DequantizeLinear", ["b.q", "b.scale"], ["c.b"], axis=0))
    return _plane(nodes, w)
