"""Cobb geometry of whole batches of spines."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_rows.row import Row, uploaded
from benchmarks.kernels.angles import HEIGHT_PX, spines

VERTEBRAE = 17
# values in and out of each spine: corners are 17 x 4 x 2 doubles
CORNERS, PAIRS = 8 * VERTEBRAE, VERTEBRAE * VERTEBRAE
BYTES = {
    "angle_matrices": 8 * (2 * VERTEBRAE + PAIRS),
    "challenge_angles": 8 * (CORNERS + 1 + 3) + 4 * 2,
    "end_vertebrae": 8 * (CORNERS + VERTEBRAE - 1) + 4 * (3 * (VERTEBRAE - 1) + 1),
}


def rows(*, small: bool) -> list[Row]:
    """One spine, and a data set; `small` for a run whose times nobody looks at."""
    return [row(kernel, n) for kernel in BYTES for n in ((2,) if small else (1, 4096))]


def row(kernel: str, n: int) -> Row:
    def make(cuda: Any, stream: Any) -> Callable[[], None]:
        corners = spines(n)
        inputs: dict[str, tuple[Any, ...]] = {
            "angle_matrices": (corners[:, :, 0],),
            "challenge_angles": (corners, np.full(n, HEIGHT_PX)),
            "end_vertebrae": (corners,),
        }
        outputs: dict[str, list[tuple[tuple[int, ...], str]]] = {
            "angle_matrices": [((n, VERTEBRAE, VERTEBRAE), "float64")],
            "challenge_angles": [((n, 3), "float64"), ((n, 2), "int32")],
            "end_vertebrae": [((n, VERTEBRAE - 1, 3), "int32"), ((n, VERTEBRAE - 1), "float64"), ((n,), "int32")],
        }
        taken = [uploaded(cuda, stream, values) for values in inputs[kernel]]
        made = [cuda.empty(shape, dtype, stream) for shape, dtype in outputs[kernel]]
        settings = (10.0,) if kernel == "end_vertebrae" else ()
        return lambda: getattr(cuda, kernel)(*taken, *settings, *made, stream)

    return Row(kernel, f"{n} spines", BYTES[kernel] * n, make)
