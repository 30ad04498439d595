"""What the CPU libraries make of the written layouts: integer kernels, and the values of the literal simulation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.calibrate.rewrite import ONNXRUNTIME, OPENVINO, Layout, quantize
from spinert.runtime import backends
from tests.calibrate import float_nets
from tests.calibrate.float_nets import SIZE, films, ranges_of
from tests.calibrate.graphs import operators, run

NETS = (float_nets.chain, float_nets.residual, float_nets.lateral)


def written(folder: Path, net: Callable[[], onnx.ModelProto], layout: Layout) -> Path:
    model = net()
    path = folder / "net.int8-cpu.onnx"
    onnx.save(quantize(model, ranges_of(model), layout), path)
    return path


@pytest.mark.parametrize("net", NETS)
def test_onnxruntime_fuses_every_quantized_convolution(net: Callable[[], onnx.ModelProto], tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(written(tmp_path, net, ONNXRUNTIME), options, providers=["CPUExecutionProvider"])
    found = operators(onnx.load(tmp_path / "optimized.onnx"))
    assert found.count("QLinearConv") == operators(net()).count("Conv") - 1
    assert found.count("QLinearAdd") == operators(net()).count("Add")
    assert sum("Conv" in each for each in found) == operators(net()).count("Conv")


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("backend", "layout"), [("openvino", OPENVINO), ("ort", ONNXRUNTIME)])
def test_a_library_computes_what_the_file_says(
    net: Callable[[], onnx.ModelProto], backend: str, layout: Layout, tmp_path: Path
) -> None:
    if reason := backends.load(backend).missing():
        pytest.skip(reason)
    path = written(tmp_path, net, layout)
    spec = NetworkSpec(
        inputs=(TensorSpec("x", "float32", (None, *SIZE[1:])),),
        outputs=(TensorSpec("y", "float32", (None, 2, 8, 8)),),
        files={"int8-cpu": path.name},
        opset=20,
    )
    network = backends.load(backend).open_network(path, spec, threads=1)
    film = films()[2]
    (want,) = run(onnx.load(path), **film)
    got = network(film)["y"]
    # a value beside the middle of two steps may fall to either side, and the layers behind it hand that on
    assert np.abs(got - want).max() <= 4 * np.ptp(want) / 255
    assert np.median(np.abs(got - want)) <= np.ptp(want) / 255
    network.close()
