"""A tiny network built node by node, with Q/DQ pairs where a test wants them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper

from tests.calibrate.graphs import Shape, model_of

ZERO = np.int8(0)


class Net:
    """`node` and its kin add to the network and return the name of what they make."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, values: Any) -> str:
        self.constants[name] = np.asarray(values)
        return name

    def node(self, operator: str, *inputs: str, to: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [to], name=f"{operator}.{to}", **attributes))
        return to

    def pair(
        self, tensor: str, scale: Any, zero: Any = ZERO, *, axis: int | None = None, stem: str | None = None
    ) -> str:
        """tensor -> Q -> DQ, named after the tensor (or `stem`); per channel where an axis is given."""
        stem = stem or tensor
        parameters = self._parameters(stem, scale, zero)
        along = {} if axis is None else {"axis": axis}
        self.node("QuantizeLinear", tensor, *parameters, to=f"{stem}.q", **along)
        return self.node("DequantizeLinear", f"{stem}.q", *parameters, to=f"{stem}.dq", **along)

    def weight(self, name: str, values: NDArray[Any], *, axis: int = 0, stored: bool = False) -> str:
        """Float weights with a pair per channel, or, `stored`, int8 weights with a DequantizeLinear alone."""
        values = values.astype(np.float32)
        others = tuple(each for each in range(values.ndim) if each != axis)
        scale = (np.abs(values).max(axis=others) / 127).astype(np.float32)
        zero = np.zeros(len(scale), np.int8)
        if not stored:
            return self.pair(self.constant(name, values), scale, zero, axis=axis)
        along = [-1 if each == axis else 1 for each in range(values.ndim)]
        self.constant(f"{name}.int8", np.round(values / scale.reshape(along)).astype(np.int8))
        parameters = self._parameters(name, scale, zero)
        return self.node("DequantizeLinear", f"{name}.int8", *parameters, to=f"{name}.dq", axis=axis)

    def model(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> ModelProto:
        return model_of(self.nodes, inputs, outputs, self.constants)

    def _parameters(self, stem: str, scale: Any, zero: Any) -> tuple[str, str]:
        return (
            self.constant(f"{stem}.scale", np.asarray(scale, np.float32)),
            self.constant(f"{stem}.zero_point", zero),
        )
