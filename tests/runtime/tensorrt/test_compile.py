"""Real engines, built by TensorRT for RTX on the processor, and what its own report says of their layers.

Nothing is run: the report is what the library's inspector writes of the engine that it has just built.
"""

import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

from spinert import bundle as bundles
from spinert.bundle import NetworkSpec, Precision, TensorSpec
from spinert.errors import BuildFailed, DeviceError
from spinert.runtime.infer import find_bundle, shipped
from spinert.runtime.tensorrt import layers, target
from spinert.runtime.tensorrt.build import BUILDABLE
from spinert.runtime.tensorrt.compile import Compiled, Options, _apart, _configure, _timing_cache, compile_network
from spinert.runtime.tensorrt.execution import open_plan
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.messages import logger
from tests.runtime.tensorrt import patterns

TYPES = {"float32": "Float", "float16": "Half", "uint8": "UInt8", "int8": "Int8", "int32": "Int32", "int64": "Int64"}
SHIPPED = [
    (name, network, precision)
    for name in shipped()
    for network, spec in find_bundle(name).manifest.networks.items()
    for precision in BUILDABLE
    if precision in spec.files
]


def compiled(library: Library, content: bytes, spec: NetworkSpec, **asked: Any) -> Compiled:
    return compile_network(library, content, spec, Options(**asked), file="pattern.onnx")


def check_ends(report: str, spec: NetworkSpec) -> None:
    expected = [
        layers.End(tensor.name, mode, TYPES[tensor.dtype], tuple(size or -1 for size in tensor.shape))
        for mode, tensors in (("Input", spec.inputs), ("Output", spec.outputs))
        for tensor in tensors
    ]
    assert list(layers.ends(report)) == expected


def weighted(report: str) -> list[layers.Layer]:
    """Convolutions and matrix products: what is done in the file's precision or the file was for nothing."""
    return [layer for layer in layers.layers(report) if layer.kind in ("correlation", "gemm", "conv_transpose")]


def quantized_weights(path: Path) -> int:
    """Convolutions of a file whose weights are stored as int8: each must be an integer one in the engine."""
    graph = onnx.load(path).graph
    dequantized = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    return sum(node.op_type == "Conv" and node.input[1] in dequantized for node in graph.node)


@pytest.mark.parametrize(("name", "network", "precision"), SHIPPED)
def test_every_shipped_file_becomes_an_engine_of_its_precision(
    rtx: Library, name: str, network: str, precision: Precision
) -> None:
    bundle = bundles.load(find_bundle(name).folder)
    spec = bundle.manifest.networks[network]
    built = compiled(rtx, bundle.network_file(network, precision).read_bytes(), spec)
    check_ends(built.report, spec)
    inputs = [dtype for layer in weighted(built.report) for dtype in layer.inputs.values()]
    told = layers.count_types(layers.layers(built.report))
    if precision == "int8-trt":
        assert inputs.count("Int8") >= quantized_weights(bundle.network_file(network, precision)) > 0, told
        assert "Float" not in inputs, told
    else:
        assert set(inputs) == {{"fp32": "Float", "fp16": "Half"}[precision]}, told


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("pattern", patterns.FLOAT)
def test_every_exported_pattern_becomes_an_engine(rtx: Library, pattern: str, dtype: str) -> None:
    content, spec = patterns.network(patterns.FLOAT[pattern](), dtype)
    report = compiled(rtx, content, spec).report
    check_ends(report, spec)
    found = layers.layers(report)
    between = {kind for layer in found for kind in (layer.inputs | layer.outputs).values()}
    assert between == {TYPES[dtype]}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_int8_convolution_with_a_scale_for_each_channel_stays_int8(rtx: Library, dtype: str) -> None:
    content, spec = patterns.network(patterns.int8_conv(), dtype)
    report = compiled(rtx, content, spec).report
    check_ends(report, spec)
    (convolution,) = weighted(report)
    assert "Int8" in convolution.inputs.values()
    assert "Int8" in convolution.constants.values()


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (patterns.int8_conv("uint8", 128), "zero"),
        (patterns.int8_conv("int8", 3), "zero"),
        (patterns.int8_conv(int32_bias=True), "Int32"),
    ],
    ids=["unsigned", "zero point", "int32 bias"],
)
def test_quantization_for_a_cpu_is_refused_in_the_library_s_words(
    rtx: Library, pattern: patterns.Pattern, said: str
) -> None:
    content, spec = patterns.network(pattern, "float32")
    with pytest.raises(BuildFailed, match=rf"pattern\.onnx: .*{said}") as caught:
        compiled(rtx, content, spec)
    assert "tensorrt_rtx" in caught.value.problem


