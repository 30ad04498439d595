"""Rules that a file of any precision keeps."""

from collections.abc import Iterator

from onnx import AttributeProto, ModelProto, TensorProto

from spinert.calibrate.graph import label
from spinert.calibrate.lint.subject import Subject

LEAST_OPSET = 19
"""The first whose QuantizeLinear and DequantizeLinear take float16."""

ONNX = ("", "ai.onnx")


def inputs_and_outputs_are_float32(subject: Subject) -> Iterator[tuple[str, str]]:
    """A pipeline gives and takes the same arrays whatever the precision (`TensorSpec` of the bundle)."""
    for value in (*subject.model.graph.input, *subject.model.graph.output):
        kind = value.type.tensor_type.elem_type
        if kind != TensorProto.FLOAT:
            yield value.name, f"is {TensorProto.DataType.Name(kind)}, expected FLOAT"


def operators_are_those_of_onnx(model: ModelProto) -> Iterator[tuple[str, str]]:
    """TensorRT, OpenVINO and onnxruntime share ONNX's own operators and nothing else."""
    for node in model.graph.node:
        if node.domain not in ONNX:
            yield label(node), f"{node.op_type} is of domain {node.domain!r}, expected ONNX's own"
    for entry in model.opset_import:
        if entry.domain in ONNX and entry.version < LEAST_OPSET:
            yield model.graph.name, f"opset is {entry.version}, expected {LEAST_OPSET} or newer"
    for function in model.functions:
        yield function.name, "is a function of the file's own, expected operators"


def nodes_hold_no_graphs(model: ModelProto) -> Iterator[tuple[str, str]]:
    """What lies in the branches of an If or Loop would be judged by no rule, and no engine fuses across them."""
    for node in model.graph.node:
        if any(each.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute):
            yield label(node), f"{node.op_type} holds a graph of its own, expected a network without control flow"


def batch_normalization_is_folded(subject: Subject) -> Iterator[tuple[str, str]]:
    """It would be an operator in float behind every quantized one, and its factors leave FP16's range easily."""
    for node in subject.of("BatchNormalization"):
        yield label(node), "is a BatchNormalization, expected it folded into weights"


def no_data_lies_outside_the_file(model: ModelProto) -> Iterator[tuple[str, str]]:
    """A bundle holds no file that its manifest does not hash."""
    values = [each.t for node in model.graph.node for each in node.attribute]
    for tensor in (*model.graph.initializer, *values):
        if tensor.data_location == TensorProto.EXTERNAL:
            yield tensor.name, "has its data in another file, expected it in this one"
