"""Arrays of a device for tests: made, read back, disguised as another library's, and one loop of work on them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.places import CudaPlace

MAPS = np.random.default_rng(0).normal(0.0, 3.0, (3, 13, 17)).astype(np.float32)


def fetched(cuda: CudaPlace, array: Any) -> NDArray[Any]:
    host = np.empty(array.shape, array.dtype)
    cuda.native.download(array, host)
    return host


def pointer(array: Any) -> int:
    return int(array.__cuda_array_interface__["data"][0])


def producer(array: Any, **changes: Any) -> SimpleNamespace:
    """An array of a library that has only __cuda_array_interface__."""
    interface = {
        key: value for key, value in {**array.__cuda_array_interface__, **changes}.items() if value != "absent"
    }
    return SimpleNamespace(__cuda_array_interface__=interface, owner=array)


def queued(emulated: CudaPlace, host: NDArray[Any], stream: Any) -> tuple[Any, NDArray[Any]]:
    """An array whose copy to the device is queued, not waited for; and the page-locked memory that it comes from."""
    pinned = emulated.native.pinned(host.shape, host.dtype)
    pinned[...] = host
    array = emulated.native.empty(host.shape, host.dtype, stream)
    emulated.native.upload(pinned, array)
    return array, pinned


def outputs(emulated: CudaPlace, stream: Any, n: int = 3) -> tuple[Any, Any]:
    return emulated.native.empty((n, 2), "float32", stream), emulated.native.empty((n,), "float32", stream)


class Loop:
    """Maps up, soft-argmax, points down; in buffers made once."""

    def __init__(self, emulated: CudaPlace, stream: Any) -> None:
        self.native, self.stream = emulated.native, stream
        self.host = self.native.pinned(MAPS.shape, "float32")
        self.maps = self.native.empty(MAPS.shape, "float32", stream)
        self.xy, self.confidence = outputs(emulated, stream)
        self.points = self.native.pinned((3, 2), "float32")

    def queue(self) -> None:
        self.native.upload(self.host, self.maps)
        self.native.soft_argmax(self.maps, 1.0, 3, self.xy, self.confidence, self.stream)
        self.native.download(self.xy, self.points)
