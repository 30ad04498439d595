"""A stand-in for a TensorRT library, for testing our bookkeeping only: its engine copies its input to its output.

The copy is queued on the stream that it is given, on the emulated device, so it can be captured in a graph and nothing
is there before somebody waits. It knows who uses which context. It proves nothing of TensorRT.
"""

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.kernels import native
from spinert.runtime.tensorrt.execution import EngineNetwork, open_plan
from spinert.runtime.tensorrt.library import Library
from tests.cuda_emulator import Emulator

MOST = 16
SCRATCH = 1000
SPEC = NetworkSpec(
    inputs=(TensorSpec("image", "float32", (None, 2, 3)),),
    outputs=(TensorSpec("copy", "float32", (None, 2, 3)),),
    files={"fp32": "copy.onnx"},
    opset=20,
)


class Context:
    """An execution context that counts, and refuses a second thread."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.thread = threading.get_ident()
        self.addresses: dict[str, int] = {}
        self.shape: tuple[int, ...] = ()
        self.scratch = 0
        self.runs = 0
        self.captured_runs = 0
        self.nvtx_verbosity = "detailed"
        world.contexts.append(self)

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shape = shape
        return shape[0] <= MOST

    def infer_shapes(self) -> list[str]:
        return self.world.not_given

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return (*self.shape[:-1], self.shape[-1] + self.world.wider)

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert address % 256 == 0, "TensorRT takes no other address"
        self.addresses[name] = address
        return True

    def update_device_memory_size_for_shapes(self) -> int:
        return SCRATCH * self.shape[0]

    def set_device_memory(self, address: int, size: int) -> None:
        self.scratch = address

    def is_stream_capturable(self, handle: int) -> bool:
        return self.world.capturable

    def execute_async_v3(self, handle: int) -> bool:
        assert threading.get_ident() == self.thread, "a context is for one thread"
        assert self.scratch
        if self.world.failure:
            self.world.log.log(1, self.world.failure)
            return False
        capturing = native.cuda().Stream(handle).capturing
        self.captured_runs += capturing
        self.runs += not capturing
        if capturing and self.world.graphs_lose_it:
            return True
        count = int(np.prod(self.shape)) * 4
        return self.world.emulator.copy(self.addresses["copy"], self.addresses["image"], count, handle)


class World:
    """One stand-in library with what its engine does and what was done with it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.contexts: list[Context] = []
        self.capturable = True
        self.graphs_lose_it = False
        self.not_given: list[str] = []
        self.wider = 0
        self.failure = ""
        self.refusal = ""
        self.cannot_start = ""
        self.compiles = False
        self.kernels_given: list[bytes] = []
        self.host_code_allowed: list[bool] = []
        self.tensors = {"image": ("INPUT", "FLOAT", (-1, 2, 3)), "copy": ("OUTPUT", "FLOAT", (-1, 2, 3))}
        self.log: Any = None
        self.module = SimpleNamespace(
            ILogger=_Logger,
            Runtime=self._runtime,
            TensorIOMode=SimpleNamespace(INPUT="INPUT", OUTPUT="OUTPUT"),
            ProfilingVerbosity=SimpleNamespace(NONE="none"),
            ExecutionContextAllocationStrategy=SimpleNamespace(USER_MANAGED="user managed"),
        )
        self.library = Library("tensorrt", "11.4.0", _Hashable(self.module))

    def _runtime(self, log: Any) -> Any:
        self.log = log
        if self.cannot_start:
            log.log(1, self.cannot_start)
            raise TypeError("factory function returned nullptr")
        runtime = SimpleNamespace(engine_host_code_allowed=False)

        def deserialize(plan: bytes) -> Any:
            self.host_code_allowed.append(runtime.engine_host_code_allowed)
            if self.refusal:
                log.log(1, self.refusal)
                return None
            return self._engine()

        runtime.deserialize_cuda_engine = deserialize
        return runtime

    def _engine(self) -> Any:
        names = list(self.tensors)

        def context(config: Any) -> Context:
            assert config.strategy == "user managed"
            assert not self.compiles or config.cache is not None
            return Context(self)

        return SimpleNamespace(
            num_io_tensors=len(names),
            get_tensor_name=lambda i: names[i],
            get_tensor_mode=lambda name: self.tensors[name][0],
            get_tensor_dtype=lambda name: SimpleNamespace(name=self.tensors[name][1]),
            get_tensor_shape=lambda name: self.tensors[name][2],
            create_runtime_config=lambda: _CompilingConfig(self) if self.compiles else _Config(),
            create_execution_context=context,
        )


class _Config:
    strategy = ""

    def set_execution_context_allocation_strategy(self, strategy: str) -> None:
        self.strategy = strategy


class _CompilingConfig(_Config):
    """As that of TensorRT for RTX, which compiles kernels while it runs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cache: Any = None

    def create_runtime_cache(self) -> Any:
        contexts = self.world.contexts
        return SimpleNamespace(
            serialize=lambda: f"compiled for {len(contexts)} contexts".encode(),
            deserialize=self.world.kernels_given.append,
        )

    def set_runtime_cache(self, cache: Any) -> bool:
        self.cache = cache
        return True


class _Logger:
    def log(self, severity: int, text: str) -> None:
        raise NotImplementedError


class _Hashable:
    """A namespace that can be a key, as a module is."""

    def __init__(self, names: SimpleNamespace) -> None:
        self.__dict__.update(names.__dict__)


def opened(world: World, *, host_code: bool = False) -> EngineNetwork:
    return open_plan(world.library, b"plan", SPEC, "copy.onnx", host_code=host_code)


def images(batch: int, value: float) -> dict[str, Any]:
    return {"image": np.full((batch, 2, 3), value, np.float32)}
