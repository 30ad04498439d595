"""Backends: what runs an ONNX file. The folder is the registry; each module has the same names.

SCORE          device -> how much it is worth there, such as {"cpu": 10}; larger is tried first
missing()      None when it can be used here, else the reason and the command that brings it
open_network(path, spec, *, threads) -> Network
               raises NoEngine where the backend needs an engine that was not built here
"""

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, cast

from spinert.bundle import NetworkSpec
from spinert.runtime.network import Network

Device = Literal["cpu", "cuda"]


class Backend(Protocol):
    """What a module of this folder offers."""

    SCORE: dict[Device, int]

    def missing(self) -> str | None: ...

    def open_network(self, path: Path, spec: NetworkSpec, *, threads: int) -> Network: ...


def names() -> tuple[str, ...]:
    """Names of all backends, usable here or not."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def load(name: str) -> Backend:
    """The backend of this name. Importing it imports no inference library yet."""
    return cast(Backend, import_module(f"{__name__}.{name}"))


def of_device(device: Device) -> tuple[str, ...]:
    """Names of the backends that can run on a device, best first."""
    return tuple(sorted((name for name in names() if device in load(name).SCORE), key=lambda n: -load(n).SCORE[device]))
