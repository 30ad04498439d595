"""Ranges and reaches against what NumPy says of the same activations, one study in memory at a time."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from spinert.calibrate import ranges
from spinert.calibrate.ranges import Method, Ranges, collect, reaches
from spinert.errors import CalibrationFailed
from tests.calibrate.graphs import run, values
from tests.calibrate.pairs import Net

METHODS = get_args(Method)
Studies = list[dict[str, NDArray[np.float32]]]


def network() -> onnx.ModelProto:
    """x -> conv -> relu -> y: a 1 x 1 convolution."""
    net = Net()
    net.node("Conv", "x", net.constant("w", values(3, 2, 1, 1)), to="c")
    net.node("Relu", "c", to="y")
    return net.model({"x": [1, 2, 16, 16]}, {"y": [1, 3, 16, 16]})


def squared() -> onnx.ModelProto:
    net = Net()
    net.node("Sqrt", "x", to="root")
    net.node("Relu", "root", to="y")
    return net.model({"x": [1, 2, 16, 16]}, {"y": [1, 2, 16, 16]})


def studies(count: int = 5) -> Studies:
    rng = np.random.default_rng(3)
    return [{"x": rng.normal(size=(1, 2, 16, 16)).astype(np.float32) * (1 + place)} for place in range(count)]


def activations(name: str, given: Studies) -> list[NDArray[Any]]:
    if name == "x":
        return [each["x"] for each in given]
    model = network()
    model.graph.output.append(onnx.helper.make_tensor_value_info("c", onnx.TensorProto.FLOAT, None))
    return [dict(zip(("y", "c"), run(model, **each), strict=True))[name] for each in given]


def extremes(given: Studies) -> Ranges:
    found = {name: np.stack(activations(name, given)) for name in ("x", "c", "y")}
    return {name: (float(each.min()), float(each.max())) for name, each in found.items()}


def test_minmax_is_what_numpy_says_in_any_order_of_the_studies() -> None:
    given = studies()
    found = collect(network(), given, "minmax")
    assert found.keys() == {"x", "c", "y"}
    for name, want in extremes(given).items():
        assert found[name] == pytest.approx(want, rel=1e-5)
    assert collect(network(), given[::-1], "minmax") == found


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_other_methods_stay_within_the_extremes(method: Method) -> None:
    given = studies()
    for name, (low, high) in collect(network(), given, method).items():
        lowest, highest = extremes(given)[name]
        step = (highest - lowest) / 100
        assert lowest - step <= low < high <= highest + step


def test_a_percentile_leaves_out_what_is_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "PERCENTILE", 99.99)  # one value in 33,000 is rare enough for a test
    given = studies(3)
    given[0]["x"] = np.random.default_rng(1).uniform(0, 1, (1, 2, 16, 16)).astype(np.float32)
    given.append({"x": given[0]["x"].copy()})
    given += [{"x": given[0]["x"].copy()} for _ in range(60)]
    given[-1]["x"][0, 0, 0, 0] = 1000
    assert collect(network(), given, "minmax")["x"][1] == pytest.approx(1000)
    assert collect(network(), given, "percentile")["x"][1] < 500


@pytest.mark.parametrize("method", METHODS)
def test_ranges_are_the_same_every_time_and_nothing_is_printed(
    method: Method, capfd: pytest.CaptureFixture[str]
) -> None:
    assert collect(network(), studies(), method) == collect(network(), studies(), method)
    assert capfd.readouterr().out == ""


def test_ranges_that_are_no_numbers_are_refused_by_name() -> None:
    given = studies(2)
    given[1]["x"][:] = np.inf
    with pytest.raises(CalibrationFailed, match=r"activation '[xcy]' takes values from .* to inf"):
        collect(network(), given, "minmax")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_activation_that_is_no_number_in_one_study_is_named(place: int) -> None:
    given: Studies = [{"x": np.abs(each["x"])} for each in studies(3)]
    given[place]["x"][:] = -1
    with pytest.raises(CalibrationFailed, match="activation 'root' reaches nan"):
        reaches(squared(), given, threads=1)


def test_an_activation_without_end_is_named() -> None:
    given = studies(2)
    given[0]["x"][:] = np.inf
    with pytest.raises(CalibrationFailed, match=r"activation '[cy]' reaches (inf|nan)"):
        reaches(network(), given, threads=1)


def test_a_reach_is_the_mean_over_studies_of_the_largest_magnitude_of_each_channel() -> None:
    given = studies()
    reach, largest = reaches(network(), given, threads=1)
    assert reach.keys() == largest.keys() == {"c", "y"}
    for name in reach:
        magnitudes = [np.abs(each).max(axis=(0, 2, 3)) for each in activations(name, given)]
        np.testing.assert_allclose(reach[name], np.mean(magnitudes, axis=0), rtol=1e-5)
        assert largest[name] == pytest.approx(float(np.max(magnitudes)), rel=1e-5)
    assert reach["c"].dtype == np.float32


def test_a_graph_that_does_not_run_is_refused_by_name() -> None:
    model = network()
    model.graph.node[0].op_type = "Konv"
    with pytest.raises(CalibrationFailed, match="cannot open graph 'tiny'"):
        reaches(model, studies(), threads=1)


@pytest.mark.parametrize("way", ["reaches", *METHODS])
def test_only_one_study_is_in_memory(way: str) -> None:
    """Earlier arrays are gone when the next but one is made."""
    alive: list[weakref.ref[NDArray[np.float32]]] = []
    most = 0

    def one_by_one() -> Iterator[dict[str, NDArray[np.float32]]]:
        nonlocal most
        for place in range(6):
            gc.collect()
            most = max(most, sum(each() is not None for each in alive))
            array = np.random.default_rng(place).normal(size=(1, 2, 16, 16)).astype(np.float32)
            alive.append(weakref.ref(array))
            arrays = {"x": array}
            del array
            yield arrays

    if way == "reaches":
        reaches(network(), one_by_one(), threads=1)
    else:
        collect(network(), one_by_one(), way)  # type: ignore[arg-type]
    assert len(alive) == 6
    assert most <= 1
