"""An opened engine as a Network: buffers, streams and graphs; nothing is allocated once a thread has met a batch size.

Each thread has one stream, and for each batch size an execution context with its own scratch memory: a context is not
for two threads, and a captured graph is not for a context that is used otherwise meanwhile. NumPy arrays go through
page-locked memory; after a first run of a batch size the copies and the engine are one CUDA graph. Arrays of a device
are read where they lie, behind the stream they belong to, and the results are DeviceArrays.
"""

import re
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadNetwork, DeviceError, NoEngine
from spinert.kernels import device
from spinert.runtime.network import Arrays, check_arrays
from spinert.runtime.tensorrt.compile import NUMPY_NAMES
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.messages import logger

ALIGNMENT = 256
"""Of the addresses that TensorRT takes, in bytes."""
KEPT = 4
"""Batch sizes that a thread keeps buffers for, the last ones used."""
# an engine for another compute capability is no failure of the device, though CUDA is named there too
_OF_CUDA = re.compile(r"cudaError|Cuda Runtime|Cuda Driver|CUDA (initialization|driver|error)|[Oo]ut ?[Oo]f ?[Mm]emory")
REMEDY = "run `spinert doctor`; another program may hold the device's memory"


def open_plan(
    library: Library, plan: bytes, spec: NetworkSpec, file: str, *, host_code: bool, graphs: bool = True
) -> "EngineNetwork":
    """Open an engine and compare its tensors with the spec.

    host_code   allows a plan that carries code
    graphs      False queues the work of each run anew, to see what a graph is worth

    Raises DeviceError where there is no device, NoEngine where the library refuses the plan, BadNetwork where a tensor
    differs from the spec.
    """
    module, log = library.module, logger(library.module)
    mark = log.messages.mark()
    try:
        runtime = module.Runtime(log)
    except TypeError:  # how the bindings say that there is none
        raise DeviceError(f"{library} cannot start: {log.messages.errors(mark)}", REMEDY) from None
    runtime.engine_host_code_allowed = host_code
    opened = runtime.deserialize_cuda_engine(plan)
    if opened is None:
        said = log.messages.errors(mark)
        if _OF_CUDA.search(said):
            raise DeviceError(f"{library} cannot open the engine of {file} on a device: {said}", REMEDY)
        raise NoEngine(f"{library} refuses the engine of {file}: {said}", "build it again: spinert build")
    _check_tensors(opened, spec, file, module)
    return EngineNetwork(library, runtime, opened, spec, file, graphs=graphs)


class EngineNetwork:
    """One engine, shared by all threads. It is run where its arrays lie, always on the first device."""

    backend = "tensorrt"

    def __init__(
        self, library: Library, runtime: Any, opened: Any, spec: NetworkSpec, file: str, *, graphs: bool
    ) -> None:
        self.inputs = spec.inputs
        self.outputs = spec.outputs
        self.provider = str(library)
        self._library = library
        self._runtime = runtime  # outlives its engine
        self._opened: Any | None = opened
        self._file = file
        self.graphs = graphs
        self._lanes = threading.local()

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """As every Network. Arrays of a device go in and come out without a copy, and nothing waits for them."""
        if self._opened is None:
            raise BadNetwork("the network was closed", "load the model again")
        if not any(map(device.is_on_device, arrays.values())):
            return self._lane().run(arrays, check_arrays(self.inputs, arrays))
        taken = {name: self._taken(name, array) for name, array in arrays.items()}
        return self._lane().queue(taken, check_arrays(self.inputs, {k: _described(v) for k, v in taken.items()}))

    def close(self) -> None:
        self._opened = None
        self._lanes = threading.local()

    def context(self) -> Any:
        """A new execution context, whose scratch memory is given to it."""
        module = self._library.module
        assert self._opened is not None
        config = self._opened.create_runtime_config()
        config.set_execution_context_allocation_strategy(module.ExecutionContextAllocationStrategy.USER_MANAGED)
        if hasattr(module, "DynamicShapesKernelSpecializationStrategy"):
            # RTX compiles kernels as it runs: at once, not in the background, else a graph keeps the stopgaps
            eager = module.DynamicShapesKernelSpecializationStrategy.EAGER
            config.dynamic_shapes_kernel_specialization_strategy = eager
        mark = logger(module).messages.mark()
        made = self._opened.create_execution_context(config)
        if made is None:
            raise self.failed("preparing to run", mark)
        return made

    def queued_anew(self) -> None:
        """Results say from now on that the engine runs slower than it might: without a graph."""
        self.provider = f"{self._library}, no CUDA graph"

    def failed(self, work: str, mark: int) -> DeviceError:
        said = logger(self._library.module).messages.errors(mark)
        return DeviceError(f"{work} the engine of {self._file} failed: {said}", REMEDY)

    def mark(self) -> int:
        """A place in the library's messages for `failed`."""
        mark: int = logger(self._library.module).messages.mark()
        return mark

    def _lane(self) -> "Lane":
        lane: Lane | None = getattr(self._lanes, "lane", None)
        if lane is None:
            lane = self._lanes.lane = Lane(self)
        return lane

    @staticmethod
    def _taken(name: str, array: Any) -> Any:
        if not device.is_on_device(array):
            raise BadNetwork(f"input {name!r} lies in host memory, another on a device", "pass all inputs in one place")
        try:
            return device.device_array(array)
        except TypeError as error:
            raise BadNetwork(f"input {name!r}: {error}", "pass a C-contiguous array of the first device") from None


