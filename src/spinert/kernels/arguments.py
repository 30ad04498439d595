"""What a kernel's arguments must be, said alike everywhere: what came, and what was expected."""

from typing import Any

import numpy as np


def check_array(name: str, array: Any, dtypes: tuple[str, ...], shape: tuple[str | int, ...]) -> None:
    """Raise TypeError unless `array` has one of the dtypes, this shape (an int is a fixed length) and C order."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, expected an array {_text(dtypes, shape)}")
    dtype = array.dtype.name if array.dtype.isnative else str(array.dtype)
    order = "" if array.flags.c_contiguous else ", not C-contiguous"
    check_layout(name, dtype, array.shape, dtypes, shape, order)


def check_layout(
    name: str,
    dtype: str,
    got: tuple[int, ...],
    dtypes: tuple[str, ...],
    shape: tuple[str | int, ...],
    order: str = "",
) -> None:
    """As `check_array`, for an array of any library. `order` is what is wrong with its order in memory."""
    fits = len(got) == len(shape) and all(
        want == have for want, have in zip(shape, got, strict=True) if isinstance(want, int)
    )
    if dtype not in dtypes or not fits or order:
        raise TypeError(f"{name} is {dtype} {list(got)}{order}, expected {_text(dtypes, shape)}")


def _text(dtypes: tuple[str, ...], shape: tuple[str | int, ...]) -> str:
    return f"{' or '.join(dtypes)} [{', '.join(map(str, shape))}], C-contiguous"


def check_threads(threads: int) -> None:
    """Raise ValueError for fewer than one thread."""
    if threads < 1:
        raise ValueError(f"threads is {threads}, expected 1 or more")
