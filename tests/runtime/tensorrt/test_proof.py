"""What a new engine must compute to be kept, and on which GPU a measurement counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.bundle import Bundle
from spinert.errors import BuildFailed, DeviceError, NoEngine
from spinert.runtime.backends import ort
from spinert.runtime.network import Arrays, Network
from spinert.runtime.tensorrt import build as building
from spinert.runtime.tensorrt import cache, lookup
from spinert.runtime.tensorrt.library import Library
from tests.runtime.tensorrt.engines import Builds, gpu, write_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Its fp32 file answers 0, fp16 1 and int8-trt 2; the reference adds 10 to each."""
    return write_bundle(tmp_path / "truth", golden=True)


def reference(path: Path, spec: Any) -> Any:
    assert path.name == "landmarks.fp32.onnx"
    network: Network = ort.open_network(path, spec, threads=1)
    return lambda arrays: {name: array + 10 for name, array in network(arrays).items()}


def answers(value: float, most: int = 3) -> Any:
    def run(arrays: Arrays) -> Mapping[str, NDArray[Any]]:
        rows = len(arrays["image"])
        assert rows <= most
        return {"heatmaps": np.full((rows, 68, 48, 24), value, np.float32)}

    return run


@pytest.mark.parametrize(("precision", "value", "difference"), [("fp32", 10.005, 5e-4), ("fp16", 10.5, 0.05)])
def test_the_difference_from_fp32_is_in_the_description(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, precision: str, value: float, difference: float
) -> None:
    gpu(monkeypatch, {precision: 1.0}, run=answers(value))
    (engine,) = builds(precision, reference=reference)
    assert engine.sidecar.difference == pytest.approx(difference, rel=1e-2)
    assert engine.sidecar.measured_on is not None
    assert engine.sidecar.measured_on.startswith("NVIDIA A, 8.6, driver ")


@pytest.mark.parametrize("built_before", [False, True])
@pytest.mark.parametrize(
    ("precision", "value", "said"),
    [
        ("fp32", 10.05, r"output 'heatmaps' differs from fp32 .* by 0\.5 % of its magnitude, 0\.1 % are allowed"),
        ("fp16", 12.0, r"by 20 % of its magnitude, 10 % are allowed"),
        ("fp16", np.nan, "not finite"),
    ],
)
def test_an_engine_that_computes_something_else_is_not_kept(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, precision: str, value: float, said: str, built_before: bool
) -> None:
    if built_before:
        builds(precision)
    gpu(monkeypatch, {precision: 1.0}, run=answers(value))
    with pytest.raises(BuildFailed, match=said):
        builds(precision, reference=reference)
    assert cache.entries() == []


def test_without_a_reference_outputs_must_be_finite_still(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, {"fp32": 1.0}, run=answers(np.inf))
    with pytest.raises(BuildFailed, match="not finite"):
        builds()
    gpu(monkeypatch, {"fp32": 1.0}, run=answers(3.0))
    (engine,) = builds()
    assert (engine.sidecar.milliseconds, engine.sidecar.difference) == (1.0, None)


def test_an_engine_for_single_items_is_compared_item_by_item(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, {"fp32": 1.0}, run=answers(10.0, most=1))
    (engine,) = builds(max_batch=1, reference=reference)
    assert engine.sidecar.difference == 0.0


def test_a_device_that_fails_while_an_engine_is_timed_leaves_it_as_built_without_one(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_networks: Any) -> Any:
        raise DeviceError("the device is lost", "restart it")

    gpu(monkeypatch, {"fp16": 1.0}, run=answers(10.0))
    with monkeypatch.context() as patch:
        patch.setattr(building, "medians", fail)
        with pytest.raises(DeviceError):
            builds("fp16")
    (engine,) = builds("fp16")
    assert (engine.fresh, engine.sidecar.milliseconds) == (False, 1.0)


def test_a_measurement_counts_on_the_gpu_and_driver_that_made_it_alone(
    builds: Builds, bundle: Bundle, rtx: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle.network_file("landmarks", "int8-trt")
    gpu(monkeypatch, {"fp16": 2.0, "int8-trt": 1.0}, run=answers(10.0))
    builds("fp16", "int8-trt")
    assert lookup.find(path, rtx).sidecar.milliseconds == 1.0
    timed = gpu(monkeypatch, {"fp16": 2.0, "int8-trt": 1.5}, "NVIDIA B", run=answers(10.0))
    with pytest.raises(NoEngine, match=r"measured faster than fp16 on NVIDIA A, .*, here is NVIDIA B, "):
        lookup.find(path, rtx)
    again = builds("fp16", "int8-trt")
    assert [engine.fresh for engine in again] == [False, False]
    assert len(timed) == 3
    assert lookup.find(path, rtx).sidecar.milliseconds == 1.5
