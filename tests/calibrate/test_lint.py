"""Good files pass; a copy that breaks one rule is caught by the rule's name and the node's."""

import re
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from spinert.bundle import Precision
from spinert.calibrate.half import BOUND, to_half
from spinert.calibrate.lint import READABLE, RULES, check, lint
from spinert.errors import CalibrationFailed
from tests.calibrate.good_graphs import GOOD, fp16, fp32, int8_cpu, int8_trt, node, put, store, stored, trt_float
from tests.calibrate.graphs import checked, run, values
from tests.calibrate.pairs import Net

Change = Callable[[ModelProto], Any]


def set_input(name: str, place: int, to: str) -> Change:
    def change(model: ModelProto) -> None:
        node(model, name).input[place] = to

    return change


def set_constant(name: str, numbers: Any) -> Change:
    def change(model: ModelProto) -> None:
        store(model, name, numbers)

    return change


def then(*changes: Change) -> Change:
    def change(model: ModelProto) -> None:
        for each in changes:
            each(model)

    return change


def new(operator: str, inputs: list[str], output: str, **attributes: Any) -> Change:
    return lambda model: put(model, helper.make_node(operator, inputs, [output], f"new.{operator}", **attributes))


def drop(name: str) -> Change:
    return lambda model: model.graph.node.remove(node(model, name))


def output_of(kind: int) -> Change:
    def change(model: ModelProto) -> None:
        model.graph.output[0].type.tensor_type.elem_type = kind

    return change


def add_output(name: str, kind: int = TensorProto.FLOAT16) -> Change:
    return lambda model: model.graph.output.append(helper.make_tensor_value_info(name, kind, None))


def foreign(model: ModelProto) -> None:
    node(model, "Mul.m").domain = "com.microsoft"


def old_opset(model: ModelProto) -> None:
    model.opset_import[0].version = 17


def function(model: ModelProto) -> None:
    model.functions.append(
        helper.make_function("own", "F", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], model.opset_import)
    )


def external(model: ModelProto) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "w")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "elsewhere"


def external_constant(model: ModelProto) -> None:
    constant = helper.make_node("Constant", [], ["extra"], value=helper.make_tensor("t", TensorProto.FLOAT, [], [1.0]))
    constant.attribute[0].t.data_location = TensorProto.EXTERNAL
    put(model, constant)


def control_flow(model: ModelProto) -> None:
    made = [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "branch", [], made)
    put(
        model,
        helper.make_node(
            "If", [store(model, "yes", np.bool_(True))], ["extra"], "choice", then_branch=branch, else_branch=branch
        ),
    )


def normalized(model: ModelProto) -> None:
    for name in ("scale", "bias", "mean", "var"):
        store(model, name, np.ones(3, np.float32))
    node(model, "Relu.r").input[0] = "n"
    put(model, helper.make_node("BatchNormalization", ["c", "scale", "bias", "mean", "var"], ["n"], "norm"))


def pair(source: str, stem: str, scale: str, *, after: str, kind: type = np.int8) -> Change:
    """A new pair at a tensor, of a scale that exists; nodes of the name `after` read it in place of the tensor."""

    def change(model: ModelProto) -> None:
        store(model, f"{stem}.z", kind(0))
        reader = node(model, after)
        reader.input[list(reader.input).index(source)] = f"{stem}.dq"
        put(
            model,
            helper.make_node("QuantizeLinear", [source, scale, f"{stem}.z"], [f"{stem}.q"], f"{stem}.Q"),
            helper.make_node("DequantizeLinear", [f"{stem}.q", scale, f"{stem}.z"], [f"{stem}.dq"], f"{stem}.DQ"),
        )

    return change


