"""Does a written file keep the rules of its precision? Engines and runtimes do not say when a file breaks one.

They fall back to float, add conversions or round twice, and the file is slow or wrong without an error. Each rule is a
function that gives its reason; files from quantization-aware training are judged by the same rules.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from onnx import ModelProto

from spinert.bundle import Precision
from spinert.calibrate.half import BOUND
from spinert.calibrate.lint import cpu, every, floats, pairs, trt
from spinert.calibrate.lint.subject import Layout, Subject, Terms
from spinert.errors import CalibrationFailed

SHOWN = 3
"""Broken rules that an error tells of; the rest are counted."""

Rule = Callable[[Subject], Iterator[tuple[str, str]]]
"""Gives (node, problem) for each node that breaks it."""

READABLE = (every.no_data_lies_outside_the_file, every.operators_are_those_of_onnx, every.nodes_hold_no_graphs)
"""Come first: a file that breaks them cannot be judged by the others."""
EVERY: tuple[Rule, ...] = (
    every.inputs_and_outputs_are_float32,
    every.batch_normalization_is_folded,
    pairs.scales_are_positive_constants,
    pairs.pairs_agree,
)
QUANTIZED: tuple[Rule, ...] = (
    pairs.weights_are_symmetric_int8,
    pairs.weights_are_per_channel,
    pairs.activations_are_per_tensor,
    pairs.heads_are_float,
)
HALF: tuple[Rule, ...] = (
    floats.float32_has_a_reason,
    floats.large_tensors_are_not_float16,
    floats.weights_are_stored_in_their_type,
    floats.casts_are_not_back_to_back,
)
RULES: dict[Precision, tuple[Rule, ...]] = {
    "fp32": (*EVERY, floats.nothing_is_quantized),
    "fp16": (*EVERY, *HALF, floats.nothing_is_quantized),
    "int8-trt": (
        *EVERY,
        *QUANTIZED,
        *HALF,
        trt.everything_is_symmetric_int8,
        trt.biases_are_float,
        trt.all_inputs_are_quantized_or_none,
        trt.pairs_lead_to_weights,
        trt.only_the_identity_branch_is_quantized,
        trt.no_cast_is_beside_a_pair,
    ),
    "int8-cpu": (
        *EVERY,
        *QUANTIZED,
        cpu.activations_are_uint8,
        cpu.quantized_weights_meet_quantized_activations,
        cpu.bias_scales_are_products,
        cpu.reduced_weights_fit_seven_bits,
        cpu.outputs_are_quantized_in_the_layout,
    ),
}


class Broken(NamedTuple):
    """A rule (its function's name in words), the node that breaks it (`graph.label`), and how, with both values."""

    rule: str
    node: str
    problem: str


def lint(
    model: ModelProto,
    precision: Precision,
    *,
    allowed_fp32: Collection[str] = (),
    largest: Mapping[str, float] | None = None,
    bound: float = BOUND,
    layout: Layout = "onnxruntime",
    reduced_range: bool = False,
) -> tuple[Broken, ...]:
    """All rules of the precision that the model breaks; empty where it keeps them.

    allowed_fp32   fp16, int8-trt: nodes that were kept in float32, as `to_half` was told
    largest, bound fp16, int8-trt: those that `to_half` was given
    layout         int8-cpu: whose way of placing Q/DQ the file follows
    reduced_range  int8-cpu: weights must be within -64..64, for CPUs without VNNI
    """
    if unreadable := tuple(_broken(rule, found) for rule in READABLE for found in rule(model)):
        return unreadable
    try:
        terms = Terms(frozenset(allowed_fp32), dict(largest or {}), bound, layout, reduced_range)
        subject = Subject(model, terms)
    except CalibrationFailed as error:
        return (Broken("types agree", model.graph.name, error.problem),)
    return tuple(_broken(rule, found) for rule in RULES[precision] for found in rule(subject))


def check(model: ModelProto, precision: Precision, **terms: Any) -> None:
    """Raise CalibrationFailed where `lint`, with the same arguments, finds a broken rule; it names the nodes."""
    broken = lint(model, precision, **terms)
    if broken:
        told = "; ".join(f"{each.node!r}: {each.problem} ({each.rule})" for each in broken[:SHOWN])
        more = f"; and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        raise CalibrationFailed(
            f"graph {model.graph.name!r} breaks the rules of {precision} at {told}{more}",
            "calibrate again from the fp32 file, or correct the graph that carries Q/DQ",
        )


def _broken(rule: Callable[..., Any], found: tuple[str, str]) -> Broken:
    return Broken(rule.__name__.replace("_", " "), *found)
