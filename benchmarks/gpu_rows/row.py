"""One line of the table of CUDA kernels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Row(NamedTuple):
    """One kernel on one shape.

    `bytes_moved` counts each input once and each output once: what must go through the device's memory. `make` takes
    the CUDA module and a stream, makes inputs and outputs there, and returns a function that queues one call and
    allocates nothing; it is called several times, so that inputs taken in turn do not stay in the device's cache.
    """

    kernel: str
    shape: str
    bytes_moved: int
    make: Callable[[Any, Any], Callable[[], None]]


def uploaded(cuda: Any, stream: Any, host: NDArray[Any]) -> Any:
    """A copy of the array on the device."""
    array = cuda.empty(host.shape, host.dtype.name, stream)
    cuda.upload(np.ascontiguousarray(host), array)
    return array
