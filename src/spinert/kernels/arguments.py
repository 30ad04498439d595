"""What a kernel's arguments must be, said alike everywhere: what came, and what was expected."""

from typing import Any

import numpy as np


def check_array(name: str, array: Any, dtypes: tuple[str, ...], shape: tuple[str | int, ...]) -> None:
    """Raise TypeError unless `array` has one of the dtypes, this shape (an int is a fixed length) and C order."""
    expected = f"{' or '.join(dtypes)} [{', '.join(map(str, shape))}], C-contiguous"
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, expected an array {expected}")
    fits = array.ndim == len(shape) and all(
        want == have for want, have in zip(shape, array.shape, strict=True) if isinstance(want, int)
    )
    if array.dtype.name not in dtypes or not array.dtype.isnative or not fits or not array.flags.c_contiguous:
        order = "" if array.flags.c_contiguous else ", not C-contiguous"
        raise TypeError(f"{name} is {array.dtype} {list(array.shape)}{order}, expected {expected}")


def check_threads(threads: int) -> None:
    """Raise ValueError for fewer than one thread."""
    if threads < 1:
        raise ValueError(f"threads is {threads}, expected 1 or more")
