"""Memory that shows who wrote to it."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

GUARD = 64  # elements
FRESH = 0xCD  # each byte of what nobody has written yet, as in the memory of the emulated device


def fresh(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """A new array, which never holds what an earlier call left in the same memory."""
    return np.full(math.prod(shape) * np.dtype(dtype).itemsize, FRESH, np.uint8).view(dtype).reshape(shape)


def unwritten(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Which elements are as `fresh` made them; [size]."""
    flat = array.reshape(-1, 1).view(np.uint8)
    return (flat == FRESH).all(axis=1)


@contextmanager
def surrounded(shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[NDArray[Any]]:
    """An array between guard words, which must be as they were when the block ends."""
    size = math.prod(shape)
    memory = fresh((size + 2 * GUARD,), dtype)
    yield memory[GUARD : GUARD + size].reshape(shape)
    assert unwritten(memory[:GUARD]).all(), "written before the array"
    assert unwritten(memory[GUARD + size :]).all(), "written after the array"


@contextmanager
def guarded(shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[NDArray[Any]]:
    """An output array between guard words: when the block ends they are as they were, and all of it is written."""
    with surrounded(shape, dtype) as output:
        yield output
    # a result of fewer bytes may be the same by chance
    assert output.itemsize < 4 or not unwritten(output).any(), "not all of the output is written"
