"""FP16 files: what is cast and what is not, and that they compute what the float32 graph computes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from spinert.calibrate.half import BOUND, SUMS, to_half
from spinert.errors import CalibrationFailed
from tests.calibrate.graphs import Shape, back_to_back, cast_twice, model_of, operators, precision, run, types, values

HALF_EPSILON = 2.0**-10


def n(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, inputs, [output], **attributes)


Family = tuple[list[NodeProto], Shape, Shape, Mapping[str, Any]]
FAMILIES: dict[str, Family] = {
    "Conv": (
        [n("Conv", ["x", "w", "b"], "y", pads=[1, 1, 1, 1])],
        ["n", 3, 6, 5],
        ["n", 4, 6, 5],
        {"w": values(4, 3, 3, 3), "b": values(4)},
    ),
    "Conv in volumes": (
        [n("Conv", ["x", "w"], "y")],
        [1, 2, 4, 5, 6],
        [1, 3, 2, 3, 4],
        {"w": values(3, 2, 3, 3, 3)},
    ),
    "ConvTranspose": (
        [n("ConvTranspose", ["x", "w", "b"], "y", strides=[2, 2])],
        [1, 3, 4, 4],
        [1, 2, 8, 8],
        {"w": values(3, 2, 2, 2), "b": values(2)},
    ),
    "Gemm": ([n("Gemm", ["x", "w", "b"], "y", transB=1)], ["n", 6], ["n", 4], {"w": values(4, 6), "b": values(4)}),
    "MatMul": ([n("MatMul", ["x", "w"], "y")], ["n", 6], ["n", 4], {"w": values(6, 4)}),
    "Concat": ([n("Relu", ["x"], "r"), n("Concat", ["x", "r", "c"], "y", axis=1)], [2, 3], [2, 7], {"c": values(2, 1)}),
    "Resize by scales": (
        [n("Resize", ["x", "", "s"], "y", mode="nearest")],
        [1, 2, 3, 3],
        [1, 2, 6, 6],
        {"s": np.float32([1, 1, 2, 2])},
    ),
    "Resize by sizes": (
        [n("Resize", ["x", "", "", "s"], "y", mode="linear")],
        [1, 2, 3, 3],
        [1, 2, 6, 7],
        {"s": np.int64([1, 2, 6, 7])},
    ),
    "Clip": ([n("Clip", ["x", "low", "high"], "y")], [2, 3], [2, 3], {"low": np.float32(0), "high": np.float32(0.5)}),
    "Pad": (
        [n("Pad", ["x", "p", "v"], "y")],
        [2, 3],
        [2, 5],
        {"p": np.int64([0, 1, 0, 1]), "v": np.float32(0.25)},
    ),
    "Where": (
        [n("Greater", ["x", "zero"], "positive"), n("Where", ["positive", "x", "low"], "y")],
        [2, 3],
        [2, 3],
        {"zero": np.float32(0), "low": np.float32(-2)},
    ),
    "Constant": ([n("Constant", [], "c", value_float=0.5), n("Mul", ["x", "c"], "y")], [2, 3], [2, 3], {}),
    "MaxPool": ([n("MaxPool", ["x"], "y", kernel_shape=[2, 2])], [1, 2, 4, 4], [1, 2, 3, 3], {}),
    "Slice and shape": (
        [
            n("Shape", ["x"], "shape"),
            n("Slice", ["shape", "one", "two"], "ends"),
            n("Slice", ["x", "zero", "ends", "one"], "part"),
            n("Relu", ["part"], "y"),
        ],
        [2, 3],
        [2, 3],
        {"zero": np.int64([0]), "one": np.int64([1]), "two": np.int64([2])},
    ),
    "Cast from an integer": (
        [
            n("Cast", ["x"], "i", to=TensorProto.INT64),
            n("Cast", ["i"], "f", to=TensorProto.FLOAT),
            n("Neg", ["f"], "y"),
        ],
        [2, 3],
        [2, 3],
        {},
    ),
    "Cast to its own type": ([n("Cast", ["x"], "f", to=TensorProto.FLOAT), n("Neg", ["f"], "y")], [2, 3], [2, 3], {}),
    "ConstantOfShape": (
        [
            n("Shape", ["x"], "shape"),
            n("ConstantOfShape", ["shape"], "c", value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])),
            n("Add", ["x", "c"], "y"),
        ],
        [2, 3],
        [2, 3],
        {},
    ),
    "Sigmoid": ([n("Sigmoid", ["x"], "y")], [2, 3], [2, 3], {}),
    "output read inside": (
        [n("Relu", ["x"], "y"), n("Neg", ["y"], "z"), n("Softmax", ["y"], "s"), n("Add", ["z", "s"], "t")],
        [2, 3],
        [2, 3],
        {},
    ),
}


def family(name: str) -> ModelProto:
    nodes, given, made, constants = FAMILIES[name]
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    outputs = {"y": made, "t": made} if name == "output read inside" else {"y": made}
    return model_of(copies, {"x": given}, outputs, constants)


def sample(model: ModelProto) -> NDArray[np.float32]:
    return values(*(axis.dim_value or 2 for axis in model.graph.input[0].type.tensor_type.shape.dim))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_computes_in_float16_what_it_computed_in_float32(name: str) -> None:
    model = family(name)
    half = to_half(model, {})
    assert back_to_back(half) == []
    assert cast_twice(half) == []
    assert "FLOAT16" in types(half).values()
    assert [types(half)[each.name] for each in (*half.graph.input, *half.graph.output)] == ["FLOAT"] * (
        1 + len(half.graph.output)
    )
    x = sample(model)
    for want, got in zip(run(model, x=x), run(half, x=x), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=4 * HALF_EPSILON, atol=8 * HALF_EPSILON * np.abs(want).max())


@pytest.mark.parametrize("name", FAMILIES)
def test_the_bytes_are_the_same_every_time_and_the_model_given_stays_as_it_is(name: str) -> None:
    model = family(name)
    before = model.SerializeToString(deterministic=True)
    first, second = (to_half(model, {}).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
    assert model.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("name", ["Conv", "Gemm", "MatMul", "Clip", "Pad", "Constant"])
def test_all_constants_of_a_float16_node_are_float16(name: str) -> None:
    half = to_half(family(name), {})
    floats = {types(half)[tensor.name] for tensor in half.graph.initializer if tensor.data_type != TensorProto.INT64}
    assert floats == {"FLOAT16"}


def test_the_scales_of_a_resize_stay_float32() -> None:
    half = to_half(family("Resize by scales"), {})
    assert types(half)["s"] == "FLOAT"
    assert precision(half, "Resize") == "FLOAT16"


def test_a_tensor_with_two_readers_is_cast_once() -> None:
    model = model_of(
        [
            n("Relu", ["x"], "r"),
            n("Softmax", ["r"], "s"),
            n("Exp", ["x"], "e"),
            n("ReduceSum", ["r"], "t"),
            n("Add", ["s", "t"], "u"),
            n("Add", ["u", "e"], "y"),
        ],
        {"x": [2, 3]},
        {"y": [2, 3]},
        {},
    )
    half = to_half(model, {})
    assert cast_twice(half) == []
    assert operators(half).count("Cast") == 5  # x, r for both sums, both sums, y


@pytest.mark.parametrize("operator", sorted(SUMS))
def test_sums_are_operators_of_onnx(operator: str) -> None:
    assert onnx.defs.get_schema(operator, 21, "").name == operator  # GroupNormalization is used from opset 21


@pytest.mark.parametrize("operator", ["Softmax", "ReduceMean", "GlobalAveragePool", "InstanceNormalization"])
def test_sums_stay_float32(operator: str) -> None:
    constants = {"s": np.ones(2, np.float32), "b": np.zeros(2, np.float32)}
    inputs = ["r", "s", "b"] if operator == "InstanceNormalization" else ["r"]
    shape = [1, 2, 1, 1] if operator == "GlobalAveragePool" else [1, 2, 4, 4]
    if operator == "ReduceMean":
        shape = [1, 1, 1, 1]
    model = model_of(
        [n("Relu", ["x"], "r"), n(operator, inputs, "t"), n("Neg", ["t"], "y")],
        {"x": [1, 2, 4, 4]},
        {"y": shape},
        constants,
    )
    half = to_half(model, {})
    assert precision(half, operator) == "FLOAT"
    assert precision(half, "Relu") == precision(half, "Neg") == "FLOAT16"


def chain() -> ModelProto:
    return model_of(
        [n("Relu", ["x"], "a"), n("Mul", ["a", "k"], "b"), n("Neg", ["b"], "c"), n("Abs", ["c"], "y")],
        {"x": [2, 3]},
        {"y": [2, 3]},
        {"k": np.float32(2)},
    )


@pytest.mark.parametrize("largest", [BOUND * 1.01, np.inf, np.nan])
def test_nodes_at_a_large_tensor_stay_float32(largest: float) -> None:
    half = to_half(chain(), {"a": 1.0, "b": largest, "c": 1.0})
    assert {name: types(half)[name] for name in ("a", "b", "c")} == {"a": "FLOAT16", "b": "FLOAT", "c": "FLOAT"}
    assert types(half)["k"] == "FLOAT"
    assert to_half(chain(), {"b": BOUND}).graph == to_half(chain(), {}).graph


def test_a_graph_input_that_is_too_large_is_not_cast() -> None:
    half = to_half(chain(), {"x": 1e5, "a": 1.0})
    assert types(half)["a"] == "FLOAT"
    assert [node.input[0] for node in half.graph.node if node.op_type == "Cast"] == ["a", "y.half"]


def test_named_nodes_stay_float32_with_casts_at_the_borders_only() -> None:
    half = to_half(chain(), {}, keep=["Mul_1", "Neg_2"])
    assert operators(half) == ["Cast", "Relu", "Cast", "Mul", "Neg", "Cast", "Abs", "Cast"]
    assert precision(half, "Mul") == precision(half, "Neg") == "FLOAT"


def test_a_graph_whose_nodes_are_all_kept_has_no_cast() -> None:
    kept = to_half(chain(), {}, keep=["Relu_0", "Mul_1", "Neg_2", "Abs_3"])
    assert operators(kept) == operators(chain())


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (65504.0, "FLOAT16"),
        (65536.0, "FLOAT"),
        (-3.4e38, "FLOAT"),
        (2.0**-14, "FLOAT16"),
        (1e-5, "FLOAT"),
        (1e-12, "FLOAT"),
        (0.0, "FLOAT16"),
        (-np.inf, "FLOAT16"),
    ],
)
def test_a_constant_that_float16_cannot_hold_keeps_its_node_float32(weight: float, expected: str) -> None:
    model = model_of([n("Max", ["x", "k"], "y")], {"x": [2, 3]}, {"y": [2, 3]}, {"k": np.float32(weight)})
    half = to_half(model, {})
    made = next(node.output[0] for node in half.graph.node if node.op_type == "Max")
    assert types(half)[made] == expected


def test_a_bias_that_is_too_small_for_float16_is_rounded() -> None:
    model = family("Conv")
    tiny = onnx.numpy_helper.from_array(np.full(4, 1e-9, np.float32), "b")
    next(tensor for tensor in model.graph.initializer if tensor.name == "b").CopyFrom(tiny)
    assert precision(to_half(model, {}), "Conv") == "FLOAT16"


def test_a_constant_read_in_both_precisions_is_written_in_both() -> None:
    model = model_of(
        [n("Mul", ["x", "k"], "a"), n("Add", ["a", "k"], "y")], {"x": [2]}, {"y": [2]}, {"k": np.float32(3)}
    )
    half = to_half(model, {}, keep=["Add_1"])
    assert {tensor.name: types(half)[tensor.name] for tensor in half.graph.initializer} == {
        "k": "FLOAT",
        "k.half": "FLOAT16",
    }
    np.testing.assert_array_equal(run(half, x=np.float32([1, 2]))[0], [6, 9])


def test_names_that_are_taken_are_not_used() -> None:
    model = model_of(
        [n("Relu", ["x"], "x.half"), n("Neg", ["x.half"], "y")], {"x": [2]}, {"y": [2]}, {}
    )  # the file would have its own x.half
    np.testing.assert_array_equal(run(to_half(model, {}), x=np.float32([1, -2]))[0], [-1, 0])


def test_an_unknown_node_to_keep_is_refused_by_name() -> None:
    with pytest.raises(CalibrationFailed, match="graph 'tiny' does not have: Conv_9"):
        to_half(chain(), {}, keep=["Relu_0", "Conv_9"])


def test_a_half_graph_is_refused() -> None:
    with pytest.raises(CalibrationFailed, match=r"tensor 'x.half' .* is FLOAT16, expected FLOAT"):
        to_half(to_half(chain(), {}), {})


def test_foreign_operators_are_refused_by_name() -> None:
    model = chain()
    model.graph.node[2].domain = "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(CalibrationFailed, match=r"Neg 'Neg_2' is of domain 'com\.microsoft'"):
        to_half(model, {})
