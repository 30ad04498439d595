"""Write a float graph as an explicitly quantized one: pairs of QuantizeLinear and DequantizeLinear where a target
fuses them.

Worked example: an activation from 0 to 6.3 as uint8 has the scale 6.3 / 255 = 0.0247 and zero point 0; 1.0 becomes 40
and is read back as 0.988.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from spinert.calibrate.graph import Wiring, attribute, flat, label, rebuild
from spinert.calibrate.ranges import Ranges

OUTPUT_AXIS = {"Conv": 0, "ConvTranspose": 1}
"""Axis of the output channels in the weights; those of Gemm depend on transB, those of MatMul are the last."""
WEIGHTED = (*OUTPUT_AXIS, "Gemm", "MatMul")
ACTIVATIONS = ("Relu", "Clip")
"""Operators that a library fuses into the operator before them."""
COMMUTING = ("MaxPool", "Resize", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze")
"""Operators that only move values: what goes in and what comes out share scale and zero point."""
FOLLOWING = (*COMMUTING, "Add", "Concat")
"""Operators with an integer kernel of onnxruntime, to be used where all that they read is quantized."""

LARGEST_BIAS = 2**30
"""Steps of a bias, half of what int32 holds: sums are added to it. A folded network has channels whose weights are all
about 1e-20 and whose bias is not; their weights get larger steps."""
SMALLEST_SCALE = 1e-30
"""Weights that need a smaller one count as nought: products of such scales vanish in float32."""

LayoutName = Literal["tensorrt", "openvino", "onnxruntime"]


class Layout(NamedTuple):
    """Where a target wants the pairs.

    signed     int8 activations with zero point 0, else uint8 with any
    outputs    whether the outputs of quantized operators are quantized too, and their biases: onnxruntime has integer
               kernels for such operators only. OpenVINO and TensorRT fuse what follows a convolution in float, and
               every pair left out is rounding noise less
    residual   whether the identity branch of a residual Add is quantized, so that TensorRT fuses the Add
    """

    name: LayoutName
    signed: bool = False
    outputs: bool = False
    residual: bool = False


TENSORRT = Layout("tensorrt", signed=True, residual=True)
OPENVINO = Layout("openvino")
ONNXRUNTIME = Layout("onnxruntime", outputs=True)


def quantizable(model: onnx.ModelProto) -> tuple[str, ...]:
    """Names of the nodes that may be quantized: with constant weights, and not a head.

    A head is a weighted operator from which a graph output is reached without passing another one; what it gives is
    what a finding is decoded from, and stays float.
    """
    wiring = Wiring(model.graph)
    heads = _heads(wiring)
    return tuple(label(node) for node in model.graph.node if _is_weighted(node, wiring) and label(node) not in heads)


def quantize(
    model: onnx.ModelProto, ranges: Ranges, layout: Layout, *, keep: Collection[str] = (), reduced: bool = False
) -> onnx.ModelProto:
    """The model with its quantizable nodes quantized, but for those named in `keep`.

    ranges    lowest and highest value of each activation
    reduced   weights of seven bits: without VNNI, a sum of two products of eight bits overflows sixteen
    """
    model = flat(model)
    wiring = Wiring(model.graph)
    chosen = {name for name in quantizable(model) if name not in keep}
    writer = _Writer(wiring, ranges, layout, reduced=reduced)
    identities = _identities(model.graph.node, wiring, chosen) if layout.residual else {}
    pairs = _pairs(model.graph.node, wiring, chosen, layout) | dict.fromkeys(identities.values())
    nodes: list[onnx.NodeProto] = []
    for source in model.graph.node:
        node = onnx.NodeProto.FromString(source.SerializeToString())
        is_chosen = label(source) in chosen
        reads = pairs if is_chosen or layout.outputs else {identities.get(label(source))}
        nodes += writer.rewired(node, source, reads, quantized=is_chosen)
        nodes.append(node)
    nodes += [each for name in pairs for each in writer.pair(name)]
    rebuild(model.graph, nodes, [*model.graph.initializer, *writer.constants])
    return model


def _pairs(nodes: Sequence[onnx.NodeProto], wiring: Wiring, chosen: Collection[str], layout: Layout) -> dict[str, None]:
    """Activations behind which a pair is written, in the order of the graph; those of residual sums are not here."""
    quantized = dict.fromkeys(node.input[0] for node in nodes if label(node) in chosen)
    if layout.outputs:
        for node in nodes:
            follows = node.op_type in FOLLOWING and set(_activations(node, wiring)) <= set(quantized)
            if (label(node) in chosen or follows) and (end := _after_activation(node, wiring)) not in wiring.outputs:
                quantized[end] = None
    return quantized


def _activations(node: onnx.NodeProto, wiring: Wiring) -> list[str]:
    return [name for name in node.input if name and name not in wiring.constants]


def _after_activation(node: onnx.NodeProto, wiring: Wiring) -> str:
    """The node's output, or that of the activation function that alone reads it."""
    readers = wiring.read_by(node.output[0])
    if len(readers) == 1 and readers[0].op_type in ACTIVATIONS:
        return str(readers[0].output[0])
    return str(node.output[0])


