"""The CUDA execution model on the CPU, so that the CUDA kernels are tested where there is no GPU.

The same sources that nvcc compiles become an ordinary C++ module: blocks run one after another, the threads of a block
are fibers that pause at barriers only. What it proves and what it cannot is in README.md beside this file.
"""

import ctypes
import importlib.machinery
import importlib.util
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
    absent = [tool for tool in ("cmake", "g++") if shutil.which(tool) is None]
    if importlib.util.find_spec("nanobind") is None:
        absent.append("nanobind")
    return f"the emulated CUDA module needs {', '.join(absent)}" if absent else None


def build(folder: Path = ROOT / "build" / "cuda-emulator", *, flags: str = "") -> Path:
    """Compile the emulated module into `folder`, which is used again, and return its path.

    flags  for the compiler, as "-fsanitize=address,undefined"
    """
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    options = ["-DSPINERT_EMULATE_CUDA=ON", f"-DPython_EXECUTABLE={sys.executable}", f"-DCMAKE_CXX_FLAGS={flags}"]
    _run(["cmake", "-S", str(ROOT), "-B", str(folder), *generator, *options])
    _run(["cmake", "--build", str(folder), "--target", "_cuda"])
    (module,) = folder.glob("_cuda.*so")
    return module


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

    def reset(self) -> None:
        """Back to how a test finds it; a device that a kernel's fault has lost is there again."""
        self.order("forward")
        self.fail_allocation(-1)
        self._library.emulator_reset()
        self.lazy(False)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
