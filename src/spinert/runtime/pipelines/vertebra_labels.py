"""Vertebrae found and named in a frontal or lateral radiograph, each by the centre of its body.

image     one projection radiograph of the spine, of any size, stored values [rows, columns]
network   "labels": float32 [N, 1, H, W] in 0..1, bone bright ->
          "coordinates" float32 [N, n, 2], (x, y) in pixels of the input, of C1..L5 or of `class_names`
          "maps" float32 [N, 1 + n, H/s, W/s], of the background and of each level: Gaussians of peak one
findings  VertebraCentre (level, centre in px and mm, confidence)

prepare -> network -> way back to the film -> confidence -> checks.

Bayat et al., Vertebral labelling in radiographs: learning a coordinate corrector to enforce spinal shape (CSI 2019):
soft-argmax and the residual corrector that sees all vertebrae at once are part of the network. The paper takes every
coordinate as true and every film as whole. Here a level counts as seen only where its own map supports the coordinate.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec
from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import LEVELS, Finding
from spinert.image import Image
from spinert.runtime.label_findings import centre_findings
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation, prepare
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import plane_size

ACCEPTS = "one AP, PA or lateral projection radiograph of the spine"
NETWORKS = ("labels",)
C1_TO_L5 = LEVELS[: LEVELS.index("S1")]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the consecutive levels to report, within C1..L5."""

    class_names: tuple[str, ...]
    views: Annotated[tuple[Literal["AP", "PA", "lateral"], ...], msgspec.Meta(min_length=1)]
    """Views that the network was trained on; a film that states another is refused."""
    preparation: Preparation = Preparation()
    temperature: Annotated[float, msgspec.Meta(gt=0)]
    """That of the network's own soft-argmax: one over its sharpness."""
    confidence_radius_cells: Annotated[int, msgspec.Meta(ge=0)]
    least_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """A level below it is flagged, or left out where no surer one lies beyond it."""
    farthest_from_peak_px: Annotated[float, msgspec.Meta(gt=0)]
    """In pixels of the input; a centre farther from its map's peak is flagged."""


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """The levels are consecutive, and the network gives a coordinate and a map for each."""
    names = settings.class_names
    start = C1_TO_L5.index(names[0]) if names and names[0] in C1_TO_L5 else 0
    if not names or names != C1_TO_L5[start : start + len(names)]:
        raise BadBundle(
            f"class_names are {list(names)}, expected consecutive vertebrae within C1..L5", "export the bundle again"
        )
    spec = networks["labels"]
    given = {tensor.name: tensor.shape for tensor in spec.outputs}
    match [*(tensor.shape for tensor in spec.inputs), given.get("coordinates"), given.get("maps")]:
        case [(None, 1, int(height), int(width)), (None, n, 2), (None, int(maps), int(h), int(w))]:
            if n in (len(names), len(C1_TO_L5)) and maps == n + 1 and height * w == width * h:
                return
    tensors = "; ".join(map(str, (*spec.inputs, *spec.outputs)))
    raise BadBundle(
        f"network 'labels' has tensors {tensors}; expected one image [N, 1, H, W], coordinates [N, n, 2] and maps "
        f"[N, n + 1, H/s, W/s] with n = {len(names)} or {len(C1_TO_L5)}",
        "export the bundle again",
    )


def accepts(image: Image) -> bool:
    """AP, PA or lateral, or a view that the image does not state. Which of them a bundle takes is in its settings."""
    return image.may_be_frontal or image.is_lateral


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> the centres of the vertebrae that it shows, from head to foot.

    Raises BadStudy where it shows none, BadNetwork where the network's output is not finite.
    """
    network = networks["labels"]
    (source,) = network.inputs
    size = plane_size(source)
    with stopwatch.stage("prepare"):
        prepared = prepare(image, size, settings.preparation)
    with stopwatch.stage("network"):
        answer = network({source.name: prepared.pixels[None, None]})
    with stopwatch.stage("decode"):
        coordinates, maps = _levels(answer["coordinates"][0], answer["maps"][0], settings.class_names)
        confidence, peaks = _support(maps, settings, stride=size[0] / maps.shape[1])
        off_peak = np.linalg.norm(coordinates - peaks, axis=1) > settings.farthest_from_peak_px
    with stopwatch.stage("geometry"):
        findings = centre_findings(
            image,
            prepared.map.to_image(coordinates),
            confidence,
            off_peak,
            settings.class_names,
            least_confidence=settings.least_confidence,
        )
    if not findings:
        first, last = settings.class_names[0], settings.class_names[-1]
        raise BadStudy(
            f"none of the vertebrae {first}..{last} was found: the surest has confidence {confidence.max():.2f}, "
            f"least_confidence is {settings.least_confidence:g}",
            "give a radiograph of the spine in the view that the bundle is for",
        )
    return list(findings)


def _levels(
    coordinates: NDArray[np.float32], maps: NDArray[np.float32], names: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Coordinates float64 [n, 2] and maps [n, h, w] of these levels. Raises BadNetwork where one is not finite."""
    first = 0 if len(coordinates) == len(names) else C1_TO_L5.index(names[0])
    chosen = coordinates[first : first + len(names)].astype(np.float64)
    own = np.ascontiguousarray(maps[1 + first : 1 + first + len(names)])
    if not (np.isfinite(chosen).all() and np.isfinite(own).all()):
        raise BadNetwork(
            "the network's coordinates or maps hold values that are not finite",
            "check the weights of the network and export the bundle again",
        )
    return chosen, own


def _support(
    maps: NDArray[np.float32], settings: Settings, stride: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How sure each map is, float64 [n] in 0..1, and of which place, float64 [n, 2] in pixels of the input.

    The less of two: how high its peak is, which is one where the network sees the vertebra and nought where it does
    not, and which share of its softmax lies around the peak, which is a half where it sees two.
    """
    cells, height = kernels.peak(maps)
    _, share = kernels.soft_argmax(maps, temperature=settings.temperature, radius=settings.confidence_radius_cells)
    sure = np.minimum(np.clip(height, 0.0, 1.0), share).astype(np.float64)
    return sure, (cells.astype(np.float64) + 0.5) * stride - 0.5
