"""Where the pairs stand in each layout, what is in them, and that the quantized network computes nearly the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from spinert.calibrate.graph import Wiring, attribute, label
from spinert.calibrate.half import to_half
from spinert.calibrate.lint import lint
from spinert.calibrate.ranges import reaches
from spinert.calibrate.rewrite import ONNXRUNTIME, OPENVINO, TENSORRT, Layout, quantizable, quantize
from tests.calibrate import float_nets
from tests.calibrate.float_nets import ALL, films, ranges_of
from tests.calibrate.graphs import checked, run
from tests.calibrate.pairs import Net

Make = Callable[[], onnx.ModelProto]
LAYOUTS = (TENSORRT, OPENVINO, ONNXRUNTIME)
each_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
each_net = pytest.mark.parametrize("net", ALL)


def made(net: Make, layout: Layout, **options: Any) -> onnx.ModelProto:
    model = net()
    return quantize(model, ranges_of(model), layout, **options)


def reads(model: onnx.ModelProto, name: str) -> list[str]:
    return list(next(node for node in model.graph.node if label(node) == name).input)


def pairs(model: onnx.ModelProto) -> set[str]:
    """Activations behind which a pair stands."""
    return {node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}


def constant(model: onnx.ModelProto, name: str) -> NDArray[Any]:
    values = Wiring(model.graph).value(name)
    assert values is not None, name
    return values


@each_layout
@each_net
def test_it_computes_nearly_the_same(net: Make, layout: Layout) -> None:
    model = net()
    quantized = quantize(model, ranges_of(model), layout)
    checked(quantized)
    film = films()[1]
    (want,), (got,) = run(model, **film), run(quantized, **film)
    step = np.ptp(want) / 255
    error = np.sqrt(np.mean(np.square(got - want)))
    assert 0 < error < 4 * step


@each_layout
@each_net
def test_the_lint_has_nothing_to_say(net: Make, layout: Layout) -> None:
    model = net()
    quantized = quantize(model, ranges_of(model), layout)
    if layout is TENSORRT:
        largest = reaches(quantized, films(), threads=1)[1]
        assert lint(to_half(quantized, largest), "int8-trt", largest=largest) == ()
    else:
        assert lint(quantized, "int8-cpu", layout=layout.name) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("net", "tensorrt", "openvino", "onnxruntime"),
    [
        (float_nets.chain, {"x", "r1"}, {"x", "r1"}, {"x", "r1", "r2"}),
        (
            float_nets.residual,
            {"x", "r1", "r2", "r3"},
            {"x", "r1", "r2", "r3"},
            {"x", "r1", "r2", "c3", "r3", "r4"},
        ),
        (float_nets.projected, {"x", "r1", "r3"}, {"x", "r1", "r3"}, {"x", "r1", "c2", "short", "r3", "r4"}),
        (
            float_nets.lateral,
            {"x", "p", "r1", "big", "sum"},
            {"x", "p", "r1", "sum"},
            {"x", "p", "r1", "r2", "big", "side", "sum", "r4"},
        ),
        (float_nets.transposed, {"x", "r1", "r2"}, {"x", "r1", "r2"}, {"x", "r1", "r2", "r3"}),
        (
            float_nets.shared_input,
            {"x", "r1", "product"},
            {"x", "r1", "product"},
            {"x", "product", "r1", "r2", "r3", "r4"},
        ),
        (float_nets.dense, {"flat", "r1", "r2"}, {"flat", "r1", "r2"}, {"flat", "r1", "r2", "r3"}),
    ],
)
def test_pairs_stand_where_the_layout_wants_them(
    net: Make, tensorrt: set[str], openvino: set[str], onnxruntime: set[str]
) -> None:
    assert [pairs(made(net, layout)) for layout in LAYOUTS] == [tensorrt, openvino, onnxruntime]


def test_a_residual_sum_reads_its_identity_branch_quantized_for_tensorrt_alone() -> None:
    assert reads(made(float_nets.residual, TENSORRT), "Add.sum") == ["c3", "r1/dequantized"]
    assert reads(made(float_nets.residual, OPENVINO), "Add.sum") == ["c3", "r1"]
    assert reads(made(float_nets.residual, ONNXRUNTIME), "Add.sum") == ["c3/dequantized", "r1/dequantized"]
    assert reads(made(float_nets.projected, TENSORRT), "Add.sum") == ["c2", "short"]


def test_a_sum_whose_convolution_stays_float_is_all_float() -> None:
    assert reads(made(float_nets.residual, TENSORRT, keep={"Conv.c3"}), "Add.sum") == ["c3", "r1"]


def test_a_sum_of_two_identities_stays_float() -> None:
    assert reads(made(float_nets.two_identities, TENSORRT), "Add.first") == ["r1", "r2"]


@each_layout
def test_activations_have_the_integers_of_the_layout(layout: Layout) -> None:
    model = made(float_nets.chain, layout)
    kind = np.int8 if layout.signed else np.uint8
    low, high = ranges_of(float_nets.chain())["x"]
    zero, scale = constant(model, "x/zero_point"), constant(model, "x/scale")
    assert (zero.dtype, zero.shape, scale.shape) == (kind, (), ())
    if layout.signed:
        assert zero == 0
        assert scale == pytest.approx(max(-low, high) / 127)
    else:
        assert scale == pytest.approx((high - low) / 255)
        assert zero == round(-low / scale)
    assert constant(model, "r1/zero_point") == 0


@each_layout
@pytest.mark.parametrize(
    ("net", "name", "axis", "channels"),
    [
        (float_nets.chain, "c1.w", 0, 4),
        (float_nets.transposed, "up.w", 1, 4),
        (float_nets.dense, "g1.w", 1, 6),
        (float_nets.dense, "g2.w", 0, 5),
        (float_nets.dense, "m.w", 1, 7),
    ],
)
def test_weights_are_int8_with_a_scale_for_each_output_channel(
    net: Make, name: str, axis: int, channels: int, layout: Layout
) -> None:
    model, weight = made(net, layout), constant(net(), name)
    stored, scale = constant(model, f"{name}/quantized"), constant(model, f"{name}/scale")
    others = tuple(each for each in range(weight.ndim) if each != axis)
    (end,) = Wiring(model.graph).read_by(f"{name}/quantized")
    assert attribute(end, "axis", 1) == axis
    assert stored.dtype == np.int8
    np.testing.assert_allclose(scale, np.abs(weight).max(axis=others) / 127, rtol=1e-6)
    assert len(scale) == channels
    assert (np.abs(stored).max(axis=others) == 127).all()
    assert not constant(model, f"{name}/zero_point").any()


def test_reduced_weights_have_seven_bits() -> None:
    model = made(float_nets.chain, OPENVINO, reduced=True)
    assert np.abs(constant(model, "c1.w/quantized").astype(int)).max() == 63
    assert lint(model, "int8-cpu", layout="openvino", reduced_range=True) == ()
    assert lint(made(float_nets.chain, OPENVINO), "int8-cpu", layout="openvino", reduced_range=True) != ()


@each_layout
def test_shared_weights_and_inputs_are_quantized_once(layout: Layout) -> None:
    model = made(float_nets.shared_weights, layout)
    assert reads(model, "Conv.c2")[1] == reads(model, "Conv.c3")[1] == "c2.w/dequantized"
    model = made(float_nets.shared_input, layout)
    assert reads(model, "Conv.c2")[0] == reads(model, "Conv.c3")[0] == "r1/dequantized"
    names = [node.name for node in model.graph.node]
    assert len(names) == len(set(names))


def test_only_onnxruntime_gets_int32_biases_in_steps_of_the_product() -> None:
    model, bias = made(float_nets.chain, ONNXRUNTIME), constant(float_nets.chain(), "c1.b")
    stored, scale = constant(model, "c1/bias/quantized"), constant(model, "c1/bias/scale")
    assert stored.dtype == np.int32
    np.testing.assert_allclose(scale, constant(model, "x/scale") * constant(model, "c1.w/scale"), rtol=1e-6)
    np.testing.assert_allclose(stored * scale, bias, atol=float(scale.max()))
    for layout in (TENSORRT, OPENVINO):
        assert reads(made(float_nets.chain, layout), "Conv.c1")[2] == "c1.b"


@each_layout
def test_heads_stay_float(layout: Layout) -> None:
    assert quantizable(float_nets.chain()) == ("Conv.c1", "Conv.c2")
    model = made(float_nets.chain, layout)
    assert reads(model, "Conv.head")[1:] == ["head.w", "head.b"]
    assert reads(model, "Conv.head")[0] == ("r2/dequantized" if layout.outputs else "r2")


@each_layout
def test_kept_nodes_stay_float(layout: Layout) -> None:
    model = made(float_nets.chain, layout, keep={"Conv.c1"})
    assert reads(model, "Conv.c1") == ["x", "c1.w", "c1.b"]
    assert reads(model, "Conv.c2")[0] == "r1/dequantized"
    everything = made(float_nets.chain, layout, keep=set(quantizable(float_nets.chain())))
    assert pairs(everything) == set()


@each_layout
def test_a_dead_range_and_dead_weights_are_harmless(layout: Layout) -> None:
    model = float_nets.chain()
    nothing = np.zeros((4, 3, 3, 3), np.float32)
    next(each for each in model.graph.initializer if each.name == "c1.w").CopyFrom(
        onnx.numpy_helper.from_array(nothing, "c1.w")
    )
    ranges = {**ranges_of(model), "x": (0.0, 0.0)}
    film = films()[0]
    (want,), (got,) = run(model, **film), run(quantize(model, ranges, layout), **film)
    np.testing.assert_allclose(got, want, atol=4 * np.ptp(want) / 255 + 0.02)


@pytest.mark.parametrize("tiny", [1e-20, 1e-40, 0.0])
@each_layout
def test_a_channel_without_weights_keeps_its_bias(layout: Layout, tiny: float) -> None:
    """Folded networks have such channels."""
    model = float_nets.chain()
    weight = constant(model, "c1.w").copy()
    weight[1] = tiny
    for name, values in (("c1.w", weight), ("c1.b", np.array([0.1, 0.5, 0, 0], np.float32))):
        tensor = next(each for each in model.graph.initializer if each.name == name)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, name))
    model.graph.output.append(onnx.helper.make_tensor_value_info("c1", onnx.TensorProto.FLOAT, None))
    quantized = quantize(model, ranges_of(model) | {"c1": (-2.0, 2.0)}, layout)
    np.testing.assert_allclose(run(quantized, **films()[0])[1][0, 1], 0.5, atol=0.02)


@each_layout
def test_the_bytes_are_the_same_every_time_and_the_given_model_is_not_modified(layout: Layout) -> None:
    model = float_nets.residual()
    before, ranges = model.SerializeToString(), ranges_of(model)
    first, second = (quantize(model, ranges, layout).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
    assert model.SerializeToString() == before


def test_a_product_that_is_computed_on_both_sides_is_not_quantized() -> None:
    net = Net()
    net.node("MatMul", net.node("Relu", "x", to="r"), "x", to="y")
    model = net.model({"x": [4, 4]}, {"y": [4, 4]})
    assert quantizable(model) == ()
