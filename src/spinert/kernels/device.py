"""Arrays, streams and graphs of CUDA devices: what an embedding program hands to the kernels and gets from them.

A kernel runs where its arrays live. Given NumPy arrays it runs on the CPU; given a DeviceArray, or an array of CuPy,
torch, PyCUDA or Numba on a CUDA device, it is queued there and returns DeviceArrays at once. Arrays are taken and
handed over without a copy (DLPack, CUDA array interface 3).

    stream = device.Stream()                        # or Stream(torch.cuda.current_stream())
    maps = device.empty((68, 256, 128), "float32", stream)
    device.upload(host, maps)                       # from device.pinned(...) while the host goes on
    xy, confidence = kernels.soft_argmax(maps)      # queued on the stream of the maps
    device.download(xy, points)
    stream.synchronize()                            # now `points` holds them

Waiting: only what is called `synchronize` waits for a device, apart from a download to ordinary host memory, which CUDA
ends before it returns, and the end of a page-locked array or a graph that is still in use.

Streams: an array belongs to a stream, and work on it queued on another stream is ordered with that one before and
after. Without a stream, arrays are taken on the stream that their producer names, else on the legacy default stream,
where PyCUDA, CuPy and torch work unless told otherwise; that one cannot be captured.

Allocating: new arrays, and scratch memory of a stream that must grow. Work that writes into arrays made beforehand
allocates nothing from its second run on; `allocations()` and `Stream.allocations` count. A graph allocates nothing: run
the same work once, then capture it.

    with device.Graph(stream) as graph:
        device.upload(host, maps)
        ...
    graph.launch()

Errors of CUDA are spinert.errors.DeviceError; the names below raise it too where this build has no CUDA module.
"""

from typing import TYPE_CHECKING, Any

from spinert.kernels import native

if TYPE_CHECKING:
    from spinert.kernels import _cuda

    DeviceArray = _cuda.DeviceArray
    Event = _cuda.Event
    Graph = _cuda.Graph
    Stream = _cuda.Stream
    allocations = _cuda.allocations
    copy = _cuda.copy
    default_stream = _cuda.default_stream
    device_array = _cuda.device_array
    devices = _cuda.devices
    download = _cuda.download
    empty = _cuda.empty
    pinned = _cuda.pinned
    upload = _cuda.upload

__all__ = [
    "DeviceArray",
    "Event",
    "Graph",
    "Stream",
    "allocations",
    "copy",
    "default_stream",
    "device_array",
    "devices",
    "download",
    "empty",
    "pinned",
    "upload",
]


def __getattr__(name: str) -> Any:
    """From the CUDA module, which is loaded on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(native.cuda(), name)


def is_on_device(array: Any) -> bool:
    """Whether an array of any library lies on a CUDA device."""
    if hasattr(array, "__dlpack_device__"):
        return int(array.__dlpack_device__()[0]) in _CUDA_AND_MANAGED
    return hasattr(array, "__cuda_array_interface__")


_CUDA_AND_MANAGED = (2, 13)  # of DLPack's device types
