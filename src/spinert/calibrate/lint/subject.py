"""What a rule sees: a graph with its types, and the part that each Q/DQ node and each weighted operator plays in it."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from spinert.calibrate.graph import Wiring, attribute, element_types, label
from spinert.calibrate.scales import DEQUANTIZE, QUANTIZE

Layout = Literal["onnxruntime", "openvino"]

WEIGHTED = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
COMMUTING = frozenset({"MaxPool", "Resize", "Reshape", "Transpose", "Concat", "Flatten", "Squeeze", "Unsqueeze"})
"""Move numbers without changing them, so that INT8 goes through; a Resize only with the nearest mode."""


class Terms(NamedTuple):
    """What `lint` was told besides the graph."""

    allowed_fp32: frozenset[str]
    largest: Mapping[str, float]
    bound: float
    layout: Layout
    reduced_range: bool


class Subject:
    """A graph under test. Raises CalibrationFailed where its types contradict."""

    def __init__(self, model: ModelProto, terms: Terms) -> None:
        self.model, self.terms = model, terms
        self.nodes: tuple[NodeProto, ...] = tuple(model.graph.node)
        self.types = element_types(model)
        self.wiring = Wiring(model.graph)

    def of(self, *operators: str) -> Iterator[NodeProto]:
        """The nodes of these kinds."""
        return (node for node in self.nodes if node.op_type in operators)

    def dequantizer(self, tensor: str) -> NodeProto | None:
        """The DequantizeLinear that makes a tensor; None where another node or none does."""
        node = self.wiring.producer.get(tensor)
        return node if node is not None and node.op_type == DEQUANTIZE else None

    def quantizer(self, node: NodeProto) -> NodeProto | None:
        """The QuantizeLinear in front of a DequantizeLinear; None where its input is stored."""
        maker = self.wiring.producer.get(node.input[0])
        return maker if maker is not None and maker.op_type == QUANTIZE else None

    def root(self, node: NodeProto) -> str:
        """The tensor that a Q or DQ node stands for: what is quantized, or what is stored as integers."""
        if node.op_type == DEQUANTIZE and (quantizer := self.quantizer(node)) is not None:
            return str(quantizer.input[0])
        return str(node.input[0])

    def zero_point(self, node: NodeProto) -> NDArray[Any] | None:
        """The constant zero point of a Q or DQ node; None where it states none or computes it."""
        return self.wiring.value(node.input[2]) if len(node.input) > 2 else None

    @cached_property
    def weighted(self) -> tuple[NodeProto, ...]:
        return tuple(self.of(*WEIGHTED))

    @cached_property
    def weight_pairs(self) -> tuple[tuple[NodeProto, NodeProto], ...]:
        """(weighted operator, DequantizeLinear of its constant weights)"""
        found = ((node, self.dequantizer(node.input[1])) for node in self.weighted)
        return tuple((node, end) for node, end in found if end is not None and self.root(end) in self.wiring.constants)

    @cached_property
    def activation_ends(self) -> tuple[NodeProto, ...]:
        """The DequantizeLinear nodes of tensors that are computed or given."""
        return tuple(node for node in self.of(DEQUANTIZE) if self.root(node) not in self.wiring.constants)

    def quantized_inputs(self, node: NodeProto) -> list[bool]:
        """For the activation and the weights of a weighted operator, not its bias: does it come from a pair?"""
        return [self.comes_quantized(name) for name in node.input[:2]]

    def comes_quantized(self, tensor: str) -> bool:
        """Whether a tensor comes from a pair, straight or through operators that commute."""
        node = self.wiring.producer.get(tensor)
        if node is None or not self.commutes(node):
            return self.dequantizer(tensor) is not None
        return all(self.comes_quantized(name) for name in (node.input if node.op_type == "Concat" else node.input[:1]))

    def is_quantized(self, node: NodeProto) -> bool:
        """Whether the weights of a weighted operator come from a pair, so that it can compute in INT8."""
        return self.quantized_inputs(node)[1]

    def is_residual(self, node: NodeProto) -> bool:
        """Whether a node adds two tensors that are both computed or given."""
        return node.op_type == "Add" and not any(name in self.wiring.constants for name in node.input)

    def commutes(self, node: NodeProto) -> bool:
        """Whether INT8 goes through a node unchanged."""
        nearest = node.op_type != "Resize" or attribute(node, "mode", b"nearest") == b"nearest"
        return node.op_type in COMMUTING and nearest

    def leads_to_weights(self, tensor: str, *, residual_only: bool) -> str | None:
        """None where all readers of a tensor, behind operators that commute, are weighted or additions.

        Otherwise what else reads it, in words. `residual_only` takes additions of two computed tensors only.
        """
        if tensor in self.wiring.outputs:
            return f"the output {tensor!r}"
        for reader in self.wiring.read_by(tensor):
            if reader.op_type in WEIGHTED or (self.is_residual(reader) if residual_only else reader.op_type == "Add"):
                continue
            if not self.commutes(reader):
                return f"{reader.op_type} {label(reader)!r}"
            if (other := self.leads_to_weights(reader.output[0], residual_only=residual_only)) is not None:
                return other
        return None

    @cached_property
    def tail(self) -> tuple[tuple[NodeProto, ...], tuple[NodeProto, ...]]:
        """The heads, and all nodes behind them.

        A head is a weighted operator whose result reaches an output of the graph without another weighted operator.
        """
        heads, behind, seen = [], [], set()
        waiting = list(self.wiring.outputs)
        while waiting:
            node = self.wiring.producer.get(waiting.pop())
            if node is None or node.output[0] in seen:
                continue
            seen.add(node.output[0])
            if node.op_type in WEIGHTED:
                heads.append(node)
            else:
                behind.append(node)
                waiting.extend(filter(None, node.input))
        return tuple(heads), tuple(behind)


def output_axis(node: NodeProto, rank: int) -> int:
    """The axis of a weighted operator's weights that its output channels lie along."""
    match node.op_type:
        case "Conv":
            return 0
        case "ConvTranspose":
            return 1
        case "Gemm":
            return 0 if attribute(node, "transB", 0) else 1
        case _:
            return rank - 1
