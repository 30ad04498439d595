"""Cobb angles from corners that many overlapping patches vote for (after Chen et al., AASCE 2019, method 2).

image     one projection radiograph of the spine, stored values [rows, columns]
networks  "coarse": float32 [N, 1, H, W] in 0..1, bone bright -> float32 [N, 4 v, h, w] logits of corner heat-maps
          "patches": float32 [N, 1, H, W], mean 0.5 and standard deviation 0.25 -> float32 [N, 4 s, h, w] logits: the
          corners of s vertebrae from head to foot, s odd, the middle one being that nearest to the patch's centre
findings  Vertebra, CobbAngle with its interval, AasceAngles with theirs

coarse maps -> rough vertebrae (where the spine is a small part of the film, once more over that part) -> patches along
them -> votes -> DBSCAN and K-means -> which level -> all votes of each level -> checks -> angles.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime import decode, levels, patches
from spinert.runtime.clustering import Clustering, Found, cluster
from spinert.runtime.film_regions import Region, prepare_region, region_within, whole
from spinert.runtime.gathering import gather
from spinert.runtime.intervals import Intervals
from spinert.runtime.landmark_findings import Uncertainty, check_names, landmark_findings
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import check_heatmaps, plane_size

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("coarse", "patches")
ROUGH_POSITION = "rough_position"
UNCERTAIN_LEVEL = "uncertain_level"

_LEAST_VOTES = 0.5
"""A vertebra with less is a rough one."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Margin = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Patches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where patches lie: lengths in vertebrae, from one centre to the next."""

    height: Annotated[float, msgspec.Meta(gt=0)]
    """Of a patch; the network was trained with it."""
    step: Annotated[float, msgspec.Meta(gt=0, le=1)]
    beyond: Annotated[float, msgspec.Meta(ge=0, le=3)]
    """How far patches go on at both ends, so that a count that is off by one can be mended."""


class Closer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A second look at the part of the film that shows the rough spine, as shares of the spine's height."""

    below: Annotated[float, msgspec.Meta(gt=0, le=1)]
    """It is taken where the rough spine takes a smaller share of the film's height: films from skull to hips, in which
    vertebrae are too small for the coarse network."""
    margins: tuple[Margin, Margin]
    """What is left above and below the spine. The part is as wide as the network's input allows, about its middle."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; `class_names` are the vertebrae of the coarse maps from top to bottom."""

    class_names: tuple[str, ...]
    preparation: Preparation = Preparation()
    patches: Patches
    mirrored: bool = False
    """Whether the film and every patch are seen in the mirror as well, for twice the time."""
    clustering: Clustering = Clustering()
    closer: Closer | None = None
    """When and how the coarse network looks again; None: never."""
    reach: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    """Every level gathers all sure votes within so many vertebrae of its place; None: a vertebra is the mean of its own
    cluster, as in the paper, and a level without one is the rough one."""
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


class Rough(NamedTuple):
    """What the coarse maps say: corners [v, 4, 2] in mm, confidence [v]; the maps, their way to the image, the input's
    pixels for one cell, and the stored values that became 0 and 1."""

    corners: NDArray[np.float64]
    confidence: NDArray[np.float64]
    heatmaps: NDArray[np.float32]
    map: kernels.PlaneMap
    stride: float
    window: tuple[int, int]


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
    """One radiograph -> vertebrae, curves, the challenge's angles. Points in pixels of the stored image.

    Raises BadStudy where the film shows nothing, BadNetwork where a map holds a value that is not finite.
    """
    rough = _rough(image, whole(image), networks["coarse"], settings, stopwatch)
    if settings.closer is not None and (part := _part(image, rough, settings.closer, networks["coarse"])) is not None:
        rough = _rough(image, part, networks["coarse"], settings, stopwatch)
    centres = patches.rough_centres(rough.corners, rough.confidence, least=settings.least_rough_confidence)
    votes = _votes(image, rough.window, centres, networks["patches"], settings, stopwatch)
    return measure(image, rough, centres, votes, settings, stopwatch)


