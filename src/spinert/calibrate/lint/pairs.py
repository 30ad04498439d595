"""Rules for Q/DQ that TensorRT and CPU runtimes share."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto

from spinert.calibrate.graph import attribute, label
from spinert.calibrate.lint.subject import Subject, output_axis
from spinert.calibrate.scales import DEQUANTIZE, QUANTIZE


def scales_are_positive_constants(subject: Subject) -> Iterator[tuple[str, str]]:
    """Engines fold scales into their kernels when they are built; TensorRT refuses scales that are not positive."""
    for node in subject.of(QUANTIZE, DEQUANTIZE):
        scale = subject.wiring.value(node.input[1])
        if scale is None:
            yield label(node), f"computes its scale {node.input[1]!r}, expected a constant"
        elif not (np.isfinite(scale).all() and (scale > 0).all()):
            worst = scale.min() if np.isfinite(scale).all() else scale[~np.isfinite(scale)].flat[0]
            yield label(node), f"has scale {worst:g}, expected finite and above 0"


def pairs_agree(subject: Subject) -> Iterator[tuple[str, str]]:
    """Only a pair with one scale, zero point and axis is the identity but for rounding, which is what engines fuse."""
    for node in subject.of(QUANTIZE):
        for reader in subject.wiring.read_by(node.output[0]):
            if reader.op_type != DEQUANTIZE:
                yield label(node), f"is read by {reader.op_type} {label(reader)!r}, expected a DequantizeLinear"
        if node.output[0] in subject.wiring.outputs or not subject.wiring.read_by(node.output[0]):
            yield label(node), "has no DequantizeLinear behind it, expected one"
    for node in subject.of(DEQUANTIZE):
        quantizer = subject.quantizer(node)
        if quantizer is None:
            if node.input[0] not in subject.wiring.constants:
                yield label(node), f"reads {node.input[0]!r}, expected a QuantizeLinear or stored weights"
            continue
        for what, own, other in zip(
            ("scale", "zero point", "axis"), _parts(subject, node), _parts(subject, quantizer), strict=True
        ):
            if own is not None and other is not None and not np.array_equal(own, other):
                yield label(node), f"has {what} {_shown(own)}, its QuantizeLinear {label(quantizer)!r} {_shown(other)}"


def weights_are_symmetric_int8(subject: Subject) -> Iterator[tuple[str, str]]:
    """A zero point of weights would add a sum over the activation to every result; no INT8 kernel here does that."""
    for _, end in subject.weight_pairs:
        zero = subject.zero_point(end)
        kind = subject.types[end.input[0]]
        if kind != TensorProto.INT8:
            yield label(end), f"dequantizes weights of {TensorProto.DataType.Name(kind)}, expected INT8"
        elif zero is not None and zero.any():
            yield label(end), f"has zero point {_shown(zero)} for weights, expected 0"


def weights_are_per_channel(subject: Subject) -> Iterator[tuple[str, str]]:
    """Channels differ by orders of magnitude once BatchNormalization is folded; one scale would lose the small ones.

    The axis is that of the output channels, the only one that kernels support: 0 for Conv, 1 for ConvTranspose.
    """
    for node, end in subject.weight_pairs:
        scale, weights = subject.wiring.value(end.input[1]), subject.wiring.value(subject.root(end))
        if scale is None or weights is None:
            continue
        axis = output_axis(node, weights.ndim)
        stated = attribute(end, "axis", 1) % weights.ndim
        if scale.size != weights.shape[axis]:
            yield label(end), f"has {scale.size} scales for weights of {weights.shape[axis]} channels"
        elif scale.ndim and stated != axis:
            yield label(end), f"has its scales along axis {stated} of the weights of a {node.op_type}, expected {axis}"


def activations_are_per_tensor(subject: Subject) -> Iterator[tuple[str, str]]:
    """No INT8 kernel takes activations with a scale for each channel (NvInfer.h, IQuantizeLayer)."""
    for end in subject.activation_ends:
        scale = subject.wiring.value(end.input[1])
        if scale is not None and scale.size != 1:
            yield label(end), f"has {scale.size} scales for an activation, expected 1"


def heads_are_float(subject: Subject) -> Iterator[tuple[str, str]]:
    """Heat-maps in 256 steps move corners by tenths of a pixel; published INT8 detectors lose most in their heads.

    What lies behind the heads (soft-argmax: Softmax, sums, ArgMax) reads their full values too.
    """
    heads, behind = subject.tail
    for node in heads:
        if subject.is_quantized(node):
            yield label(node), f"is a quantized {node.op_type} whose result reaches an output, expected float"
    for node in behind:
        if node.op_type in (QUANTIZE, DEQUANTIZE):
            yield label(node), "quantizes what reaches an output, expected float there"


def _parts(subject: Subject, node: NodeProto) -> tuple[NDArray[Any] | None, ...]:
    """Scale, zero point and axis as comparable numbers; a scale of one value has no axis."""
    scale, zero = subject.wiring.value(node.input[1]), subject.zero_point(node)
    axis = None if scale is None or scale.ndim == 0 or scale.size == 1 else np.array(attribute(node, "axis", 1))
    return (
        None if scale is None else scale.astype(np.float64).reshape(-1),
        np.zeros(1) if zero is None else np.unique(zero.reshape(-1)),
        axis,
    )


def _shown(values: NDArray[Any]) -> str:
    """One number, or the range of several."""
    low, high = values.min(), values.max()
    return f"{low:.6g}" if low == high else f"{low:.6g}..{high:.6g}"
