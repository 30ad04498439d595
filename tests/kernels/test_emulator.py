"""The emulator finds what it is there to find: otherwise the column `cuda-emulated` proves nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import cuda_emulator

ORDERS = ("forward", "reverse", "shuffled")


@pytest.fixture(scope="module")
def faults() -> Path:
    reason = cuda_emulator.missing()
    if reason is not None:
        pytest.skip(reason)
    return cuda_emulator.build("cuda_faults")


@pytest.fixture(scope="module")
def sanitized_faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = cuda_emulator.missing() or cuda_emulator.missing_sanitizer(tmp_path_factory.mktemp("sanitizer"))
    if reason is not None:
        pytest.skip(reason)
    return cuda_emulator.build("cuda_faults", sanitize=True)


def run(program: Path, name: str, order: str = "forward") -> subprocess.CompletedProcess[str]:
    command = [str(program), name, str(cuda_emulator.ORDERS[order])]
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    environment.pop("LD_PRELOAD", None)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_missing_barrier_shows_as_a_result_that_depends_on_the_order(faults: Path) -> None:
    assert len({run(faults, "missing-barrier", order).stdout for order in ORDERS}) > 1


def test_a_barrier_makes_the_result_independent_of_the_order(faults: Path) -> None:
    (result,) = {run(faults, "barrier", order).stdout.strip() for order in ORDERS}
    assert result.isdigit()


@pytest.mark.parametrize("order", ORDERS)
def test_a_barrier_that_a_part_of_the_block_reaches_is_a_fault(faults: Path, order: str) -> None:
    said = run(faults, "diverged", order).stdout
    assert "threads of a block wait at different barriers" in said
    assert "cudaErrorLaunchFailure" in said


def test_a_shuffle_from_outside_its_mask_is_a_fault(faults: Path) -> None:
    assert "a shuffle reads a lane outside its mask" in run(faults, "shuffle").stdout


@pytest.mark.parametrize("order", ORDERS)
def test_sums_maxima_and_prefix_sums_of_a_block_are_right_for_every_number_of_warps(faults: Path, order: str) -> None:
    assert run(faults, "primitives", order).stdout.strip() == "right"


@pytest.mark.parametrize("name", ["too-many-threads", "too-much-shared"])
def test_a_launch_that_no_device_can_make_names_the_kernel_and_the_shape(faults: Path, name: str) -> None:
    said = run(faults, name).stdout
    assert f"{name} of [3, 5]: invalid" in said
    assert "(cudaErrorInvalid" in said


def test_a_grid_without_blocks_is_no_work(faults: Path) -> None:
    assert run(faults, "no-blocks").stdout.strip().isdigit()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("overflow", "heap-buffer-overflow"),
        ("overflow-shared", "out of bounds"),
        ("overflow-dynamic", "heap-buffer-overflow"),
    ],
)
def test_a_write_behind_an_array_is_found(sanitized_faults: Path, name: str, found: str) -> None:
    done = run(sanitized_faults, name)
    assert done.returncode != 0
    assert found in done.stderr


def test_what_is_right_passes_the_sanitizers(sanitized_faults: Path) -> None:
    for name in ("barrier", "primitives", "diverged"):
        done = run(sanitized_faults, name, "shuffled")
        assert (done.returncode, done.stderr) == (0, ""), name