def measure(
    image: Image,
    rough: Rough,
    centres: NDArray[np.float64],
    votes: patches.Votes,
    settings: Settings,
    stopwatch: Stopwatch,
) -> list[Finding]:
    """From what the networks said to findings; `centres` float64 [v, 2] in mm: the line that the patches lie along."""
    with stopwatch.stage("clustering"):
        found = cluster(*votes, centres, settings.clustering)
        gaps = levels.gaps_of(found.corners.mean(axis=1), found.along)
        counted = levels.count_levels(image.to_px(found.corners), gaps, rough.heatmaps, rough.map, rough.stride)
        spine = _spine(rough.corners, found, counted.levels, votes, centres, settings)
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


def _rough(image: Image, part: Region, network: Network, settings: Settings, stopwatch: Stopwatch) -> Rough:
    """What the coarse network sees in a part of the film."""
    size, stride = _size_and_stride(network)
    with stopwatch.stage("prepare"):
        prepared = prepare_region(image, part, size, settings.preparation)
    with stopwatch.stage("coarse network"):
        heatmaps = _maps(network, prepared.pixels[None, None])[0].copy()
        if settings.mirrored:
            mirror = np.ascontiguousarray(prepared.pixels[None, None, :, ::-1])
            heatmaps = (heatmaps + patches.unmirrored(_maps(network, mirror))[0]) / np.float32(2)
    with stopwatch.stage("rough positions"):
        corners, confidence = decode.heatmap_corners(heatmaps, prepared.map, stride, radius=3)
    return Rough(image.to_mm(corners), confidence, heatmaps, prepared.map, stride, (prepared.low, prepared.high))


def _part(image: Image, rough: Rough, closer: Closer, network: Network) -> Region | None:
    """The part of the film about the rough spine, None where it fills the film well enough."""
    low, high = rough.corners.min(axis=(0, 1)), rough.corners.max(axis=(0, 1))
    height = high[1] - low[1]
    if height >= closer.below * image.shape[0] * image.mm_per_pixel_xy[1]:
        return None
    above, below = closer.margins
    (tall, wide), _ = _size_and_stride(network)
    width = max((1 + above + below) * height * wide / tall, high[0] - low[0])
    middle = (low[0] + high[0]) / 2
    corner = np.array([middle - width / 2, low[1] - above * height])
    opposite = np.array([middle + width / 2, high[1] + below * height])
    return region_within(whole(image), image.to_px(corner), image.to_px(opposite))


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
    rough_mm: NDArray[np.float64],
    found: Found,
    level: NDArray[np.int64],
    votes: patches.Votes,
    centres: NDArray[np.float64],
    settings: Settings,
) -> _Spine:
    """All levels; where a vertebra has no vote, the rough one, flagged and as uncertain as can be."""
    count = len(rough_mm)
    # inside the spine a vertebra is in each slot of 1 / step patches
    most = round(votes.points.shape[1] / settings.patches.step) * (1 + settings.mirrored)
    if settings.reach is not None and len(level):
        numbers = settings.clustering
        corners, covariance, votes_of = gather(
            votes, rough_mm, centres, found.along, level, reach=settings.reach, numbers=numbers
        )
    else:
        pitch = np.linalg.norm(np.diff(rough_mm.mean(axis=1), axis=0), axis=1).mean()
        corners, votes_of = rough_mm.copy(), np.zeros(count)
        covariance = np.tile(np.eye(2) * (settings.clustering.largest_spread * pitch) ** 2 / 2, (count, 4, 1, 1))
        for v in np.flatnonzero((level >= 0) & (level < count)):
            at = level[v]
            corners[at], covariance[at], votes_of[at] = found.corners[v], found.covariance[v], found.votes[v]
    flags: list[tuple[str, ...]] = [() if voted >= _LEAST_VOTES else (ROUGH_POSITION,) for voted in votes_of]
    return _Spine(corners, covariance, np.minimum(votes_of / most, 1.0), flags)
