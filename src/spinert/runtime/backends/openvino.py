"""OpenVINO on the CPU.

One model is compiled with its batch left free: measured on 2-D networks in FP32 and INT8, compiling anew for each batch
size is no faster. Nothing is cached on disk, and OpenVINO's telemetry, which would report its very import, is kept out.
"""

import sys
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadNetwork
from spinert.runtime.network import Arrays, check_arrays

SCORE = {"cpu": 5}

_SETTINGS = {
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
    # precision is a property of the file: without these OpenVINO computes in bfloat16 where the processor has it
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    # the box beside the scanner has other work too: a pinned thread waits for its own core while others are idle
    "ENABLE_CPU_PINNING": False,
}

_TELEMETRY = "openvino_telemetry"
_PLACES = ("Exception from ", "Check '", "FrontEnd API failed", "Summary:")
_importing = threading.Lock()


def missing() -> str | None:
    """None when OpenVINO is installed, else how to install it."""
    if find_spec("openvino") is None:
        return 'openvino is not installed: pip install "spinert[openvino]"'
    return None


def open_network(path: Path, spec: NetworkSpec, *, threads: int) -> "OpenvinoNetwork":
    """Open an ONNX file on `threads` threads and compare its tensors with the spec.

    Raises BadNetwork where OpenVINO refuses the file or a tensor differs from the spec.
    """
    openvino = _import()
    version = openvino.__version__.split("-")[0]
    try:
        # the front end by name: left to guess, OpenVINO tries every format that it knows on a broken file
        reader = openvino.frontend.FrontEndManager().load_by_framework("onnx")
        model = reader.convert(reader.load(str(path)))
        _check_tensors(path.name, "input", model.inputs, spec.inputs)
        _check_tensors(path.name, "output", model.outputs, spec.outputs)
        with _importing:
            core = _core(openvino)
        compiled = core.compile_model(model, "CPU", {**_SETTINGS, "INFERENCE_NUM_THREADS": threads})
    except BadNetwork:
        raise
    except Exception as error:  # openvino's own exception classes share no base but this one
        raise BadNetwork(
            f"openvino {version} cannot open {path.name}: {_reason(error)}",
            "export the bundle again, or update openvino",
        ) from None
    return OpenvinoNetwork(compiled, spec, f"OpenVINO {version} CPU")


class OpenvinoNetwork:
    """One compiled model, shared by all threads; each thread keeps its own request and output buffers."""

    backend = "openvino"

    def __init__(self, compiled: Any, spec: NetworkSpec, provider: str) -> None:
        self.inputs = spec.inputs
        self.outputs = spec.outputs
        self.provider = provider
        self._compiled: Any | None = compiled
        self._slots = threading.local()

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        compiled = self._compiled
        if compiled is None:
            raise BadNetwork("the network was closed", "load the model again")
        batch = check_arrays(self.inputs, arrays)
        request, outputs = self._slot(compiled, batch)
        for place, spec in enumerate(self.inputs):
            request.set_input_tensor(place, _tensor(arrays[spec.name]))
        request.infer()
        return dict(outputs)

    def close(self) -> None:
        self._compiled = None
        self._slots = threading.local()

    def _slot(self, compiled: Any, batch: int) -> tuple[Any, dict[str, NDArray[Any]]]:
        """This thread's request with its output buffers set, made anew only when the batch size changes."""
        slot = getattr(self._slots, "slot", None)
        if slot is not None and slot[0] == batch:
            return slot[1], slot[2]
        request = compiled.create_infer_request()
        outputs: dict[str, NDArray[Any]] = {}
        for place, spec in enumerate(self.outputs):
            outputs[spec.name] = np.empty([batch if size is None else size for size in spec.shape], spec.dtype)
            request.set_output_tensor(place, _tensor(outputs[spec.name]))
        self._slots.slot = (batch, request, outputs)
        return request, outputs


@cache
def _core(openvino: Any) -> Any:
    """One for the process, and for good: with each, OpenVINO gives the thread a stack for signals and takes it away.

    Two that end in the order in which they began leave one that is gone, and the next Ctrl-C ends in a crash.
    """
    return openvino.Core()


def _import() -> Any:
    """The library without its telemetry: where that package cannot be imported, OpenVINO goes without it."""
    with _importing:
        kept_out = _TELEMETRY not in sys.modules
        if kept_out:
            sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # how Python says: not importable
        try:
            import openvino
            import openvino.frontend
        finally:
            if kept_out:
                del sys.modules[_TELEMETRY]
    return openvino


def _tensor(array: NDArray[Any]) -> Any:
    """The array itself as OpenVINO's tensor; a copy of one that is read-only, which OpenVINO does not take."""
    from openvino import Tensor

    return Tensor(array, shared_memory=array.flags.writeable)


def _reason(error: Exception) -> str:
    """OpenVINO's message without the lines that only name places in its sources."""
    lines = [line.strip(" -") for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(_PLACES)]
    return " ".join(told[:3]) or type(error).__name__


def _check_tensors(file: str, kind: str, found: Any, expected: tuple[TensorSpec, ...]) -> None:
    have = tuple(_spec_of(tensor, expected) for tensor in found)
    if have != expected:
        raise BadNetwork(
            f"{kind}s of {file} are {'; '.join(map(str, have))}, the bundle says {'; '.join(map(str, expected))}",
            "export the bundle again",
        )


def _spec_of(tensor: Any, expected: tuple[TensorSpec, ...]) -> TensorSpec:
    """A tensor may go by several names, of which one is that of the ONNX file."""
    names = sorted(tensor.names)
    wanted = {spec.name for spec in expected}
    return TensorSpec(
        next((name for name in names if name in wanted), names[0] if names else ""),
        tensor.element_type.to_dtype().name,
        tuple(None if size.is_dynamic else size.get_length() for size in tensor.partial_shape),
    )
