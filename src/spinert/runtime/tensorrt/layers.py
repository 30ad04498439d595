"""The layers of a built engine, read from the report that the engine inspector and the builder write of it."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

HEADING = "Layers:"
_TENSOR = re.compile(r"Name: (?P<name>[^,]*), .*?Data[Tt]ype: (?P<type>\w+)")
_LAYER = re.compile(
    r"^Name: (?P<name>.*?), LayerType: (?P<kind>[^,]*), Inputs: \[(?P<inputs>.*?)\], "
    r"Constants: \[(?P<constants>.*?)\], Outputs: \[(?P<outputs>.*?)\], TacticName:",
    re.MULTILINE,
)
_END = re.compile(
    r"^ ?Name: (?P<name>[^,]*), IOMode: (?P<mode>\w+), DataType: (?P<type>\w+), Dimensions: \[(?P<size>[-\d,]*)\]",
    re.MULTILINE,
)


class Layer(NamedTuple):
    """A layer; tensors with their types as TensorRT calls them: Float, Half, Int8 ..."""

    name: str
    kind: str
    inputs: dict[str, str]
    constants: dict[str, str]
    outputs: dict[str, str]


class End(NamedTuple):
    """An input or output of the engine; -1 is the free batch."""

    name: str
    mode: str
    dtype: str
    shape: tuple[int, ...]


def layers(report: str) -> tuple[Layer, ...]:
    """The layers of a report, in its order; none where the library wrote another kind of report."""
    return tuple(
        Layer(
            found["name"],
            found["kind"],
            *(dict(_TENSOR.findall(found[of])) for of in ("inputs", "constants", "outputs")),
        )
        for found in _LAYER.finditer(report)
    )


def ends(report: str) -> tuple[End, ...]:
    """Inputs and outputs of the engine."""
    return tuple(
        End(found["name"], found["mode"], found["type"], tuple(map(int, filter(None, found["size"].split(",")))))
        for found in _END.finditer(report)
    )


def count_types(found: Iterable[Layer]) -> dict[str, int]:
    """How many layers write tensors of each type, most first; one that writes two types counts for both."""
    counts = Counter(dtype for layer in found for dtype in sorted(set(layer.outputs.values())))
    return dict(counts.most_common())
