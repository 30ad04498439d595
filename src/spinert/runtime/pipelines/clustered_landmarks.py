"""Cobb angles from corners that many overlapping patches vote for (after Chen et al., AASCE 2019, method 2).

image     one projection radiograph of the spine, stored values [rows, columns]
networks  "coarse": float32 [N, 1, H, W] in 0..1, bone bright -> float32 [N, 4 v, h, w] logits of corner heat-maps
          "patches": float32 [N, 1, H, W], mean 0.5 and standard deviation 0.25 -> float32 [N, 4 s, h, w] logits: the
          corners of s vertebrae from head to foot, s odd, the middle one being that nearest to the patch's centre
findings  Vertebra, CobbAngle with its interval, AasceAngles with theirs

coarse maps -> rough vertebrae -> patches along them -> votes -> DBSCAN and K-means -> which level -> checks -> angles.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime import decode, levels, patches
from spinert.runtime.clustering import Clustering, Found, cluster
from spinert.runtime.intervals import Intervals
from spinert.runtime.landmark_findings import Uncertainty, check_names, landmark_findings
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation, prepare
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import check_heatmaps, plane_size

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("coarse", "patches")
ROUGH_POSITION = "rough_position"
UNCERTAIN_LEVEL = "uncertain_level"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Patches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where patches lie: lengths in vertebrae, from one centre to the next."""

    height: Annotated[float, msgspec.Meta(gt=0)]
    """Of a patch; the network was trained with it."""
    step: Annotated[float, msgspec.Meta(gt=0, le=1)]
    beyond: Annotated[float, msgspec.Meta(ge=0, le=3)]
    """How far patches go on at both ends, so that a count that is off by one can be mended."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the vertebrae of the coarse maps from top to bottom."""

    class_names: tuple[str, ...]
    preparation: Preparation = Preparation()
    patches: Patches
    mirrored: bool = False
    """Whether the film and every patch are seen in the mirror as well, for twice the time."""
    clustering: Clustering = Clustering()
    intervals: Intervals | None = None
    """How intervals follow from the spread of votes; None: the bundle states none."""
    least_rough_confidence: Share = 0.02
    """A rough vertebra below it lies where its neighbours lead to, for the patches."""
    least_confidence: Share
    """A vertebra with a smaller share of the votes that it could have is flagged."""
    least_level_margin: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """All levels are flagged where the count of the vertebrae is likelier than the next best one by less."""
    least_cobb_degrees: Annotated[float, msgspec.Meta(gt=0, le=180)]
    """Curves below it are not reported; SRS calls a curve scoliosis from 10 degrees."""


class _Spine(NamedTuple):
    """All levels: corners [v, 4, 2] and covariance [v, 4, 2, 2] in mm, confidence [v], flags of each."""

    corners: NDArray[np.float64]
    covariance: NDArray[np.float64]
    confidence: NDArray[np.float64]
    flags: list[tuple[str, ...]]


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """Both networks take one grey image; four coarse maps for each level in order, four for each of an odd number of
    vertebrae in a patch."""
    names = settings.class_names
    check_names(names)
    check_heatmaps(networks["coarse"], "coarse", f"{4 * len(names)}", lambda maps: maps == 4 * len(names))
    check_heatmaps(networks["patches"], "patches", "4, 12, 20, ..", lambda maps: maps % 8 == 4)


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.may_be_frontal


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> vertebrae, curves, the challenge's angles. Points in pixels of the stored image."""
    coarse = networks["coarse"]
    size, stride = _size_and_stride(coarse)
    with stopwatch.stage("prepare"):
        prepared = prepare(image, size, settings.preparation)
    with stopwatch.stage("coarse network"):
        heatmaps = _maps(coarse, prepared.pixels[None, None])[0].copy()
        if settings.mirrored:
            mirror = np.ascontiguousarray(prepared.pixels[None, None, :, ::-1])
            heatmaps = (heatmaps + patches.unmirrored(_maps(coarse, mirror))[0]) / np.float32(2)
    with stopwatch.stage("rough positions"):
        rough, sure = decode.heatmap_corners(heatmaps, prepared.map, stride, radius=3)
        rough_mm = image.to_mm(rough)
        centres = patches.rough_centres(rough_mm, sure, least=settings.least_rough_confidence)
    votes = _votes(image, (prepared.low, prepared.high), centres, networks["patches"], settings, stopwatch)
    with stopwatch.stage("clustering"):
        found = cluster(*votes, centres, settings.clustering)
        rows = levels.rows_of(found.along)
        counted = levels.count_levels(image.to_px(found.corners), rows, heatmaps, prepared.map, stride)
        spine = _spine(rough_mm, found, rows + counted.first, votes.points.shape[1], settings)
    uncertain = (UNCERTAIN_LEVEL,) if counted.margin < settings.least_level_margin else ()
    with stopwatch.stage("geometry"):
        return landmark_findings(
            image,
            image.to_px(spine.corners),
            spine.confidence,
            settings.class_names,
            least_confidence=settings.least_confidence,
            least_cobb_degrees=settings.least_cobb_degrees,
            uncertainty=Uncertainty(spine.covariance, settings.intervals) if settings.intervals else None,
            noted=[(*flags, *uncertain) for flags in spine.flags],
        )


