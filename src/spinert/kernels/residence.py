"""Where a kernel runs: where its arrays live."""

from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spinert.kernels import _cpu, native
from spinert.kernels.arguments import check_array, check_layout, check_threads
from spinert.kernels.device import is_on_device

Array: TypeAlias = Any  # a NumPy array, or one of the device


class CpuPlace(NamedTuple):
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

    def bring(self, array: NDArray[Any]) -> NDArray[Any]:
        """A NumPy array as an array of this place."""
        return array


class CudaPlace(NamedTuple):
    """A CUDA device: the last argument of its kernels is the stream they are queued on."""

    native: ModuleType
    lane: Any

    def take(self, name: str, array: Array, dtypes: tuple[str, ...], shape: tuple[str | int, ...]) -> Array:
        """The array as a DeviceArray of the lane's stream, without a copy; else as `CpuPlace.take`."""
        try:
            taken = self.native.device_array(array, self.lane)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        check_layout(name, taken.dtype.name, taken.shape, dtypes, shape)
        return taken

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """A new DeviceArray here, not initialised."""
        return self.native.empty(shape, dtype, self.lane)

    def bring(self, array: NDArray[Any]) -> Array:
        """A small NumPy array, C-contiguous, as a DeviceArray here; refused while the stream is captured."""
        copy = self.empty(array.shape, array.dtype)
        self.native.upload(array, copy)
        return copy


Place: TypeAlias = CpuPlace | CudaPlace


def place_of(*arrays: Array, threads: int = 1, stream: Any = None) -> Place:
    """The place of all the arrays; TypeError where some lie on a device and some do not. None stands for no array.

    stream  for arrays on a device: a Stream or one of CuPy, torch, PyCUDA or Numba; None is that of the first array
    """
    check_threads(threads)
    given = [array for array in arrays if array is not None]
    on_device = [array for array in given if is_on_device(array)]
    if not on_device:
        if stream is not None:
            raise TypeError("stream is given for arrays in host memory, expected None or arrays on a device")
        return CpuPlace(_cpu, threads)
    if len(on_device) < len(given):
        (host, *_) = (type(array).__name__ for array in given if not is_on_device(array))
        raise TypeError(
            f"arrays lie on a device ({type(on_device[0]).__name__}) and in host memory ({host}), expected one place"
        )
    module = native.cuda()
    lane = module.device_array(on_device[0]).stream if stream is None else as_stream(module, stream)
    return CudaPlace(module, lane)


def as_stream(module: ModuleType, stream: Any) -> Any:
    """A Stream of the CUDA module as it is; another library's becomes one."""
    return stream if isinstance(stream, module.Stream) else module.Stream(stream)
