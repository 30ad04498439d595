"""Who takes part in a bundle: its own pipeline and its members, each with its settings and what plays its roles."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from spinert.errors import BadBundle
from spinert.manifest import Manifest, NetworkSpec
from spinert.runtime import pipelines
from spinert.runtime.ensemble import EnsembleNetwork
from spinert.runtime.network import Network
from spinert.runtime.pipelines import Pipeline


class Member(NamedTuple):
    """A pipeline with checked settings; `players` has the network or ensemble of the bundle for each of its roles."""

    name: str
    pipeline: Pipeline
    settings: msgspec.Struct
    players: dict[str, str]


class _Part(NamedTuple):
    """What the manifest says of a member. The bundle's own pipeline goes by the bundle's name."""

    name: str
    pipeline: str
    networks: Mapping[str, str]
    settings: Mapping[str, Any]


def members_of(manifest: Manifest) -> tuple[Member, ...]:
    """The bundle's own pipeline first, then its members in order.

    Raises BadBundle where a setting or tensor does not fit, a role is unknown or has nobody, or one network would play
    two roles of a pipeline: what a network returns lasts until its next call.
    """
    specs = pipelines.specs_of(manifest)
    found = []
    for part in _parts(manifest):
        pipeline, players = pipelines.load(part.pipeline), _players(part, specs)
        whose = f"bundle {manifest.name!r}" if part.name == manifest.name else f"member {part.name!r}"
        if unknown := sorted(set(part.networks) - set(players)):
            raise BadBundle(
                f"{whose} has networks for {', '.join(unknown)}, pipeline {part.pipeline!r} has only "
                f"{', '.join(players)}",
                "name roles of the pipeline",
            )
        called = [name for player in players.values() for name in _networks(manifest, player)]
        if twice := sorted({name for name in called if called.count(name) > 1}):
            raise BadBundle(
                f"{', '.join(twice)} would play several roles of {whose}", "name other networks for these roles"
            )
        playing = {role: specs[player] for role, player in players.items() if player in specs}
        settings = pipelines.checked_settings(part.pipeline, {**specs, **playing}, part.settings, whose)
        found.append(Member(part.name, pipeline, settings, players))
    return tuple(found)


def networks_of(manifest: Manifest) -> tuple[str, ...]:
    """The networks that some pipeline of the bundle calls, by themselves or within an ensemble, each once."""
    specs = pipelines.specs_of(manifest)
    players = [player for part in _parts(manifest) for player in _players(part, specs).values()]
    return tuple(dict.fromkeys(name for player in players for name in _networks(manifest, player)))


def networks_by_role(manifest: Manifest, member: Member, networks: Mapping[str, Network]) -> dict[str, Network]:
    """Role -> the one of the opened networks that plays it, or an ensemble of them."""
    return {role: _opened(manifest, player, networks) for role, player in member.players.items()}


def _parts(manifest: Manifest) -> Iterator[_Part]:
    names = manifest.class_names
    yield _Part(manifest.name, manifest.pipeline, {}, {**manifest.settings, "class_names": names})
    for name, member in manifest.members.items():
        own = names if member.class_names is None else member.class_names
        yield _Part(name, member.pipeline, member.networks, {**member.settings, "class_names": own})


def _players(part: _Part, specs: Mapping[str, NetworkSpec]) -> dict[str, str]:
    """A role that the manifest does not mention is played by the network or ensemble of its name, if there is one."""
    roles = pipelines.called(part.pipeline, {**specs, **part.networks})
    return {role: part.networks.get(role, role) for role in roles}


def _networks(manifest: Manifest, player: str) -> tuple[str, ...]:
    ensemble = manifest.ensembles.get(player)
    return (player,) if ensemble is None else ensemble.networks


def _opened(manifest: Manifest, player: str, networks: Mapping[str, Network]) -> Network:
    ensemble = manifest.ensembles.get(player)
    if ensemble is None:
        return networks[player]
    return EnsembleNetwork([networks[name] for name in ensemble.networks], ensemble.weights)
