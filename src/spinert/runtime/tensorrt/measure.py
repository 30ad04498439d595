"""How long an engine takes, as `infer` runs it: one item, copies to and from the device included."""

import statistics
import time
from collections.abc import Sequence

import numpy as np

from spinert.bundle import TensorSpec
from spinert.runtime.network import Arrays, Network

RUNS = 60
WARM = 5


def medians(networks: Sequence[Network], runs: int = RUNS) -> tuple[float, ...]:
    """Milliseconds of each network, run in turns so that a clock that changes meets them all."""
    inputs = [_zeros(network.inputs) for network in networks]
    for network, arrays in zip(networks, inputs, strict=True):
        for _ in range(WARM):
            network(arrays)
    taken: list[list[float]] = [[] for _ in networks]
    for _ in range(runs):
        for times, network, arrays in zip(taken, networks, inputs, strict=True):
            begun = time.perf_counter()
            network(arrays)
            times.append((time.perf_counter() - begun) * 1e3)
    return tuple(map(statistics.median, taken))


def _zeros(specs: tuple[TensorSpec, ...]) -> Arrays:
    return {
        spec.name: np.zeros(tuple(1 if size is None else size for size in spec.shape), spec.dtype) for spec in specs
    }
