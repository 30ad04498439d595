"""Tiny ONNX graphs for the tests of calibration: built, checked and run in a line each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from spinert.calibrate.graph import Wiring, label

Shape = Sequence[int | str]


def model_of(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    constants: Mapping[str, NDArray[Any]],
) -> ModelProto:
    """A checked model of opset 20 with float32 inputs and outputs; nodes without a name get one by their place."""
    for index, node in enumerate(nodes):
        node.name = node.name or f"{node.op_type}_{index}"
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    checked(model)
    return model


def checked(model: ModelProto) -> ModelProto:
    """The model with every shape and type inferred, strictly."""
    onnx.checker.check_model(model, full_check=True)
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def run(model: ModelProto, **arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """All outputs on onnxruntime's CPU provider, one thread, the graph as it is written."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs: list[NDArray[Any]] = session.run(None, arrays)
    return outputs


def operators(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def values(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def types(model: ModelProto) -> dict[str, str]:
    """Element type of every tensor, by name."""
    graph = checked(model).graph
    found = {each.name: each.type.tensor_type.elem_type for each in (*graph.value_info, *graph.input, *graph.output)}
    found |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    return {name: TensorProto.DataType.Name(kind) for name, kind in found.items()}


def precision(model: ModelProto, operator: str) -> str:
    """The type of the first output of the first node of this kind."""
    return next(types(model)[node.output[0]] for node in model.graph.node if node.op_type == operator)


def back_to_back(model: ModelProto) -> list[str]:
    """Casts from float to float right behind another; by way of an integer they round, and are the network's own."""
    wiring, kinds = Wiring(model.graph), types(model)
    casts = [
        node
        for node in model.graph.node
        if node.op_type == "Cast" and all(kinds[name].startswith("FLOAT") for name in (node.input[0], node.output[0]))
    ]
    return [label(node) for node in casts if wiring.producer.get(node.input[0]) in casts]


def cast_twice(model: ModelProto) -> list[str]:
    sources = [node.input[0] for node in model.graph.node if node.op_type == "Cast"]
    return [name for name in sources if sources.count(name) > 1]