def test_a_type_that_the_library_lacks_is_refused(rtx: Library) -> None:
    content, spec = patterns.network(patterns.sigmoid(), "float32")
    other = NetworkSpec(
        inputs=spec.inputs, outputs=(TensorSpec("y", "float16", (None, 8, 16, 16)),), files=spec.files, opset=20
    )
    with pytest.raises(BuildFailed, match=r"outputs of pattern\.onnx are y float32 .*, the bundle says y float16"):
        compiled(rtx, content, other)


def test_a_file_that_is_no_network_is_refused_in_the_library_s_words(rtx: Library) -> None:
    _, spec = patterns.network(patterns.sigmoid(), "float32")
    with pytest.raises(BuildFailed, match=r"cannot read pattern\.onnx: .*Failed to parse"):
        compiled(rtx, b"not a graph", spec)


def test_the_batch_goes_as_far_as_was_asked(rtx: Library) -> None:
    content, spec = patterns.network(patterns.sigmoid(), "float32")
    report = compiled(rtx, content, spec, max_batch=5).report
    assert "MinShape: [1,8,16,16], OptShape: [1,8,16,16], MaxShape: [5,8,16,16]" in report


def test_an_engine_allocates_nothing_while_it_runs_and_keeps_float32_whole(rtx: Library) -> None:
    _, spec = patterns.network(patterns.sigmoid(), "float32")
    builder, flags = rtx.module.Builder(logger(rtx.module)), rtx.module.BuilderFlag
    config = _configure(rtx, builder, spec, Options())
    assert config.get_flag(flags.REQUIRE_USER_ALLOCATION)
    assert not config.get_flag(flags.TF32)


def test_version_compatible_engines_are_for_the_other_library(rtx: Library) -> None:
    content, spec = patterns.network(patterns.sigmoid(), "float32")
    with pytest.raises(BuildFailed, match="no version compatible engines"):
        compiled(rtx, content, spec, version_compatible=True)


def test_progress_grows_to_the_end(rtx: Library) -> None:
    content, spec = patterns.network(patterns.residual_add(), "float32")
    told: list[tuple[float, float | None]] = []
    compile_network(rtx, content, spec, Options(), file="f", progress=lambda *of: told.append(of))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.5 < shares[-1] <= 1
    assert all(left is not None and left >= 0 for share, left in told if share > 0.5)


def test_an_error_of_the_progress_ends_the_build(rtx: Library) -> None:
    def full(_share: float, _left: float | None) -> None:
        raise ZeroDivisionError("the bar broke")

    content, spec = patterns.network(patterns.residual_add(), "float32")
    with pytest.raises(ZeroDivisionError, match="the bar broke"):
        compile_network(rtx, content, spec, Options(), file="f", progress=full)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_raised_only_when_the_library_has_ended() -> None:
    stop, ended = threading.Event(), threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(20)
        threading.Event().wait(0.2)  # the step that it was at goes on
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        _apart(work, stop)
    assert ended.is_set()


def test_an_engine_cannot_be_opened_without_a_driver(rtx: Library, tmp_path: Path) -> None:
    if target.no_device() is None:
        pytest.skip("there is a device here")
    content, spec = patterns.network(patterns.sigmoid(), "float32")
    plan = compiled(rtx, content, spec).plan
    with pytest.raises(DeviceError, match=r"cannot open the engine of pattern\.onnx on a device: .*driver") as caught:
        open_plan(rtx, plan, spec, "pattern.onnx", host_code=False)
    assert caught.value.remedy
    assert np.frombuffer(plan, np.uint8).size > 1000


@pytest.mark.parametrize(
    ("stored", "fits", "used"), [(b"mine", True, b"mine"), (b"other", False, b""), (b"!", True, b"")]
)
def test_timings_of_another_gpu_or_damaged_ones_are_left_out(stored: bytes, fits: bool, used: bytes) -> None:
    given: list[bytes] = []

    def set_cache(cache: bytes, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch
        given.append(cache)
        return fits or cache == b""

    config = SimpleNamespace(
        create_timing_cache=lambda content: None if content == b"!" else content, set_timing_cache=set_cache
    )
    assert _timing_cache(config, stored) == used
    assert given[-1] == used


def test_an_engine_for_the_gpu_that_is_here_needs_one(rtx: Library) -> None:
    if target.no_device() is None:
        pytest.skip("there is a device here")
    content, spec = patterns.network(patterns.sigmoid(), "float32")
    with pytest.raises(BuildFailed, match=r"could not build an engine of pattern\.onnx: .*cuda"):
        compiled(rtx, content, spec, own_gpu=True)
