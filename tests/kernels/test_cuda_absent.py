"""The real CUDA module on a machine without a usable GPU: it loads, and every way into it says what is missing."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.errors import DeviceError
from spinert.kernels import native


@pytest.fixture
def module() -> ModuleType:
    try:
        found = native.cuda()
    except DeviceError as error:
        pytest.skip(error.problem)
    if found.devices()[0] > 0:
        pytest.skip("there is a CUDA device")
    return found


CALLS: dict[str, Callable[[Any], Any]] = {
    "Stream": lambda m: m.Stream(),
    "Stream on a device": lambda m: m.Stream(device=0),
    "foreign stream": lambda m: m.Stream(1234),
    "default_stream": lambda m: m.default_stream(),
    "Event": lambda m: m.Event(),
    "Event of a device": lambda m: m.Event(0),
    "empty": lambda m: m.empty((2, 3), "float32"),
    "pinned": lambda m: m.pinned((2, 3), "float32"),
    "describe": lambda m: m.describe(0),
    "device_array": lambda m: m.device_array(Foreign()),
    "a kernel": lambda m: kernels.peak(Foreign()),
}


class Foreign:
    """An array that claims to lie on a device."""

    __cuda_array_interface__ = {"shape": (1, 3, 3), "typestr": "<f4", "data": (4096, False), "version": 3}  # noqa: RUF012


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_entry_point_says_that_there_is_no_device(module: ModuleType, call: Callable[[Any], Any]) -> None:
    reason = module.devices()[1]
    with pytest.raises(DeviceError) as raised:
        call(module)
    assert reason in raised.value.problem
    assert "on the CPU" in raised.value.remedy


def test_it_loads_and_says_why(module: ModuleType) -> None:
    assert not module.emulated()
    assert module.devices()[1]
    assert module.allocations() == 0
    assert kernels.cuda_status() == f"not usable: {module.devices()[1]}"


def test_it_does_not_touch_the_cpu_kernels(module: ModuleType) -> None:
    assert kernels.peak(np.zeros((1, 3, 3), np.float32))[1] == 0.0


def test_a_build_without_the_module_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spinert.kernels._cuda", None)
    monkeypatch.delattr(kernels, "_cuda", raising=False)
    with pytest.raises(DeviceError, match="this build has no CUDA module"):
        kernels.peak(Foreign())
    assert kernels.cuda_status().startswith("not usable: this build has no CUDA module")


def test_a_module_of_another_abi_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("_cuda")
    other.ABI = -1  # type: ignore[attr-defined]
    monkeypatch.setattr(kernels, "_cuda", other, raising=False)
    with pytest.raises(DeviceError, match="ABI -1"):
        native.cuda()
