"""Give every channel of an activation the same reach, without changing what the network computes.

One scale serves a whole activation tensor, so a channel that is a tenth as large as the largest keeps three bits less
of every value. Dividing a channel by a factor and multiplying the weights that read it by the same factor is exact in
real numbers; the weights have a scale for each output channel and bear it. On the landmark network it halves the
rounding noise at the heat-maps. After Nagel et al., Data-Free Quantization Through Weight Equalization and Bias
Correction (2019), with measured ranges in place of those of the weights.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

KEEPS_CHANNELS = {"Relu", "Add", "Resize", "MaxPool", "Identity", "Dropout", "GlobalAveragePool", "AveragePool"}
"""Operators that commute with a positive factor for each channel, all their activations having the same factors."""
WEIGHTED = {"Conv", "ConvTranspose"}
LEAST = 1e-3
"""A channel is stretched by at most a thousand: one that is always nought has no reach."""


def equalize(model: onnx.ModelProto, reach: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """A copy of the model with equalized channels; `reach` is float32 [channels] for each activation, measured.

    Activations tied by operators that keep channels apart share their factors, so a residual stream is equalized as a
    whole. Where a tied activation is an input or output of the network, is read or made by an operator that mixes
    channels otherwise, or belongs to a convolution that is grouped or shares its weights, nothing is changed.
    """
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    factors = _factors(graph, set(constants), reach)
    for node in graph.node:
        if node.op_type not in WEIGHTED:
            continue
        read, made = factors.get(node.input[0]), factors.get(node.output[0])
        if read is not None or made is not None:
            _rescale(node, constants, read, made)
    return model


def _factors(
    graph: onnx.GraphProto, constants: set[str], reach: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float64]]:
    """What each activation is divided by, float64 [channels]."""
    tied = _Tied()
    fixed = {value.name for value in (*graph.input, *graph.output)}
    read_by_weighted: set[str] = set()
    uses = Counter(name for node in graph.node for name in node.input)
    shared = {name for name in constants if uses[name] > 1}
    for node in graph.node:
        activations = [name for name in node.input if name and name not in constants]
        if node.op_type in WEIGHTED and _is_plain(node, constants - shared):
            read_by_weighted.add(node.input[0])
            tied.root(node.output[0])
        elif node.op_type in KEEPS_CHANNELS and _only_activations(node, constants):
            for name in activations:
                tied.tie(name, node.output[0])
        else:
            fixed.update((*activations, *node.output))
    fixed_roots = {tied.root(name) for name in fixed}
    groups: dict[str, list[str]] = {}
    for name in tied.names():
        if tied.root(name) not in fixed_roots:
            groups.setdefault(tied.root(name), []).append(name)
    factors: dict[str, NDArray[np.float64]] = {}
    for names in groups.values():
        measured = [reach[name].astype(np.float64) for name in names if name in read_by_weighted and name in reach]
        if measured and len({reach[name].size for name in names if name in reach}) == 1:  # else an Add broadcasts
            largest = np.max([each / max(each.max(), 1e-30) for each in measured], axis=0)
            factors |= dict.fromkeys(names, np.maximum(largest, LEAST))
    return factors


def _is_plain(node: onnx.NodeProto, constants: set[str]) -> bool:
    """One group, and weights and bias that are constants of this node alone."""
    group = next((each.i for each in node.attribute if each.name == "group"), 1)
    return group == 1 and all(name in constants for name in node.input[1:] if name)


def _only_activations(node: onnx.NodeProto, constants: set[str]) -> bool:
    """Adding a constant does not commute with a factor; sizes and scales of a Resize do not matter."""
    return node.op_type == "Resize" or not any(name in constants for name in node.input)


def _rescale(
    node: onnx.NodeProto,
    constants: dict[str, onnx.TensorProto],
    read: NDArray[np.float64] | None,
    made: NDArray[np.float64] | None,
) -> None:
    weight = numpy_helper.to_array(constants[node.input[1]]).astype(np.float64)
    reading, making = (0, 1) if node.op_type == "ConvTranspose" else (1, 0)
    if read is not None:
        weight *= _along(read, reading, weight.ndim)
    if made is not None:
        weight /= _along(made, making, weight.ndim)
        if len(node.input) > 2 and node.input[2]:
            bias = numpy_helper.to_array(constants[node.input[2]]).astype(np.float64) / made
            _replace(constants[node.input[2]], bias)
    _replace(constants[node.input[1]], weight)


def _along(factors: NDArray[np.float64], axis: int, rank: int) -> NDArray[np.float64]:
    return factors.reshape([-1 if each == axis else 1 for each in range(rank)])


def _replace(tensor: onnx.TensorProto, values: NDArray[np.float64]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))


class _Tied:
    """Disjoint sets of tensor names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        self._parent.setdefault(name, name)
        while self._parent[name] != name:
            name = self._parent[name]
        return name

    def tie(self, one: str, other: str) -> None:
        self._parent[self.root(one)] = self.root(other)

    def names(self) -> list[str]:
        return list(self._parent)
