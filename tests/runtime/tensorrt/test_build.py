"""Building into the cache, with the real builder of TensorRT for RTX; what needs a GPU is put in its place."""

import errno
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from spinert.bundle import Bundle
from spinert.errors import BadRequest, BuildFailed, DeviceError, NoBackend, NoEngine
from spinert.runtime.tensorrt import build as building
from spinert.runtime.tensorrt import cache, target
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt.build import Engine, Watch, build, choose_library
from spinert.runtime.tensorrt.compile import Options
from spinert.runtime.tensorrt.library import Library
from tests.runtime.tensorrt.engines import Builds, gpu


def names(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir() if path.name not in (cache.BOX, cache.LOCK)}


def test_an_engine_is_built_once_and_found_again(builds: Builds, engines: Path) -> None:
    (first,), (again,) = builds(), builds()
    assert (first.fresh, again.fresh) == (True, False)
    assert again.sidecar == first.sidecar
    assert cache.plan(first.sidecar)[:4] != b""
    assert names(engines) == {".json", ".plan"}


def test_its_description_says_what_it_depends_on(builds: Builds, rtx: Library) -> None:
    (engine,) = builds(max_batch=3)
    sidecar = engine.sidecar
    assert sidecar.identity.target == target.of(rtx)
    assert sidecar.identity.target.gpu == target.ANY_GPU
    assert (sidecar.identity.max_batch, sidecar.identity.precision) == (3, "fp32")
    assert (sidecar.bundle, sidecar.network, sidecar.file) == ("truth", "landmarks", "truth/landmarks.fp32.onnx")
    assert sidecar.layers > 0
    assert "Float" in sidecar.layer_types
    assert sidecar.box == cache.box()
    assert (sidecar.milliseconds, engine.unmeasured) == (None, "no NVIDIA driver")


def test_other_options_are_another_engine(builds: Builds) -> None:
    keys = {builds(max_batch=batch)[0].sidecar.identity.key for batch in (1, 2)}
    keys.add(builds("fp16")[0].sidecar.identity.key)
    assert len(keys) == 3
    assert len(cache.entries()) == 3


def test_a_damaged_engine_is_built_again(builds: Builds, engines: Path) -> None:
    (engine,) = builds()
    plan = engines / engine.sidecar.plan
    plan.write_bytes(plan.read_bytes()[:-1])
    assert "bytes, it was built with" in str(cache.damage(engine.sidecar))
    (again,) = builds()
    assert again.fresh
    assert cache.damage(again.sidecar) is None


