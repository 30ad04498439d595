"""Pipelines: sequences of steps from one image to findings. The folder is the registry; each module has these names.

ACCEPTS                 which image it takes, in words
NETWORKS                names of the networks it calls
OPTIONAL                where there is one: names of those it calls if the bundle has them, as its settings say
Settings                frozen msgspec.Struct of its numbers; `class_names` comes from the bundle's own field
check(networks, settings)                          raises BadBundle when tensors do not fit the steps
accepts(image) -> bool
run(image, networks, settings, stopwatch) -> list[Finding]
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

import msgspec

from spinert.bundle import Manifest, NetworkSpec
from spinert.errors import BadBundle
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime.network import Network
from spinert.runtime.stopwatch import Stopwatch


class Pipeline(Protocol):
    """What a module of this folder offers."""

    ACCEPTS: str
    NETWORKS: tuple[str, ...]
    Settings: type[msgspec.Struct]

    def check(self, networks: Mapping[str, NetworkSpec], settings: Any) -> None: ...

    def accepts(self, image: Image) -> bool: ...

    def run(
        self, image: Image, networks: Mapping[str, Network], settings: Any, stopwatch: Stopwatch
    ) -> list[Finding]: ...


def names() -> tuple[str, ...]:
    """Names of all pipelines."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Pipeline:
    """The pipeline of this name. Raises BadBundle, listing the known ones, when there is none."""
    if name not in names():
        raise BadBundle(f"no pipeline {name!r}, only: {', '.join(names())}", "use a newer spinert or another bundle")
    return cast(Pipeline, import_module(f"{__name__}.{name}"))


def called(name: str, networks: Mapping[str, Any]) -> tuple[str, ...]:
    """The networks that the pipeline of this name calls where these are given: its own, and the optional ones."""
    pipeline = load(name)
    optional: tuple[str, ...] = getattr(pipeline, "OPTIONAL", ())
    return (*pipeline.NETWORKS, *(each for each in optional if each in networks))


def settings_of(manifest: Manifest) -> msgspec.Struct:
    """The bundle's settings as its pipeline's `Settings`, checked against its networks.

    Raises BadBundle naming the setting that is unknown, missing or of the wrong type, or the tensor that does not fit.
    """
    pipeline = load(manifest.pipeline)
    if missing := sorted(set(pipeline.NETWORKS) - set(manifest.networks)):
        raise BadBundle(
            f"pipeline {manifest.pipeline!r} needs {', '.join(missing)}, bundle {manifest.name!r} has "
            f"{', '.join(manifest.networks)}",
            "export the bundle again",
        )
    try:
        settings = msgspec.convert({**manifest.settings, "class_names": manifest.class_names}, pipeline.Settings)
    except msgspec.ValidationError as error:
        raise BadBundle(f"settings of bundle {manifest.name!r}: {error}", "correct bundle.json") from None
    pipeline.check(manifest.networks, settings)
    return settings
