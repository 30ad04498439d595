"""A graph run word for word on the CPU: every QuantizeLinear and Cast is carried out where it stands, nothing is fused.

It is slow, and the same on every machine and for every target: what the arithmetic of a file does to a result, before
any library has made an engine of it.
"""

import onnx

from spinert.bundle import NetworkSpec
from spinert.errors import BadNetwork, CalibrationFailed
from spinert.runtime.backends.ort import OrtNetwork, open_session


def open_literally(model: onnx.ModelProto, spec: NetworkSpec, *, threads: int) -> OrtNetwork:
    """The graph as a network. Raises CalibrationFailed where onnxruntime refuses it."""
    try:
        session = open_session(model.SerializeToString(), "the rewritten graph", threads=threads, literally=True)
    except BadNetwork as error:
        raise CalibrationFailed(
            error.problem, "report the network: one of its operators is rewritten wrongly"
        ) from None
    return OrtNetwork(session, spec)