def _size_and_stride(network: Network) -> tuple[tuple[int, int], float]:
    """Height and width of the input, and its pixels for one cell of the maps; `check` has refused free ones."""
    (source,), (target,) = network.inputs, network.outputs
    size = plane_size(source)
    return size, size[0] / plane_size(target)[0]


def _maps(network: Network, images: NDArray[np.float32]) -> NDArray[np.float32]:
    (source,), (target,) = network.inputs, network.outputs
    return network({source.name: images})[target.name]


def _votes(
    image: Image,
    window: tuple[int, int],
    centres_mm: NDArray[np.float64],
    network: Network,
    settings: Settings,
    stopwatch: Stopwatch,
) -> patches.Votes:
    """What the patches along the rough centres say, mirrored ones after the others."""
    numbers = settings.patches
    size, stride = _size_and_stride(network)
    pitch = size[0] / numbers.height
    with stopwatch.stage("patches"):
        at = patches.places(len(centres_mm), step=numbers.step, beyond=numbers.beyond)
        maps = patches.patch_maps(patches.frames(centres_mm, at), size, vertebrae=numbers.height)
        crops = patches.cut(image, window, maps, size)
    seen = []
    for mirrored in (False, True)[: 1 + settings.mirrored]:
        with stopwatch.stage("patch network"):
            heatmaps = _maps(network, np.ascontiguousarray(crops[..., ::-1]) if mirrored else crops)
        with stopwatch.stage("votes"):
            heatmaps = patches.unmirrored(heatmaps) if mirrored else heatmaps
            seen.append(patches.votes(heatmaps, maps, pitch, stride))
    return patches.Votes(*(np.concatenate(parts) for parts in zip(*seen, strict=True)))


def _spine(
    rough_mm: NDArray[np.float64], found: Found, level: NDArray[np.int64], slots: int, settings: Settings
) -> _Spine:
    """The found vertebrae at their levels; where none was found, the rough one, flagged and as uncertain as can be."""
    count = len(rough_mm)
    corners = rough_mm.copy()
    pitch = np.linalg.norm(np.diff(rough_mm.mean(axis=1), axis=0), axis=1).mean()
    covariance = np.tile(np.eye(2) * (settings.clustering.largest_spread * pitch) ** 2 / 2, (count, 4, 1, 1))
    confidence = np.zeros(count)
    flags: list[tuple[str, ...]] = [(ROUGH_POSITION,)] * count
    # inside the spine a vertebra is in each slot of 1 / step patches
    most = round(slots / settings.patches.step) * (1 + settings.mirrored)
    for v in np.flatnonzero((level >= 0) & (level < count)):
        at = int(level[v])
        corners[at], covariance[at] = found.corners[v], found.covariance[v]
        confidence[at], flags[at] = min(1.0, float(found.votes[v]) / most), ()
    return _Spine(corners, covariance, confidence, flags)
