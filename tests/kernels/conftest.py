"""Run a test once on each instruction set that this processor supports; the same examples in every run.

A test with `isa` is about the CPU; one with `cuda` about devices; one with `place` runs wherever kernels run, through
`place.run`.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from spinert import kernels
from spinert.errors import DeviceError
from spinert.kernels import _cpu, native, residence
from tests.kernels.guards import fresh
from tests.kernels.places import CpuPlace, CudaPlace

# a fixture that forces an ISA or a device for a whole test is the same for each of its examples; how long examples take
# to draw says how busy the machine is
suppressed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile("kernels", deadline=None, derandomize=True, max_examples=60, suppress_health_check=suppressed)
settings.load_profile("kernels")


@pytest.fixture(autouse=True, scope="session")
def results_are_written() -> Iterator[None]:
    """What a kernel does not write is not by chance what it wrote the last time: memory comes back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residence.CpuPlace, "empty", lambda _place, shape, dtype: fresh(shape, dtype))
        yield


@pytest.fixture(params=kernels.usable_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from forced(request.param)


def forced(name: str) -> Iterator[str]:
    before = kernels.active_isa()
    _cpu.force_isa(name)
    yield name
    _cpu.force_isa(before)


@pytest.fixture(params=[*(f"cpu-{isa}" for isa in kernels.compiled_isas()), "cuda-emulated", "cuda"])
def place(request: pytest.FixtureRequest) -> Iterator[CpuPlace | CudaPlace]:
    if request.param == "cuda-emulated":
        yield request.getfixturevalue("emulated")
    elif request.param == "cuda":
        yield request.getfixturevalue("device")
    else:
        isa = request.param.removeprefix("cpu-")
        if isa not in kernels.usable_isas():
            pytest.skip(f"this processor has no {isa}")
        for _ in forced(isa):
            yield CpuPlace()


@pytest.fixture
def device() -> CudaPlace:
    """A real CUDA device."""
    try:
        module = native.cuda()
    except DeviceError as error:
        pytest.skip(error.problem)
    count, reason = module.devices()
    if count == 0:
        pytest.skip(f"no CUDA device: {reason}")
    return CudaPlace(module, None)


@pytest.fixture(params=["cuda-emulated", "cuda"])
def cuda(request: pytest.FixtureRequest) -> CudaPlace:
    """A CUDA device, emulated and real."""
    found: CudaPlace = request.getfixturevalue({"cuda-emulated": "emulated", "cuda": "device"}[request.param])
    return found
