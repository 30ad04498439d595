"""A torch.export program as an ONNX model that is fit to be shipped.

Pinned opset, free batch and everything else fixed, BatchNormalization folded away, no external data, no trace of the
machine it was made on, and the same bytes every time.
"""

import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

import spinert
from spinert.bundle import TensorSpec
from spinert.errors import ExportFailed

OPSET = 20
BATCH = "batch"


def convert(
    program: torch.export.ExportedProgram, *, network: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> onnx.ModelProto:
    """The program as a checked ONNX model with these tensor names, in order.

    Raises ExportFailed when torch cannot convert it, or the result is not fixed in all but its batch.
    """
    try:
        with warnings.catch_warnings():
            # torch copies its own tree specs in a way that it has itself deprecated
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            exported = torch.onnx.export(
                program, (), dynamo=True, opset_version=OPSET, input_names=inputs, output_names=outputs, verbose=False
            )
    except Exception as error:  # torch wraps whatever a translation runs into
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportFailed(
            f"torch cannot write network {network!r} as ONNX: {reason[0]}",
            "replace the operators that ONNX lacks",
        ) from error
    assert exported is not None
    model: onnx.ModelProto = exported.model_proto
    fold_batch_normalization(model.graph)
    _strip(model)
    model.graph.name = network
    model.producer_name = "spinert"
    model.producer_version = f"{spinert.__version__} (torch {torch.__version__})"
    return _checked(model)


def specs_of(values: Iterable[onnx.ValueInfoProto]) -> tuple[TensorSpec, ...]:
    """Name, dtype and shape of each tensor. Raises ExportFailed unless it is float32, [free batch, fixed...]."""
    specs = []
    for value in values:
        tensor = value.type.tensor_type
        shape = tuple(axis.dim_value or None for axis in tensor.shape.dim)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        spec = TensorSpec(value.name, dtype, shape)
        if not shape or shape[0] is not None:
            raise ExportFailed(
                f"tensor {spec}: its batch is not free",
                'export the program with dynamic_shapes={..: {0: torch.export.Dim("batch")}} and an example batch of 2',
            )
        if None in shape[1:]:
            raise ExportFailed(f"tensor {spec}: only the batch may be free", "export the program with a fixed size")
        if dtype != "float32":
            raise ExportFailed(f"tensor {spec}: expected float32", "cast inside the network")
        specs.append(spec)
    return tuple(specs)


def fold_batch_normalization(graph: onnx.GraphProto) -> None:
    """Take every BatchNormalization out of the graph, in place.

    y = factor * x + shift for each channel, factor = scale / sqrt(variance + epsilon), shift = bias - mean * factor,
    goes into the weights of the Conv, ConvTranspose or Gemm that alone feeds it (torch's own optimizer does most of
    these), and becomes Mul and Add elsewhere: after a concatenation, or where the layer has a second reader.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(output.name for output in graph.output)
    made_by = {name: node for node in graph.node for name in node.output}
    nodes: list[onnx.NodeProto] = []
    added: list[onnx.TensorProto] = []
    for node in graph.node:
        if node.op_type != "BatchNormalization":
            nodes.append(node)
            continue
        scale, bias, mean, variance = (_float64(constants, name, node) for name in node.input[1:5])
        factor = scale / np.sqrt(variance + _attribute(node, "epsilon", 1e-5))
        shift = bias - mean * factor
        layer = made_by.get(node.input[0])
        if layer is not None and readers[node.input[0]] == 1 and _takes(layer, constants):
            added += _fold_into(layer, constants, factor, shift)
            layer.output[0] = node.output[0]
            made_by[node.output[0]] = layer
        else:
            replacement, tensors = _scale_and_shift(node, factor, shift, _rank(graph, node.input[0]))
            nodes += replacement
            added += tensors
            made_by |= {name: each for each in replacement for name in each.output}
        constants |= {tensor.name: tensor for tensor in added}
    used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in [*graph.initializer, *added] if tensor.name in used]
    for field, values in ((graph.node, nodes), (graph.initializer, kept)):
        copies = [type(value).FromString(value.SerializeToString()) for value in values]
        del field[:]
        field.extend(copies)


def _takes(layer: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether a per-channel factor and shift can go into this node's weights."""
    plain_gemm = layer.op_type == "Gemm" and _attribute(layer, "alpha", 1.0) == _attribute(layer, "beta", 1.0) == 1.0
    return (layer.op_type in ("Conv", "ConvTranspose") or plain_gemm) and all(
        name in constants for name in layer.input[1:] if name
    )


def _fold_into(
    layer: onnx.NodeProto,
    constants: dict[str, onnx.TensorProto],
    factor: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> list[onnx.TensorProto]:
    """Give the layer weights and a bias of its own (others may read the old ones); returns the new tensors."""
    weight = _float64(constants, layer.input[1], layer)
    groups = _attribute(layer, "group", 1)
    if layer.op_type == "ConvTranspose":  # [in, out / groups, ...]
        grouped = weight.reshape(groups, -1, *weight.shape[1:])
        per_channel = factor.reshape(groups, 1, -1, *[1] * (weight.ndim - 2))
        folded = (grouped * per_channel).reshape(weight.shape)
    elif layer.op_type == "Gemm" and not _attribute(layer, "transB", 0):  # [in, out]
        folded = weight * factor
    else:  # [out, in / groups, ...]
        folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
    has_bias = len(layer.input) > 2 and layer.input[2]
    bias = _float64(constants, layer.input[2], layer) * factor + shift if has_bias else shift
    stem = layer.output[0]
    del layer.input[2:]
    layer.input[1] = f"{stem}.folded_weight"
    layer.input.append(f"{stem}.folded_bias")
    return [_float32(folded, layer.input[1]), _float32(bias, layer.input[2])]


def _scale_and_shift(
    node: onnx.NodeProto, factor: NDArray[np.float64], shift: NDArray[np.float64], rank: int
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    source, target = node.input[0], node.output[0]
    names = f"{target}.factor", f"{target}.shift"
    along_channels = (-1, *[1] * (rank - 2))
    tensors = [
        _float32(values.reshape(along_channels), name) for values, name in zip((factor, shift), names, strict=True)
    ]
    scaled = f"{target}.scaled"
    return [
        onnx.helper.make_node("Mul", [source, names[0]], [scaled]),
        onnx.helper.make_node("Add", [scaled, names[1]], [target]),
    ], tensors


def _rank(graph: onnx.GraphProto, name: str) -> int:
    for value in [*graph.value_info, *graph.input, *graph.output]:
        if value.name == name:
            return len(value.type.tensor_type.shape.dim)
    raise ExportFailed(
        f"the rank of {name!r}, which a BatchNormalization reads, is unknown", "export it with torch >= 2.9"
    )


def _float64(constants: dict[str, onnx.TensorProto], name: str, node: onnx.NodeProto) -> NDArray[np.float64]:
    if name not in constants:
        raise ExportFailed(
            f"{node.op_type} {node.output[0]!r} computes its parameter {name!r}",
            "export the network in evaluation mode",
        )
    return numpy_helper.to_array(constants[name]).astype(np.float64)


def _float32(values: NDArray[np.float64], name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    return next((onnx.helper.get_attribute_value(each) for each in node.attribute if each.name == name), default)


def _strip(model: onnx.ModelProto) -> None:
    """Drop what torch notes about its source (stack traces with file paths, module names), and number the nodes."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")
    del graph.value_info[:]
    for index, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{index}"
    for value in (*graph.input, *graph.output):
        for axis in list(value.type.tensor_type.shape.dim)[:1]:
            if axis.dim_param:
                axis.dim_param = BATCH


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every shape inferred. Raises ExportFailed where it is not plain ONNX of the pinned opset."""
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    if opsets != {"": OPSET} or model.functions:
        raise ExportFailed(
            f"the graph needs operator sets {opsets}, expected only ONNX's own, version {OPSET}",
            "replace the operators that are not part of ONNX",
        )
    specs_of([*model.graph.input, *model.graph.output])
    try:
        onnx.checker.check_model(model, full_check=True)
        return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportFailed(f"the ONNX graph is not valid: {error}", "export the network with a newer torch") from error