def quantized_head(model: ModelProto) -> None:
    scale = store(model, "head.w.scale", np.full(3, 0.01, np.float16))
    store(model, "head.w.int8", np.ones((3, 2, 1, 1), np.int8))
    node(model, "Conv.head").input[1] = "head.w.dq"
    put(model, helper.make_node("DequantizeLinear", ["head.w.int8", scale], ["head.w.dq"], "head.DQ", axis=0))
    pair("r4", "r4", "r3.scale.half", after="Conv.head")(model)


def axis(name: str, to: int) -> Change:
    def change(model: ModelProto) -> None:
        for each in ("QuantizeLinear", "DequantizeLinear"):
            attribute = node(model, f"{each}.{name}.{'q' if each[0] == 'Q' else 'dq'}").attribute
            next(one for one in attribute if one.name == "axis").i = to

    return change


def quantized_bias(model: ModelProto) -> None:
    store(model, "c1.b.int8", np.ones(4, np.int8))
    node(model, "Conv.c1").input[2] = "c1.b.dq"
    put(model, helper.make_node("DequantizeLinear", ["c1.b.int8", "x.scale.half"], ["c1.b.dq"], "bias.DQ"))


def int32_bias(model: ModelProto) -> None:
    store(model, "c1.b.int32", np.ones(4, np.int32))
    node(model, "Conv.c1").input[2] = "c1.b.dq"
    put(model, helper.make_node("DequantizeLinear", ["c1.b.int32", "x.scale.half"], ["c1.b.dq"], "bias.DQ"))


def unsigned_x(model: ModelProto) -> None:
    store(model, "x.zero_point", np.uint8(0))


def linear_resize(model: ModelProto) -> None:
    """In place of the MaxPool, which commutes."""
    store(model, "scales", np.float32([1, 1, 0.5, 0.5]))
    drop("MaxPool.pool")(model)
    new("Resize", ["r3.dq", "", "scales"], "pool", mode="linear")(model)


def cast_behind_pair(model: ModelProto) -> None:
    node(model, "QuantizeLinear.r2.q").input[1] = "r2.scale32"
    node(model, "DequantizeLinear.r2.dq").input[1] = "r2.scale32"
    store(model, "r2.scale32", np.float32(stored(model, "r2.scale.half")))
    node(model, "QuantizeLinear.r2.q").input[0] = "r2.f"
    node(model, "Conv.c3").input[0] = "r2.h"
    put(
        model,
        helper.make_node("Cast", ["r2"], ["r2.f"], "front", to=TensorProto.FLOAT),
        helper.make_node("Cast", ["r2.dq"], ["r2.h"], "behind", to=TensorProto.FLOAT16),
    )


def cast_again(model: ModelProto) -> None:
    node(model, "Conv.c").input[0] = "x.again"
    put(
        model,
        helper.make_node("Cast", ["x.half"], ["x.float"], "second", to=TensorProto.FLOAT),
        helper.make_node("Cast", ["x.float"], ["x.again"], "third", to=TensorProto.FLOAT16),
    )


def cast_weights(model: ModelProto) -> None:
    store(model, "w", stored(model, "w.half").astype(np.float32))
    node(model, "Conv.c").input[1] = "w.cast"
    put(model, helper.make_node("Cast", ["w"], ["w.cast"], "weights", to=TensorProto.FLOAT16))


