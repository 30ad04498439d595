"""Run a test once on each instruction set that this processor supports."""

from collections.abc import Iterator

import pytest

from spinert import kernels
from spinert.kernels import _cpu


@pytest.fixture(params=kernels.usable_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    before = kernels.active_isa()
    _cpu.force_isa(request.param)
    yield request.param
    _cpu.force_isa(before)
