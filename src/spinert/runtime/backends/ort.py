"""onnxruntime on the CPU."""

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec, Precision, TensorSpec
from spinert.errors import BadNetwork
from spinert.runtime.network import Arrays, check_arrays

SCORE = {"cpu": 10}
PROVIDER = "CPUExecutionProvider"

_ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}


def missing() -> str | None:
    """None when onnxruntime is installed, else how to install it."""
    if find_spec("onnxruntime") is None:
        return 'onnxruntime is not installed: pip install "spinert[cpu]"'
    return None


def library() -> Any:
    """The module onnxruntime, imported without its telemetry unless the user's environment asks for it.

    From 1.29 on it reports to its maker from the first import, and only what the environment says before that keeps it
    from doing so: whoever needs the library gets it here.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def open_network(path: Path, spec: NetworkSpec, *, threads: int) -> "OrtNetwork":
    """Open an ONNX file on `threads` threads and compare its tensors with the spec.

    Raises BadNetwork where onnxruntime refuses the file or a tensor differs from the spec.
    """
    # its integer kernels are for files that were written for them: given float16 scales it computes wrong values, and
    # without kernels that fit it rounds more often than the file says
    session = open_session(path, path.name, threads=threads, integer=_precision_of(path, spec) == "int8-cpu")
    _check_tensors(path.name, "input", session.get_inputs(), spec.inputs)
    _check_tensors(path.name, "output", session.get_outputs(), spec.outputs)
    return OrtNetwork(session, spec)


def open_session(
    model: Path | bytes, name: str, *, threads: int, integer: bool = False, literally: bool = False
) -> Any:
    """An onnxruntime session on the CPU.

    integer     whether Q/DQ pairs may be fused into integer kernels
    literally   every node is carried out where it stands: nothing is fused, folded or moved
    Raises BadNetwork, calling the model by its name, where onnxruntime refuses it.
    """
    onnxruntime = library()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if literally:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if not integer:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(model, options, providers=[PROVIDER])
    except Exception as error:  # onnxruntime's own exception classes share no base but this one
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise BadNetwork(
            f"onnxruntime {onnxruntime.__version__} cannot open {name}: {reason[0]}",
            "export the bundle again, or update onnxruntime",
        ) from None


def _precision_of(path: Path, spec: NetworkSpec) -> Precision | None:
    """The precision that the bundle calls this file; None for a file that it does not name."""
    whole = path.as_posix()
    return next((each for each, file in spec.files.items() if f"/{whole}".endswith(f"/{file}")), None)


class OrtNetwork:
    """One session, shared by all threads; each thread keeps its own binding and output buffers."""

    backend = "onnxruntime"
    provider = PROVIDER

    def __init__(self, session: Any, spec: NetworkSpec) -> None:
        self.inputs = spec.inputs
        self.outputs = spec.outputs
        self._session: Any | None = session
        self._slots = threading.local()

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        session = self._session
        if session is None:
            raise BadNetwork("the network was closed", "load the model again")
        batch = check_arrays(self.inputs, arrays)
        binding, outputs = self._slot(session, batch)
        binding.clear_binding_inputs()
        for spec in self.inputs:
            binding.bind_cpu_input(spec.name, arrays[spec.name])
        session.run_with_iobinding(binding)
        return dict(outputs)

    def close(self) -> None:
        self._session = None
        self._slots = threading.local()

    def _slot(self, session: Any, batch: int) -> tuple[Any, dict[str, NDArray[Any]]]:
        """This thread's binding with bound output buffers, made anew only when the batch size changes."""
        slot = getattr(self._slots, "slot", None)
        if slot is not None and slot[0] == batch:
            return slot[1], slot[2]
        binding = session.io_binding()
        outputs: dict[str, NDArray[Any]] = {}
        for spec in self.outputs:
            shape = tuple(batch if size is None else size for size in spec.shape)
            outputs[spec.name] = np.empty(shape, spec.dtype)
            binding.bind_output(spec.name, "cpu", 0, np.dtype(spec.dtype), shape, outputs[spec.name].ctypes.data)
        self._slots.slot = (batch, binding, outputs)
        return binding, outputs


def _check_tensors(file: str, kind: str, found: Any, expected: tuple[TensorSpec, ...]) -> None:
    have = tuple(
        TensorSpec(
            tensor.name,
            _ONNX_TYPES.get(tensor.type, tensor.type),
            tuple(size if isinstance(size, int) else None for size in tensor.shape),
        )
        for tensor in found
    )
    if have != expected:
        raise BadNetwork(
            f"{kind}s of {file} are {'; '.join(map(str, have))}, the bundle says {'; '.join(map(str, expected))}",
            "export the bundle again",
        )