CASES: dict[str, tuple[Precision, Change, str, str, str]] = {
    "foreign": ("fp32", foreign, "operators are those of onnx", "Mul.m", "domain 'com.microsoft'"),
    "old opset": ("fp32", old_opset, "operators are those of onnx", "tiny", "opset is 17, expected 19"),
    "function": ("fp32", function, "operators are those of onnx", "F", "function"),
    "control flow": ("fp32", control_flow, "nodes hold no graphs", "choice", "If holds a graph of its own"),
    "external constant": ("fp32", external_constant, "no data lies outside the file", "t", "another file"),
    "external": ("fp32", external, "no data lies outside the file", "w", "another file"),
    "wrong types": ("fp32", set_constant("k", np.int64(2)), "types agree", "tiny", "not valid"),
    "BatchNormalization": ("fp32", normalized, "batch normalization is folded", "norm", "BatchNormalization"),
    "pair in fp32": ("fp32", pair("r", "r", "k", after="Mul.m"), "nothing is quantized", "r.Q", "QuantizeLinear"),
    "half output": (
        "fp16",
        then(drop("Softmax.y"), new("Relu", ["m"], "y"), output_of(TensorProto.FLOAT16)),
        "inputs and outputs are float32",
        "y",
        "is FLOAT16, expected FLOAT",
    ),
    "cast again": ("fp16", cast_again, "casts are not back to back", "third", "'second' has just cast"),
    "cast weights": ("fp16", cast_weights, "weights are stored in their type", "weights", "constant 'w'"),
    "zero scale": (
        "int8-trt",
        set_constant("r2.scale.half", np.float16(0)),
        "scales are positive constants",
        "QuantizeLinear.r2.q",
        "scale 0, expected finite and above 0",
    ),
    "infinite scale": (
        "int8-cpu",
        set_constant("r1.scale", np.float32(np.inf)),
        "scales are positive constants",
        "DequantizeLinear.r1.dq",
        "scale inf",
    ),
    "computed scale": (
        "int8-cpu",
        then(set_input("QuantizeLinear.r1.q", 1, "s"), new("Identity", ["r1.scale"], "s")),
        "scales are positive constants",
        "QuantizeLinear.r1.q",
        "computes its scale 's'",
    ),
    "two scales": (
        "int8-trt",
        set_input("DequantizeLinear.r2.dq", 1, "r3.scale.half"),
        "pairs agree",
        "DequantizeLinear.r2.dq",
        r"has scale 0\.0499878, its QuantizeLinear 'QuantizeLinear\.r2\.q' 0\.0400085",
    ),
    "two zero points": (
        "int8-cpu",
        set_input("DequantizeLinear.r1.dq", 2, "x.zero_point"),
        "pairs agree",
        "DequantizeLinear.r1.dq",
        "zero point 128, its .* 0",
    ),
    "read as integers": (
        "int8-trt",
        then(new("Cast", ["r2.q"], "extra", to=TensorProto.FLOAT), add_output("extra", TensorProto.FLOAT)),
        "pairs agree",
        "QuantizeLinear.r2.q",
        "read by Cast 'new.Cast'",
    ),
    "no DequantizeLinear": (
        "int8-trt",
        then(set_input("Conv.c3", 0, "r2"), drop("DequantizeLinear.r2.dq")),
        "pairs agree",
        "QuantizeLinear.r2.q",
        "has no DequantizeLinear behind it",
    ),
    "no QuantizeLinear": (
        "int8-trt",
        then(set_input("DequantizeLinear.r2.dq", 0, "integers"), new("Identity", ["r2.q"], "integers")),
        "pairs agree",
        "DequantizeLinear.r2.dq",
        "reads 'integers', expected a QuantizeLinear or stored weights",
    ),
    "zero point of weights": (
        "int8-cpu",
        set_constant("c2.w.zero_point", np.full(4, 3, np.int8)),
        "weights are symmetric int8",
        "DequantizeLinear.c2.w.dq",
        "zero point 3 for weights, expected 0",
    ),
    "unsigned weights": (
        "int8-cpu",
        then(
            set_constant("c2.w.zero_point", np.zeros(4, np.uint8)),
            set_constant("c2.w.int8", np.ones((4, 4, 3, 3), np.uint8)),
        ),
        "weights are symmetric int8",
        "DequantizeLinear.c2.w.dq",
        "weights of UINT8, expected INT8",
    ),
    "weights per tensor": (
        "int8-trt",
        then(set_constant("c2.w.scale.half", np.float16(0.01)), set_constant("c2.w.zero_point", np.int8(0))),
        "weights are per channel",
        "DequantizeLinear.c2.w.dq",
        "1 scales for weights of 4 channels",
    ),
    "axis of a Conv": (
        "int8-trt",
        axis("c2.w", 1),
        "weights are per channel",
        "DequantizeLinear.c2.w.dq",
        "axis 1 of the weights of a Conv, expected 0",
    ),
    "axis of a ConvTranspose": (
        "int8-trt",
        then(
            axis("up.w", 0),
            set_constant("up.w.scale.half", np.full(4, 0.01, np.float16)),
            set_constant("up.w.zero_point", np.zeros(4, np.int8)),
        ),
        "weights are per channel",
        "DequantizeLinear.up.w.dq",
        "4 scales for weights of 2 channels",
    ),
    "activations per channel": (
        "int8-trt",
        then(
            set_constant("r2.scale.half", np.full(4, 0.01, np.float16)),
            set_constant("r2.zero_point", np.zeros(4, np.int8)),
        ),
        "activations are per tensor",
        "DequantizeLinear.r2.dq",
        "4 scales for an activation, expected 1",
    ),
    "quantized head": ("int8-trt", quantized_head, "heads are float", "Conv.head", "quantized Conv whose result"),
    "pair behind a head": (
        "int8-trt",
        pair("head.float", "head", "x.scale", after="Softmax.y"),
        "heads are float",
        "head.DQ",
        "quantizes what reaches an output",
    ),
    "uint8": (
        "int8-trt",
        unsigned_x,
        "everything is symmetric int8",
        "QuantizeLinear.x.q",
        "is of UINT8, expected INT8",
    ),
    "zero point": (
        "int8-trt",
        set_constant("x.zero_point", np.int8(-7)),
        "everything is symmetric int8",
        "QuantizeLinear.x.q",
        "zero point -7, expected 0",
    ),
    "computed zero point": (
        "int8-trt",
        then(
            set_input("QuantizeLinear.x.q", 2, "z"),
            set_input("DequantizeLinear.x.dq", 2, "z"),
            new("Identity", ["x.zero_point"], "z"),
        ),
        "everything is symmetric int8",
        "QuantizeLinear.x.q",
        "computes its zero point 'z'",
    ),
    "int8 bias": ("int8-trt", quantized_bias, "biases are float", "bias.DQ", "bias of 'Conv.c1', expected it in float"),
    "int32 bias": ("int8-trt", int32_bias, "biases are float", "bias.DQ", "dequantizes INT32"),
    "float activation": (
        "int8-trt",
        set_input("Conv.c3", 0, "r2"),
        "all inputs are quantized or none",
        "Conv.c3",
        "reads its weights quantized and its activation in float",
    ),
    "float weights": (
        "int8-trt",
        set_input("Conv.c3", 1, "c3.w.half"),
        "all inputs are quantized or none",
        "Conv.c3",
        "reads its activation quantized and its weights in float",
    ),
    "quantized output": (
        "int8-trt",
        pair("c2", "c2", "r2.scale.half", after="Relu.r2"),
        "pairs lead to weights",
        "c2.DQ",
        "read by Relu 'Relu.r2', expected weighted operators",
    ),
    "pair in front of a bias": (
        "int8-trt",
        then(
            set_constant("four", np.float16(4)),
            set_input("Conv.c3", 0, "more"),
            new("Add", ["r2.dq", "four"], "more"),
        ),
        "pairs lead to weights",
        "DequantizeLinear.r2.dq",
        "read by Add 'new.Add'",
    ),
    "pair as an output": (
        "int8-trt",
        then(new("Cast", ["r2.dq"], "extra", to=TensorProto.FLOAT), add_output("extra", TensorProto.FLOAT)),
        "pairs lead to weights",
        "DequantizeLinear.r2.dq",
        "read by Cast 'new.Cast'",
    ),
    "pair in front of what does not commute": (
        "int8-trt",
        linear_resize,
        "pairs lead to weights",
        "DequantizeLinear.r3.dq",
        "read by Resize 'new.Resize'",
    ),
    "pair in front of what commutes and then a Relu": (
        "int8-trt",
        then(set_input("ConvTranspose.up", 0, "again"), new("Relu", ["pool"], "again")),
        "pairs lead to weights",
        "DequantizeLinear.r3.dq",
        "read by Relu 'new.Relu'",
    ),
    "both branches": (
        "int8-trt",
        pair("c3", "c3", "r3.scale.half", after="Add.sum"),
        "only the identity branch is quantized",
        "Add.sum",
        "adds 2 quantized branches",
    ),
    "the wrong branch": (
        "int8-trt",
        then(pair("c3", "c3", "r3.scale.half", after="Add.sum"), set_input("Add.sum", 1, "r1")),
        "only the identity branch is quantized",
        "Add.sum",
        "quantized branch made by a Conv",
    ),
    "the wrong branch behind a constant": (
        "int8-trt",
        then(
            set_constant("shift", np.float16(1)),
            set_input("Add.sum", 0, "shifted"),
            set_input("Add.sum", 1, "r1"),
            new("Add", ["c3", "shift"], "shifted"),
            pair("shifted", "shifted", "r3.scale.half", after="Add.sum"),
        ),
        "only the identity branch is quantized",
        "Add.sum",
        "quantized branch made by a Conv",
    ),
    "cast beside a pair": (
        "int8-trt",
        cast_behind_pair,
        "no cast is beside a pair",
        "behind",
        "'DequantizeLinear.r2.dq'",
    ),
    "signed activations": (
        "int8-cpu",
        set_constant("r1.zero_point", np.int8(0)),
        "activations are uint8",
        "DequantizeLinear.r1.dq",
        "to INT8, expected UINT8",
    ),
    "float activation on a CPU": (
        "int8-cpu",
        set_input("Conv.c2", 0, "r1"),
        "quantized weights meet quantized activations",
        "Conv.c2",
        "reads its weights quantized and its activation in float",
    ),
    "bias scale": (
        "int8-cpu",
        set_constant("c1.b.scale", np.full(4, 0.001, np.float32)),
        "bias scales are products",
        "DequantizeLinear.c1.b.dq",
        r"has scale 0\.001 for a bias, expected",
    ),
    "bias of a float operator": (
        "int8-cpu",
        then(
            set_constant("y.b", np.ones(3, np.int32)),
            new("DequantizeLinear", ["y.b", "x.scale"], "y.b.dq"),
            lambda model: node(model, "Conv.y").input.append("y.b.dq"),
            lambda model: put(model),
        ),
        "bias scales are products",
        "new.DequantizeLinear",
        "bias of 'Conv.y', whose inputs are float",
    ),
    "float output": (
        "int8-cpu",
        set_input("Conv.y", 0, "c2"),
        "outputs are quantized in the layout",
        "Conv.c2",
        "gives its result to Conv as it is",
    ),
}