class Lane:
    """What one thread runs an engine with: its stream and its buffers."""

    def __init__(self, network: EngineNetwork) -> None:
        self.network = network
        self.stream = device.Stream()
        self._before, self._after = device.Event(), device.Event()
        self._buffers: dict[tuple[int, bool], Buffers] = {}

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
        self._network, self._stream = lane.network, lane.stream
        self._context = self._network.context()
        self.graph: Any = None
        self._copies: dict[str, Any] = {}
        self.warm = on_device
        self.inputs: dict[str, tuple[NDArray[Any], Any]] = {}
        self.outputs: dict[str, tuple[Any, NDArray[Any] | None]] = {}
        for spec in self._network.inputs:
            shape = _shape(spec, batch)
            if not self._context.set_input_shape(spec.name, shape):
                raise BadNetwork(
                    f"input {spec.name!r} has batch {batch}, for which the engine was not built",
                    f"pass fewer at once, or build it for more: spinert build --batch {batch}",
                )
            if not on_device:
                self.inputs[spec.name] = (device.pinned(shape, spec.dtype), self._empty(shape, spec.dtype))
                self._place(spec.name, self.inputs[spec.name][1])
        for spec in self._network.outputs:
            shape = _shape(spec, batch)
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
        """The same as a graph. An engine that cannot be captured is queued anew each time, as it just was."""
        self.warm = True
        capturable = getattr(self._context, "is_stream_capturable", None)
        if self._network.graphs and (capturable is None or capturable(self._stream.handle)):
            graph = device.Graph(self._stream)
            try:
                with graph:
                    self.copy_and_run()
            except DeviceError:
                self._network.queued_anew()
            else:
                self.graph = graph
        else:
            self._network.queued_anew()

    def _enqueue(self) -> None:
        mark = self._network.mark()
        if not self._context.execute_async_v3(self._stream.handle):
            raise self._network.failed("running", mark)

    def _aligned(self, name: str, array: Any) -> Any:
        """The array where it lies; a part of another one, which may begin anywhere, as a copy."""
        if _address(array) % ALIGNMENT == 0:
            return array
        if name not in self._copies:
            self._copies[name] = self._empty(array.shape, array.dtype.name)
        device.copy(array, self._copies[name], self._stream)
        return self._copies[name]

    def _place(self, name: str, array: Any) -> None:
        mark = self._network.mark()
        if not self._context.set_tensor_address(name, _address(array)):
            raise self._network.failed(f"giving tensor {name!r} to", mark)

    def _empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        return device.empty(shape, dtype, self._stream)


def _shape(spec: TensorSpec, batch: int) -> tuple[int, ...]:
    return tuple(batch if size is None else size for size in spec.shape)


def _address(array: Any) -> int:
    return int(array.__cuda_array_interface__["data"][0])


def _described(array: Any) -> Any:
    """A DeviceArray, which is in C order always, with what `check_arrays` asks of NumPy arrays."""
    return SimpleNamespace(shape=array.shape, dtype=np.dtype(array.dtype), flags=SimpleNamespace(c_contiguous=True))


def _check_tensors(opened: Any, spec: NetworkSpec, file: str, module: Any) -> None:
    """In the bundle's order: an engine has its own."""
    found: dict[str, dict[str, TensorSpec]] = {"inputs": {}, "outputs": {}}
    for name in map(opened.get_tensor_name, range(opened.num_io_tensors)):
        kind = "inputs" if opened.get_tensor_mode(name) == module.TensorIOMode.INPUT else "outputs"
        dtype = opened.get_tensor_dtype(name).name
        shape = tuple(None if size < 0 else int(size) for size in opened.get_tensor_shape(name))
        found[kind][name] = TensorSpec(name, NUMPY_NAMES.get(dtype, dtype), shape)
    for kind, expected in (("inputs", spec.inputs), ("outputs", spec.outputs)):
        if found[kind] != {tensor.name: tensor for tensor in expected}:
            raise BadNetwork(
                f"{kind} of the engine of {file} are {'; '.join(map(str, found[kind].values()))}, "
                f"the bundle says {'; '.join(map(str, expected))}",
                "export the bundle again, then build its engine",
            )
