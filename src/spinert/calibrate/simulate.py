"""A graph run word for word on the CPU: every QuantizeLinear and Cast is carried out where it stands, nothing is fused.

It is slow, and the same on every machine and for every target: what the arithmetic of a file does to a result, before
any library has made an engine of it.
"""

import onnx

from spinert.bundle import NetworkSpec
from spinert.errors import CalibrationFailed
from spinert.runtime.backends.ort import PROVIDER, OrtNetwork, library


def open_literally(model: onnx.ModelProto, spec: NetworkSpec, *, threads: int) -> OrtNetwork:
    """The graph as a network. Raises CalibrationFailed where onnxruntime refuses it."""
    onnxruntime = library()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=[PROVIDER])
    except Exception as error:  # onnxruntime's own exception classes share no base but this one
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CalibrationFailed(
            f"onnxruntime {onnxruntime.__version__} refuses the rewritten graph: {reason[0]}",
            "report the network: one of its operators is rewritten wrongly",
        ) from None
    return OrtNetwork(session, spec)
