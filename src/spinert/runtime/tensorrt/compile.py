"""From the bytes of an ONNX file to the bytes of an engine. Only `spinert build` comes here.

The network is strongly typed: each tensor has the type that the file gives it, so precision is a property of the file.
TF32 is switched off for the same reason: an fp32 file means fp32.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BuildFailed
from spinert.runtime.tensorrt.identity import VERSION_COMPATIBLE
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.messages import NOTHING, logger
from spinert.runtime.tensorrt.progress import Progress, monitor

NUMPY_NAMES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
}
Result = TypeVar("Result")
_LOOK_SECONDS = 0.02


class Options(NamedTuple):
    """What a build is asked for beside the file.

    own_gpu   of TensorRT for RTX: for the GPU that is here, which is none of those that it builds for unasked
    """

    max_batch: int = 16
    version_compatible: bool = False
    own_gpu: bool = False

    def names(self) -> tuple[str, ...]:
        """All that changes the engine, for its key."""
        return ("strongly typed", "no TF32", *((VERSION_COMPATIBLE,) if self.version_compatible else ()))


class Compiled(NamedTuple):
    """The engine, the library's report on its layers, the new content of the timing cache, and how long it took."""

    plan: bytes
    report: str
    timings: bytes
    seconds: float


def compile_network(
    library: Library,
    content: bytes,
    spec: NetworkSpec,
    options: Options,
    *,
    file: str,
    timings: bytes = b"",
    progress: Progress = lambda _share, _left: None,
) -> Compiled:
    """Build an engine of an ONNX file. It goes on in a thread of its own, so that Ctrl-C stops it at its next step.

    Raises BuildFailed with the library's own words and the node they are about, and whatever `progress` raises.
    """
    stop = threading.Event()
    watcher = monitor(library.module, progress, stop)
    begun = time.monotonic()
    try:
        plan, report, timings = _apart(lambda: _build(library, content, spec, options, file, timings, watcher), stop)
    except BuildFailed:
        if watcher.failure is not None:
            raise watcher.failure from None
        raise
    return Compiled(plan, report, timings, time.monotonic() - begun)


def _apart(work: Callable[[], Result], stop: threading.Event) -> Result:
    """Do the work in a thread; when this one is interrupted, `stop` it and wait for its end before going on.

    The next build, or the end of the process, must not meet the library at work. Its end is looked for, not waited for
    with a lock: a thread whose join() was interrupted counts as ended in Python 3.11 and 3.12 (bpo-45274), and an
    interrupted Event may keep its lock.
    """
    done: list[Result] = []
    failed: list[BaseException] = []
    begun: list[bool] = []
    ended: list[bool] = []

    def call() -> None:
        begun.append(True)
        try:
            if not stop.is_set():
                done.append(work())
        except BaseException as error:
            failed.append(error)
        finally:
            ended.append(True)

    try:
        threading.Thread(target=call, name="spinert-build", daemon=True).start()
        while not ended:
            time.sleep(_LOOK_SECONDS)
    except BaseException:
        stop.set()
        # where the interrupt came before the thread began, it finds `stop` set and does nothing
        while begun and not ended:
            time.sleep(_LOOK_SECONDS)
        raise
    if failed:
        raise failed[0]
    return done[0]


def _build(
    library: Library,
    content: bytes,
    spec: NetworkSpec,
    options: Options,
    file: str,
    timings: bytes,
    watcher: Any,
) -> tuple[bytes, str, bytes]:
    module, log = library.module, logger(library.module)
    mark = log.messages.mark()
    try:
        builder = module.Builder(log)
    except TypeError:  # how the bindings say that there is none
        raise BuildFailed(f"{library} cannot start: {log.messages.errors(mark)}", "run `spinert doctor`") from None
    network = builder.create_network(1 << int(module.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = module.OnnxParser(network, log)
    if not parser.parse(content):  # without a path: a file may not bring tensors from elsewhere
        raise BuildFailed(f"{library} cannot read {file}: {_parser_errors(parser)}", "export or calibrate it again")
    _check_ends(network, spec, file)
    config = _configure(library, builder, spec, options)
    # RTX has none
    cache = _timing_cache(config, timings) if library.name == "tensorrt" else None
    config.progress_monitor = watcher
    built = builder.build_serialized_network(network, config)
    if built is None:
        raise BuildFailed(
            f"{library} could not build an engine of {file}: {log.messages.errors(mark)}",
            "export or calibrate it again, or try another version of the library",
        )
    report = log.messages.take_report(mark) or ""
    return bytes(built), report, bytes(cache.serialize()) if cache is not None else b""


def _configure(library: Library, builder: Any, spec: NetworkSpec, options: Options) -> Any:
    module = library.module
    config = builder.create_builder_config()
    config.clear_flag(module.BuilderFlag.TF32)
    if hasattr(module.BuilderFlag, "REQUIRE_USER_ALLOCATION"):
        # without it RTX may allocate while it runs, which no CUDA graph can hold
        config.set_flag(module.BuilderFlag.REQUIRE_USER_ALLOCATION)
    if options.version_compatible:
        if library.name != "tensorrt":
            raise BuildFailed(
                f"{library} has no version compatible engines", "build with --library tensorrt, or without the option"
            )
        config.set_flag(module.BuilderFlag.VERSION_COMPATIBLE)
    if options.own_gpu and hasattr(module, "ComputeCapability"):
        config.num_compute_capabilities = 1
        config.set_compute_capability(module.ComputeCapability.CURRENT, 0)
    config.profiling_verbosity = module.ProfilingVerbosity.DETAILED  # for the report; contexts turn it off again
    profile = builder.create_optimization_profile()
    free = [tensor for tensor in spec.inputs if None in tensor.shape]
    for tensor in free:
        one, most = (
            tuple(batch if size is None else size for size in tensor.shape) for batch in (1, options.max_batch)
        )
        profile.set_shape(tensor.name, one, one, most)
    if free:
        config.add_optimization_profile(profile)
    return config


def _timing_cache(config: Any, timings: bytes) -> Any:
    """How long kernels took in earlier builds; an empty cache where that is damaged or of another GPU."""
    cache = config.create_timing_cache(timings)
    if cache is None or not config.set_timing_cache(cache, False):
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def _check_ends(network: Any, spec: NetworkSpec, file: str) -> None:
    """The tensors that the parser found are those of the bundle."""
    inputs = tuple(_spec_of(network.get_input(i)) for i in range(network.num_inputs))
    outputs = tuple(_spec_of(network.get_output(i)) for i in range(network.num_outputs))
    for kind, have, expected in (("inputs", inputs, spec.inputs), ("outputs", outputs, spec.outputs)):
        if have != expected:
            raise BuildFailed(
                f"{kind} of {file} are {'; '.join(map(str, have))}, the bundle says {'; '.join(map(str, expected))}",
                "export the bundle again",
            )


def _spec_of(tensor: Any) -> TensorSpec:
    name = tensor.dtype.name
    return TensorSpec(
        tensor.name, NUMPY_NAMES.get(name, name), tuple(None if size < 0 else size for size in tensor.shape)
    )


def _parser_errors(parser: Any) -> str:
    told = []
    for error in map(parser.get_error, range(min(parser.num_errors, 3))):
        node = error.node_name()
        told.append(f"{f'node {node!r}: ' if node else ''}{' '.join(error.desc().split())}")
    return "; ".join(told) or NOTHING
