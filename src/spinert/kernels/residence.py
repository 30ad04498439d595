"""Where a kernel runs: where its arrays live."""

from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spinert.kernels import _cpu
from spinert.kernels.arguments import check_array, check_threads

Array: TypeAlias = Any  # a NumPy array, or one of the device


class Place(NamedTuple):
    """A native module and how its kernels are told to run: their last argument is a number of threads on the CPU."""

    native: ModuleType
    lane: int

    def take(self, name: str, array: Array, dtypes: tuple[str, ...], shape: tuple[str | int, ...]) -> Array:
        """The array as the native module takes it; TypeError unless it has one of the dtypes and this shape."""
        check_array(name, array, dtypes, shape)
        return array

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """A new array here, not initialised."""
        return np.empty(shape, dtype)


def place_of(*arrays: Array, threads: int = 1) -> Place:  # noqa: ARG001
    """The place of all the arrays."""
    check_threads(threads)
    return Place(_cpu, threads)
