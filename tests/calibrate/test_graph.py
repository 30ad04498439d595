"""The wiring of a graph, free names, and nodes put in order."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from spinert.calibrate.graph import Wiring, attribute, element_types, flat, label, rebuild
from spinert.errors import CalibrationFailed
from tests.calibrate.graphs import checked, model_of, operators, run


def diamond() -> ModelProto:
    """x -> Relu -> (Mul by 2, Neg) -> Add -> y"""
    return model_of(
        [
            helper.make_node("Relu", ["x"], ["positive"], name="first"),
            helper.make_node("Mul", ["positive", "two"], ["doubled"]),
            helper.make_node("Neg", ["positive"], ["negative"]),
            helper.make_node("Add", ["doubled", "negative"], ["y"]),
        ],
        {"x": ["n", 3]},
        {"y": ["n", 3]},
        {"two": np.float32([2])},
    )


def test_wiring_knows_who_makes_and_who_reads() -> None:
    wiring = Wiring(diamond().graph)
    assert [label(node) for node in wiring.read_by("positive")] == ["Mul_1", "Neg_2"]
    assert label(wiring.producer["doubled"]) == "Mul_1"
    assert wiring.read_by("y") == []
    assert "x" not in wiring.producer
    assert (wiring.inputs, wiring.outputs) == (("x",), ("y",))


def test_a_node_that_reads_a_tensor_twice_is_one_reader() -> None:
    model = model_of([helper.make_node("Mul", ["x", "x"], ["y"])], {"x": [2]}, {"y": [2]}, {})
    assert len(Wiring(model.graph).read_by("x")) == 1


def test_constants_are_initializers_and_values_of_constant_nodes() -> None:
    model = model_of(
        [
            helper.make_node("Constant", [], ["half"], value_float=0.5),
            helper.make_node("Mul", ["x", "half"], ["less"]),
            helper.make_node("Add", ["less", "one"], ["y"]),
        ],
        {"x": [2]},
        {"y": [2]},
        {"one": np.float32(1)},
    )
    wiring = Wiring(model.graph)
    assert wiring.value("half") == 0.5
    assert wiring.value("one") == 1
    assert wiring.value("less") is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value_float": 0.5}, np.float32(0.5)),
        ({"value_floats": [0.5, 2.0]}, np.float32([0.5, 2])),
        ({"value": helper.make_tensor("t", TensorProto.FLOAT, [2], [3.0, 4.0])}, np.float32([3, 4])),
    ],
)
def test_a_flat_graph_has_its_constants_as_initializers(given, expected) -> None:
    nodes = [helper.make_node("Constant", [], ["c"], **given), helper.make_node("Add", ["x", "c"], ["y"])]
    model = model_of(nodes, {"x": [2]}, {"y": [2]}, {})
    copy = flat(model)
    assert operators(copy) == ["Add"]
    assert operators(model) == ["Constant", "Add"]
    np.testing.assert_array_equal(run(copy, x=np.float32([1, 2]))[0], np.float32([1, 2]) + expected)


@pytest.mark.parametrize(("given", "length"), [({"value_int": 2}, 0), ({"value_ints": [2, 3]}, 1)])
def test_whole_numbers_of_constant_nodes_are_read(given, length) -> None:
    value = Wiring(helper.make_graph([helper.make_node("Constant", [], ["c"], **given)], "g", [], [])).value("c")
    assert value is not None
    assert (value.dtype, value.ndim) == (np.int64, length)


def test_text_is_left_in_its_node() -> None:
    graph = helper.make_graph([helper.make_node("Constant", [], ["c"], value_string="a")], "g", [], [])
    assert Wiring(graph).value("c") is None


def test_a_graph_inside_a_node_is_refused_by_name() -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])],
    )
    node = helper.make_node("If", ["yes"], ["y"], name="choice", then_branch=branch, else_branch=branch)
    model = model_of([node], {"x": [2]}, {"y": [2]}, {"yes": np.bool_(True)})
    with pytest.raises(CalibrationFailed, match="If 'choice' holds a graph of its own"):
        flat(model)


def test_a_fresh_name_is_given_once() -> None:
    wiring = Wiring(diamond().graph)
    assert [wiring.fresh(stem) for stem in ("new", "new", "doubled", "first")] == [
        "new",
        "new_2",
        "doubled_2",
        "first_2",
    ]


def test_added_nodes_are_put_before_their_first_reader_and_the_rest_keeps_its_order() -> None:
    model = diamond()
    cast = helper.make_node("Abs", ["positive"], ["absolute"])
    nodes = list(model.graph.node)
    nodes[3].input[1] = "absolute"
    rebuild(model.graph, [*nodes, cast], model.graph.initializer)
    assert operators(model) == ["Relu", "Mul", "Neg", "Abs", "Add"]
    checked(model)


def test_nodes_in_reverse_are_sorted() -> None:
    model = diamond()
    rebuild(model.graph, reversed(list(model.graph.node)), model.graph.initializer)
    checked(model)
    np.testing.assert_array_equal(run(model, x=np.float32([[1, -2, 3]]))[0], [[1, 0, 3]])


def test_a_circle_is_refused_by_name() -> None:
    model = diamond()
    model.graph.node[0].input[0] = "y"
    with pytest.raises(ValueError, match="reads what depends on its own output"):
        rebuild(model.graph, model.graph.node, model.graph.initializer)


def test_unread_initializers_and_stale_shapes_are_dropped() -> None:
    model = checked(diamond())
    assert len(model.graph.value_info) > 0
    model.graph.node[1].input[1] = "positive"
    rebuild(model.graph, model.graph.node, model.graph.initializer)
    assert len(model.graph.initializer) == 0
    assert len(model.graph.value_info) == 0


def test_element_types_cover_every_tensor() -> None:
    assert element_types(diamond()) == dict.fromkeys(("x", "positive", "doubled", "negative", "y", "two"), 1)


def test_an_invalid_graph_is_refused() -> None:
    model = diamond()
    model.graph.node[3].op_type = "And"
    with pytest.raises(CalibrationFailed, match="graph 'tiny' is not valid"):
        element_types(model)


def test_attributes_have_defaults() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=4)
    assert attribute(node, "group", 1) == 4
    assert attribute(node, "strides", None) is None
    assert label(node) == "y"
