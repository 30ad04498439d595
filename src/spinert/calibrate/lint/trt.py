"""Rules for INT8 that TensorRT fuses.

Source: NVIDIA, "Explicit Quantization", Q/DQ layer-placement recommendations, and NvInfer.h of TensorRT 11
(IQuantizeLayer, IDequantizeLayer).
"""

from collections.abc import Iterator

from onnx import TensorProto

from spinert.calibrate.graph import label
from spinert.calibrate.lint.subject import WEIGHTED, Subject
from spinert.calibrate.scales import DEQUANTIZE, QUANTIZE

TRANSPARENT = frozenset({"Cast", "Identity"})


def everything_is_symmetric_int8(subject: Subject) -> Iterator[tuple[str, str]]:
    """TensorRT has no unsigned INT8 and no zero points: they must be zeros when the engine is built."""
    for node in subject.of(QUANTIZE, DEQUANTIZE):
        integers = node.output[0] if node.op_type == QUANTIZE else node.input[0]
        kind = subject.types[integers]
        if kind == TensorProto.INT32:
            continue  # a bias, which has a rule of its own
        if kind != TensorProto.INT8:
            yield label(node), f"is of {TensorProto.DataType.Name(kind)}, expected INT8"
        elif len(node.input) > 2 and node.input[2]:
            zero = subject.zero_point(node)
            if zero is None:
                yield label(node), f"computes its zero point {node.input[2]!r}, expected a constant 0"
            elif zero.any():
                yield label(node), f"has zero point {zero[zero != 0].flat[0]}, expected 0"


def biases_are_float(subject: Subject) -> Iterator[tuple[str, str]]:
    """TensorRT's parser refuses a DequantizeLinear of int32; biases are added in float."""
    for node in subject.of(DEQUANTIZE):
        if subject.types[node.input[0]] == TensorProto.INT32:
            yield label(node), "dequantizes INT32, expected a float bias"
    for node in subject.weighted:
        for name in node.input[2:]:
            end = subject.dequantizer(name)
            if end is not None and subject.types[end.input[0]] != TensorProto.INT32:
                yield label(end), f"quantizes the bias of {label(node)!r}, expected it in float"


def all_inputs_are_quantized_or_none(subject: Subject) -> Iterator[tuple[str, str]]:
    """With one input in float the operator runs in float and pays for the other's conversion besides."""
    for node in subject.weighted:
        activation, weights = subject.quantized_inputs(node)
        if activation != weights:
            quantized, plain = ("activation", "weights") if activation else ("weights", "activation")
            yield label(node), f"reads its {quantized} quantized and its {plain} in float, expected both alike"


def pairs_lead_to_weights(subject: Subject) -> Iterator[tuple[str, str]]:
    """Quantize inputs of weighted operators, not outputs as such: a pair nobody computes on in INT8 only rounds.

    It also keeps the operator before it from fusing with what follows. INT8 goes through operators that commute with it
    and into residual additions, which fuse with the convolution before them.
    """
    for end in subject.activation_ends:
        if (other := subject.leads_to_weights(end.output[0], residual_only=True)) is not None:
            yield label(end), f"is read by {other}, expected weighted operators or residual additions"


def only_the_identity_branch_is_quantized(subject: Subject) -> Iterator[tuple[str, str]]:
    """A convolution adds the identity branch before it writes its result, if that branch alone is INT8.

    With a pair on its own branch the sum can no longer be part of the convolution.
    """
    for node in subject.nodes:
        if not subject.is_residual(node):
            continue
        ends = [end for end in map(subject.dequantizer, node.input) if end is not None]
        if len(ends) > 1:
            yield label(node), f"adds {len(ends)} quantized branches, expected the identity branch alone or none"
        elif ends and (maker := _made_by(subject, subject.root(ends[0]))) in WEIGHTED:
            yield label(node), f"adds a quantized branch made by a {maker}, expected the identity branch or none"


def no_cast_is_beside_a_pair(subject: Subject) -> Iterator[tuple[str, str]]:
    """A DequantizeLinear fuses with the operator that reads it; a cast between them keeps both in float."""
    for node in subject.of("Cast"):
        if (end := subject.dequantizer(node.input[0])) is not None:
            yield label(node), f"casts what {label(end)!r} gives, expected a scale of the type that is read"


def _made_by(subject: Subject, tensor: str) -> str | None:
    """Operator that makes a tensor, behind casts and additions or factors that are constant."""
    node = subject.wiring.producer.get(tensor)
    while node is not None:
        computed = [name for name in node.input if name and name not in subject.wiring.constants]
        passes = node.op_type in TRANSPARENT or (node.op_type in ("Add", "Mul") and len(computed) == 1)
        if not passes or not computed:
            return str(node.op_type)
        node = subject.wiring.producer.get(computed[0])
    return None
