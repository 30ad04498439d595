"""FP16 files of graphs that carry Q/DQ: the scale of a pair is one number, and no cast lies beside a pair."""

import numpy as np
import pytest
from onnx import ModelProto

from spinert.calibrate.graph import Wiring
from spinert.calibrate.half import to_half
from spinert.calibrate.scales import SMALLEST_SCALE, is_half
from tests.calibrate.good_graphs import trt_float
from tests.calibrate.graphs import back_to_back, cast_twice, checked, operators, precision, run, types, values
from tests.calibrate.pairs import Net

WEIGHT = 0.1 * values(4, 3, 3, 3)


def quantized(weight=WEIGHT, *, scale=0.021, stored=False, reader="Relu") -> ModelProto:
    """x -> pair -> Conv with paired weights -> Relu (or Softmax) -> y"""
    net = Net()
    quantized_x = net.pair("x", scale)
    weight = net.weight("w", weight, stored=stored)
    net.node("Conv", quantized_x, weight, net.constant("b", values(4)), to="c", pads=[1, 1, 1, 1])
    net.node(reader, "c", to="y")
    return net.model({"x": ["n", 3, 6, 5]}, {"y": ["n", 4, 6, 5]})


def scale_of(model: ModelProto, node) -> np.ndarray:
    return Wiring(model.graph).value(node.input[1])


def beside_pairs(model: ModelProto) -> list[str]:
    """Casts between a DequantizeLinear and its reader."""
    made_by_pairs = {node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    return [node.name for node in model.graph.node if node.op_type == "Cast" and node.input[0] in made_by_pairs]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("reader", ["Relu", "Softmax"])
def test_float_islands_become_float16(stored: bool, reader: str) -> None:
    model = quantized(stored=stored, reader=reader)
    half = to_half(model, {})
    assert precision(half, "Conv") == "FLOAT16"
    assert {types(half)[node.output[0]] for node in half.graph.node if node.op_type == "DequantizeLinear"} == {
        "FLOAT16"
    }
    assert back_to_back(half) == cast_twice(half) == beside_pairs(half) == []
    x = values(2, 3, 6, 5)
    np.testing.assert_allclose(run(half, x=x)[0], run(model, x=x)[0], atol=0.02)


def test_an_input_that_is_only_quantized_is_not_cast() -> None:
    half = to_half(quantized(), {})
    quantize = next(node for node in half.graph.node if node.input[0] == "x")
    assert quantize.op_type == "QuantizeLinear"
    assert scale_of(half, quantize).dtype == np.float32


def test_both_nodes_of_a_pair_have_one_scale_whatever_their_types() -> None:
    half = to_half(quantized(), {})
    scales = [scale_of(half, node) for node in half.graph.node if node.input[0] in ("x", "x.q")]
    assert [scale.dtype for scale in scales] == [np.float32, np.float16]
    assert float(scales[0]) == float(scales[1]) == float(np.float16(0.021)) != np.float32(0.021)


def test_a_float32_reader_of_a_pair_gets_a_dequantizer_of_its_own() -> None:
    net = Net()
    paired = net.pair("x", 0.1)
    net.node("Relu", paired, to="a")
    net.node("Neg", paired, to="b")
    net.node("Add", "a", "b", to="y")
    model = net.model({"x": [2, 3]}, {"y": [2, 3]})
    half = to_half(model, {}, keep=["Neg.b"])
    assert operators(half).count("DequantizeLinear") == 2
    assert beside_pairs(half) == []
    x = values(2, 3)
    np.testing.assert_allclose(run(half, x=x)[0], run(model, x=x)[0], atol=0.01)


def test_a_pair_that_is_an_output_stays_float32_there() -> None:
    net = Net()
    net.node("Relu", net.pair("x", 0.1), to="y")
    model = net.model({"x": [2, 3]}, {"y": [2, 3], "x.dq": [2, 3]})
    half = to_half(model, {})
    assert types(half)["x.dq"] == "FLOAT"
    assert precision(half, "Relu") == "FLOAT16"
    assert beside_pairs(half) == []
    x = values(2, 3)
    for want, got in zip(run(model, x=x), run(half, x=x), strict=True):
        np.testing.assert_allclose(got, want, atol=0.01)


@pytest.mark.parametrize("stored", [False, True])
def test_a_channel_of_tiny_weights_keeps_its_convolution_float16(stored: bool) -> None:
    weight = WEIGHT.copy()
    weight[1] *= 1e-18
    weight[2] *= 2e-3
    model = quantized(weight, stored=stored)
    half = to_half(model, {})
    assert precision(half, "Conv") == "FLOAT16"
    scales = [scale_of(half, node) for node in half.graph.node if node.input[0].startswith(("w", "w.q"))]
    assert all(scale.min() == SMALLEST_SCALE for scale in scales)
    checked(half)
    x = values(2, 3, 6, 5)
    np.testing.assert_allclose(run(half, x=x)[0], run(model, x=x)[0], atol=0.02)


def test_an_activation_scale_that_float16_cannot_hold_keeps_the_convolution_float32() -> None:
    half = to_half(quantized(scale=1e-6), {})
    assert precision(half, "Conv") == "FLOAT"
    assert precision(half, "Relu") == "FLOAT16"
    assert beside_pairs(half) == []
    assert not is_half(scale_of(half, next(node for node in half.graph.node if node.input[0] == "x")))


def test_a_range_beyond_float16_keeps_the_convolution_float32_though_nothing_was_measured() -> None:
    assert precision(to_half(quantized(scale=200.0), {}), "Conv") == "FLOAT"
    assert precision(to_half(quantized(scale=100.0), {}), "Conv") == "FLOAT16"


def test_a_kept_convolution_has_float32_pairs() -> None:
    half = to_half(quantized(), {}, keep=["Conv.c"])
    assert precision(half, "Conv") == "FLOAT"
    assert beside_pairs(half) == []


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_kept_casts_are_single_and_away_from_pairs(seed: int) -> None:
    model = trt_float(stored=seed % 2 == 0)
    names = [node.name for node in model.graph.node if "Linear" not in node.op_type]
    keep = np.random.default_rng(seed).choice(names, size=seed % 6 + 1, replace=False).tolist()
    half = to_half(model, {}, keep=keep)
    assert back_to_back(half) == cast_twice(half) == beside_pairs(half) == []
    kinds = types(half)
    computed = {node.name: {kinds[name] for name in node.output} for node in half.graph.node if node.name in names}
    assert {name for name, made in computed.items() if made == {"FLOAT"}} == {*keep, "Softmax.y"}
    run(half, x=values(2, 4, 6, 8))
