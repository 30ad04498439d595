"""Which engine in the cache is taken, and what is said of one that does not fit."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spinert.errors import BuildFailed, NoEngine
from spinert.runtime.tensorrt import cache
from spinert.runtime.tensorrt.identity import VERSION_COMPATIBLE, numbers
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.lookup import find
from spinert.runtime.tensorrt.target import Target
from tests.runtime.tensorrt.engines import PLAN, publish, sidecar, write_bundle

HERE = Target(
    library="tensorrt",
    version="11.4.0",
    gpu="NVIDIA A",
    compute_capability="9.0",
    multiprocessors=132,
    memory_gib=80,
)


def library(name: Any = "tensorrt", version: str = "11.4.0") -> Library:
    return Library(name, version, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An ONNX file of the bundle `truth`."""
    return write_bundle(tmp_path / "truth").folder / "landmarks.fp32.onnx"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(found: Library) -> Target:
        return msgspec.structs.replace(HERE, library=found.name, version=found.version)

    monkeypatch.setattr("spinert.runtime.tensorrt.target.of", of)


def test_the_engine_that_fits_is_found(path: Path) -> None:
    publish(sidecar(path, HERE))
    found = find(path, library())
    assert (found.plan, found.host_code) == (PLAN, False)


def test_of_several_that_fit_the_one_for_the_larger_batch_is_taken(path: Path) -> None:
    for batch in (4, 16, 8):
        publish(sidecar(path, HERE, plan=bytes([batch]), max_batch=batch), bytes([batch]))
    assert find(path, library()).plan == bytes([16])


def test_a_new_driver_is_no_reason_to_build_again(path: Path) -> None:
    publish(sidecar(path, HERE, driver="580.1", cuda="12.9"))
    assert find(path, library()).plan == PLAN


def test_one_that_fits_is_taken_before_one_that_does_not(path: Path) -> None:
    publish(sidecar(path, msgspec.structs.replace(HERE, gpu="NVIDIA B"), plan=b"other", max_batch=99), b"other")
    publish(sidecar(path, HERE))
    assert find(path, library()).plan == PLAN


def test_a_damaged_one_is_passed_over_where_another_fits(path: Path, engines: Path) -> None:
    larger = sidecar(path, HERE, plan=b"large", max_batch=64)
    publish(larger, b"large")
    publish(sidecar(path, HERE))
    (engines / larger.plan).unlink()
    assert find(path, library()).plan == PLAN


def test_no_engine_is_told_with_the_file_and_the_library(path: Path) -> None:
    with pytest.raises(NoEngine, match=r"no engine of truth/landmarks\.fp32\.onnx was built here for tensorrt 11\.4"):
        find(path, library())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gpu": "NVIDIA B"}, "gpu was NVIDIA B, here it is NVIDIA A"),
        ({"version": "11.3.0"}, "version was 11.3.0, here it is 11.4.0"),
        ({"library": "tensorrt_rtx"}, "library was tensorrt_rtx, here it is tensorrt"),
        ({"compute_capability": "8.0"}, "compute capability was 8.0, here it is 9.0"),
        ({"multiprocessors": 108}, "multiprocessors was 108, here it is 132"),
        ({"memory_gib": 40}, "memory gib was 40, here it is 80"),
    ],
)
def test_what_differs_is_told_with_both_values(path: Path, changes: dict[str, Any], said: str) -> None:
    publish(sidecar(path, msgspec.structs.replace(HERE, **changes)))
    with pytest.raises(NoEngine, match="does not fit: ") as caught:
        find(path, library())
    assert caught.value.problem.endswith(f"does not fit: {said}")


def test_a_changed_bundle_is_told_with_both_hashes(path: Path) -> None:
    publish(sidecar(path, HERE, onnx_sha256="a" * 64))
    with pytest.raises(NoEngine, match=r"does not fit: the ONNX file was aaaaaaaaaaaa, here it is [0-9a-f]{12}\n"):
        find(path, library())


