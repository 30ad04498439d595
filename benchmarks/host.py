"""The line above every table: the machine and the versions that its numbers belong to."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from spinert import __version__, kernels
from spinert.runtime.threads import usable_threads

SPINERT = (sys.executable, "-m", "spinert")
"""The command `spinert` of this interpreter's environment."""


def cpu_model() -> str:
    """The processor's name as Linux gives it, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions(*packages: str) -> str:
    """`numpy 2.4.6, torch none`: installed versions of these distributions."""
    return ", ".join(f"{package} {_version(package)}" for package in packages)


def host_line(*packages: str) -> str:
    """Processor, usable cores, kernel ISA, Python, spinert, and the versions of `packages`."""
    return (
        f"{cpu_model()}, {usable_threads()} usable cores, kernels {kernels.active_isa()}, "
        f"Python {platform.python_version()}, spinert {__version__}, {versions('numpy', 'onnxruntime', *packages)}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
