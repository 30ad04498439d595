"""Does a new engine compute what its bundle's fp32 file computes on the processor? Else it is not kept."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec, Precision
from spinert.errors import BadNetwork, BuildFailed
from spinert.runtime.golden import Run, compare
from spinert.runtime.network import Arrays

TOLERANCE: dict[Precision, float] = {"fp32": 1e-3, "fp16": 0.1, "int8-trt": 0.1}
"""Largest difference from fp32, as a share of an output's largest magnitude. It finds engines that compute something
else; what a precision costs in degrees is what `spinert calibrate` measures."""
_ROWS = 3
"""Of the largest batch in which golden inputs are compared."""


def prove(
    engine: Run,
    reference: Run | None,
    golden: Arrays,
    spec: NetworkSpec,
    precision: Precision,
    *,
    max_batch: int,
    file: str,
) -> float | None:
    """The largest difference from the reference, as a share of the output's magnitude; None without a reference.

    Raises BuildFailed where it is more than `TOLERANCE`, or a value is not finite.
    """
    if max_batch < _ROWS or any(tensor.shape[0] is not None for tensor in spec.inputs):
        engine, reference = _one_by_one(engine), reference and _one_by_one(reference)
    try:
        differences = compare(golden, reference or engine, engine)
    except BadNetwork as error:
        raise BuildFailed(f"the engine of {file} is not kept: {error.problem}", error.remedy) from None
    if reference is None:
        return None
    worst, tensor = max((each.absolute / (each.magnitude or 1.0), each.tensor) for each in differences)
    if worst > TOLERANCE[precision]:
        raise BuildFailed(
            f"the engine of {file} is not kept: its output {tensor!r} differs from fp32 on the processor by "
            f"{100 * worst:.3g} % of its magnitude, {100 * TOLERANCE[precision]:g} % are allowed",
            "use another precision, or another version of the library",
        )
    return float(f"{worst:.3g}")


def _one_by_one(run: Run) -> Run:
    """A run that takes the rows of a batch singly."""

    def call(arrays: Arrays) -> dict[str, NDArray[Any]]:
        rows = len(next(iter(arrays.values())))
        made: list[dict[str, NDArray[Any]]] = []
        for row in range(rows):
            one = run({name: np.ascontiguousarray(array[row : row + 1]) for name, array in arrays.items()})
            made.append({name: np.array(array) for name, array in one.items()})
        return {name: np.concatenate([each[name] for each in made]) for name in made[0]}

    return call