def test_another_manner_of_building_is_told(path: Path) -> None:
    publish(sidecar(path, HERE, abi=0))
    with pytest.raises(NoEngine, match="was built in manner 0, this spinert's is 2"):
        find(path, library())


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PLAN[:-1], "its plan has 21 bytes, it was built with 22"),
        (PLAN[:-1] + b"!", "its plan has SHA-256 [0-9a-f]{12}, it was built with [0-9a-f]{12}"),
        (None, "cannot be read: No such file"),
    ],
    ids=["truncated", "changed", "gone"],
)
def test_a_damaged_plan_is_never_opened(path: Path, engines: Path, plan: bytes | None, said: str) -> None:
    one = sidecar(path, HERE)
    publish(one)
    if plan is None:
        (engines / one.plan).unlink()
    else:
        (engines / one.plan).write_bytes(plan)
    with pytest.raises(NoEngine, match=f"is damaged: .*{said}"):
        find(path, library())


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b'{"format": 1}'])
def test_a_description_that_cannot_be_read_is_passed_over(path: Path, engines: Path, text: bytes) -> None:
    publish(sidecar(path, HERE))
    (engines / f"{'0' * 64}.json").write_bytes(text)
    assert find(path, library()).plan == PLAN
    assert [entry.problem is None for entry in cache.entries()] == [False, True]


def test_a_description_under_another_name_or_of_a_later_format_is_passed_over(path: Path, engines: Path) -> None:
    one = sidecar(path, HERE)
    publish(one)
    place = engines / f"{one.identity.key}.json"
    place.rename(engines / f"{'0' * 64}.json")
    publish(sidecar(path, HERE, format=3, max_batch=8))
    assert [entry.problem for entry in cache.entries()] == [
        f"it describes the engine {one.identity.key[:12]}, not the one it is named after",
        "format 3, this spinert reads 2",
    ]
    with pytest.raises(NoEngine, match="no engine of"):
        find(path, library())


def test_a_description_cannot_lead_out_of_the_cache(path: Path) -> None:
    one = sidecar(path, HERE, plan_sha256="../../../../etc/passwd")
    with cache.locked():
        cache.publish(one, None)
    (entry,) = cache.entries()
    assert entry.sidecar is None
    assert "plan_sha256" in str(entry.problem)


def test_int8_that_was_never_measured_is_not_taken(path: Path) -> None:
    publish(sidecar(path, HERE, precision="int8-trt", milliseconds=None))
    with pytest.raises(NoEngine, match="it is int8-trt and was never measured faster than fp16"):
        find(path, library())


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_lean"])
@pytest.mark.parametrize("version", ["11.4.0", "11.5.1", "12.0.0"])
def test_a_version_compatible_engine_runs_with_later_versions_and_the_lean_library(
    path: Path, name: str, version: str
) -> None:
    with cache.locked():
        pass
    publish(sidecar(path, HERE, options=(VERSION_COMPATIBLE,)))
    assert find(path, library(name, version)).host_code


@pytest.mark.parametrize("version", ["11.3.9", "13.0.0"])
def test_a_version_compatible_engine_does_not_run_with_earlier_or_much_later_versions(path: Path, version: str) -> None:
    publish(sidecar(path, HERE, options=(VERSION_COMPATIBLE,)))
    with pytest.raises(NoEngine, match=f"version was 11.4.0, here it is {version}"):
        find(path, library(version=version))


def test_the_lean_library_does_not_run_other_engines(path: Path) -> None:
    publish(sidecar(path, HERE))
    with pytest.raises(NoEngine, match="library was tensorrt, here it is tensorrt_lean"):
        find(path, library("tensorrt_lean"))


def test_code_from_elsewhere_is_refused(path: Path) -> None:
    publish(sidecar(path, HERE, options=(VERSION_COMPATIBLE,), box="another box"))
    with pytest.raises(NoEngine, match="is not run: it carries code and was built elsewhere"):
        find(path, library())


def test_files_of_an_engine_that_was_replaced_go_unless_another_one_names_them(path: Path, engines: Path) -> None:
    publish(sidecar(path, HERE, plan=b"old"), b"old")
    publish(sidecar(path, HERE, plan=b"old", max_batch=8), b"old")
    publish(sidecar(path, HERE, plan=b"new"), b"new")
    assert len(list(engines.glob("*.plan"))) == 2
    with cache.locked():
        cache.withdraw(sidecar(path, HERE, plan=b"old", max_batch=8))
    (left,) = engines.glob("*.plan")
    assert left.read_bytes() == b"new"


def test_versions_are_compared_as_numbers() -> None:
    assert numbers("11.10.0.1") > numbers("11.9.2.106")
    assert numbers("11.4.0rc1") == (11, 4)


def test_a_file_system_without_locks_is_named(engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(BuildFailed, match="No locks available") as caught, cache.locked():
        pass
    assert str(engines) in caught.value.problem


def test_a_user_without_a_home_folder_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(NoEngine, match="no home folder") as caught:
        cache.entries()
    assert cache.VARIABLE in caught.value.remedy


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engines: Path) -> None:
    assert cache.folder() == engines
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "spinert" / "engines"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.folder() == Path.home() / ".cache" / "spinert" / "engines"
