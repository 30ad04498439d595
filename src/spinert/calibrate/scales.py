"""Scales of Q/DQ pairs that are the same number in float16 and in float32.

A strongly typed engine reads the scale in the type of the float side. Rounded once, before anything is cast, a scale
cannot differ between the two nodes of a pair, whichever type either of them has.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, numpy_helper

from spinert.calibrate.graph import Wiring, attribute

SMALLEST_SCALE = 2.0**-17
"""Subnormal, but rounded by at most 1 in 256; the weights of such a channel are all below 0.001."""

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


def is_half(values: NDArray[Any]) -> bool:
    """Whether float16 holds exactly these numbers."""
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float16).astype(values.dtype) == values).all())


def round_scales(graph: GraphProto) -> None:
    """Round the constant scales of all Q/DQ pairs to numbers that float16 holds, in place.

    A weight's channel with a smaller scale than SMALLEST_SCALE gets that one: it is left with fewer levels, but is not
    lost (folded networks have channels whose weights are all about 1e-20). int8 weights that are stored are counted
    again in the new scale. Other scales that float16 cannot hold stay as they are, see `is_half`.
    """
    wiring = Wiring(graph)
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type not in (QUANTIZE, DEQUANTIZE) or node.input[1] not in tensors:
            continue
        name = node.input[1]
        old = numpy_helper.to_array(tensors[name])
        new = old
        if old.dtype == np.float32 and _is_weight(node, wiring):
            new = np.maximum(old, np.float32(SMALLEST_SCALE))
        if old.dtype == np.float32 and (new >= SMALLEST_SCALE).all() and (new <= np.finfo(np.float16).max).all():
            new = new.astype(np.float16).astype(np.float32)
        if (new == old).all():
            continue
        for reader in wiring.read_by(name):
            if reader.op_type == DEQUANTIZE and reader.input[0] in tensors:
                weight = tensors[reader.input[0]]
                weight.CopyFrom(_counted_again(reader, numpy_helper.to_array(weight), old, new))
        tensors[name].CopyFrom(numpy_helper.from_array(new, name))


def _is_weight(node: NodeProto, wiring: Wiring) -> bool:
    """Whether an int8 pair works on a constant: on float weights (Q, or DQ behind it) or on stored ones (DQ)."""
    source = node.input[0]
    if node.op_type == DEQUANTIZE and (maker := wiring.producer.get(source)) is not None:
        source = maker.input[0] if maker.op_type == QUANTIZE else source
    values = wiring.value(source)
    return values is not None and values.dtype in (np.float32, np.int8)


def _counted_again(reader: NodeProto, stored: NDArray[Any], old: NDArray[Any], new: NDArray[Any]) -> Any:
    """Weights of a DequantizeLinear, in units of the new scale where it was raised."""
    if stored.dtype == np.int8 and (raised := new > 2 * old).any():
        along = [1] * stored.ndim
        if old.ndim:
            along[attribute(reader, "axis", 1)] = -1
        factor = np.where(raised, old / new, 1.0).reshape(along)
        stored = np.round(stored * factor).astype(np.int8)
    return numpy_helper.from_array(stored, reader.input[0])
