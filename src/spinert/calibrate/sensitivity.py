"""Which layers bear rounding badly: each is quantized alone, and what that does to the findings is its damage."""

from collections.abc import Mapping, Sequence

import msgspec
import onnx

from spinert.bundle import Bundle, Precision
from spinert.calibrate.agreement import agree
from spinert.calibrate.rewrite import quantizable
from spinert.calibrate.simulate import open_literally
from spinert.calibrate.studies import model_with
from spinert.errors import SpinertError
from spinert.findings import Result
from spinert.image import Image
from spinert.runtime.files import StudyFiles, read_study


class Layer(msgspec.Struct, frozen=True):
    """A quantizable node of a network; `damage` is the share of the gate's room that quantizing it alone uses."""

    network: str
    node: str
    damage: float


RUINED = 1e4
"""Damage of a layer with which a study fails: more than any that is measured. JSON knows no infinity."""

Keep = Mapping[str, frozenset[str]]
"""Network -> nodes that stay float."""


class Simulator:
    """Runs a bundle with rewritten graphs, word for word, over a few studies whose images stay in memory.

    reference   what fp32 found in these studies
    """

    def __init__(
        self,
        bundle: Bundle,
        studies: Sequence[StudyFiles],
        reference: Sequence[Result],
        network_size: tuple[int, int],
        *,
        threads: int,
    ) -> None:
        self.bundle, self.studies, self.reference = bundle, studies, reference
        self.network_size, self.threads = network_size, threads
        self._images: list[Image] = []

    def results(self, graphs: Mapping[str, onnx.ModelProto], precision: Precision) -> list[Result | None]:
        """One result for each study, None where the pipeline refuses what these networks give."""
        specs = self.bundle.manifest.networks
        networks = {name: open_literally(graph, specs[name], threads=self.threads) for name, graph in graphs.items()}
        found: list[Result | None] = []
        with model_with(self.bundle, networks, backend="ort", precision=precision) as model:
            self._images = self._images or [model.choose(read_study(study)) for study in self.studies]
            for image in self._images:
                try:
                    found.append(model.infer_images([image]).result)
                except SpinertError:
                    found.append(None)
        return found

    def share(self, graphs: Mapping[str, onnx.ModelProto], precision: Precision) -> float:
        """How much of the gate's room these graphs use on the images; RUINED where a study fails."""
        agreement, _ = agree(self.reference, self.results(graphs, precision), self.network_size)
        return agreement.share if not agreement.failed else RUINED


def layers_of(graphs: Mapping[str, onnx.ModelProto]) -> list[tuple[str, str]]:
    """Network and node of every layer that may be quantized, in the order of the graphs."""
    return [(name, node) for name, graph in graphs.items() for node in quantizable(graph)]


def ranked(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The worst first; of equals the one that comes first in the graph."""
    return tuple(sorted(layers, key=lambda layer: -layer.damage))


def worst(ranking: Sequence[Layer], count: int) -> dict[str, frozenset[str]]:
    """The `count` worst layers as what is to stay float, by network."""
    kept: dict[str, set[str]] = {}
    for layer in ranking[:count]:
        kept.setdefault(layer.network, set()).add(layer.node)
    return {name: frozenset(nodes) for name, nodes in kept.items()}
