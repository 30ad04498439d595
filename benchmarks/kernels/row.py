"""One line of the table of kernels."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray


class Row(NamedTuple):
    """One kernel on one input.

    `ours` takes the number of threads; it and every peer return the array that `truth` is about, or a tuple whose first
    one is. `exact` is the reference's result in float64, or None where it would take minutes.
    """

    kernel: str
    shape: str
    ours: Callable[[int], Any]
    peers: Mapping[str, Callable[[], Any]]
    exact: NDArray[Any] | None
    threads: tuple[int, ...] = (1,)
