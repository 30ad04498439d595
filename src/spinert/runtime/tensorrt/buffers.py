"""What a thread runs an engine with: one stream, and for each batch size a context, memory and a CUDA graph.

A context is not for two threads, and a captured graph is not for a context that is used otherwise meanwhile. Nothing is
allocated once a thread has met a batch size. NumPy arrays go through page-locked memory; after a first run of a batch
size the copies and the engine are one graph. Arrays of a device are read where they lie.
"""

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import TensorSpec
from spinert.errors import BadNetwork, DeviceError
from spinert.kernels import device
from spinert.runtime.network import Arrays
from spinert.runtime.tensorrt.opened import Opened

DEVICE = 0
ALIGNMENT = 256
"""Of the addresses that TensorRT takes, in bytes."""
POISON = 0x7F
"""Each byte of the outputs before a new graph is tried: 3e38 as float32, not a number as float16."""
AGREE = 1e-2
"""How far a graph may be from the run before it, as a share of the largest magnitude: it is the same work."""
KEPT = 4
"""Batch sizes that a thread keeps buffers for, the last ones used."""


class Lane:
    """What one thread runs an engine with: its stream and its buffers."""

    def __init__(self, engine: Opened) -> None:
        self.engine = engine
        self.stream = device.Stream(device=DEVICE)
        self._before, self._after = device.Event(DEVICE), device.Event(DEVICE)
        self._buffers: dict[tuple[int, bool], Buffers] = {}
        self._held: dict[str, Any] = {}

    def __del__(self) -> None:
        """What was queued ends, and contexts go, before the engine does."""
        with suppress(Exception):  # a device that is lost, or an interpreter that ends
            self.stream.synchronize()
            self._buffers.clear()

    def run(self, arrays: Arrays, batch: int) -> dict[str, NDArray[Any]]:
        """NumPy arrays in, page-locked NumPy arrays out."""
        buffers = self._of(batch, on_device=False)
        for name, (pinned, _) in buffers.inputs.items():
            pinned[...] = arrays[name]
        if buffers.graph is not None:
            buffers.graph.launch()
        else:
            buffers.copy_and_run()
        self.stream.synchronize()
        if not buffers.warm:
            buffers.capture()
        return dict(buffers.results)

    def queue(self, arrays: dict[str, Any], batch: int) -> dict[str, Any]:
        """DeviceArrays in, DeviceArrays of this lane's stream out; what the inputs' streams hold comes first."""
        buffers = self._of(batch, on_device=True)
        others = {array.stream.handle: array.stream for array in arrays.values()}
        others.pop(self.stream.handle, None)
        for other in others.values():
            self._before.record(other)
            self.stream.wait(self._before)
        buffers.run(arrays)
        self._held = arrays  # until the next run is queued, whatever their owner does
        for other in others.values():  # nobody may write to the inputs before they were read
            self._after.record(self.stream)
            other.wait(self._after)
        return {name: array for name, (array, _) in buffers.outputs.items()}

    def _of(self, batch: int, *, on_device: bool) -> "Buffers":
        """Those of this batch size, made when it is met first; the least recently used are given up."""
        key = (batch, on_device)
        buffers = self._buffers.pop(key, None) or Buffers(self, batch, on_device)
        self._buffers[key] = buffers
        if len(self._buffers) > KEPT:
            self.stream.synchronize()
            del self._buffers[next(iter(self._buffers))]
        return buffers


