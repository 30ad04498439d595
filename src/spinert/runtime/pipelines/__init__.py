"""Pipelines: sequences of steps from one image to findings. The folder is the registry; each module has these names.

ACCEPTS                 which image it takes, in words
NETWORKS                names of the networks it calls
OPTIONAL                where there is one: names of those it calls if the bundle has them, as its settings say
Settings                frozen msgspec.Struct of its numbers; `class_names` comes from the bundle's own field;
                        `views`, where it has them, narrow what a bundle takes
check(networks, settings)                          raises BadBundle when tensors do not fit the steps
accepts(image) -> bool                             of any of its bundles
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


def accepts(pipeline: Pipeline, settings: msgspec.Struct, image: Image) -> bool:
    """Whether a bundle takes an image: its pipeline does, and where its settings name `views`, so does one of these.

    "lateral" among them stands for every view from the side. An image that states no view is taken on trust.
    """
    views = getattr(settings, "views", None)
    stated = "lateral" if image.is_lateral else image.view
    return pipeline.accepts(image) and (views is None or stated is None or stated in views)


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
    """The settings of the bundle's own pipeline as its `Settings`, checked against its networks and ensembles.

    Raises BadBundle naming the setting that is unknown, missing or of the wrong type, or the tensor that does not fit.
    """
    return checked_settings(
        manifest.pipeline,
        specs_of(manifest),
        {**manifest.settings, "class_names": manifest.class_names},
        f"bundle {manifest.name!r}",
    )


def specs_of(manifest: Manifest) -> dict[str, NetworkSpec]:
    """All that can play a role: the networks, and the ensembles as the network that they appear to be."""
    ensembles = {role: manifest.networks[each.networks[0]] for role, each in manifest.ensembles.items()}
    return {**manifest.networks, **ensembles}


def checked_settings(
    name: str, networks: Mapping[str, NetworkSpec], settings: Mapping[str, Any], whose: str
) -> msgspec.Struct:
    """Settings as the `Settings` of the pipeline of this name, checked against the networks by role.

    `whose` is said in errors, as in `bundle 'cobb'`. Raises BadBundle as `settings_of`.
    """
    pipeline = load(name)
    if missing := sorted(set(pipeline.NETWORKS) - set(networks)):
        raise BadBundle(
            f"pipeline {name!r} needs {', '.join(missing)}, {whose} has {', '.join(networks)}",
            "export the bundle again",
        )
    try:
        converted = msgspec.convert(dict(settings), pipeline.Settings)
    except msgspec.ValidationError as error:
        raise BadBundle(f"settings of {whose}: {error}", "correct bundle.json") from None
    pipeline.check(networks, converted)
    return converted
