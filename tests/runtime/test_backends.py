"""One contract for every backend that is usable here, over tiny networks made on the spot."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadNetwork
from spinert.runtime import backends
from spinert.runtime.network import Network
from spinert.runtime.tensorrt import cache
from tests.runtime.tensorrt import engines

# those that take a file as it is; what TensorRT refuses, it refuses when an engine is built: tests/runtime/tensorrt
USABLE = [name for name in backends.names() if name != "trt" and backends.load(name).missing() is None]
WITH_ENGINE = ["trt"] if backends.load("trt").missing() is None else []


def sum_network(folder: Path, dtype: int = TensorProto.FLOAT) -> tuple[Path, NetworkSpec]:
    """total = left + right, both [N, 2, 3]."""
    name = helper.tensor_dtype_to_np_dtype(dtype).name
    graph = helper.make_graph(
        [helper.make_node("Add", ["left", "right"], ["total"])],
        "sum",
        [helper.make_tensor_value_info(side, dtype, ["N", 2, 3]) for side in ("left", "right")],
        [helper.make_tensor_value_info("total", dtype, ["N", 2, 3])],
    )
    path = folder / "sum.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    tensors = tuple(TensorSpec(tensor, name, (None, 2, 3)) for tensor in ("left", "right", "total"))
    return path, NetworkSpec(inputs=tensors[:2], outputs=tensors[2:], files={"fp32": "sum.onnx"}, opset=20)


@pytest.fixture(params=[*USABLE, *WITH_ENGINE])
def network(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    path, spec = sum_network(tmp_path)
    if request.param in WITH_ENGINE:  # on a machine with a GPU
        monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "engines"))
        engines.build(path, spec)
    return backends.load(request.param).open_network(path, spec, threads=1)


def pair(batch: int, left: float = 1.0, right: float = 2.0) -> dict[str, NDArray[Any]]:
    return {
        "left": np.full((batch, 2, 3), left, np.float32),
        "right": np.full((batch, 2, 3), right, np.float32),
    }


def test_some_backend_is_usable_here() -> None:
    assert USABLE


@pytest.mark.parametrize("batch", [1, 3])
def test_the_batch_is_free(network: Network, batch: int) -> None:
    total = network(pair(batch))["total"]
    assert total.shape == (batch, 2, 3)
    assert (total == 3.0).all()


def test_it_says_what_runs(network: Network) -> None:
    assert network.backend
    assert network.provider


def test_output_buffers_are_used_again(network: Network) -> None:
    first = network(pair(1))["total"]
    second = network(pair(1, left=5.0))["total"]
    assert first.ctypes.data == second.ctypes.data
    assert (first == 7.0).all()


def test_threads_do_not_see_each_others_outputs(network: Network) -> None:
    wrong: list[float] = []

    def work(value: float) -> None:
        for _ in range(200):
            total = network(pair(2, left=value))["total"]
            if not (total == value + 2.0).all():
                wrong.append(value)

    workers = [threading.Thread(target=work, args=(float(value),)) for value in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_another_dtype_is_refused_with_both_values(network: Network) -> None:
    arrays = pair(1)
    arrays["right"] = arrays["right"].astype(np.float64)
    with pytest.raises(BadNetwork, match=r"input is right float64 \[1, 2, 3\], expected right float32 \[N, 2, 3\]"):
        network(arrays)


def test_another_shape_is_refused_with_both_values(network: Network) -> None:
    arrays = pair(1)
    arrays["left"] = np.zeros((1, 3, 2), np.float32)
    with pytest.raises(BadNetwork, match=r"input is left float32 \[1, 3, 2\], expected left float32 \[N, 2, 3\]"):
        network(arrays)


def test_another_order_is_refused(network: Network) -> None:
    arrays = pair(2)
    arrays["left"] = np.asfortranarray(arrays["left"])
    with pytest.raises(BadNetwork, match="not C-contiguous"):
        network(arrays)


def test_inputs_that_are_read_only_are_taken(network: Network) -> None:
    arrays = pair(1)
    for array in arrays.values():
        array.flags.writeable = False
    assert (network(arrays)["total"] == 3.0).all()


def test_the_batch_may_change_between_calls(network: Network) -> None:
    for batch in (1, 4, 2, 1):
        total = network(pair(batch, left=float(batch)))["total"]
        assert total.shape == (batch, 2, 3)
        assert (total == batch + 2.0).all()


def test_two_batch_sizes_are_refused(network: Network) -> None:
    with pytest.raises(BadNetwork, match="'right' has batch 3, another input has 2"):
        network({"left": pair(2)["left"], "right": pair(3)["right"]})


def test_missing_and_unknown_inputs_are_refused(network: Network) -> None:
    with pytest.raises(BadNetwork, match=r"takes \['left', 'right'\], got \['left', 'middle'\]"):
        network({"left": pair(1)["left"], "middle": pair(1)["right"]})


def test_a_closed_network_says_so(network: Network) -> None:
    network.close()
    with pytest.raises(BadNetwork, match="was closed"):
        network(pair(1))


@pytest.mark.parametrize("backend", USABLE)
@pytest.mark.parametrize("dtype", [TensorProto.DOUBLE, TensorProto.INT32, TensorProto.FLOAT16])
def test_other_tensor_types_pass_through(backend: str, dtype: int, tmp_path: Path) -> None:
    path, spec = sum_network(tmp_path, dtype)
    one = np.ones((1, 2, 3), spec.inputs[0].dtype)
    total = backends.load(backend).open_network(path, spec, threads=1)({"left": one, "right": one})["total"]
    assert total.dtype == one.dtype
    assert (total == 2).all()


@pytest.mark.parametrize("backend", USABLE)
def test_each_output_lies_in_its_own_place(backend: str, tmp_path: Path) -> None:
    """`later` is computed from `sooner`, stands before it among the outputs, and `same` is an input passed on."""
    shapes = {"later": ["N", 2], "sooner": ["N", 2], "same": ["N", 2]}
    graph = helper.make_graph(
        [
            helper.make_node("Neg", ["x"], ["sooner"]),
            helper.make_node("Exp", ["sooner"], ["later"]),
            helper.make_node("Identity", ["x"], ["same"]),
        ],
        "several",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
    )
    path = tmp_path / "several.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    outputs = tuple(TensorSpec(name, "float32", (None, 2)) for name in shapes)
    spec = NetworkSpec(
        inputs=(TensorSpec("x", "float32", (None, 2)),), outputs=outputs, files={"fp32": "several.onnx"}, opset=20
    )
    x = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    found = backends.load(backend).open_network(path, spec, threads=1)({"x": x})
    np.testing.assert_allclose(found["sooner"], -x)
    np.testing.assert_allclose(found["later"], np.exp(-x), rtol=1e-6)
    np.testing.assert_array_equal(found["same"], x)


@pytest.mark.parametrize("backend", USABLE)
def test_a_file_that_is_no_network_is_refused_by_name(backend: str, tmp_path: Path) -> None:
    _, spec = sum_network(tmp_path)
    (tmp_path / "broken.onnx").write_bytes(b"not a graph")
    with pytest.raises(BadNetwork, match=r"cannot open broken\.onnx"):
        backends.load(backend).open_network(tmp_path / "broken.onnx", spec, threads=1)


@pytest.mark.parametrize("backend", USABLE)
def test_tensors_that_differ_from_the_bundle_are_refused(backend: str, tmp_path: Path) -> None:
    path, spec = sum_network(tmp_path)
    other = NetworkSpec(
        inputs=spec.inputs, outputs=(TensorSpec("total", "float32", (None, 2, 4)),), files=spec.files, opset=20
    )
    with pytest.raises(BadNetwork, match=r"total float32 \[N, 2, 3\], the bundle says total float32 \[N, 2, 4\]"):
        backends.load(backend).open_network(path, other, threads=1)
