"""
CUDA kernels; see spinert.kernels and spinert.kernels.device, which check, allocate and document.
"""

from collections.abc import Sequence
from typing import Annotated, Any, overload

import numpy
import numpy.typing
from numpy.typing import NDArray


ABI: int = 3

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
    Copy to the device, queued on a stream or the array's. From a pinned array it returns at once: leave that as it is until the copy is done. From another one it waits for the copy.
    """

def download(array: DeviceArray, out: numpy.typing.NDArray[Any], stream: Stream | None = None) -> None:
    """
    Copy from the device. To a pinned array it returns at once: synchronize before reading that. To another one it waits for the copy.
    """

def copy(source: DeviceArray, out: DeviceArray, stream: Stream | None = None) -> None:
    """
    Copy from one device array to another, queued on a stream or that of the second.
    """

def pinned(shape: Sequence[int], dtype: numpy.typing.DTypeLike) -> numpy.typing.NDArray[Any]:
    """
    A NumPy array in page-locked memory, not initialised; freeing it waits for copies from and to it.
    """

def order_statistics(pixels: DeviceArray, rank_low: int, rank_high: int, window: DeviceArray, stream: Stream) -> None: ...

def window_resize(pixels: DeviceArray, window: DeviceArray, inverted: bool, top: int, left: int, rows: int, columns: int, out: DeviceArray, stream: Stream) -> None: ...

def rescale_hu(stored: DeviceArray, slopes: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], intercepts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], low: float, high: float, shift: float, scale: float, outside: float, filled: bool, out: DeviceArray, stream: Stream) -> None: ...

def zscore_hu(stored: DeviceArray, slopes: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], intercepts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], low: float, high: float, mask: DeviceArray | None, moments: DeviceArray, out: DeviceArray, stream: Stream) -> None: ...

def threshold_mask(stored: DeviceArray, slopes: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], intercepts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], low: float, high: float, mask: DeviceArray, box: DeviceArray, stream: Stream) -> None: ...

def equalize_histogram(images: DeviceArray, out: DeviceArray, stream: Stream) -> None: ...

def clahe(images: DeviceArray, clip_limit: float, tile_rows: int, tile_columns: int, out: DeviceArray, stream: Stream) -> None: ...

def resample_volume(volume: DeviceArray, step: Sequence[float], origin: Sequence[float], window: Sequence[float], out: DeviceArray, stream: Stream) -> None: ...

def resample_labels(labels: DeviceArray, step: Sequence[float], origin: Sequence[float], out: DeviceArray, stream: Stream) -> None: ...

def crop_rotated(images: DeviceArray, maps: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], samples: int, outside: float, out: DeviceArray, stream: Stream) -> None: ...

def crop_oblique(volume: DeviceArray, maps: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], outside: float, out: DeviceArray, stream: Stream) -> None: ...

def soft_argmax(maps: DeviceArray, temperature: float, radius: int, points: DeviceArray, confidence: DeviceArray, stream: Stream) -> None: ...

def soft_moments(maps: DeviceArray, temperature: float, radius: int, points: DeviceArray, confidence: DeviceArray, covariance: DeviceArray, stream: Stream) -> None: ...

def mean_above(maps: DeviceArray, threshold: float, mask: DeviceArray | None, points: DeviceArray, count: DeviceArray, confidence: DeviceArray, stream: Stream) -> None: ...

def peak(maps: DeviceArray, points: DeviceArray, value: DeviceArray, stream: Stream) -> None: ...

def top_peaks(maps: DeviceArray, min_distance: float, threshold: float, points: DeviceArray, values: DeviceArray, count: DeviceArray, stream: Stream) -> None: ...

def iou(a: DeviceArray, b: DeviceArray, out: DeviceArray, stream: Stream) -> None: ...

def rotated_iou(a: DeviceArray, b: DeviceArray, out: DeviceArray, stream: Stream) -> None: ...

def nms(boxes: DeviceArray, scores: DeviceArray, offsets: DeviceArray | None, threshold: float, max_keep: int, kept: DeviceArray, counts: DeviceArray, stream: Stream) -> None: ...

def rotated_nms(boxes: DeviceArray, scores: DeviceArray, offsets: DeviceArray | None, threshold: float, max_keep: int, kept: DeviceArray, counts: DeviceArray, stream: Stream) -> None: ...

def neighbour_overlap(boxes: DeviceArray, offsets: DeviceArray | None, limit: float, kept: DeviceArray, counts: DeviceArray, stream: Stream) -> None: ...

def neighbour_shift(boxes: DeviceArray, offsets: DeviceArray | None, limit: float, kept: DeviceArray, counts: DeviceArray, stream: Stream) -> None: ...

def dbscan(points: DeviceArray, offsets: DeviceArray, eps: float, min_samples: int, labels: DeviceArray, stream: Stream) -> None: ...

def kmeans(points: DeviceArray, max_iterations: int, tolerance: float, labels: DeviceArray, centres: DeviceArray, stream: Stream) -> None: ...

def gap_outliers(places: DeviceArray, ratio: float, gaps: DeviceArray, outliers: DeviceArray, stream: Stream) -> None: ...

def fit_polynomial(x: DeviceArray, y: DeviceArray, weights: DeviceArray | None, offsets: DeviceArray | None, interval: DeviceArray, terms: DeviceArray, degrees: DeviceArray, stream: Stream) -> None: ...

def evaluate_polynomial(interval: DeviceArray, terms: DeviceArray, x: DeviceArray, offsets: DeviceArray | None, ends: DeviceArray | None, y: DeviceArray, slopes: DeviceArray, stream: Stream) -> None: ...

def smooth_heat(values: DeviceArray, offsets: DeviceArray | None, coefficient: float, steps: int, free_ends: bool, smoothed: DeviceArray, stream: Stream) -> None: ...

def even_slopes(values: DeviceArray, offsets: DeviceArray | None, slopes: DeviceArray, stream: Stream) -> None: ...

def mask_midline(mask: DeviceArray, midline: DeviceArray, borders: DeviceArray, stream: Stream) -> None: ...

def border_midpoints(borders: DeviceArray, midpoints: DeviceArray, stream: Stream) -> None: ...

def label_components(mask: DeviceArray, corners: bool, labels: DeviceArray, count: DeviceArray, stream: Stream) -> None: ...

def label_classes(classes: DeviceArray, corners: bool, labels: DeviceArray, count: DeviceArray, stream: Stream) -> None: ...

@overload
def component_statistics(labels: DeviceArray, voxels: DeviceArray, boxes: DeviceArray, centroids: DeviceArray, stream: Stream) -> None: ...

@overload
def component_statistics(labels: DeviceArray, values: DeviceArray, slope: float, intercept: float, voxels: DeviceArray, boxes: DeviceArray, centroids: DeviceArray, means: DeviceArray, stream: Stream) -> None: ...

def keep_components(labels: DeviceArray, keep: DeviceArray, kept: DeviceArray, stream: Stream) -> None: ...

def add_tile(tile: DeviceArray, weights_z: DeviceArray, weights_y: DeviceArray, weights_x: DeviceArray, index: Sequence[int], at: Sequence[int], fresh: Sequence[int], ring: DeviceArray, stream: Stream) -> None: ...

def label_slices(ring: DeviceArray, slot: int, begin: int, count: int, threshold: float, labels: DeviceArray, stream: Stream) -> None: ...

def half_slices(ring: DeviceArray, slot: int, begin: int, count: int, values: DeviceArray, stream: Stream) -> None: ...

def gaussian_mean(volume: DeviceArray, centres: DeviceArray, cube: int, sigma: float, means: DeviceArray, stream: Stream) -> None: ...

def vertebra_votes(probabilities: DeviceArray, offsets: DeviceArray | None, threshold: int, labels: DeviceArray, counts: DeviceArray, stream: Stream) -> None: ...

def tilt_vectors(corners: DeviceArray, vectors: DeviceArray, stream: Stream) -> None: ...

def angle_matrix(vectors: DeviceArray, degrees: DeviceArray, stream: Stream) -> None: ...

def angle_matrices(vectors: DeviceArray, degrees: DeviceArray, stream: Stream) -> None: ...

def challenge_angles(corners: DeviceArray, heights: DeviceArray, degrees: DeviceArray, ends: DeviceArray, stream: Stream) -> None: ...

def end_vertebrae(corners: DeviceArray, threshold: float, vertebrae: DeviceArray, turns: DeviceArray, counts: DeviceArray, stream: Stream) -> None: ...
