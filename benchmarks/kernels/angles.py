"""Angles against NumPy."""

import numpy as np

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference


def rows() -> list[Row]:
    vectors = np.random.default_rng(0).normal((100.0, 0.0), 30.0, (17, 2))
    return [
        Row(
            "angle_matrix",
            "17 vectors",
            lambda _threads: kernels.angle_matrix(vectors),
            {"NumPy": lambda: reference.angle_matrix(vectors)},
            reference.angle_matrix(vectors),
        )
    ]
