"""The emulated CUDA device, for all tests that need a device and none of its speed."""

import gc
import os
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from spinert import kernels
from tests import cuda_emulator
from tests.kernels.places import CudaPlace


@pytest.fixture(scope="session")
def emulated_module() -> tuple[ModuleType, cuda_emulator.Emulator]:
    reason = cuda_emulator.missing()
    if reason is not None:
        pytest.skip(reason)
    path = cuda_emulator.build(sanitize=os.environ.get("SPINERT_SANITIZED") == "1")
    return cuda_emulator.load(path), cuda_emulator.Emulator(path)


@pytest.fixture
def emulated(
    emulated_module: tuple[ModuleType, cuda_emulator.Emulator], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CudaPlace]:
    """The emulated module in the place of the CUDA module."""
    module, emulator = emulated_module
    monkeypatch.setitem(sys.modules, cuda_emulator.NAME, module)
    monkeypatch.setattr(kernels, "_cuda", module, raising=False)
    emulator.reset()
    yield CudaPlace(module, emulator)
    emulator.reset()


@pytest.fixture
def emulator(emulated: CudaPlace) -> cuda_emulator.Emulator:
    """The hooks of the emulated devices. What earlier tests left in cycles is gone, so that bytes can be counted."""
    gc.collect()
    assert emulated.emulator is not None
    return emulated.emulator
