"""All that a pipeline may know of a backend: named arrays in, named arrays out."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import TensorSpec
from spinert.errors import BadNetwork

Arrays = Mapping[str, NDArray[Any]]


class Network(Protocol):
    """An opened network; safe to call from many threads at once.

    The arrays that a call returns belong to the calling thread and are overwritten by its next call of this network:
    copy what must outlive it.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    backend: str
    provider: str

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Run once. Raises BadNetwork when an input does not fit its spec."""
        ...

    def close(self) -> None:
        """Release the network; calling it afterwards raises BadNetwork."""
        ...


def check_arrays(specs: tuple[TensorSpec, ...], arrays: Arrays) -> int:
    """Check names, dtypes and shapes against the specs and return the batch size.

    Raises BadNetwork with the tensor's name, what was given and what was expected.
    """
    expected_names, given_names = {spec.name for spec in specs}, set(arrays)
    if expected_names != given_names:
        raise BadNetwork(
            f"the network takes {sorted(expected_names)}, got {sorted(given_names)}", "pass exactly these arrays"
        )
    batch: int | None = None
    for spec in specs:
        array = arrays[spec.name]
        shape = tuple(spec.shape)
        fits = len(array.shape) == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        if not fits or array.dtype != np.dtype(spec.dtype) or not array.flags.c_contiguous:
            raise BadNetwork(
                f"input is {spec.name} {array.dtype} {list(array.shape)}"
                f"{'' if array.flags.c_contiguous else ' (not C-contiguous)'}, expected {spec}",
                "pass an array of this type, shape and order",
            )
        if shape and shape[0] is None:
            if batch is not None and array.shape[0] != batch:
                raise BadNetwork(
                    f"input {spec.name!r} has batch {array.shape[0]}, another input has {batch}", "use one batch size"
                )
            batch = array.shape[0]
    return 1 if batch is None else batch