def assert_same_but_for_single_steps(model: ModelProto, other: ModelProto) -> None:
    """A value that lies halfway between two steps may fall to either side; all others are as near as FP16 allows."""
    x = values(2, 4, 6, 8)
    difference = np.abs(run(model, x=x)[0] - run(other, x=x)[0])
    assert np.median(difference) < 3e-4
    assert difference.max() < 0.06


def test_every_precision_has_rules_and_a_good_graph() -> None:
    assert set(RULES) == set(GOOD) == set(get_args(Precision))


@pytest.mark.parametrize("precision", GOOD)
def test_a_good_file_passes(precision: Precision) -> None:
    checked(GOOD[precision]())
    assert lint(GOOD[precision](), precision) == ()
    check(GOOD[precision](), precision)


@pytest.mark.parametrize("case", CASES)
def test_a_broken_rule_is_caught_by_name_and_node(case: str) -> None:
    precision, change, rule, name, problem = CASES[case]
    model = GOOD[precision]()
    change(model)
    del model.graph.value_info[:]
    found = {(each.rule, each.node): each.problem for each in lint(model, precision)}
    assert (rule, name) in found
    assert re.search(problem, found[rule, name])
    with pytest.raises(CalibrationFailed, match=f"breaks the rules of {precision} at"):
        check(model, precision)


