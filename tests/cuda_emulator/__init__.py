"""The CUDA execution model on the CPU, so that the CUDA kernels are tested where there is no GPU.

The same sources that nvcc compiles become an ordinary C++ module: blocks run one after another, the threads of a block
are fibers that pause at barriers only. What it proves and what it cannot is in README.md beside this file.
"""

import ctypes
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Literal

ROOT = Path(__file__).parents[2]
NAME = "spinert.kernels._cuda"
ORDERS = {"forward": 0, "reverse": 1, "shuffled": 2}


def missing() -> str | None:
    """Why the emulator cannot be built here, None where it can."""
    absent = [tool for tool in ("cmake", "g++") if _which(tool) is None]
    if importlib.util.find_spec("nanobind") is None:
        absent.append("nanobind")
    return f"the emulated CUDA module needs {', '.join(absent)}" if absent else None


def missing_sanitizer(folder: Path) -> str | None:
    """Why a sanitized program cannot be built here, None where it can. `folder` is scratch."""
    source = folder / "empty.cc"
    source.write_text("int main() {}\n", encoding="utf-8")
    command = ["g++", "-fsanitize=address,undefined", str(source), "-o", str(folder / "empty")]
    done = subprocess.run(command, capture_output=True, check=False)
    return "g++ has no AddressSanitizer here" if done.returncode != 0 else None


def build(target: Literal["_cuda", "cuda_faults"] = "_cuda", *, sanitize: bool = False) -> Path:
    """Compile the emulated module or the program of known faults, or what has changed of it, and return its path.

    sanitize  with AddressSanitizer and UndefinedBehaviorSanitizer, whose libraries must be loaded before Python
    """
    folder = ROOT / "build" / ("cuda-emulator-sanitized" if sanitize else "cuda-emulator")
    cache = folder / "CMakeCache.txt"
    if cache.exists() and sys.executable not in cache.read_text(encoding="utf-8"):
        shutil.rmtree(folder)  # made for another Python
    cmake, ninja = _which("cmake"), _which("ninja")
    assert cmake is not None
    options = ["-DSPINERT_EMULATE_CUDA=ON", f"-DPython_EXECUTABLE={sys.executable}"]
    options += [f"-DSPINERT_SANITIZE={'ON' if sanitize else 'OFF'}"]
    options += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    _run([cmake, "-S", str(ROOT), "-B", str(folder), *options], environment)
    _run([cmake, "--build", str(folder), "--target", target], environment)
    (built,) = folder.glob("_cuda.*so" if target == "_cuda" else target)
    return built


def load(path: Path) -> ModuleType:
    """Import the emulated module as spinert.kernels._cuda, without entering it in sys.modules."""
    loader = importlib.machinery.ExtensionFileLoader(NAME, str(path))
    specification = importlib.util.spec_from_file_location(NAME, path, loader=loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    return module


class Emulator:
    """What a test can change: the order of threads, when streams run, which allocation fails."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._library.emulator_last_fault.restype = ctypes.c_char_p
        self._library.emulator_bytes_in_use.restype = ctypes.c_size_t
        self._library.emulator_copy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]

    def order(self, order: Literal["forward", "reverse", "shuffled"], seed: int = 0) -> None:
        """In which order blocks, and the threads of a block between two barriers, run."""
        self._library.emulator_set_order(ORDERS[order], seed)

    def lazy(self, lazy: bool) -> None:
        """Queued work runs when somebody waits for it, as late as CUDA may run it, instead of at once."""
        self._library.emulator_set_lazy(lazy)

    def fail_allocation(self, after: int) -> None:
        """The allocation after this many fails; -1 for none."""
        self._library.emulator_fail_allocation(after)

    def last_fault(self) -> str:
        """What a kernel did wrong, empty where none did."""
        return str(self._library.emulator_last_fault().decode())

    def bytes_in_use(self) -> int:
        """Device memory that nobody has freed."""
        return int(self._library.emulator_bytes_in_use())

    def copy(self, to: int, source: int, count: int, stream: int) -> bool:
        """Queue a copy on the stream of this handle, as another library would; whether that worked."""
        return self._library.emulator_copy(to, source, count, stream) == 0

    def reset(self) -> None:
        """Back to how a test finds it; a device that a kernel's fault has lost is there again."""
        self.order("forward")
        self.fail_allocation(-1)
        self._library.emulator_reset()
        self.lazy(False)


def _which(tool: str) -> str | None:
    """Also beside Python, where pip installs cmake and ninja and PATH need not lead."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(tool, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
