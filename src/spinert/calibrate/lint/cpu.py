"""Rules for INT8 that CPU runtimes fuse: unsigned activations with signed weights, as x86's VNNI multiplies them."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto

from spinert.calibrate.graph import attribute, label
from spinert.calibrate.lint.subject import Subject
from spinert.calibrate.scales import DEQUANTIZE, QUANTIZE

REDUCED = 64
"""Largest magnitude of weights in the reduced range: 2 x 255 x 64 = 32640 fits into 16 bits."""

CLAMPING = frozenset({"Relu", "Clip"})
"""Become the bounds of the integers when they stand between an operator and its QuantizeLinear."""


def activations_are_uint8(subject: Subject) -> Iterator[tuple[str, str]]:
    """x86 multiplies unsigned by signed bytes (vpdpbusd, vpmaddubsw); signed activations are moved first, each time."""
    for end in subject.activation_ends:
        kind = subject.types[end.input[0]]
        if kind != TensorProto.UINT8:
            yield label(end), f"quantizes an activation to {TensorProto.DataType.Name(kind)}, expected UINT8"


def quantized_weights_meet_quantized_activations(subject: Subject) -> Iterator[tuple[str, str]]:
    """Weights alone in INT8 are made float again before each use.

    A float operator may read what a quantized one gives, in onnxruntime's layout; in OpenVINO's, pairs stand only where
    they are computed on.
    """
    for node in subject.weighted:
        activation, weights = subject.quantized_inputs(node)
        if weights and not activation:
            yield label(node), "reads its weights quantized and its activation in float, expected both alike"
        elif activation and not weights and subject.terms.layout == "openvino":
            yield label(node), "reads its activation quantized and its weights in float, expected both alike"


def bias_scales_are_products(subject: Subject) -> Iterator[tuple[str, str]]:
    """A fused operator adds an int32 bias to its sums as it is, whatever scale is written beside it."""
    for node in subject.weighted:
        end = subject.dequantizer(node.input[2]) if len(node.input) > 2 else None
        sources = [subject.dequantizer(name) for name in node.input[:2]]
        if end is None:
            continue
        scales = [None if each is None else subject.wiring.value(each.input[1]) for each in (*sources, end)]
        if any(scale is None for scale in scales):
            yield label(end), f"quantizes the bias of {label(node)!r}, whose inputs are float"
            continue
        activation, weights, bias = (np.asarray(scale, np.float64).reshape(-1) for scale in scales)
        want = np.broadcast_to(activation * weights, np.broadcast_shapes(bias.shape, weights.shape))
        if not np.allclose(bias, want, rtol=1e-5, atol=0):
            worst = int(np.argmax(np.abs(bias / want - 1)))
            got = np.broadcast_to(bias, want.shape)[worst]
            yield label(end), f"has scale {got:.6g} for a bias, expected {want[worst]:.6g}, activation times weights"


def reduced_weights_fit_seven_bits(subject: Subject) -> Iterator[tuple[str, str]]:
    """Without VNNI two products are added in 16 bits and saturate (vpmaddubsw); only then weights give up a bit."""
    if not subject.terms.reduced_range:
        return
    for _, end in subject.weight_pairs:
        values, scale = subject.wiring.value(subject.root(end)), subject.wiring.value(end.input[1])
        if values is None or scale is None:
            continue
        if values.dtype.kind == "f":
            along = [1] * values.ndim
            if scale.ndim:
                along[attribute(end, "axis", 1)] = -1
            values = np.round(values.astype(np.float32) / scale.reshape(along).astype(np.float32))
        largest = np.abs(values.astype(np.float64)).max(initial=0)
        if largest > REDUCED:
            yield label(end), f"has weights up to {largest:g} steps, expected at most {REDUCED} in the reduced range"


def outputs_are_quantized_in_the_layout(subject: Subject) -> Iterator[tuple[str, str]]:
    """onnxruntime fuses DQ -> operator -> Q and nothing less; OpenVINO places the output's steps itself.

    So in onnxruntime's layout every result of a quantized operator, behind its Relu or Clip, goes to a QuantizeLinear
    only; in OpenVINO's layout pairs stand at the inputs of weighted operators and additions.
    """
    if subject.terms.layout == "openvino":
        for end in subject.activation_ends:
            if (other := subject.leads_to_weights(end.output[0], residual_only=False)) is not None:
                yield label(end), f"is read by {other}, expected weighted operators or additions"
        return
    for node in subject.weighted:
        if not subject.is_quantized(node):
            continue
        tensor, readers = node.output[0], subject.wiring.read_by(node.output[0])
        if len(readers) == 1 and readers[0].op_type in CLAMPING:
            tensor, readers = readers[0].output[0], subject.wiring.read_by(readers[0].output[0])
        others = [reader.op_type for reader in readers if reader.op_type != QUANTIZE]
        if others or not readers or tensor in subject.wiring.outputs:
            what = others[0] if others else "an output"
            yield label(node), f"gives its result to {what} as it is, expected a {QUANTIZE} and {DEQUANTIZE}"