def test_a_precision_that_the_bundle_lacks_is_refused_before_anything_is_built(builds: Builds, engines: Path) -> None:
    with pytest.raises(BadRequest, match="has no int8-cpu files for a GPU, only: fp32, fp16, int8-trt"):
        builds("fp32", "int8-cpu")
    assert not engines.exists()


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_build_leaves_no_engine(builds: Builds, engines: Path) -> None:
    pressed = threading.Event()

    def interrupt(_share: float, _left: float | None) -> None:
        if not pressed.is_set():
            pressed.set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        builds(watch=Watch(progress=interrupt))
    assert names(engines) == set()
    (engine,) = builds()
    assert engine.fresh


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the quota"), (errno.EIO, "Input/output")]
)
def test_a_disk_that_takes_no_engine_is_named_and_keeps_nothing(
    builds: Builds, engines: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    builds("fp16")
    before = sorted(engines.iterdir())

    def full(_file: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BuildFailed, match=said) as caught:
            builds("fp32")
    assert str(engines) in caught.value.problem
    assert cache.VARIABLE in caught.value.remedy
    assert sorted(engines.iterdir()) == before


def test_a_read_only_cache_is_named(builds: Builds, engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_arguments: Any, **_keywords: Any) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(BuildFailed, match="it is read-only") as caught:
        builds()
    assert str(engines) in caught.value.problem


def test_a_file_in_the_place_of_the_cache_is_named(builds: Builds, engines: Path) -> None:
    engines.write_bytes(b"")
    with pytest.raises(BuildFailed, match="File exists"):
        builds()


def test_what_a_killed_builder_left_is_cleared_away(builds: Builds, engines: Path) -> None:
    builds("fp16")
    (engines / f"half{cache.PARTIAL}").write_bytes(b"half an engine")
    builds("fp32")
    assert names(engines) == {".json", ".plan"}


def test_the_second_of_two_builders_waits_says_so_and_finds_the_engine(builds: Builds) -> None:
    building_now, waited = threading.Event(), threading.Event()
    found: list[Engine] = []

    def first(_share: float, _left: float | None) -> None:
        building_now.set()
        assert waited.wait(20)

    watch = Watch(progress=first)
    one = threading.Thread(target=lambda: found.extend(builds(watch=watch)))
    one.start()
    assert building_now.wait(20)
    (second,) = builds(watch=Watch(waiting=waited.set))
    one.join()
    assert [engine.fresh for engine in (*found, second)] == [True, False]
    assert second.sidecar == found[0].sidecar


def test_a_gpu_times_what_is_built(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, {"fp32": 2.0})
    (engine,) = builds()
    assert (engine.sidecar.milliseconds, engine.unmeasured) == (2.0, None)
    assert cache.kernels(engine.sidecar) == b"kernels"
    assert engine.sidecar.kernels is not None
    (cache.folder() / engine.sidecar.kernels).write_bytes(b"other kernels")
    assert cache.kernels(engine.sidecar) == b""


def test_an_engine_that_its_own_library_refuses_is_not_kept(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_keywords: Any) -> None:
        raise NoEngine("the GPU is too new", "build it again")

    gpu(monkeypatch, {})
    monkeypatch.setattr(building, "open_plan", refuse)
    with pytest.raises(BuildFailed, match="what was built cannot be run here: the GPU is too new"):
        builds()
    assert cache.entries() == []


def test_an_engine_in_the_cache_that_its_library_refuses_by_now_is_built_again(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu(monkeypatch, {"fp32": 2.0})
    (first,) = builds()
    (kept,) = builds()
    refusals = iter((NoEngine("another driver", "build it again"), None))
    opened = building.open_plan

    def refuse_once(*arguments: Any, **keywords: Any) -> Any:
        if (refusal := next(refusals)) is not None:
            raise refusal
        return opened(*arguments, **keywords)

    monkeypatch.setattr(building, "open_plan", refuse_once)
    (again,) = builds()
    assert [engine.fresh for engine in (first, kept, again)] == [True, False, True]
    assert [entry.sidecar for entry in cache.entries()] == [again.sidecar]


def test_engines_are_built_again_where_that_is_asked_for(builds: Builds) -> None:
    assert [builds(rebuild=asked)[0].fresh for asked in (False, True, False)] == [True, True, False]
    assert len(cache.entries()) == 1


def test_an_engine_that_was_built_without_a_gpu_is_timed_when_there_is_one(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds()
    timed = gpu(monkeypatch, {"fp32": 2.0})
    (engine,) = builds()
    assert (engine.fresh, engine.sidecar.milliseconds) == (False, 2.0)
    builds()
    assert timed == ["truth/landmarks.fp32.onnx"]


def test_int8_is_kept_where_it_is_faster(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, {"fp16": 2.0, "int8-trt": 1.5})
    half, quantized = builds("int8-trt", "fp16")  # in whichever order they are asked for
    assert (half.sidecar.identity.precision, half.sidecar.milliseconds) == ("fp16", 2.0)
    assert (quantized.sidecar.identity.precision, quantized.sidecar.milliseconds) == ("int8-trt", 1.5)


@pytest.mark.parametrize("built_before", [False, True])
def test_int8_that_is_slower_is_not_kept_and_says_by_how_much(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, built_before: bool
) -> None:
    if built_before:
        (unmeasured,) = builds("int8-trt")
        assert unmeasured.sidecar.milliseconds is None
    gpu(monkeypatch, {"fp16": 2.0, "int8-trt": 2.5})
    with pytest.raises(BuildFailed, match=r"takes 2\.500 ms, the fp16 engine 2\.000 ms: it is 25 % slower"):
        builds("fp16", "int8-trt")
    assert [entry.sidecar.identity.precision for entry in cache.entries() if entry.sidecar] == ["fp16"]


def test_int8_is_not_kept_without_anything_to_compare_it_with(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, {"int8-trt": 1.0})
    with pytest.raises(BuildFailed, match="only where it is faster than fp16, and no engine") as caught:
        builds("int8-trt")
    assert "--precision fp16 --precision int8-trt" in caught.value.remedy
    assert cache.entries() == []


def test_the_full_library_needs_the_gpu_it_builds_for(
    bundle: Bundle, rtx: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "no_device", lambda: "no NVIDIA driver")
    full = rtx._replace(name="tensorrt", version="11.4.0")
    with pytest.raises(DeviceError, match=r"tensorrt 11\.4\.0 works with the GPU that is there.*no NVIDIA driver"):
        list(build(bundle, ("fp32",), full, Options(), Watch(), by="0.1.0"))


def test_the_lean_library_says_that_it_cannot_build(monkeypatch: pytest.MonkeyPatch) -> None:
    lean = Library("tensorrt_lean", "11.4.0", None)
    monkeypatch.setattr(libraries, "installed", lambda: ("tensorrt_lean",))
    monkeypatch.setattr(libraries, "load", lambda name: lean)
    with pytest.raises(BuildFailed, match=r"tensorrt_lean 11\.4\.0 runs engines and cannot build any"):
        choose_library(None)


def test_no_library_is_no_backend_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_module_of", lambda name: None)
    with pytest.raises(NoBackend, match="tensorrt is not installed") as caught:
        choose_library(None)
    assert caught.value.remedy == 'pip install "spinert[tensorrt]"'
