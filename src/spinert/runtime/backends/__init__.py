"""Backends: what runs an ONNX file. The folder is the registry; each module has the same three names.

SCORE          where it can run and how much it is worth there, such as {"cpu": 10}; larger is tried first
missing()      None when it can be used here, else the reason and the command that brings it
open_network(path, spec, *, threads) -> Network
"""

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from spinert.bundle import NetworkSpec
from spinert.errors import NoBackend
from spinert.runtime.network import Network


class Backend(Protocol):
    """What a module of this folder offers."""

    SCORE: dict[str, int]

    def missing(self) -> str | None: ...

    def open_network(self, path: Path, spec: NetworkSpec, *, threads: int) -> Network: ...


def names() -> tuple[str, ...]:
    """Names of all backends, usable here or not."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Backend:
    """The backend of this name. Importing it imports no inference library yet."""
    return cast(Backend, import_module(f"{__name__}.{name}"))


def open_network(path: Path, spec: NetworkSpec, *, threads: int) -> Network:
    """Open a network with the best backend that is usable here.

    Raises NoBackend with the reason of each one when there is none.
    """
    reasons = []
    for name in sorted(names(), key=lambda name: -load(name).SCORE.get("cpu", 0)):
        reason = load(name).missing()
        if reason is None:
            return load(name).open_network(path, spec, threads=threads)
        reasons.append(f"{name}: {reason}")
    raise NoBackend(f"no backend can run {path.name} here ({'; '.join(reasons)})", 'pip install "spinert[cpu]"')
