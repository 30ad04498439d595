"""Run a test once on each instruction set that this processor supports; the same examples in every run."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from spinert import kernels
from spinert.kernels import _cpu

settings.register_profile("kernels", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("kernels")


@pytest.fixture(params=kernels.usable_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    before = kernels.active_isa()
    _cpu.force_isa(request.param)
    yield request.param
    _cpu.force_isa(before)
