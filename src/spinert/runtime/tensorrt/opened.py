"""A deserialized engine: the library, its contexts, and what it says when something fails."""

import re
import threading
from typing import Any

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadNetwork, DeviceError, NoEngine
from spinert.runtime.tensorrt.compile import NUMPY_NAMES
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.messages import logger

# an engine for another compute capability is no failure of the device, though CUDA is named there too
_OF_CUDA = re.compile(r"cudaError|Cuda Runtime|Cuda Driver|CUDA (initialization|driver|error)|[Oo]ut ?[Oo]f ?[Mm]emory")
_OF_DEVICE = ("uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64")
REMEDY = "run `spinert doctor`; another program may hold the device's memory"


class Opened:
    """An engine on the device, shared by all threads; each needs contexts of its own.

    host_code   allows a plan that carries code
    graphs      False queues the work of each run anew, to see what a graph is worth
    kernels     of TensorRT for RTX, which compiles them as it runs: what `compiled` gave in an earlier process

    Raises DeviceError where there is no device, NoEngine where the library refuses the plan, BadNetwork where a tensor
    differs from the spec.
    """

    def __init__(
        self,
        library: Library,
        plan: bytes,
        spec: NetworkSpec,
        file: str,
        *,
        host_code: bool,
        graphs: bool = True,
        kernels: bytes = b"",
    ) -> None:
        self.inputs = spec.inputs
        self.outputs = spec.outputs
        self.graphs = graphs
        self.provider = str(library)
        self.without_graph = f"{library}, no CUDA graph"
        self._library = library
        self._file = file
        self._kernels = kernels
        self._kernel_cache: Any = None
        self._lock = threading.Lock()
        self._runtime, self._engine = self._deserialized(plan, host_code)
        _check_tensors(self._engine, spec, file, library.module)

    def context(self) -> Any:
        """A new execution context, whose scratch memory is given to it."""
        module = self._library.module
        config = self._engine.create_runtime_config()
        config.set_execution_context_allocation_strategy(module.ExecutionContextAllocationStrategy.USER_MANAGED)
        if hasattr(module, "DynamicShapesKernelSpecializationStrategy"):
            # RTX compiles kernels as it runs: at once, not in the background, else a graph keeps the stopgaps
            eager = module.DynamicShapesKernelSpecializationStrategy.EAGER
            config.dynamic_shapes_kernel_specialization_strategy = eager
        if hasattr(config, "create_runtime_cache"):
            config.set_runtime_cache(self._cache_of_kernels(config))
        mark = self.mark()
        made = self._engine.create_execution_context(config)
        if made is None:
            raise self.failed("preparing to run", mark)
        if hasattr(made, "nvtx_verbosity"):
            # an engine that is built with details for its report names each layer to profilers, which takes time
            made.nvtx_verbosity = module.ProfilingVerbosity.NONE
        return made

    def compiled(self) -> bytes:
        """The kernels that were compiled while it ran, for another process; nothing where the library has none."""
        with self._lock:
            return b"" if self._kernel_cache is None else bytes(self._kernel_cache.serialize())

    def queued_anew(self) -> None:
        """Results say from now on that the engine runs slower than it might: without a graph."""
        self.provider = self.without_graph

    def failed(self, work: str, mark: int) -> DeviceError:
        """The error of some work since a mark, in the library's words."""
        said = logger(self._library.module).messages.errors(mark)
        return DeviceError(f"{work} the engine of {self._file} failed: {said}", REMEDY)

    def mark(self) -> int:
        """A place in the library's messages for `failed`."""
        mark: int = logger(self._library.module).messages.mark()
        return mark

    def _deserialized(self, plan: bytes, host_code: bool) -> tuple[Any, Any]:
        """The runtime, which outlives its engine, and the engine."""
        log, mark = logger(self._library.module), self.mark()
        try:
            runtime = self._library.module.Runtime(log)
        except TypeError:  # how the bindings say that there is none
            raise DeviceError(f"{self._library} cannot start: {log.messages.errors(mark)}", REMEDY) from None
        runtime.engine_host_code_allowed = host_code
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is not None:
            return runtime, engine
        said = log.messages.errors(mark)
        if _OF_CUDA.search(said):
            raise DeviceError(f"{self._library} cannot open the engine of {self._file} on a device: {said}", REMEDY)
        raise NoEngine(f"{self._library} refuses the engine of {self._file}: {said}", "build it again: spinert build")

    def _cache_of_kernels(self, config: Any) -> Any:
        """One for all contexts. The library looks at what is given to it and leaves out what is not of this machine."""
        with self._lock:
            if self._kernel_cache is None:
                self._kernel_cache = config.create_runtime_cache()
                if self._kernels:
                    self._kernel_cache.deserialize(self._kernels)
            return self._kernel_cache


def _check_tensors(engine: Any, spec: NetworkSpec, file: str, module: Any) -> None:
    """In the bundle's order: an engine has its own."""
    found: dict[str, dict[str, TensorSpec]] = {"inputs": {}, "outputs": {}}
    for name in map(engine.get_tensor_name, range(engine.num_io_tensors)):
        kind = "inputs" if engine.get_tensor_mode(name) == module.TensorIOMode.INPUT else "outputs"
        dtype = engine.get_tensor_dtype(name).name
        shape = tuple(None if size < 0 else int(size) for size in engine.get_tensor_shape(name))
        found[kind][name] = TensorSpec(name, NUMPY_NAMES.get(dtype, dtype), shape)
    for tensor in (*spec.inputs, *spec.outputs):
        if tensor.dtype not in _OF_DEVICE:
            raise BadNetwork(
                f"{tensor.name!r} of {file} is {tensor.dtype}, arrays of a device are {', '.join(_OF_DEVICE)}",
                "export the bundle with one of these",
            )
    for kind, expected in (("inputs", spec.inputs), ("outputs", spec.outputs)):
        if found[kind] != {tensor.name: tensor for tensor in expected}:
            raise BadNetwork(
                f"{kind} of the engine of {file} are {'; '.join(map(str, found[kind].values()))}, "
                f"the bundle says {'; '.join(map(str, expected))}",
                "export the bundle again, then build its engine",
            )
