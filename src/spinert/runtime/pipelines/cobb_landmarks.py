"""Cobb angles from the vertebral corners of an AP or PA radiograph.

image     one projection radiograph of the spine, stored values [rows, columns]
network   "landmarks": float32 [N, 1, H, W] in 0..1, bone bright -> float32 [N, 4 v, h, w] logits of corner heat-maps
findings  Vertebra (level, corners, confidence), CobbAngle (degrees, end vertebrae, apex), AasceAngles (degrees)

prepare -> network -> soft-argmax -> checks -> angles in mm.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from spinert.bundle import NetworkSpec
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime import decode
from spinert.runtime.landmark_findings import check_names, landmark_findings
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation, prepare
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import check_heatmaps, plane_size

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("landmarks",)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the vertebrae of the heat-maps from top to bottom."""

    class_names: tuple[str, ...]
    preparation: Preparation = Preparation()
    confidence_radius_cells: Annotated[int, msgspec.Meta(ge=0)]
    least_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """A vertebra below it is flagged."""
    least_cobb_degrees: Annotated[float, msgspec.Meta(gt=0, le=180)]
    """Curves below it are not reported; SRS calls a curve scoliosis from 10 degrees."""


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """The network takes one grey image and gives four maps for each of the consecutive levels in `class_names`."""
    names = settings.class_names
    check_names(names)
    maps = 4 * len(names)
    check_heatmaps(networks["landmarks"], "landmarks", f"{maps}", lambda found: found == maps)


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.may_be_frontal


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> vertebrae, curves, the challenge's angles. Points in pixels of the stored image."""
    network = networks["landmarks"]
    (source,), (target,) = network.inputs, network.outputs
    size = plane_size(source)
    with stopwatch.stage("prepare"):
        prepared = prepare(image, size, settings.preparation)
    with stopwatch.stage("network"):
        heatmaps = network({source.name: prepared.pixels[None, None]})[target.name][0]
    with stopwatch.stage("decode"):
        stride = size[0] / plane_size(target)[0]
        corners, confidence = decode.heatmap_corners(heatmaps, prepared.map, stride, settings.confidence_radius_cells)
    with stopwatch.stage("geometry"):
        return landmark_findings(
            image,
            corners,
            confidence,
            settings.class_names,
            least_confidence=settings.least_confidence,
            least_cobb_degrees=settings.least_cobb_degrees,
        )
