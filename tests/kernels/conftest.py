"""Run a test once on each instruction set that this processor supports; the same examples in every run.

A test with `isa` is about the CPU; one with `place` runs wherever kernels run, through `place.run`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from spinert import kernels
from spinert.kernels import _cpu

# a fixture that forces an ISA or a device for a whole test is the same for each of its examples
suppressed = [HealthCheck.function_scoped_fixture]
settings.register_profile("kernels", deadline=None, derandomize=True, max_examples=60, suppress_health_check=suppressed)
settings.load_profile("kernels")


@pytest.fixture(params=kernels.usable_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from forced(request.param)


def forced(name: str) -> Iterator[str]:
    before = kernels.active_isa()
    _cpu.force_isa(name)
    yield name
    _cpu.force_isa(before)


class CpuPlace:
    """The CPU with one of its instruction sets."""

    def run(self, kernel: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """What the kernel makes of NumPy arrays here, as NumPy arrays."""
        return kernel(*arguments, **keywords)


@pytest.fixture(params=[f"cpu-{isa}" for isa in kernels.compiled_isas()])
def place(request: pytest.FixtureRequest) -> Iterator[CpuPlace]:
    isa = request.param.removeprefix("cpu-")
    if isa not in kernels.usable_isas():
        pytest.skip(f"this processor has no {isa}")
    for _ in forced(isa):
        yield CpuPlace()
