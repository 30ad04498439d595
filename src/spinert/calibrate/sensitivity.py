"""Which layers bear rounding badly: each is quantized alone, and what that does to the findings is its damage."""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import onnx

from spinert.bundle import Bundle, Precision
from spinert.calibrate.agreement import Agreement, agree
from spinert.calibrate.graph import label
from spinert.calibrate.rewrite import quantizable
from spinert.calibrate.simulate import open_literally
from spinert.calibrate.studies import model_with
from spinert.errors import SpinertError
from spinert.findings import Result
from spinert.image import Image
from spinert.runtime.files import StudyFiles, read_study


class Layer(msgspec.Struct, frozen=True):
    """A quantizable node of a network.

    damage      share of the gate's room that quantizing this node alone uses
    operations  multiply-adds for one image: what putting it back to float costs
    """

    network: str
    node: str
    damage: float
    operations: int

    @property
    def worth(self) -> float:
        """What putting it back gains for its cost: independent noise adds up in squares, time with the operations."""
        return self.damage**2 / max(self.operations, 1)


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

    def agreement(self, graphs: Mapping[str, onnx.ModelProto], precision: Precision) -> Agreement:
        """How far what these graphs find in the studies is from fp32."""
        return agree(self.reference, self.results(graphs, precision), self.network_size)[0]

    def share(self, graphs: Mapping[str, onnx.ModelProto], precision: Precision) -> float:
        """How much of the gate's room these graphs use on the images; RUINED where a study fails."""
        agreement = self.agreement(graphs, precision)
        return agreement.share if not agreement.failed else RUINED


def layers_of(graphs: Mapping[str, onnx.ModelProto]) -> list[tuple[str, str, int]]:
    """Network, node and multiply-adds of every layer that may be quantized, in the order of the graphs."""
    found = []
    for name, graph in graphs.items():
        operations = operations_of(graph)
        found += [(name, node, operations[node]) for node in quantizable(graph)]
    return found


def operations_of(model: onnx.ModelProto) -> dict[str, int]:
    """Multiply-adds of each node for a batch of one: weights times the places where they are applied; 0 without any."""
    graph = model.graph
    shapes = {
        value.name: [axis.dim_value or 1 for axis in value.type.tensor_type.shape.dim]
        for value in (*onnx.shape_inference.infer_shapes(model).graph.value_info, *graph.input)
    }
    weights = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer}
    found = {}
    for node in graph.node:
        applied = node.input[0] if node.op_type == "ConvTranspose" else node.output[0]
        weight = weights.get(node.input[1], 0) if len(node.input) > 1 else 0
        found[label(node)] = weight * math.prod(shapes.get(applied, [])[2:])
    return found


def ranked(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The worst first; of equals the one that comes first in the graph."""
    return tuple(sorted(layers, key=lambda layer: -layer.damage))


def put_back(ranking: Sequence[Layer], count: int) -> tuple[Layer, ...]:
    """The `count` layers that it is worth most to leave float."""
    return tuple(sorted(ranking, key=lambda layer: -layer.worth)[:count])


def most_put_back(ranking: Sequence[Layer]) -> int:
    """How many layers may be put back so that no more than half of the multiply-adds are float."""
    cost = np.cumsum([layer.operations for layer in put_back(ranking, len(ranking))])
    return int(np.count_nonzero(cost <= cost[-1] / 2)) if ranking else 0


def kept_in(layers: Sequence[Layer]) -> Keep:
    """These layers' nodes by network."""
    kept: dict[str, set[str]] = {}
    for layer in layers:
        kept.setdefault(layer.network, set()).add(layer.node)
    return {name: frozenset(nodes) for name, nodes in kept.items()}
