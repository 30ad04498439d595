"""Layers by the damage that quantizing each alone does to the findings."""

from pathlib import Path

import onnx
import pytest

from spinert.bundle import Bundle
from spinert.calibrate.rewrite import OPENVINO
from spinert.calibrate.search import Target
from spinert.calibrate.sensitivity import RUINED, Layer, Simulator, kept_in, layers_of, most_put_back, put_back, ranked
from spinert.calibrate.stages import Stages
from spinert.calibrate.workspace import Workspace
from tests.calibrate import small_bundle

OPERATIONS = {"Conv.c1": (4 * 1 * 3 * 3) * (96 * 48), "Conv.c2": (4 * 4 * 3 * 3) * (48 * 24)}
INT8 = Target("int8-cpu", "openvino", OPENVINO, timed=True)


def layer(network: str, node: str, damage: float, operations: int = 1) -> Layer:
    return Layer(network, node, damage, operations)


def stages(bundle: Bundle, films: Path, folder: Path) -> Stages:
    workspace = Workspace(folder / "made", {})
    return Stages(bundle, [films], (), workspace, method="percentile", threads=1, progress=lambda *_: None)


@pytest.fixture(scope="module")
def measured(small: Bundle, films: Path, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return stages(small, films, tmp_path_factory.mktemp("measured"))


def test_the_fragile_layer_comes_first(films: Path, tmp_path: Path) -> None:
    model = small_bundle.network(strength=1.0, unbearable=True)
    found = stages(small_bundle.small_bundle(tmp_path / "fragile", model), films, tmp_path)
    found.equalized = found.exact  # type: ignore[misc]  # what makes it fragile is not to be mended here
    first, second = found.ranking(INT8)
    assert (first.node, second.node) == ("Conv.c2", "Conv.c1")
    assert first.damage > 2 * second.damage


def test_the_ranking_is_taken_up_where_it_was_left(small: Bundle, films: Path, tmp_path: Path) -> None:
    want = stages(small, films, tmp_path).ranking(INT8)
    again = stages(small, films, tmp_path)
    again.simulator.share = None  # type: ignore[assignment, method-assign]  # it would be an error to ask it
    assert again.ranking(INT8) == want


def test_fp32_itself_uses_none_of_the_room(measured: Stages) -> None:
    assert measured.simulator.share(measured.exact, "fp32") == 0.0


def test_a_network_with_which_a_study_fails_is_ruined(measured: Stages) -> None:
    broken = onnx.ModelProto.FromString(measured.exact["landmarks"].SerializeToString())
    answer = next(each for each in broken.graph.initializer if each.name == "answer")
    answer.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(answer) * float("nan"), "answer"))
    simulator: Simulator = measured.simulator
    assert simulator.results({"landmarks": broken}, "fp32") == [None] * 16
    assert simulator.share({"landmarks": broken}, "fp32") == RUINED


def test_every_quantizable_layer_of_every_network_is_ranked() -> None:
    graphs = {"one": small_bundle.network(), "two": small_bundle.network()}
    assert [layer[:2] for layer in layers_of(graphs)] == [(n, node) for n in graphs for node in ("Conv.c1", "Conv.c2")]


def test_operations_are_weights_times_the_places_where_they_are_applied() -> None:
    for _, node, operations in layers_of({"one": small_bundle.network()}):
        assert operations == OPERATIONS[node]


def test_equals_stay_in_the_order_of_the_graph() -> None:
    ranking = ranked([layer("one", "a", 0.1), layer("one", "b", 0.3), layer("two", "a", 0.3), layer("two", "c", 0.2)])
    assert [(each.network, each.node) for each in ranking] == [("one", "b"), ("two", "a"), ("two", "c"), ("one", "a")]
    assert kept_in(put_back(ranking, 3)) == {"one": {"b"}, "two": {"a", "c"}}
    assert kept_in(put_back(ranking, 0)) == {}


def test_what_gains_most_for_its_operations_is_put_back_first() -> None:
    cheap, dear = layer("one", "cheap", 0.1, operations=1), layer("one", "dear", 0.3, operations=10)
    assert put_back(ranked([dear, cheap]), 1) == (cheap,)  # 0.01 for each operation against 0.009


def test_no_more_than_half_of_the_operations_are_put_back() -> None:
    ranking = [layer("one", f"c{place}", 1.0 - place / 10, operations=1) for place in range(5)]
    assert most_put_back(ranking) == 2
    assert most_put_back([*ranking, layer("one", "huge", 0.1, operations=100)]) == 5
    assert most_put_back([]) == 0