def _identities(nodes: Sequence[onnx.NodeProto], wiring: Wiring, chosen: Collection[str]) -> dict[str, str]:
    """Residual Add -> the one input that it reads from a pair."""
    found = ((label(node), _identity_branch(node, wiring, chosen)) for node in nodes)
    return {name: branch for name, branch in found if branch is not None}


def _identity_branch(node: onnx.NodeProto, wiring: Wiring, chosen: Collection[str]) -> str | None:
    """The input of a residual Add that comes from no weighted operator, where the other comes from a quantized one."""
    if node.op_type != "Add" or len(_activations(node, wiring)) != 2:
        return None
    makers = [wiring.producer.get(name) for name in node.input]
    identities = [
        name
        for name, maker, other in zip(node.input, makers, reversed(makers), strict=True)
        if not _is_made_by_weights(maker, wiring) and other is not None and label(other) in chosen
    ]
    return str(identities[0]) if identities else None


class _Writer:
    """Makes the nodes and constants of pairs, weights and biases; every tensor is quantized once."""

    def __init__(self, wiring: Wiring, ranges: Ranges, layout: Layout, *, reduced: bool) -> None:
        self.wiring, self.ranges, self.layout = wiring, ranges, layout
        self.largest = 63 if reduced else 127
        self.constants: list[onnx.TensorProto] = []
        self._weights: dict[str, NDArray[np.float32]] = {}

    def pair(self, name: str) -> list[onnx.NodeProto]:
        """QuantizeLinear and DequantizeLinear behind an activation."""
        scale, zero = self._parameters(name)
        parameters = [self._constant(f"{name}/scale", scale), self._constant(f"{name}/zero_point", zero)]
        quantized, back = f"{name}/quantized", f"{name}/dequantized"
        return [
            helper.make_node("QuantizeLinear", [name, *parameters], [quantized], name=f"Quantize {name}"),
            helper.make_node("DequantizeLinear", [quantized, *parameters], [back], name=f"Dequantize {name}"),
        ]

    def rewired(
        self, node: onnx.NodeProto, source: onnx.NodeProto, pairs: Collection[str | None], *, quantized: bool
    ) -> list[onnx.NodeProto]:
        """Let the node read these activations from their pairs, in place; returns what its weights need before it."""
        for place, name in enumerate(source.input):
            if name in pairs:
                node.input[place] = f"{name}/dequantized"
        return self._quantized_weights(node, source) if quantized else []

    def _quantized_weights(self, node: onnx.NodeProto, source: onnx.NodeProto) -> list[onnx.NodeProto]:
        name = source.input[1]
        made: list[onnx.NodeProto] = []
        node.input[1] = f"{name}/dequantized"
        if name not in self._weights:
            weight = numpy_helper.to_array(self.wiring.constants[name]).astype(np.float64)
            axis = _output_axis(source, weight.ndim)
            scale = np.abs(weight).max(axis=tuple(each for each in range(weight.ndim) if each != axis)) / self.largest
            scale = np.maximum(scale, self._least_scale(source)) if self.layout.outputs else scale
            scale = np.where(scale < SMALLEST_SCALE, 1.0, scale).astype(np.float32)
            along = scale.reshape([-1 if each == axis else 1 for each in range(weight.ndim)])
            inputs = [
                self._constant(f"{name}/quantized", np.round(weight / along).clip(-127, 127).astype(np.int8)),
                self._constant(f"{name}/scale", scale),
                self._constant(f"{name}/zero_point", np.zeros(len(scale), np.int8)),
            ]
            made.append(
                helper.make_node("DequantizeLinear", inputs, [node.input[1]], axis=axis, name=f"Dequantize {name}")
            )
            self._weights[name] = scale
        if self.layout.outputs and self._bias(source) is not None:
            made.append(self._quantized_bias(node, source, self._weights[name]))
        return made

    def _bias(self, source: onnx.NodeProto) -> NDArray[np.float64] | None:
        values = self.wiring.value(source.input[2]) if len(source.input) > 2 else None
        return None if values is None else values.astype(np.float64)

    def _least_scale(self, source: onnx.NodeProto) -> NDArray[np.float64] | float:
        """Of the weights of each channel, so that every bias beside them is counted within 32 bits."""
        readers = [each for each in self.wiring.read_by(source.input[1]) if each.input[1] == source.input[1]]
        biases = [(self._parameters(each.input[0])[0], self._bias(each)) for each in readers]
        least = [np.abs(bias) / (float(scale) * LARGEST_BIAS) for scale, bias in biases if bias is not None]
        return np.max(least, axis=0) if least else 0.0

    def _quantized_bias(
        self, node: onnx.NodeProto, source: onnx.NodeProto, weight_scale: NDArray[np.float32]
    ) -> onnx.NodeProto:
        """As int32 with the scale of the products that it is added to."""
        scale = (self._parameters(source.input[0])[0] * weight_scale).astype(np.float32)
        bias = numpy_helper.to_array(self.wiring.constants[source.input[2]]).astype(np.float64)
        stem = f"{source.output[0]}/bias"
        inputs = [
            self._constant(f"{stem}/quantized", np.round(bias / scale).astype(np.int32)),
            self._constant(f"{stem}/scale", scale),
            self._constant(f"{stem}/zero_point", np.zeros(len(scale), np.int32)),
        ]
        node.input[2] = f"{stem}/dequantized"
        return helper.make_node("DequantizeLinear", inputs, [node.input[2]], axis=0, name=f"Dequantize {stem}")

    def _parameters(self, name: str) -> tuple[np.float32, NDArray[np.int8] | NDArray[np.uint8]]:
        """Scale and zero point; nought is always represented exactly."""
        maker = self.wiring.producer.get(name)
        if self.layout.outputs and maker is not None and maker.op_type in COMMUTING:
            return self._parameters(maker.input[0])
        low, high = self.ranges[name]
        low, high = min(low, 0.0), max(high, 0.0)
        if self.layout.signed:
            return np.float32(max(-low, high) / 127 or 1.0), np.array(0, np.int8)
        scale = np.float32((high - low) / 255 or 1.0)
        return scale, np.array(np.clip(np.round(-low / scale), 0, 255), np.uint8)

    def _constant(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        if not any(tensor.name == name for tensor in self.constants):
            self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name


def _is_weighted(node: onnx.NodeProto, wiring: Wiring) -> bool:
    if node.op_type == "ConvTranspose" and attribute(node, "group", 1) != 1:
        return False  # its output channels lie along two axes of the weights: there is no one axis for their scales
    return node.op_type in WEIGHTED and node.input[1] in wiring.constants and node.input[0] not in wiring.constants


def _is_made_by_weights(maker: onnx.NodeProto | None, wiring: Wiring) -> bool:
    return maker is not None and _is_weighted(maker, wiring)


def _output_axis(node: onnx.NodeProto, rank: int) -> int:
    if node.op_type == "Gemm":
        return 0 if attribute(node, "transB", 0) else 1
    return OUTPUT_AXIS.get(node.op_type, rank - 1)


def _heads(wiring: Wiring) -> set[str]:
    """Weighted nodes with a way to a graph output that passes no other weighted node."""
    heads: set[str] = set()
    waiting = list(wiring.outputs)
    seen = set(waiting)
    while waiting:
        maker = wiring.producer.get(waiting.pop())
        if maker is None:
            continue
        if _is_weighted(maker, wiring):
            heads.add(label(maker))
            continue
        fresh = [name for name in maker.input if name and name not in seen]
        seen.update(fresh)
        waiting += fresh
    return heads
