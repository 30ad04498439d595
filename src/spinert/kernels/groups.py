"""Values in groups, one group after the other in one array."""

import numpy as np

from spinert.kernels.residence import Array, Place


def take_offsets(place: Place, offsets: Array | None, n: int, of: str) -> tuple[Array | None, int]:
    """The offsets as the native module takes them, and the number of groups: one of all n `of` where they are None.

    ValueError unless they ascend from 0 to n; those of a device are held to 0 .. n by the kernels themselves.
    """
    if offsets is None:
        return None, 1
    offsets = place.take("offsets", offsets, ("int64",), ("groups + 1",))
    if len(offsets) == 0:
        raise ValueError("offsets has shape [0], expected at least one offset")
    if isinstance(offsets, np.ndarray) and (offsets[0] != 0 or offsets[-1] != n or (offsets[1:] < offsets[:-1]).any()):
        raise ValueError(f"offsets is {offsets}, expected to ascend from 0 to {n}, the number of {of}")
    return offsets, len(offsets) - 1
