"""An opened engine as a Network: each thread runs it with buffers and a stream of its own.

Results of NumPy arrays are NumPy arrays; those of arrays on the device are DeviceArrays, queued behind the stream that
the inputs belong to.
"""

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec
from spinert.errors import BadNetwork
from spinert.kernels import device
from spinert.runtime.network import Arrays, check_arrays
from spinert.runtime.tensorrt.buffers import DEVICE, Lane
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.opened import Opened


def open_plan(
    library: Library,
    plan: bytes,
    spec: NetworkSpec,
    file: str,
    *,
    host_code: bool,
    graphs: bool = True,
    kernels: bytes = b"",
) -> "EngineNetwork":
    """Open an engine; the arguments and errors are those of `Opened`."""
    return EngineNetwork(Opened(library, plan, spec, file, host_code=host_code, graphs=graphs, kernels=kernels))


class EngineNetwork:
    """One engine, shared by all threads. It is run where its arrays lie, always on the first device."""

    backend = "tensorrt"

    def __init__(self, engine: Opened) -> None:
        self.inputs = engine.inputs
        self.outputs = engine.outputs
        self._engine: Opened | None = engine
        self.provider = engine.provider
        self._lanes = threading.local()

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """As every Network. Arrays of a device go in and come out without a copy, and nothing waits for them."""
        engine = self._engine
        if engine is None:
            raise BadNetwork("the network was closed", "load the model again")
        if not any(map(device.is_on_device, arrays.values())):
            results = self._lane(engine).run(arrays, check_arrays(self.inputs, arrays))
            self.provider = engine.provider  # which says by now whether there is a graph
            return results
        taken = {name: _taken(name, array) for name, array in arrays.items()}
        batch = check_arrays(self.inputs, {name: _described(array) for name, array in taken.items()})
        results = self._lane(engine).queue(taken, batch)
        self.provider = engine.without_graph
        return results

    def close(self) -> None:
        self._engine = None
        self._lanes = threading.local()

    def compiled(self) -> bytes:
        """As `Opened.compiled`; nothing of a closed network."""
        return b"" if self._engine is None else self._engine.compiled()

    def _lane(self, engine: Opened) -> Lane:
        lane: Lane | None = getattr(self._lanes, "lane", None)
        if lane is None:
            lane = self._lanes.lane = Lane(engine)
        return lane


def _taken(name: str, array: Any) -> Any:
    if not device.is_on_device(array):
        raise BadNetwork(f"input {name!r} lies in host memory, another on a device", "pass all inputs in one place")
    if not isinstance(array, device.DeviceArray):
        # which stream wrote it is not known, so the engine could read it too early
        raise BadNetwork(
            f"input {name!r} is an array of another library, which does not say on which stream it is written",
            "take it first: spinert.kernels.device.device_array(array, Stream(...)), with the stream that writes it",
        )
    taken = array
    if taken.device != DEVICE:
        raise BadNetwork(
            f"input {name!r} lies on device {taken.device}, the engine on device {DEVICE}",
            f"copy it to device {DEVICE}",
        )
    return taken


def _described(array: Any) -> Any:
    """A DeviceArray, which is in C order always, with what `check_arrays` asks of NumPy arrays."""
    return SimpleNamespace(shape=array.shape, dtype=np.dtype(array.dtype), flags=SimpleNamespace(c_contiguous=True))
