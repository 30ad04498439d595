"""The places where kernels run in tests: NumPy arrays in, NumPy arrays out, whatever lies between."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.cuda_emulator import Emulator


class CpuPlace:
    """The CPU with one of its instruction sets."""

    name = "cpu"

    def run(self, kernel: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """What the kernel makes of NumPy arrays here, as NumPy arrays."""
        return kernel(*arguments, **keywords)


class CudaPlace(NamedTuple):
    """A CUDA device, or its emulation, where every call is made in several ways that must give the same bits."""

    native: ModuleType
    emulator: Emulator | None

    @property
    def name(self) -> str:
        return "cuda" if self.emulator is None else "cuda-emulated"

    def run(self, kernel: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """What the kernel makes of NumPy arrays there, as NumPy arrays."""
        if self.emulator is None:
            return self.run_once(kernel, *arguments, **keywords)
        result = self.run_once(kernel, *arguments, **keywords)
        for _ in self._other_ways(self.emulator):
            again = self.run_once(kernel, *arguments, **keywords)
            assert bits(again) == bits(result), "the result depends on the order of threads or streams"
        return result

    def run_once(self, kernel: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        home, work = self.native.Stream(), self.native.Stream()
        held: list[Any] = []  # what is still being copied from
        placed = [self.take(argument, home, held) for argument in arguments]
        named = {name: self.take(value, home, held) for name, value in keywords.items()}
        return self.give(kernel(*placed, **{"stream": work, **named}))

    def put(self, host: NDArray[Any], stream: Any = None) -> Any:
        """A copy of the array on the device, there when this returns."""
        array = self.native.empty(host.shape, host.dtype, stream)
        self.native.upload(host, array)
        return array

    def take(self, value: Any, stream: Any, held: list[Any]) -> Any:
        """A NumPy array as an array of the device, its copy queued; anything else as it is."""
        if not isinstance(value, np.ndarray):
            return value
        held.append(pinned := self.native.pinned(value.shape, value.dtype))
        pinned[...] = value
        placed = self.native.empty(value.shape, value.dtype, stream)
        self.native.upload(pinned, placed)
        return placed

    def give(self, result: Any) -> Any:
        """Arrays of the device, also within tuples, as NumPy arrays."""
        if isinstance(result, self.native.DeviceArray):
            host = np.empty(result.shape, result.dtype)
            self.native.download(result, host)
            return host
        if isinstance(result, tuple):
            parts = [self.give(part) for part in result]
            return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
        return result

    @staticmethod
    def _other_ways(emulator: Emulator) -> Iterator[None]:
        """Threads and blocks in other orders; streams as late as CUDA may run them."""
        try:
            emulator.order("reverse")
            yield
            emulator.order("shuffled", 1)
            emulator.lazy(True)
            yield
        finally:
            emulator.order("forward")
            emulator.lazy(False)


def bits(result: Any) -> list[bytes]:
    """Of all arrays in a result."""
    if isinstance(result, tuple):
        return [part for each in result for part in bits(each)]
    return [np.asarray(result).tobytes()]
