"""Stored values of CT and MR to a network's input.

HU = slope * stored + intercept (DICOM PS3.3 C.11.1.1.2), in Hounsfield units for CT and in whatever unit the rescale
leads to elsewhere. Slope and intercept have no default: a rescale that was forgotten is not seen in the result.

stored     int16 or uint16 [slices, rows, columns], or one image [rows, columns]
slope      1e-15 .. 1e15 or the same below 0; a number, or one for each slice where it differs from slice to slice
intercept  at most 1e15 from 0; a number or one for each slice likewise. Both come from the header: they are numbers of
           the host's, wherever the volume lies.
out        an array to write into: its pages are there already, which makes a large volume several times as fast as a
           new array. It may not overlap `stored`.

Padding (Pixel Padding Value) is like any other value; in CT it lies below air and `low` clips it.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spinert.kernels.residence import Array, Place, place_of

Stored = NDArray[np.int16] | NDArray[np.uint16]
Slices = float | Sequence[float] | NDArray[np.float64]

_LARGEST = 1e15
_AXES = ("slices", "rows", "columns")


class Scored(NamedTuple):
    """Values of zero mean and unit standard deviation, and what they were made with.

    `moments` is float64 [3]: how many voxels counted, their mean and their standard deviation in HU.
    """

    values: NDArray[Any]
    moments: NDArray[np.float64]


class Thresholded(NamedTuple):
    """A mask, uint8 of 0 and 1, and int64 [axes, 2], from the first 1 to behind the last on each axis."""

    mask: NDArray[np.uint8]
    box: NDArray[np.int64]


def window_hu(
    stored: Stored,
    *,
    slope: Slices,
    intercept: Slices,
    low: float,
    high: float,
    outside: float | None = None,
    dtype: DTypeLike = np.float32,
    out: NDArray[Any] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[Any]:
    """A window of HU to 0..1: (HU - low) / (high - low), clipped.

    low, high  HU, low below high
    outside    what becomes of values below low and above high, in the unit of the result; None: 0 and 1
    dtype      float32, within 1e-6 of the exact value; float16, the one nearest to that; or uint8, which holds 255
               times the window rounded to the nearest, halves upwards

    Returns an array of this dtype and the shape of `stored`.
    """
    if not -_LARGEST <= low < high <= _LARGEST:
        raise ValueError(f"low and high are {low} and {high}, expected low < high, both within {_LARGEST:g} of 0")
    top = 255.0 if np.dtype(dtype) == np.uint8 else 1.0
    if top > 1.0 and outside is not None and outside not in range(256):
        raise ValueError(f"outside is {outside}, expected a whole number of 0 to 255 for uint8")
    taken = _take(stored, slope, intercept, threads, stream)
    out = taken.output(("float32", "float16", "uint8"), dtype, out)
    return taken.grade(low, high, low, top / (high - low), outside, out)


def standardize_hu(
    stored: Stored,
    *,
    slope: Slices,
    intercept: Slices,
    mean: float,
    sd: float,
    low: float = -math.inf,
    high: float = math.inf,
    outside: float | None = None,
    dtype: DTypeLike = np.float32,
    out: NDArray[Any] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> NDArray[Any]:
    """HU clipped to low..high, less a mean, by a standard deviation: those of a training set.

    mean, sd   HU; the mean at most 1e15 from 0, sd 1e-15 .. 1e15
    low, high  HU, low below high
    outside    what becomes of values below low and above high, in the unit of the result; None: they are clipped
    dtype      float32, within 1e-6 of the exact value (of itself, where it is above 1), or float16, the one nearest to
               that, infinite from 65520

    Returns an array of this dtype and the shape of `stored`.
    """
    _check_range(low, high)
    if not abs(mean) <= _LARGEST:
        raise ValueError(f"mean is {mean}, expected at most {_LARGEST:g} from 0")
    if not 1.0 / _LARGEST <= sd <= _LARGEST:
        raise ValueError(f"sd is {sd}, expected {1.0 / _LARGEST:g} to {_LARGEST:g}")
    taken = _take(stored, slope, intercept, threads, stream)
    out = taken.output(("float32", "float16"), dtype, out)
    return taken.grade(low, high, mean, 1.0 / sd, outside, out)


def zscore_hu(
    stored: Stored,
    *,
    slope: Slices,
    intercept: Slices,
    low: float = -math.inf,
    high: float = math.inf,
    mask: NDArray[np.uint8] | None = None,
    dtype: DTypeLike = np.float32,
    out: NDArray[Any] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> Scored:
    """HU clipped to low..high, less their own mean, by their own standard deviation (population).

    low, high  HU, low below high
    mask       uint8, the shape of `stored`: mean and standard deviation are of the voxels where it is not 0; every
               voxel becomes a value. None: they are of all voxels.
    dtype      float32 or float16, as in `standardize_hu`

    Values that are all alike become 0. The sums are of whole numbers and exact. A mask without a voxel is a ValueError;
    on a device its moments are nan and the values 0. The call needs 40 bytes for each slice.
    """
    _check_range(low, high)
    taken = _take(stored, slope, intercept, threads, stream)
    if mask is not None:
        mask = taken.place.take("mask", mask, ("uint8",), taken.stored.shape)
    out = taken.output(("float32", "float16"), dtype, out)
    moments = taken.place.empty((3,), np.float64)
    taken.place.native.zscore_hu(*taken.rescaled, low, high, mask, moments, out, taken.place.lane)
    if isinstance(moments, np.ndarray) and moments[0] == 0.0:
        raise ValueError(
            f"{'stored' if mask is None else 'mask'} has no voxel to take a mean of, expected at least one"
        )
    return Scored(out, moments)


def threshold_mask(
    stored: Stored,
    *,
    slope: Slices,
    intercept: Slices,
    low: float,
    high: float = math.inf,
    out: NDArray[np.uint8] | None = None,
    threads: int = 1,
    stream: Any = None,
) -> Thresholded:
    """Voxels of low..high HU, both included, and the box around them; all of its ends are 0 where there is none."""
    _check_range(low, high)
    taken = _take(stored, slope, intercept, threads, stream)
    mask, box = taken.output(("uint8",), np.uint8, out), taken.place.empty((len(taken.stored.shape), 2), np.int64)
    taken.place.native.threshold_mask(*taken.rescaled, low, high, mask, box, taken.place.lane)
    return Thresholded(mask, box)


class _Taken(NamedTuple):
    """A volume where it lies, with one slope and intercept for all slices or one for each."""

    place: Place
    stored: Array
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    @property
    def rescaled(self) -> tuple[Array, NDArray[np.float64], NDArray[np.float64]]:
        return self.stored, self.slopes, self.intercepts

    def output(self, dtypes: tuple[str, ...], dtype: DTypeLike, out: Array | None) -> Array:
        """An array of the volume's shape to write into: the caller's, checked, or a new one."""
        name = np.dtype(dtype).name
        if name not in dtypes:
            raise TypeError(f"dtype is {name}, expected {' or '.join(dtypes)}")
        if out is None:
            return self.place.empty(self.stored.shape, name)
        out = self.place.take("out", out, (name,), self.stored.shape)
        if isinstance(out, np.ndarray):
            if not out.flags.writeable or not out.flags.aligned:
                flaw = "not aligned" if out.flags.writeable else "read-only"
                raise TypeError(f"out is {flaw}, expected an array to write into")
            if np.may_share_memory(out, self.stored):
                raise ValueError("out overlaps stored, expected memory of its own")
        return out

    def grade(
        self, low: float, high: float, shift: float, scale: float, outside: float | None, out: NDArray[Any]
    ) -> NDArray[Any]:
        """(HU clipped to low..high, less shift) * scale, or `outside`."""
        filled = (0.0, False) if outside is None else (outside, True)
        self.place.native.rescale_hu(*self.rescaled, low, high, shift, scale, *filled, out, self.place.lane)
        return out


def _take(stored: Array, slope: Slices, intercept: Slices, threads: int, stream: Any) -> _Taken:
    place = place_of(stored, threads=threads, stream=stream)
    axes = _AXES[1:] if len(getattr(stored, "shape", _AXES)) == 2 else _AXES
    stored = place.take("stored", stored, ("int16", "uint16"), axes)
    slices = stored.shape[0] if axes is _AXES else 1
    slopes = _by_slice("slope", slope, slices, 1.0 / _LARGEST)
    intercepts = _by_slice("intercept", intercept, slices, 0.0)
    if len(slopes) != len(intercepts):
        slopes, intercepts = (np.array(np.broadcast_to(values, slices)) for values in (slopes, intercepts))
    return _Taken(place, stored, slopes, intercepts)


def _by_slice(name: str, value: Slices, slices: int, least: float) -> NDArray[np.float64]:
    """float64 [1] or [slices], every one of them at least so far from 0 and at most 1e15."""
    try:
        values = np.atleast_1d(np.asarray(value, np.float64))
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a {type(value).__name__}, expected a number or {slices} of them") from None
    if values.shape != ((1,) if np.ndim(value) == 0 else (slices,)):
        raise TypeError(f"{name} is an array {list(values.shape)}, expected a number or {slices} of them")
    if not all(least <= abs(each) <= _LARGEST for each in values.tolist()):
        raise ValueError(f"{name} is {value}, expected {least:g} to {_LARGEST:g}, or the same below 0")
    return np.ascontiguousarray(values)


def _check_range(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"low and high are {low} and {high}, expected low < high")
