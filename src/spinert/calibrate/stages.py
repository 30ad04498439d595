"""The stages of a calibration, each carried out once and resumed where an earlier run was interrupted."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from spinert.bundle import Bundle, Precision
from spinert.calibrate import lint, ranges
from spinert.calibrate.equalize import equalize
from spinert.calibrate.half import to_half
from spinert.calibrate.ranges import Method, Ranges
from spinert.calibrate.rewrite import quantize
from spinert.calibrate.search import Attempt, Graphs, HeldOut, Target, refused, search
from spinert.calibrate.sensitivity import Keep, Layer, Simulator, kept_in, layers_of, most_put_back, put_back, ranked
from spinert.calibrate.studies import Material, Progress, gather, inputs_of
from spinert.calibrate.workspace import Workspace
from spinert.findings import from_json
from spinert.runtime import backends, processor
from spinert.runtime.backends import ort
from spinert.runtime.files import find_studies
from spinert.runtime.network import Arrays

TUNING_STUDIES = 16
"""Of those to calibrate on: layers are ranked over them, word for word, which takes a while."""
ROOM = 0.8
"""Share of the gate's room on the tuning studies at which a candidate is sent to trial: the others are harder."""


class Stages:
    """One calibration of one bundle; `progress` hears how far each stage is."""

    def __init__(
        self,
        bundle: Bundle,
        data: Sequence[Path],
        held_out: Sequence[Path],
        workspace: Workspace,
        *,
        method: Method,
        threads: int,
        progress: Progress,
    ) -> None:
        self.bundle, self.workspace, self.method, self.threads = bundle, workspace, method, threads
        self.progress = progress
        self._data, self._held_out = data, held_out

    @cached_property
    def exact(self) -> dict[str, onnx.ModelProto]:
        """The fp32 graphs, by network."""
        return {name: onnx.load(self.bundle.network_file(name, "fp32")) for name in self.bundle.manifest.networks}

    @cached_property
    def material(self) -> Material:
        """All studies, examined by the fp32 networks."""

        def make() -> Material:
            specs = self.bundle.manifest.networks
            opened = {
                name: ort.open_network(self.bundle.network_file(name, "fp32"), spec, threads=self.threads)
                for name, spec in specs.items()
            }
            return gather(self.bundle, self._data, self._held_out, opened, self.workspace, self.progress)

        return self.workspace.once("studies", Material, make)

    @cached_property
    def network_size(self) -> tuple[int, int]:
        """Height and width of the image that the first network takes: what corners are compared in."""
        first = next(iter(self.bundle.manifest.networks.values()))
        height, width = first.inputs[0].shape[-2:]
        assert height is not None
        assert width is not None
        return height, width

    @cached_property
    def held_out(self) -> HeldOut:
        """What candidates are proven on."""
        found = find_studies(self._held_out or self._data)
        exact = self.material.held_out
        return HeldOut(
            self.bundle,
            [found[each.place] for each in exact],
            [from_json(each.document) for each in exact],
            self.network_size,
            self.threads,
        )

    @cached_property
    def equalized(self) -> dict[str, onnx.ModelProto]:
        """The fp32 graphs with equalized channels: they compute the same."""

        def make() -> dict[str, dict[str, list[float]]]:
            reaches = {name: self._reaches(name, graph)[0] for name, graph in self.exact.items()}
            return {name: {tensor: each.tolist() for tensor, each in reach.items()} for name, reach in reaches.items()}

        reach = self.workspace.once("reaches", dict[str, dict[str, list[float]]], make)
        return {name: equalize(graph, _arrays(reach[name])) for name, graph in self.exact.items()}

    @cached_property
    def ranges(self) -> dict[str, Ranges]:
        """Range of every activation of the equalized graphs, by network."""

        def make() -> dict[str, Ranges]:
            return {
                name: ranges.collect(graph, self._inputs(name, f"ranges, {name}"), self.method, threads=self.threads)
                for name, graph in self.equalized.items()
            }

        return self.workspace.once("ranges", dict[str, Ranges], make)

    @cached_property
    def simulator(self) -> Simulator:
        """The tuning studies, with what fp32 found in them."""
        found = find_studies(self._data)
        tuning = self.material.calibration[:TUNING_STUDIES]
        return Simulator(
            self.bundle,
            [found[each.place] for each in tuning],
            [from_json(each.document) for each in tuning],
            self.network_size,
            threads=self.threads,
        )

    def make(self, target: Target, keep: Keep) -> Graphs:
        """The graphs of a target with these layers left float. Raises CalibrationFailed where the lint objects."""
        if target.layout is None:
            return self._half(target.precision, self.exact, "exact")
        reduced = target.timed and not processor.has_vnni()
        made = {
            name: quantize(graph, self.ranges[name], target.layout, keep=keep.get(name, frozenset()), reduced=reduced)
            for name, graph in self.equalized.items()
        }
        return self.finished(target, made, "equalized")

    def finished(self, target: Target, quantized: Graphs, which: str) -> Graphs:
        """Graphs that carry Q/DQ as a target wants them, linted: what stays float becomes FP16 on a GPU.

        which   names the float graphs that they come from: their magnitudes are measured once
        """
        if not target.timed:
            return self._half(target.precision, quantized, which)
        assert target.layout is not None
        for graph in quantized.values():
            lint.check(graph, target.precision, layout=target.layout.name, reduced_range=not processor.has_vnni())
        return quantized

    def _half(self, precision: Precision, graphs: Graphs, which: str) -> Graphs:
        """FP16, and FP32 where a tensor leaves its range."""
        largest = self._largest(which, self.equalized if which == "equalized" else graphs)
        made = {name: to_half(graph, largest[name]) for name, graph in graphs.items()}
        for name, graph in made.items():
            lint.check(graph, precision, largest=largest[name])
        return made

    def ranking(self, target: Target) -> tuple[Layer, ...]:
        """Every layer quantized alone, the worst first."""
        assert target.layout is not None
        layers = layers_of(self.equalized)
        all_layers = {name: frozenset(node for each, node, _ in layers if each == name) for name in self.equalized}
        measured = self.ranges  # before the first layer, so that progress tells of one stage after the other
        found: list[Layer] = []
        for done, (name, node, operations) in enumerate(layers):
            self.progress(f"damage of each layer, {target.layout.name}", done, len(layers))

            def damage(name: str = name, node: str = node, operations: int = operations) -> Layer:
                alone = {**all_layers, name: all_layers[name] - {node}}
                graphs = {
                    each: quantize(graph, measured[each], target.layout, keep=alone[each])  # type: ignore[arg-type]
                    for each, graph in self.equalized.items()
                }
                return Layer(name, node, self.simulator.share(graphs, target.precision), operations)

            found.append(self.workspace.once(f"damage-{target.layout.name}-{done}", Layer, damage))
        self.progress(f"damage of each layer, {target.layout.name}", len(layers), len(layers))
        return ranked(found)

    def prove(self, target: Target) -> tuple[tuple[Attempt, ...], Graphs, tuple[Layer, ...]]:
        """Trials of a target until one may be written, the graphs of the last, and the ranking of its layers."""
        if reason := backends.load(target.backend).missing():  # layers take minutes to rank, and nothing would run them
            return (refused(target, (), reason),), {}, ()
        ranking = () if target.layout is None else self.ranking(target)
        most = most_put_back(ranking)
        first = next((n for n in range(most) if self._has_room(target, kept_in(put_back(ranking, n)))), most)
        attempts: list[Attempt] = []

        def tried(attempt: Attempt) -> None:
            attempts.append(attempt)
            self.progress(f"trials on {target.backend}", len(attempts), len(attempts) + bool(attempt.broken))

        _, graphs = search(
            target,
            lambda keep: self.make(target, keep),
            ranking,
            first,
            self.held_out,
            self.workspace.folder,
            tried,
        )
        return tuple(attempts), graphs, ranking

    def _has_room(self, target: Target, keep: Keep) -> bool:
        agreement = self.simulator.agreement(self.make(target, keep), target.precision)
        return not agreement.broken and agreement.share <= ROOM

    def _largest(self, which: str, graphs: Graphs) -> dict[str, dict[str, float]]:
        """Largest magnitude of every activation, by network."""

        def make() -> dict[str, dict[str, float]]:
            return {name: self._reaches(name, graph)[1] for name, graph in graphs.items()}

        return self.workspace.once(f"largest-{which}", dict[str, dict[str, float]], make)

    def _reaches(self, name: str, graph: onnx.ModelProto) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
        return ranges.reaches(graph, self._inputs(name, f"magnitudes, {name}"), threads=self.threads)

    def _inputs(self, name: str, what: str) -> Iterator[Arrays]:
        """What the studies to calibrate on feed a network, with progress."""
        total = len(self.material.calibration)
        for done, study in enumerate(self.material.calibration):
            self.progress(what, done, total)
            yield from inputs_of(study, name, self.workspace)
        self.progress(what, total, total)


def _arrays(reach: dict[str, list[float]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.array(values, np.float32) for name, values in reach.items()}
