"""Which TensorRT libraries are seen here, and what is said where there is none."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from spinert.errors import DeviceError, NoBackend, NoEngine
from spinert.kernels import native
from spinert.runtime.backends import trt
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt import messages, target
from spinert.runtime.tensorrt.library import Library
from tests.cuda_emulator import Emulator
from tests.runtime.tensorrt.engines import publish, sidecar
from tests.runtime.tensorrt.stand_in import SPEC, World, images


def install(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda name: object() if name in modules else None)


def test_libraries_are_named_best_first(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "tensorrt_lean", "tensorrt_rtx_bindings", "tensorrt")
    assert libraries.installed() == ("tensorrt", "tensorrt_rtx", "tensorrt_lean")


def test_the_bindings_alone_are_enough(rtx: Library) -> None:
    assert (rtx.name, rtx.version) == ("tensorrt_rtx", rtx.module.__version__)
    assert libraries.version("tensorrt_rtx") == rtx.version
    assert rtx.builds
    assert rtx.portable


def test_a_library_that_cannot_be_imported_is_no_backend_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorrt_lean.py").write_text("raise ImportError('libnvinfer_lean.so.11: cannot open')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NoBackend, match=r"tensorrt_lean is installed, but cannot be imported: libnvinfer_lean\.so\.11"):
        libraries.load("tensorrt_lean")


def test_bindings_that_a_link_leads_to_the_other_library_are_that_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorrt_bindings.py").write_text("__version__ = '11.4.0'\n")
    monkeypatch.syspath_prepend(tmp_path)
    parts = {"Major": 1, "Minor": 7, "Patch": 1, "Build": 116}
    behind = SimpleNamespace(**{f"getInferLib{name}Version": lambda part=part: part for name, part in parts.items()})
    monkeypatch.setattr(libraries.ctypes, "CDLL", lambda name, mode: behind)
    found = libraries.load("tensorrt")
    assert (found.name, found.version) == ("tensorrt_rtx", "1.7.1.116")
    behind.getInferLibMajorVersion = lambda: 11
    assert libraries.load("tensorrt").name == "tensorrt"
    sys.modules.pop("tensorrt_bindings")


def test_without_a_library_the_backend_names_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    reason = trt.missing()
    assert reason is not None
    assert all(f'"spinert[{extra}]"' in reason for extra in libraries.EXTRAS.values())


def test_without_the_cuda_module_the_backend_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise DeviceError("this build has no CUDA module", "install nvcc, then pip install .")

    install(monkeypatch, "tensorrt")
    monkeypatch.setattr(native, "cuda", absent)
    assert trt.missing() == "this build has no CUDA module; install nvcc, then pip install ."


def test_without_a_device_the_backend_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "tensorrt")
    monkeypatch.setattr(native, "cuda", lambda: SimpleNamespace(devices=lambda: (0, "no NVIDIA driver")))
    assert trt.missing() == "no NVIDIA driver"


def test_with_both_the_backend_is_usable(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "tensorrt")
    assert trt.missing() is None


def test_asking_imports_no_library() -> None:
    script = (
        "import sys; from spinert.runtime.backends import trt; trt.missing()\n"
        "print([name for name in sys.modules if name.startswith('tensorrt')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def world(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> World:
    """A stand-in library in the place of the installed ones, on the emulated device."""
    world = World(emulator)
    monkeypatch.setattr(libraries, "installed", lambda: ("tensorrt",))
    monkeypatch.setattr(libraries, "load", lambda name: world.library)
    return world


def test_the_backend_runs_the_engine_in_the_cache(world: World, tmp_path: Path) -> None:
    path = tmp_path / "copy.onnx"
    path.write_bytes(b"a network")
    here = target.of(world.library)
    assert here.gpu
    assert here.multiprocessors > 0
    publish(sidecar(path, here))
    network = trt.open_network(path, SPEC, threads=1)
    assert (network(images(2, 3.0))["copy"] == 3.0).all()
    assert world.host_code_allowed == [False]


@pytest.fixture
def two(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[World, World, Path]:
    """Two installed libraries, each with its engine of one ONNX file."""
    first, second = World(emulator), World(emulator)
    second.library = Library("tensorrt_rtx", "1.7.1", second.library.module)
    loaded = {"tensorrt": first.library, "tensorrt_rtx": second.library}
    monkeypatch.setattr(libraries, "installed", lambda: tuple(loaded))
    monkeypatch.setattr(libraries, "load", loaded.__getitem__)
    path = tmp_path / "copy.onnx"
    path.write_bytes(b"a network")
    for each in loaded.values():
        publish(sidecar(path, target.of(each)))
    return first, second, path


@pytest.mark.parametrize("said", ["Error Code 6: API Usage Error", "Error Code 1: Cuda Runtime (out of memory)"])
def test_the_second_library_runs_where_the_first_one_fails(two: tuple[World, World, Path], said: str) -> None:
    first, _, path = two
    first.refusal = said
    assert trt.open_network(path, SPEC, threads=1).provider == "tensorrt_rtx 1.7.1"


def test_the_reasons_of_all_libraries_are_told(two: tuple[World, World, Path]) -> None:
    first, second, path = two
    first.refusal, second.refusal = "Error Code 6: too old", "Error Code 6: too new"
    with pytest.raises(NoEngine, match=r"tensorrt 11\.4\.0 refuses .*too old; tensorrt_rtx 1\.7\.1 refuses .*too new"):
        trt.open_network(path, SPEC, threads=1)
    second.refusal = "Error Code 1: Cuda Runtime (out of memory)"
    with pytest.raises(DeviceError, match=r"too old; tensorrt_rtx 1\.7\.1 cannot open"):
        trt.open_network(path, SPEC, threads=1)


def test_the_backend_builds_nothing(world: World, tmp_path: Path, engines: Path) -> None:
    path = tmp_path / "copy.onnx"
    path.write_bytes(b"a network")
    with pytest.raises(NoEngine, match=r"no engine of .*/copy\.onnx was built here for tensorrt 11\.4\.0"):
        trt.open_network(path, SPEC, threads=1)
    assert not engines.exists()


def test_messages_tell_the_last_errors_since_a_mark() -> None:
    said = messages.Messages()
    said.add(1, "an old error")
    mark = said.mark()
    assert said.errors(mark) == messages.NOTHING
    for severity, text in ((2, "a warning"), (1, "no\nmemory"), (0, "a bug"), (1, "no\nmemory"), (4, "Layers:\nmany")):
        said.add(severity, text)
    assert said.errors(mark) == "no memory; a bug"
    assert said.take_report(mark) == "Layers:\nmany"
    assert said.take_report(mark) is None
    assert said.errors(mark) == "no memory; a bug"  # of another thread, perhaps


def test_errors_outlast_any_number_of_other_messages() -> None:
    said = messages.Messages()
    mark = said.mark()
    said.add(4, "Layers:\nmany")
    said.add(1, "no memory")
    for number in range(2 * messages.LINES):
        said.add(3 + number % 2, "a tactic was timed")
    assert said.errors(mark) == "no memory"
    assert said.take_report(mark) == "Layers:\nmany"


@pytest.mark.parametrize(
    ("capability", "portable"),
    [
        ((7, 5), False),
        ((8, 0), True),
        ((8, 9), True),
        ((9, 0), False),
        ((10, 0), False),
        ((12, 0), True),
        ((12, 1), True),
    ],
)
def test_rtx_builds_one_engine_for_many_gpus_and_one_for_a_gpu_that_is_not_among_them(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], portable: bool
) -> None:
    described = ("NVIDIA A", capability, 100, 80 << 30)
    there = SimpleNamespace(devices=lambda: (1, ""), describe=lambda device: described)
    monkeypatch.setattr(native, "cuda", lambda: there)
    gpu = target.of(Library("tensorrt_rtx", "1.7.1", None)).gpu
    assert gpu == (target.ANY_GPU if portable else "NVIDIA A")


@pytest.mark.parametrize(
    ("sizes", "told"), [((85_520_809_984, 84_987_740_160), 80), ((23_836_098_560, 23_500_000_000), 20)]
)
def test_a_gpu_s_memory_is_told_in_steps_that_a_driver_does_not_change(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int], told: int
) -> None:
    left = iter(sizes)
    there = SimpleNamespace(devices=lambda: (1, ""), describe=lambda device: ("NVIDIA A", (9, 0), 132, next(left)))
    monkeypatch.setattr(native, "cuda", lambda: there)
    assert {target.of(Library("tensorrt", "11.4", None)).memory_gib for _ in range(2)} == {told}