def test_every_rule_has_a_broken_graph() -> None:
    rules = {rule.__name__.replace("_", " ") for each in (READABLE, *RULES.values()) for rule in each}
    elsewhere = {"float32 has a reason", "large tensors are not float16", "reduced weights fit seven bits"}
    assert rules - {rule for _, _, rule, _, _ in CASES.values()} == elsewhere


@pytest.mark.parametrize(("precision", "name"), [("fp16", "Conv.c"), ("int8-trt", "Relu.r1")])
def test_float32_without_a_reason_is_caught(precision: Precision, name: str) -> None:
    model = fp32() if precision == "fp16" else trt_float()
    broken = lint(model, precision)
    assert {each.rule for each in broken} == {"float32 has a reason"}
    assert name in {each.node for each in broken}


def test_a_node_that_was_kept_is_a_reason() -> None:
    model = to_half(fp32(), {}, keep=["Conv.c"])
    assert [each.node for each in lint(model, "fp16")] == ["Conv.c"]
    assert lint(model, "fp16", allowed_fp32=["Conv.c"]) == ()


def test_a_large_tensor_is_a_reason() -> None:
    largest = {"c": 1e6}
    model = to_half(fp32(), largest)
    assert [each.node for each in lint(model, "fp16")] == ["Conv.c", "Relu.r"]
    assert lint(model, "fp16", largest=largest) == ()


