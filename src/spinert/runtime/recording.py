"""A network that shows what it is fed: the way to the inputs that a pipeline prepares, without knowing the pipeline."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from spinert.runtime.network import Arrays, Network


class Recording:
    """A `Network` that hands the input arrays of each call to `on_input`, then runs the network inside on them.

    on_input   gets the very arrays of the call, in the calling thread; whoever called may use them again afterwards,
               so copy what must outlive the call. What it raises ends the call before the network runs.
    """

    def __init__(self, network: Network, on_input: Callable[[Arrays], None]) -> None:
        self.inputs = network.inputs
        self.outputs = network.outputs
        self.backend = network.backend
        self.provider = network.provider
        self._network = network
        self._on_input = on_input

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Run once. Raises BadNetwork as the network inside does."""
        self._on_input(arrays)
        return self._network(arrays)

    def close(self) -> None:
        """Close the network inside."""
        self._network.close()
