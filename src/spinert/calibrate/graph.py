"""An ONNX graph as a rewriter needs it: who makes and who reads a tensor, what is constant, names, nodes in order.

Nodes are found again by `label`, because protobuf messages have no hash. Rewriters collect nodes in any order and give
them to `rebuild`, which sorts them. Graphs inside nodes (If, Loop, Scan) are not looked into; `flat` refuses them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from spinert.errors import CalibrationFailed


class Wiring:
    """How the tensors of a graph hang together when it was made: later changes of the graph are not followed.

    producer   tensor -> the node that makes it; graph inputs and initializers have none
    readers    tensor -> the nodes that read it, each once, in the graph's order
    constants  tensor -> initializer, or the value of a Constant node
    inputs     names of the graph's inputs without its initializers;  outputs: names of its outputs
    """

    def __init__(self, graph: GraphProto) -> None:
        self.constants: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.producer: dict[str, NodeProto] = {}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            self.producer |= {name: node for name in node.output if name}
            for name in dict.fromkeys(filter(None, node.input)):
                self.readers.setdefault(name, []).append(node)
            if (tensor := _value(node)) is not None:
                self.constants[node.output[0]] = tensor
        self.inputs = tuple(value.name for value in graph.input if value.name not in self.constants)
        self.outputs = tuple(value.name for value in graph.output)
        self._taken = {*self.producer, *self.readers, *self.constants, *self.inputs, *self.outputs}
        self._taken.update(node.name for node in graph.node)

    def value(self, name: str) -> NDArray[Any] | None:
        """A constant tensor's values; None where the tensor is computed or given."""
        tensor = self.constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def read_by(self, name: str) -> list[NodeProto]:
        """The nodes that read a tensor; empty where none does."""
        return self.readers.get(name, [])

    def fresh(self, stem: str) -> str:
        """A name that no tensor or node has yet: the stem, or the stem with a number. Taken from then on."""
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}_{count}"
        self._taken.add(name)
        return name


def label(node: NodeProto) -> str:
    """What messages and `keep` lists call a node: its name, or its first output where it has none."""
    return str(node.name or next(filter(None, node.output), node.op_type))


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    """The value of an attribute, or the default where the node does not state it."""
    return next((helper.get_attribute_value(each) for each in node.attribute if each.name == name), default)


def flat(model: ModelProto) -> ModelProto:
    """A copy of the model whose constants are all initializers. Raises CalibrationFailed for graphs inside nodes."""
    copy = ModelProto()
    copy.CopyFrom(model)
    nodes, initializers = [], list(copy.graph.initializer)
    for node in copy.graph.node:
        if any(each.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute):
            raise CalibrationFailed(
                f"{node.op_type} {label(node)!r} holds a graph of its own", "export the network without control flow"
            )
        if (tensor := _value(node)) is not None:
            initializers.append(tensor)
        else:
            nodes.append(node)
    rebuild(copy.graph, nodes, initializers)
    return copy


def rebuild(graph: GraphProto, nodes: Iterable[NodeProto], initializers: Iterable[TensorProto]) -> None:
    """Give the graph these nodes and initializers, in place.

    A node that is out of order is put just before its first reader, all others keep their order. Initializers that
    nothing reads are left out, and so is `value_info`, which the rewriting has made wrong.
    """
    ordered = _ordered(list(nodes))
    used = {name for node in ordered for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in initializers if tensor.name in used]
    copies = [[type(each).FromString(each.SerializeToString()) for each in values] for values in (ordered, kept)]
    for field, values in zip((graph.node, graph.initializer), copies, strict=True):
        del field[:]
        field.extend(values)
    del graph.value_info[:]


def element_types(model: ModelProto) -> dict[str, int]:
    """Element type (TensorProto.FLOAT, ...) of every tensor. Raises CalibrationFailed where they contradict."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError) as error:  # ValueError where a type is unknown
        raise CalibrationFailed(f"graph {model.graph.name!r} is not valid: {error}", "export it again") from error
    graph = inferred.graph
    types = {each.name: each.type.tensor_type.elem_type for each in (*graph.value_info, *graph.input, *graph.output)}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}


def _ordered(nodes: Sequence[NodeProto]) -> list[NodeProto]:
    made_by = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    placed: dict[int, NodeProto] = {}
    for first in range(len(nodes)):
        waiting = [first]
        while waiting:
            index = waiting[-1]
            needed = [made_by[name] for name in nodes[index].input if name in made_by]
            missing = [each for each in needed if each not in placed]
            if index in placed or not missing:
                placed.setdefault(index, nodes[waiting.pop()])
            elif missing[0] in waiting:
                raise ValueError(f"node {label(nodes[index])!r} reads what depends on its own output")
            else:
                waiting.append(missing[0])
    return list(placed.values())


def _value(node: NodeProto) -> TensorProto | None:
    """The tensor that a Constant node gives; None for other nodes, and for constants that are no dense numbers."""
    if node.op_type != "Constant" or not node.attribute:
        return None
    given = node.attribute[0]
    tensor = TensorProto()
    match given.name:
        case "value":
            tensor.CopyFrom(given.t)
        case "value_float":
            tensor = helper.make_tensor("", TensorProto.FLOAT, [], [given.f])
        case "value_floats":
            tensor = helper.make_tensor("", TensorProto.FLOAT, [len(given.floats)], given.floats)
        case "value_int":
            tensor = helper.make_tensor("", TensorProto.INT64, [], [given.i])
        case "value_ints":
            tensor = helper.make_tensor("", TensorProto.INT64, [len(given.ints)], given.ints)
        case _:
            return None
    tensor.name = node.output[0]
    return tensor
