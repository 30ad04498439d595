"""One line of the table of kernels."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray


class Row(NamedTuple):
    """One kernel on one input.

    `ours` takes the number of threads and returns all that the kernel makes, first the array that `exact` is about.
    `exact` is the reference's result, a peer's where that would take minutes, or None. What peers return is for nobody.
    """

    kernel: str
    shape: str
    ours: Callable[[int], Any]
    peers: Mapping[str, Callable[[], Any]]
    exact: NDArray[Any] | None
    threads: tuple[int, ...] = (1,)
