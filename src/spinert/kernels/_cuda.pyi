"""
CUDA kernels; see spinert.kernels and spinert.kernels.device, which check, allocate and document.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy
import numpy.typing
from numpy.typing import NDArray


ABI: int = 2

def devices() -> tuple[int, str]:
    """Number of devices, and why there is none."""

def describe(device: int) -> tuple[str, tuple[int, int], int, int]:
    """Name, compute capability, multiprocessors and bytes of memory."""

def emulated() -> bool:
    """Whether this module runs on the CPU, for tests."""

def allocations() -> int:
    """Allocations of device and page-locked memory so far."""

class Stream:
    """
    A queue of work on a device. Stream() is a new one; Stream(source) is one of CuPy, torch, PyCUDA, Numba or cuda.core, or the address of one, and keeps it alive. Make it once and use it again: it holds the scratch memory of kernels. Not for two threads at a time.
    """

    def __init__(self, source: object | None = None, *, device: int | None = None) -> None: ...

    @property
    def device(self) -> int: ...

    @property
    def handle(self) -> int: ...

    @property
    def allocations(self) -> int:
        """Of device memory for this stream so far."""

    @property
    def capturing(self) -> bool: ...

    def __cuda_stream__(self) -> tuple[int, int]: ...

    def synchronize(self) -> None:
        """Wait until all work queued so far is done."""

    def wait(self, event: Event) -> None:
        """Work queued from now on runs after the event."""

    def reserve(self, bytes: int) -> None:
        """
        Have at least this much scratch memory for kernels, so that they need not allocate it.
        """

def default_stream(device: int | None = None) -> Stream:
    """The legacy default stream, of the current device unless one is given."""

class Event:
    """A place in a stream, to wait for and to time by."""

    def __init__(self, device: int | None = None) -> None: ...

    @property
    def device(self) -> int: ...

    def record(self, stream: Stream) -> None:
        """Here, behind what the stream holds."""

    def query(self) -> bool:
        """Whether the stream has passed it."""

    def synchronize(self) -> None:
        """Wait until the stream has passed it."""

    def elapsed_ms(self, start: Event) -> float:
        """
        Milliseconds on the device since another event; both must have been passed.
        """

class Graph:
    """
    Work queued on a stream within `with Graph(stream) as graph:`, launched as a whole as often as one likes. It keeps the arrays it uses alive. Whatever would wait or allocate within the block is refused.
    """

    def __init__(self, stream: Stream) -> None: ...

    def __enter__(self) -> Graph: ...

    def __exit__(self, kind: object | None, error: object | None, traceback: object | None) -> None: ...

    def launch(self, stream: Stream | None = None) -> None:
        """Queue it on a stream, its own unless another is given."""

class DeviceArray:
    """
    A C-order array on a CUDA device, with memory of its own or of an owner that it keeps alive.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> numpy.dtype[Any]: ...

    @property
    def ndim(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    @property
    def device(self) -> int: ...

    @property
    def stream(self) -> Stream: ...

    @property
    def readonly(self) -> bool:
        """Whether kernels refuse it as an output."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """
        CUDA array interface, version 3; its stream is the one that the array belongs to.
        """

    def __dlpack__(self, *, stream: int | None = None, max_version: tuple[int, int] | None = None, dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> object:
        """
        A DLPack capsule, versioned from max_version (1, 0) on; the consumer's stream waits for the array's.
        """

    def __dlpack_device__(self) -> tuple[int, int]: ...

    def __len__(self) -> int: ...

    def __repr__(self) -> str: ...

def device_array(source: Any, stream: Stream | None = None) -> DeviceArray:
    """
    An array of CuPy, torch, PyCUDA, Numba or of this module, on a stream; no copy is made. TypeError for one that is not C-contiguous, lies elsewhere or has another element type than DeviceArray knows.
    """

def empty(shape: Sequence[int], dtype: numpy.typing.DTypeLike, stream: Stream | None = None) -> DeviceArray:
    """A new array, not initialised, on a stream or the default one."""

def upload(host: numpy.typing.NDArray[Any], out: DeviceArray, stream: Stream | None = None) -> None:
    """
    Copy to the device, queued on a stream or the array's. From a pinned array it returns at once: leave that as it is until the copy is done. From another one it returns when that may be changed.
    """

def download(array: DeviceArray, out: numpy.typing.NDArray[Any], stream: Stream | None = None) -> None:
    """
    Copy from the device. To a pinned array it returns at once: synchronize before reading that. To another one it returns when the copy is done.
    """

def copy(source: DeviceArray, out: DeviceArray, stream: Stream | None = None) -> None:
    """
    Copy from one device array to another, queued on a stream or that of the second.
    """

def pinned(shape: Sequence[int], dtype: numpy.typing.DTypeLike) -> numpy.typing.NDArray[Any]:
    """
    A NumPy array in page-locked memory, not initialised; freeing it waits for copies from and to it.
    """

def equalize_histogram(images: DeviceArray, out: DeviceArray, stream: Stream) -> None: ...

def clahe(images: DeviceArray, clip_limit: float, tile_rows: int, tile_columns: int, out: DeviceArray, stream: Stream) -> None: ...

def soft_argmax(maps: DeviceArray, radius: int, xy: DeviceArray, confidence: DeviceArray, stream: Stream) -> None: ...

def peak(maps: DeviceArray, xy: DeviceArray, value: DeviceArray, stream: Stream) -> None: ...

def rescale_hu(stored: DeviceArray, slopes: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], intercepts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], low: float, high: float, shift: float, scale: float, outside: float, filled: bool, out: DeviceArray, stream: Stream) -> None: ...

def zscore_hu(stored: DeviceArray, slopes: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], intercepts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], low: float, high: float, mask: DeviceArray | None, moments: DeviceArray, out: DeviceArray, stream: Stream) -> None: ...

def threshold_mask(stored: DeviceArray, slopes: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], intercepts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], low: float, high: float, mask: DeviceArray, box: DeviceArray, stream: Stream) -> None: ...
