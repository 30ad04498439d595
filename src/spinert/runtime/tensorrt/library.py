"""The TensorRT libraries: three with the same Python API, of which any may be installed.

tensorrt        builds on the GPU it builds for, and runs there
tensorrt_rtx    builds anywhere, without a GPU too, engines that run on RTX GPUs from Ampere on
tensorrt_lean   runs engines that tensorrt built as version compatible; cannot build
"""

import ctypes
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, get_args

from spinert.errors import NoBackend

Name = Literal["tensorrt", "tensorrt_rtx", "tensorrt_lean"]
NAMES: tuple[Name, ...] = get_args(Name)
EXTRAS: dict[Name, str] = {"tensorrt": "tensorrt", "tensorrt_rtx": "rtx", "tensorrt_lean": "lean"}
CUDA = "cu13"
"""The CUDA that the wheels of the extras are made for."""


class Library(NamedTuple):
    """An imported library: its module, its name and its full version."""

    name: Name
    version: str
    module: Any

    @property
    def builds(self) -> bool:
        return self.name != "tensorrt_lean"

    @property
    def portable(self) -> bool:
        """Whether its engines run on other GPUs than the one that was there when they were built, if any."""
        return self.name == "tensorrt_rtx"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def installed() -> tuple[Name, ...]:
    """Those that can be found here, best first; nothing is imported."""
    return tuple(name for name in NAMES if _module_of(name) is not None)


def version(name: Name) -> str:
    """Of an installed library as its package states it; nothing is imported."""
    module = (_module_of(name) or name).removesuffix("_bindings")
    for package in (f"{module}-{CUDA}", module, f"{module}-{CUDA}-bindings", f"{module}-cu12"):
        try:
            return installed_version(package)
        except PackageNotFoundError:
            continue
    return "of unknown version"


def command(name: Name | None = None) -> str:
    """How to install one of them."""
    return f'pip install "spinert[{EXTRAS[name or "tensorrt"]}]"'


def load(name: Name) -> Library:
    """Import a library. Raises NoBackend with the reason where it is not there or cannot be imported."""
    module = _module_of(name)
    if module is None:
        raise NoBackend(f"{name} is not installed", command(name))
    try:
        imported = import_module(module)
    except (ImportError, OSError, AttributeError) as error:  # its bindings look for the library itself as they load
        raise NoBackend(f"{name} is installed, but cannot be imported: {error}", command(name)) from None
    if name == "tensorrt" and (rtx := _rtx_behind()) is not None:
        return Library("tensorrt_rtx", rtx, imported)
    return Library(name, imported.__version__, imported)


def _module_of(name: str) -> str | None:
    """The bindings may be there without the package that gives them the library's name."""
    return next((module for module in (name, f"{name}_bindings") if find_spec(module) is not None), None)


def _rtx_behind() -> str | None:
    """The version of TensorRT for RTX where a link of the other's name led the bindings to it."""
    try:
        found = ctypes.CDLL("libnvinfer.so.11", mode=ctypes.RTLD_LOCAL)
        parts = [getattr(found, f"getInferLib{part}Version")() for part in ("Major", "Minor", "Patch", "Build")]
    except (OSError, AttributeError):
        return None
    return ".".join(map(str, parts)) if parts[0] == 1 else None  # RTX counts from 1, TensorRT is at 11
