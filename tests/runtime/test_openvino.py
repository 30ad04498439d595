"""What only OpenVINO needs to be asked: precision, and messages that a reader can use."""

import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from spinert.errors import BadNetwork
from spinert.runtime.backends import openvino
from tests.runtime.test_backends import sum_network

if reason := openvino.missing():
    pytest.skip(reason, allow_module_level=True)


def test_the_library_that_is_asked_for_later_is_the_real_one() -> None:
    openvino._import()
    assert sys.modules.get("openvino_telemetry", ...) is not None


def test_it_computes_in_the_precision_of_the_file_on_as_many_threads_as_it_was_given(tmp_path: Path) -> None:
    network = openvino.open_network(*sum_network(tmp_path), threads=1)
    assert network._compiled.get_property("INFERENCE_PRECISION_HINT").to_dtype().name == "float32"
    assert network._compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert network._compiled.get_property("NUM_STREAMS") == 1


def test_ctrl_c_does_no_harm_after_networks_that_were_closed_in_the_order_of_their_opening(tmp_path: Path) -> None:
    """In a process of its own: where OpenVINO takes back a stack for signals that is in use, the process dies."""
    sum_network(tmp_path)
    script = """
import os, signal, sys, time
from pathlib import Path
from spinert.runtime.backends import openvino
from tests.runtime.test_backends import sum_network
signal.signal(signal.SIGINT, signal.default_int_handler)
first, second = (openvino.open_network(*sum_network(Path(sys.argv[1])), threads=1) for _ in range(2))
first.close()
second.close()
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n")


def test_the_provider_names_the_version(tmp_path: Path) -> None:
    assert openvino.open_network(*sum_network(tmp_path), threads=1).provider.startswith("OpenVINO 20")


def test_an_operator_that_it_lacks_is_named(tmp_path: Path) -> None:
    _, spec = sum_network(tmp_path)
    file = tmp_path / "foreign.onnx"
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2, 3]) for name in ("left", "total")]
    node = helper.make_node("Straighten", ["left"], ["total"], domain="spines")
    graph = helper.make_graph([node], "foreign", tensors[:1], tensors[1:])
    sets = [helper.make_opsetid("", 20), helper.make_opsetid("spines", 1)]
    file.write_bytes(helper.make_model(graph, opset_imports=sets, ir_version=10).SerializeToString())
    with pytest.raises(BadNetwork, match=r"operations: spines\.Straighten"):
        openvino.open_network(file, spec, threads=1)


def test_a_broken_file_is_reported_without_places_in_sources_and_without_noise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, spec = sum_network(tmp_path)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a graph")
    with pytest.raises(BadNetwork, match=r"cannot open broken\.onnx: Model can't be parsed\n"):
        openvino.open_network(broken, spec, threads=1)
    assert capfd.readouterr() == ("", "")
