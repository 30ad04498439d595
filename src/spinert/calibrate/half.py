"""An FP16 file from a float32 graph, for engines that compute in the precision that the graph states.

TensorRT 11 has no precision flags: what is written is what runs. So each node is float16 or float32 as a whole, tensors
are cast where the two meet, inputs and outputs stay float32. A graph that carries Q/DQ becomes INT8 with FP16 between.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from spinert.calibrate.graph import Wiring, element_types, flat, label, rebuild
from spinert.calibrate.scales import DEQUANTIZE, QUANTIZE, is_half, round_scales
from spinert.errors import CalibrationFailed

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16

LARGEST_HALF = 65504.0
SMALLEST_NORMAL_HALF = 2.0**-14
BOUND = LARGEST_HALF / 4
"""Tensors beyond it stay float32: a study that calibration has not seen may be a few times larger than all it has."""

SUMS = frozenset(
    {
        *("Softmax", "LogSoftmax", "ReduceMean", "ReduceSum", "ReduceProd", "ReduceSumSquare", "ReduceL1", "ReduceL2"),
        *("ReduceLogSum", "ReduceLogSumExp", "CumSum", "GlobalAveragePool", "GlobalLpPool", "LpNormalization"),
        *("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization"),
    }
)
"""Stay float32: they add up whole rows or planes. After 2048 equal terms a float16 sum no longer grows, and squares and
partial sums overflow where no tensor that was measured shows it. They are short, so little time is lost."""

TYPED_BY_ATTRIBUTE = frozenset({"ConstantOfShape", "EyeLike", "RandomNormal", "RandomUniform", "Multinomial"})
"""Make the type that an attribute states, whatever they read."""

STAYS = frozenset({("Resize", 1), ("Resize", 2)})
"""Inputs (operator, place) that are no data of the tensor: region and scales."""

BIASES = frozenset({("Conv", 2), ("ConvTranspose", 2), ("Gemm", 2)})
"""Added to a sum of the full size, so that nothing is lost where they are too small for float16."""


def to_half(
    model: ModelProto, largest: Mapping[str, float], *, keep: Collection[str] = (), bound: float = BOUND
) -> ModelProto:
    """A copy of the model that computes in float16, with float32 inputs and outputs; the same bytes every time.

    largest  largest magnitude of each tensor over the calibration studies; one that is not named is taken to fit
    keep     nodes (`graph.label`) that stay float32
    bound    nodes that read or make a larger tensor stay float32

    Float32 too: SUMS, nodes whose constants float16 cannot hold, and readers of a DequantizeLinear whose scale it
    cannot hold. Casts are never back to back, and never beside Q/DQ: a QuantizeLinear takes the type that comes, and a
    DequantizeLinear with readers of both types is written twice.
    Raises CalibrationFailed: a name in `keep` that is no node, or a graph that is not plain float32.
    """
    result = flat(model)
    _check(result, keep)
    types = element_types(result)
    _drop_casts_to_the_same_type(result, types)
    round_scales(result.graph)
    full = needs_float32(result, largest, keep=keep, bound=bound)
    rewriter = _Rewriter(result, types, full)
    for node in list(result.graph.node):
        rewriter.write(node)
    rebuild(result.graph, rewriter.nodes, rewriter.constants)
    try:
        onnx.checker.check_model(result, full_check=True)
        return onnx.shape_inference.infer_shapes(result, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise CalibrationFailed(
            f"graph {model.graph.name!r} does not hold in FP16: {error}", "keep the node that it names in FP32"
        ) from error


def _check(model: ModelProto, keep: Collection[str]) -> None:
    name = model.graph.name
    if unknown := sorted(set(keep) - {label(node) for node in model.graph.node}):
        raise CalibrationFailed(
            f"nodes to keep in FP32 that graph {name!r} does not have: {', '.join(unknown)}", "name nodes of this graph"
        )
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise CalibrationFailed(
                f"{node.op_type} {label(node)!r} is of domain {node.domain!r}, expected ONNX's own",
                "export the network with ONNX's own operators",
            )
    for tensor, kind in element_types(model).items():
        if kind in (HALF, TensorProto.BFLOAT16):
            raise CalibrationFailed(
                f"tensor {tensor!r} of graph {name!r} is {TensorProto.DataType.Name(kind)}, expected FLOAT",
                "start from the fp32 file",
            )


def _drop_casts_to_the_same_type(model: ModelProto, types: Mapping[str, int]) -> None:
    for node in model.graph.node:
        if node.op_type == "Cast" and types[node.input[0]] == types[node.output[0]]:
            node.op_type = "Identity"
            del node.attribute[:]


def needs_float32(
    model: ModelProto, largest: Mapping[str, float], *, keep: Collection[str] = (), bound: float = BOUND
) -> set[str]:
    """First outputs of the nodes that `to_half` leaves in float32, with its arguments; of a written file, too.

    A Cast is never kept by its name: it takes what comes.
    """
    wiring, types, version = Wiring(model.graph), element_types(model), _version(model)
    sizes = {**_dequantized_sizes(wiring), **largest}
    full = set()
    for node in model.graph.node:
        tensors = [name for name in (*node.input, *node.output) if types.get(name) == FLOAT]
        if (
            node.op_type in SUMS | TYPED_BY_ATTRIBUTE
            or (label(node) in keep and node.op_type != "Cast")
            or any(not sizes.get(name, 0.0) <= bound for name in tensors if name not in wiring.constants)
            or not _constants_fit(node, wiring, types, version)
            or any(
                types.get(name) == FLOAT and not _castable(node, place, version, made=True)
                for place, name in enumerate(node.output)
            )
        ):
            full.add(_key(node))
            if node.op_type == DEQUANTIZE:
                full.update(_key(reader) for name in node.output for reader in wiring.read_by(name))
    return full


def _dequantized_sizes(wiring: Wiring) -> dict[str, float]:
    """Largest magnitude that a DequantizeLinear can give, which no study can exceed."""
    sizes = {}
    for name, node in wiring.producer.items():
        if node.op_type == DEQUANTIZE and (scale := wiring.value(node.input[1])) is not None and scale.size:
            zero = wiring.value(node.input[2]) if len(node.input) > 2 and node.input[2] else np.uint8(0)
            if zero is not None and wiring.value(node.input[0]) is None:
                low, high = np.iinfo(zero.dtype).min, np.iinfo(zero.dtype).max
                sizes[name] = float(scale.max()) * max(high - int(zero.min()), int(zero.max()) - low)
    return sizes


def _constants_fit(node: NodeProto, wiring: Wiring, types: Mapping[str, int], version: int) -> bool:
    for place, name in enumerate(node.input):
        values = wiring.value(name) if types.get(name) == FLOAT else None
        if values is None or not _castable(node, place, version):
            continue
        if node.op_type in (QUANTIZE, DEQUANTIZE) and place == 1:
            if not is_half(values):
                return False
            continue
        magnitude = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        lost = 0 < magnitude < SMALLEST_NORMAL_HALF and (node.op_type, place) not in BIASES
        if magnitude > LARGEST_HALF or lost:
            return False
    return True


class _Rewriter:
    """Writes the nodes again, each with its inputs in its own type, and one cast of a tensor for all its readers."""

    def __init__(self, model: ModelProto, types: Mapping[str, int], full: set[str]) -> None:
        self.wiring, self.version = Wiring(model.graph), _version(model)
        self.types, self.full = types, full
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = list(model.graph.initializer)
        self.named: dict[tuple[str, int], str] = {}

    def write(self, node: NodeProto) -> None:
        if self._is_pair_end(node):
            self._typed(node.output[0], self._made(node.output[0]))  # its readers ask for another type themselves
            return
        copy = NodeProto.FromString(node.SerializeToString())
        adopted = self._adopted(node)
        for place, name in enumerate(node.input):
            if self.types.get(name) == FLOAT:
                copy.input[place] = self._typed(name, self._wanted(node, place, adopted))
        for place, name in enumerate(node.output):
            if self.types.get(name) == FLOAT:
                copy.output[place] = self._typed(name, self._made(name))
                if node.op_type == "Cast" and self._made(name) == HALF:
                    next(each for each in copy.attribute if each.name == "to").i = HALF
                if name in self.wiring.outputs:
                    self._typed(name, FLOAT)
        self.nodes.append(copy)

    def _adopted(self, node: NodeProto) -> int | None:
        """The type of the one tensor that a node without float outputs reads (Q, Shape, ArgMax); it needs no cast."""
        if _key(node) in self.full or any(self.types.get(name) == FLOAT for name in node.output):
            return None
        read = {name for name in node.input if self.types.get(name) == FLOAT and name not in self.wiring.constants}
        return self._made(read.pop()) if len(read) == 1 else None

    def _wanted(self, node: NodeProto, place: int, adopted: int | None = None) -> int:
        if _key(node) in self.full or not _castable(node, place, self.version):
            return FLOAT
        return adopted or HALF

    def _made(self, name: str) -> int:
        """The type in which a tensor comes into being."""
        node = self.wiring.producer.get(name)
        if node is None or _key(node) in self.full:
            return FLOAT
        if self._is_pair_end(node):
            wanted = {
                self._wanted(reader, place)
                for reader in self.wiring.read_by(name)
                for place, read in enumerate(reader.input)
                if read == name
            }
            return FLOAT if name in self.wiring.outputs or wanted == {FLOAT} else HALF
        return HALF

    def _is_pair_end(self, node: NodeProto) -> bool:
        return node.op_type == DEQUANTIZE and node.input[1] in self.wiring.constants

    def _typed(self, name: str, kind: int) -> str:
        """The name under which a tensor is found in this type; what makes it so is added when first asked for."""
        if (name, kind) in self.named:
            return self.named[name, kind]
        suffix = "half" if kind == HALF else "float"
        made, node = self._made(name), self.wiring.producer.get(name)
        values = self.wiring.value(name)
        own = kind == FLOAT if values is not None or name in self.wiring.outputs else kind == made
        found = self.named[name, kind] = name if own else self.wiring.fresh(f"{name}.{suffix}")
        if values is not None:
            if kind == HALF:
                self.constants.append(numpy_helper.from_array(_as_half(values), found))
        elif node is not None and self._is_pair_end(node):
            copy = NodeProto.FromString(node.SerializeToString())
            copy.input[1], copy.output[0] = self._typed(node.input[1], kind), found
            if kind != made:
                copy.name = self.wiring.fresh(f"{label(node)}.{suffix}")
            self.nodes.append(copy)
        elif kind != made:
            cast = self.wiring.fresh(f"Cast.{found}")
            self.nodes.append(helper.make_node("Cast", [self._typed(name, made)], [found], name=cast, to=kind))
        return found


def _key(node: NodeProto) -> str:
    return next(filter(None, node.output), "")


def _as_half(values: NDArray[Any]) -> NDArray[np.float16]:
    """Rounded to nearest; what is too small becomes subnormal or zero."""
    with np.errstate(under="ignore"):
        return values.astype(np.float16)


def _version(model: ModelProto) -> int:
    return next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 1)


@cache
def _takes_half(operator: str, place: int, version: int, made: bool) -> bool:
    schema = onnx.defs.get_schema(operator, version, "")
    formals = schema.outputs if made else schema.inputs
    kind = formals[min(place, len(formals) - 1)].type_str  # the last one stands for any number
    return any(
        each.type_param_str == kind and "tensor(float16)" in each.allowed_type_strs for each in schema.type_constraints
    )


def _castable(node: NodeProto, place: int, version: int, *, made: bool = False) -> bool:
    """Whether the operator takes (or, where `made`, gives) float16 in the place of float32."""
    return (made or (node.op_type, place) not in STAYS) and _takes_half(node.op_type, place, version, made)