def test_a_large_tensor_in_float16_is_caught() -> None:
    (broken,) = lint(fp16(), "fp16", largest={"c": 1e6, "m": BOUND})
    assert broken == ("large tensors are not float16", "Conv.c", broken.problem)
    assert "1e+06 was measured and 16376 is the bound" in broken.problem


@pytest.mark.parametrize("keep", [["Conv.c2"], ["Add.sum"], ["Conv.head"], ["MaxPool.pool", "ConvTranspose.up"]])
def test_an_int8_file_with_nodes_kept_in_float32_passes(keep: list[str]) -> None:
    model = to_half(trt_float(), {}, keep=keep)
    assert lint(model, "int8-trt", allowed_fp32=keep) == ()
    assert_same_but_for_single_steps(model, trt_float())


def test_a_file_from_quantization_aware_training_with_stored_weights_passes() -> None:
    assert lint(int8_trt(stored=True), "int8-trt") == ()


def test_a_good_int8_file_computes_what_it_computed_before_its_islands_were_float16() -> None:
    assert_same_but_for_single_steps(int8_trt(), trt_float())


def test_the_reduced_range_is_asked_for_where_it_is_needed() -> None:
    model = int8_cpu()
    assert lint(model, "int8-cpu") == ()
    broken = lint(model, "int8-cpu", reduced_range=True)
    assert {(each.rule, each.node) for each in broken} == {
        ("reduced weights fit seven bits", f"DequantizeLinear.{name}.w.dq") for name in ("c1", "c2")
    }
    assert "up to 127 steps, expected at most 64" in broken[0].problem
    for name in ("c1", "c2"):
        store(model, f"{name}.w.int8", stored(model, f"{name}.w.int8") // 2)
    assert lint(model, "int8-cpu", reduced_range=True) == ()


def test_the_reduced_range_counts_float_weights_in_their_scale() -> None:
    model = int8_cpu("openvino")
    weights = stored(model, "c2.w.int8").astype(np.float32) * stored(model, "c2.w.scale").reshape(4, 1, 1, 1)
    store(model, "c2.w", weights)
    node(model, "DequantizeLinear.c2.w.dq").input[0] = "c2.w.q"
    put(
        model,
        helper.make_node("QuantizeLinear", ["c2.w", "c2.w.scale", "c2.w.zero_point"], ["c2.w.q"], "c2.w.Q", axis=0),
    )
    assert lint(model, "int8-cpu", layout="openvino") == ()
    broken = lint(model, "int8-cpu", layout="openvino", reduced_range=True)
    assert "DequantizeLinear.c2.w.dq" in {each.node for each in broken}


def test_each_layout_is_refused_as_the_other() -> None:
    assert lint(int8_cpu("openvino"), "int8-cpu", layout="openvino") == ()
    assert [each.rule for each in lint(int8_cpu("openvino"), "int8-cpu")] == ["outputs are quantized in the layout"]
    broken = lint(int8_cpu(), "int8-cpu", layout="openvino")
    assert [each.rule for each in broken] == ["quantized weights meet quantized activations"]


def test_an_output_pair_is_refused_in_the_layout_of_openvino() -> None:
    model = int8_cpu("openvino")
    pair("c1", "c1", "r1.scale", after="Relu.r1", kind=np.uint8)(model)
    (broken,) = lint(model, "int8-cpu", layout="openvino")
    assert broken[:2] == ("outputs are quantized in the layout", "c1.DQ")


def test_the_error_names_three_nodes_and_counts_the_rest() -> None:
    with pytest.raises(CalibrationFailed, match=r"rules of int8-trt at 'Relu\.r1'.*; and 2 more") as caught:
        check(trt_float(), "int8-trt")
    assert caught.value.exit_code == 10


@pytest.mark.parametrize(
    ("operator", "attributes", "shape", "right", "wrong"),
    [
        ("MatMul", {}, (6, 4), 1, 0),
        ("Gemm", {}, (6, 4), 1, 0),
        ("Gemm", {"transB": 1}, (4, 6), 0, 1),
        ("Gemm", {"transB": 1}, (6, 6), 0, 1),
    ],
)
def test_weights_of_a_product_have_their_scales_along_the_output(operator, attributes, shape, right, wrong) -> None:
    def product(axis: int) -> ModelProto:
        net = Net()
        weights = net.weight("w", values(*shape), axis=axis)
        net.node("Relu", net.node(operator, net.pair("x", 0.02), weights, to="p", **attributes), to="r")
        columns = shape[0] if attributes else shape[1]
        net.node("MatMul", "r", net.constant("head", values(columns, 2)), to="y")
        return to_half(net.model({"x": ["n", 6]}, {"y": ["n", 2]}), {})

    assert lint(product(right), "int8-trt") == ()
    assert [(each.rule, each.node) for each in lint(product(wrong), "int8-trt")] == [
        ("weights are per channel", "DequantizeLinear.w.dq")
    ]


def test_the_input_of_the_network_may_be_the_identity_branch() -> None:
    model = int8_trt()
    node(model, "Add.sum").input[1] = "x.dq"
    assert lint(model, "int8-trt") == ()


def test_int8_goes_through_concatenations_into_weights() -> None:
    net = Net()
    net.node("Concat", net.pair("x", 0.02), net.pair(net.node("Relu", "x", to="r"), 0.02), to="both", axis=1)
    net.node("Relu", net.node("Conv", "both", net.weight("w", values(3, 8, 1, 1)), to="c"), to="d")
    net.node("Conv", "d", net.constant("head", values(3, 3, 1, 1)), to="y")
    model = to_half(net.model({"x": ["n", 4, 6, 8]}, {"y": ["n", 3, 6, 8]}), {})
    assert lint(model, "int8-trt") == ()
    node(model, "Concat.both").input[1] = "r"
    assert [each.rule for each in lint(model, "int8-trt")] == ["all inputs are quantized or none"]
