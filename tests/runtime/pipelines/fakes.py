"""Networks that answer with the truth of a test, whatever they are shown: for steps and geometry, never accuracy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.runtime.network import Arrays, check_arrays

Array = NDArray[Any]


class Answering:
    """A `Network` with one answer for each output; `seen` holds what it was last asked with."""

    backend = "truth"
    provider = "truth"

    def __init__(self, inputs: Mapping[str, tuple[int, ...]], answers: Mapping[str, Array]) -> None:
        self.inputs = tuple(TensorSpec(name, "float32", (None, *shape)) for name, shape in inputs.items())
        self.outputs = tuple(TensorSpec(name, "float32", (None, *each.shape)) for name, each in answers.items())
        self.answers = answers
        self.seen: dict[str, Array] = {}

    def __call__(self, arrays: Arrays) -> dict[str, Array]:
        check_arrays(self.inputs, arrays)
        self.seen = {name: np.array(array) for name, array in arrays.items()}
        return {name: answer[None].astype(np.float32) for name, answer in self.answers.items()}

    def close(self) -> None:
        self.answers = {}

    @property
    def spec(self) -> NetworkSpec:
        return NetworkSpec(self.inputs, self.outputs, {"fp32": "truth.onnx"}, 20)