class Buffers:
    """An execution context for one batch size, with all the memory it works in and, of NumPy arrays, its graph."""

    def __init__(self, lane: Lane, batch: int, on_device: bool) -> None:
        self._engine, self._stream = lane.engine, lane.stream
        self._context = self._engine.context()
        self.graph: Any = None
        self._copies: dict[str, Any] = {}
        self.warm = on_device
        self.inputs: dict[str, tuple[NDArray[Any], Any]] = {}
        self.outputs: dict[str, tuple[Any, NDArray[Any] | None]] = {}
        for spec in self._engine.inputs:
            shape = _shape(spec, batch)
            if not self._context.set_input_shape(spec.name, shape):
                raise BadNetwork(
                    f"input {spec.name!r} has batch {batch}, for which the engine was not built",
                    f"pass fewer at once, or build it for more: spinert build --batch {batch}",
                )
            if not on_device:
                self.inputs[spec.name] = (device.pinned(shape, spec.dtype), self._empty(shape, spec.dtype))
                self._place(spec.name, self.inputs[spec.name][1])
        if missing := self._not_given():
            raise BadNetwork(
                f"the engine does not run with the inputs of its bundle alone: {', '.join(missing)} is not given",
                "export the bundle again, then build its engine",
            )
        for spec in self._engine.outputs:
            shape = _shape(spec, batch)
            if (made := tuple(self._context.get_tensor_shape(spec.name))) != shape:
                raise BadNetwork(
                    f"the engine makes output {spec.name!r} of shape {list(made)}, the bundle says {list(shape)}",
                    "export the bundle again, then build its engine",
                )
            pinned = None if on_device else device.pinned(shape, spec.dtype)
            self.outputs[spec.name] = (self._empty(shape, spec.dtype), pinned)
            self._place(spec.name, self.outputs[spec.name][0])
        self.results = {name: pinned for name, (_, pinned) in self.outputs.items() if pinned is not None}
        scratch = int(self._context.update_device_memory_size_for_shapes())
        self._scratch = self._empty((max(scratch, 1),), "uint8")
        self._context.set_device_memory(_address(self._scratch), scratch)

    def run(self, arrays: dict[str, Any]) -> None:
        """Queue the engine on these inputs."""
        for name, array in arrays.items():
            self._place(name, self._aligned(name, array))
        self._enqueue()

    def copy_and_run(self) -> None:
        """Queue the copies and the engine between them."""
        for pinned, array in self.inputs.values():
            device.upload(pinned, array)
        self._enqueue()
        for array, host in self.outputs.values():
            if host is not None:
                device.download(array, host)

    def capture(self) -> None:
        """The same as a graph. An engine that cannot be captured is queued anew each time, as it just was.

        So is one whose graph does not compute what was computed just now, which the results still hold.
        """
        self.warm = True
        capturable = getattr(self._context, "is_stream_capturable", None)
        if self._engine.graphs and (capturable is None or capturable(self._stream.handle)):
            graph = device.Graph(self._stream)
            expected = {name: array.copy() for name, array in self.results.items()}
            try:
                with graph:
                    self.copy_and_run()
                if self._computes(graph, expected):
                    self.graph = graph
            except DeviceError:
                pass  # what was computed before is there; a device that is lost says so again in the next run
            for name, array in expected.items():
                self.results[name][...] = array
        if self.graph is None:
            self._engine.queued_anew()

    def _computes(self, graph: Any, expected: dict[str, NDArray[Any]]) -> bool:
        """Whether a graph writes over poisoned outputs what is expected."""
        for name, (array, _) in self.outputs.items():
            self.results[name].view(np.uint8)[...] = POISON
            device.upload(self.results[name], array)
        graph.launch()
        self._stream.synchronize()
        return all(_agree(self.results[name], array) for name, array in expected.items())

    def _not_given(self) -> list[str]:
        mark = self._engine.mark()
        try:
            missing: list[str] = self._context.infer_shapes()
        except RuntimeError:
            raise self._engine.failed("inferring the shapes of", mark) from None
        return missing

    def _enqueue(self) -> None:
        mark = self._engine.mark()
        if not self._context.execute_async_v3(self._stream.handle):
            raise self._engine.failed("running", mark)

    def _aligned(self, name: str, array: Any) -> Any:
        """The array where it lies; a part of another one, which may begin anywhere, as a copy."""
        if _address(array) % ALIGNMENT == 0:
            return array
        if name not in self._copies:
            self._copies[name] = self._empty(array.shape, array.dtype.name)
        device.copy(array, self._copies[name], self._stream)
        return self._copies[name]

    def _place(self, name: str, array: Any) -> None:
        mark = self._engine.mark()
        if not self._context.set_tensor_address(name, _address(array)):
            raise self._engine.failed(f"giving tensor {name!r} to", mark)

    def _empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        return device.empty(shape, dtype, self._stream)


def _shape(spec: TensorSpec, batch: int) -> tuple[int, ...]:
    return tuple(batch if size is None else size for size in spec.shape)


def _agree(array: NDArray[Any], expected: NDArray[Any]) -> bool:
    magnitude = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0))
    return bool(np.allclose(array, expected, rtol=AGREE, atol=AGREE * magnitude, equal_nan=True))


def _address(array: Any) -> int:
    return int(array.__cuda_array_interface__["data"][0])
