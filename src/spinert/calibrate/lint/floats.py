"""Rules for what is float: where float16 and float32 may be, and where neither is quantized."""

from collections.abc import Iterator

from onnx import TensorProto

from spinert.calibrate.graph import label
from spinert.calibrate.half import needs_float32
from spinert.calibrate.lint.subject import Subject
from spinert.calibrate.scales import DEQUANTIZE, QUANTIZE

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def nothing_is_quantized(subject: Subject) -> Iterator[tuple[str, str]]:
    """An fp32 or fp16 file is the measure of the INT8 ones."""
    for node in subject.of(QUANTIZE, DEQUANTIZE):
        yield label(node), f"is a {node.op_type}, expected none in this precision"


def float32_has_a_reason(subject: Subject) -> Iterator[tuple[str, str]]:
    """A strongly typed engine computes in float32 what the file states so, at a fraction of the speed.

    Reasons are those of `needs_float32`: sums, constants and ranges beyond float16, and nodes kept by name.
    """
    terms = subject.terms
    needed = needs_float32(subject.model, terms.largest, keep=terms.allowed_fp32, bound=terms.bound)
    for node in subject.nodes:
        made = [name for name in node.output if subject.types.get(name) == FLOAT]
        if made and node.op_type not in ("Cast", "Constant", DEQUANTIZE) and node.output[0] not in needed:
            yield label(node), f"{node.op_type} computes {made[0]!r} in FLOAT, expected FLOAT16"


def large_tensors_are_not_float16(subject: Subject) -> Iterator[tuple[str, str]]:
    """FP16 ends at 65504; beyond it is infinity, and what follows is not a number."""
    for name, largest in subject.terms.largest.items():
        if subject.types.get(name) == HALF and not largest <= subject.terms.bound:
            node = subject.wiring.producer.get(name)
            yield (
                name if node is None else label(node),
                f"makes {name!r} in FLOAT16, where {largest:g} was measured and {subject.terms.bound:g} is the bound",
            )


def weights_are_stored_in_their_type(subject: Subject) -> Iterator[tuple[str, str]]:
    """A constant that is cast takes twice the room in the file and hides its rounding from whoever compares files."""
    for node in subject.of("Cast"):
        if node.input[0] in subject.wiring.constants:
            yield label(node), f"casts the constant {node.input[0]!r}, expected it stored as what is read"


def casts_are_not_back_to_back(subject: Subject) -> Iterator[tuple[str, str]]:
    """Two casts from float to float are one or none; both cost a pass over the tensor."""
    floats = (FLOAT, HALF)
    for node in subject.of("Cast"):
        maker = subject.wiring.producer.get(node.input[0])
        if maker is None or maker.op_type != "Cast":
            continue
        if all(subject.types[name] in floats for name in (maker.input[0], node.input[0], node.output[0])):
            yield label(node), f"casts what {label(maker)!r} has just cast, expected one cast"
