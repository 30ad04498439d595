"""An ensemble: several networks that a pipeline sees as one, whose outputs are the weighted mean of theirs."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.errors import BadNetwork
from spinert.runtime.network import Arrays, Network


class EnsembleNetwork:
    """A `Network` over networks with equal tensors: each runs on the same inputs, their outputs are averaged.

    The mean is of the values as the networks give them, in float32 or, for float64 tensors, float64.
    """

    def __init__(self, networks: Sequence[Network], weights: Sequence[float] = ()) -> None:
        """`weights` are positive, one for each network; equal where none are given.

        Raises BadNetwork where the networks' tensors differ.
        """
        first, *others = networks
        for other in others:
            if (other.inputs, other.outputs) != (first.inputs, first.outputs):
                raise BadNetwork(
                    f"networks of an ensemble differ: {_tensors(first)} and {_tensors(other)}",
                    "combine networks with equal tensors",
                )
        self.inputs = first.inputs
        self.outputs = first.outputs
        self.backend = first.backend
        self.provider = first.provider
        self._networks = tuple(networks)
        weights = weights or [1.0] * len(networks)
        self._shares = tuple(weight / sum(weights) for weight in weights)
        self._sums = threading.local()

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Run every network once. Raises BadNetwork as they do."""
        sums: dict[str, NDArray[Any]] = {}
        for network, share in zip(self._networks, self._shares, strict=True):
            for name, values in network(arrays).items():
                if name in sums:
                    sums[name] += values * sums[name].dtype.type(share)
                else:
                    sums[name] = self._sum(name, values)
                    np.multiply(values, share, out=sums[name])
        return {spec.name: sums[spec.name].astype(spec.dtype, copy=False) for spec in self.outputs}

    def close(self) -> None:
        """Close every network."""
        for network in self._networks:
            network.close()

    def _sum(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """This thread's array for the sum of an output, made anew only when the batch size changes."""
        dtype = np.result_type(values.dtype, np.float32)
        kept = getattr(self._sums, "arrays", None)
        if kept is None:
            kept = self._sums.arrays = {}
        if name not in kept or kept[name].shape != values.shape:
            kept[name] = np.empty(values.shape, dtype)
        array: NDArray[Any] = kept[name]
        return array


def _tensors(network: Network) -> str:
    return "; ".join(map(str, (*network.inputs, *network.outputs)))
