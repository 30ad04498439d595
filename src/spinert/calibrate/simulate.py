"""A graph run word for word on the CPU: every QuantizeLinear and rounding is carried out where it stands.

It is slow, and the same on every machine and for every target: what the arithmetic of a file does to a result, before
any library has made an engine of it.
"""

import onnx
from onnx import TensorProto, helper, numpy_helper

from spinert.bundle import NetworkSpec
from spinert.calibrate.graph import attribute, element_types, flat, rebuild
from spinert.errors import BadNetwork, CalibrationFailed
from spinert.runtime.backends.ort import OrtNetwork, open_session


def open_literally(model: onnx.ModelProto, spec: NetworkSpec, *, threads: int) -> OrtNetwork:
    """The graph as a network. Raises CalibrationFailed where onnxruntime refuses it."""
    try:
        session = open_session(
            rounded(model).SerializeToString(), "the rewritten graph", threads=threads, literally=True
        )
    except BadNetwork as error:
        raise CalibrationFailed(
            error.problem, "report the network: one of its operators is rewritten wrongly"
        ) from None
    return OrtNetwork(session, spec)


def rounded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph in float32, with every float16 tensor rounded to float16 where it is made; others are left as they are.

    onnxruntime has no float16 kernels on a CPU: it computes such nodes in float32 and takes out the casts between them,
    so that nothing but the weights would be rounded, and nothing could overflow.
    """
    types = element_types(model)
    if TensorProto.FLOAT16 not in types.values():
        return model
    copy = flat(model)
    for tensor in copy.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float32"), tensor.name))
    nodes: list[onnx.NodeProto] = []
    for node in copy.graph.node:
        if node.op_type == "Cast" and attribute(node, "to", 0) == TensorProto.FLOAT16:
            nodes += _rounding(node.input[0], node.output[0])
            continue
        nodes.append(node)
        for place, name in enumerate(node.output):
            if types.get(name) == TensorProto.FLOAT16:
                node.output[place] = f"{name}/exact"
                nodes += _rounding(f"{name}/exact", name)
    rebuild(copy.graph, nodes, list(copy.graph.initializer))
    return copy


def _rounding(source: str, target: str) -> list[onnx.NodeProto]:
    half = f"{target}/half"
    return [
        helper.make_node("Cast", [source], [half], to=TensorProto.FLOAT16, name=f"Round {target}"),
        helper.make_node("Cast", [half], [target], to=TensorProto.FLOAT, name=f"Back {target}"),
    ]
