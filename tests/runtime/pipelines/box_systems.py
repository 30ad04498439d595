"""The three systems of `box_corners` with perfect networks that read coded films, at a size that tests can afford."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5
from spinert.runtime.box_crops import RegionReading
from spinert.runtime.boxes import AnchorShapes, Selection
from spinert.runtime.crop_corners import CornerReading
from spinert.runtime.detector import Detector
from spinert.runtime.pipelines.box_corners import Settings
from spinert.runtime.preparation import Preparation
from spinert.runtime.region_head import RegionHead
from spinert.runtime.spine_isolation import AspectCrop, CordRefine, Projection
from spinert.runtime.vertebra_column import Aside, Squeezed
from tests.runtime.pipelines.coded_films import (
    Answering,
    Points,
    blobs,
    crop_quad,
    detections,
    encode,
    maps_at,
    middle_blob,
    pooled,
    upright_of,
)

SIZE = (512, 256)
FILM = (1024, 512)
COMMON: dict[str, Any] = {
    "class_names": T1_TO_L5,
    "preparation": Preparation(percentiles=(0.0, 100.0)),
    "film_size": FILM,
    "least_confidence": 0.5,
    "least_cobb_degrees": 10.0,
}
RECIPE_SIZE = (120, 200)
Networks = dict[str, Answering]
Shape = Callable[[int], Points]


def retina(shape_mm: Shape, codes: int = 17) -> tuple[Networks, Settings]:
    """Chen et al., method 1: one stage, upright boxes, squeezed ones dropped, heat-maps of crops.

    The detector finds every vertebra twice, and below them one that is none, far beside the spine. (By the paper's
    rule one between them would take the next vertebra with it.)
    """
    shapes = AnchorShapes(strides=(8, 16), sizes=((24.0, 34.0), (48.0,)), ratios=(0.5, 1.0))
    selection = Selection(scores="sigmoid", least_score=0.5, most_candidates=200, overlap=0.5, most_boxes=60)

    def detector(image: NDArray[np.float32]) -> list[Any]:
        true = np.array([upright_of(blob.box) for blob in blobs(image[0, 0], codes)]).reshape(-1, 5)
        twice = true + np.array([1.5, 1.0, 0, 0, 0])
        stray = true[-1:] * [0, 1, 1, 1, 0] + [20, 12, 0, 0, 0]
        found = np.concatenate([true, twice, stray])
        scores = np.repeat([4.0, 2.0, 3.0], [len(true), len(twice), len(stray)])
        logits, deltas = detections(found, scores, SIZE, shapes)
        return [logits[None], deltas[None]]

    def corners(crops: NDArray[np.float32]) -> list[Any]:
        return [np.stack([maps_at(crop_quad(crop[0], codes, shape_mm), (128, 96), 4) for crop in crops])]

    count = len(shapes.of(SIZE))
    networks = {
        "detector": Answering((None, 1, *SIZE), {"s": (None, count, 1), "d": (None, count, 4)}, detector),
        "corners": Answering((None, 1, 128, 96), {"maps": (None, 4, 32, 24)}, corners),
    }
    settings = Settings(
        **COMMON,
        detector=Detector(anchors=shapes, selection=selection),
        drop=Squeezed(0.36),
        crop_margin=(0.3, 0.3),
    )
    return networks, settings


def faster(shape_mm: Shape, codes: int = 17) -> tuple[Networks, Settings]:
    """Khanal et al.: two stages, aspect crop, boxes aside dropped, 17 forced, coordinates, polynomials.

    Proposals are a tenth off; the second stage puts them right, with deltas for the background and the one class.
    """
    shapes = AnchorShapes(strides=(16,), sizes=((64.0, 32.0),), ratios=(1.0, 0.5))
    first = Selection(scores="sigmoid", least_score=0.3, most_candidates=300, overlap=0.7, most_boxes=100)
    second = Selection(
        scores="softmax",
        least_score=0.5,
        most_candidates=100,
        overlap=0.5,
        most_boxes=30,
        delta_weights=(10.0, 10.0, 5.0, 5.0),
    )

    def detector(image: NDArray[np.float32]) -> list[Any]:
        true = np.array([upright_of(blob.box) for blob in blobs(image[0, 0], codes)]).reshape(-1, 5)
        off = true * [1, 1, 1.4, 1.5, 1] + true[:, [2, 3, 0, 0, 0]] * [0.05, -0.05, 0, 0, 0]
        nothing = np.array([[20.0, 30.0, 30.0, 20.0, 0.0]])
        logits, deltas = detections(np.concatenate([off, nothing]), np.full(len(off) + 1, 2.0), SIZE, shapes)
        return [logits[None], deltas[None], pooled(image[0, 0], 4)[None, None]]

    def head(regions: NDArray[np.float32]) -> list[Any]:
        scores, deltas = np.zeros((len(regions), 2)), np.full((len(regions), 8), 9.0)
        for row, region in enumerate(regions[:, 0]):
            blob = middle_blob(region, codes)
            if blob is None:
                scores[row, 0] = 5.0
                continue
            scores[row, 1] = 5.0
            y, x = np.nonzero(blob.mask)
            low, high = np.array([x.min(), y.min()]), np.array([x.max(), y.max()]) + 1
            # the whole region is the proposal: one box of 1 x 1
            seen = np.array([[*((low + high) / 2 / 28), *((high - low) / 28), 0.0]])
            deltas[row, 4:] = encode(seen, np.array([[0.0, 0.0, 1.0, 1.0]])) * [10, 10, 5, 5]
        return [scores, deltas]

    def corners(crops: NDArray[np.float32]) -> list[Any]:
        quads = np.stack([crop_quad(crop[0], codes, shape_mm) for crop in crops])
        return [((quads + 0.5) / [200, 120]).reshape(-1, 8)]

    count = len(shapes.of(SIZE))
    networks = {
        "detector": Answering(
            (None, 1, *SIZE), {"s": (None, count, 1), "d": (None, count, 4), "f": (None, 1, 128, 64)}, detector
        ),
        "region_head": Answering((None, 1, 28, 28), {"s": (None, 2), "d": (None, 8)}, head),
        "corners": Answering((None, 1, *RECIPE_SIZE), {"points": (None, 8)}, corners),
    }
    settings = Settings(
        **COMMON,
        isolation=AspectCrop(aspect=3.0),
        detector=Detector(anchors=shapes, selection=first, region_head=RegionHead(selection=second, boxes_per_call=16)),
        drop=Aside(0.5),
        surplus="cut_from_bottom",
        shortage="repeat_last",
        crop_margin=(0.25, 0.25),
        smooth_degree=6,
    )
    return networks, settings


def rotated(shape_mm: Shape, codes: int = 17) -> tuple[Networks, Settings]:
    """Tao, Xu, Wu: rows projected, cord mask, region of 3.5, rotated boxes, corners on feature maps.

    The detector also finds boxes beside the cord, two of them turned where a vertebra is.
    """
    shapes = AnchorShapes(strides=(8,), sizes=((24.0, 40.0),), ratios=(0.5, 0.7), angles_deg=(-30.0, 0.0, 30.0))
    selection = Selection(scores="sigmoid", least_score=0.5, most_candidates=200, overlap=0.3, most_boxes=60)

    def cord(image: NDArray[np.float32]) -> list[Any]:
        picture = image[0, 0]
        mask = np.full(picture.shape, -8.0)
        found = blobs(picture, codes)
        for upper, lower in zip(found, [*found[1:], *found[-1:]], strict=True):
            for share in np.linspace(0, 1, 12):
                x, y = upper.mean * (1 - share) + lower.mean * share
                radius = 6
                mask[max(0, int(y) - radius) : int(y) + radius, max(0, int(x) - radius) : int(x) + radius] = 8.0
        mask[4:9, 4:9] = 8.0
        return [mask[None, None, ::2, ::2]]

    def detector(image: NDArray[np.float32]) -> list[Any]:
        true = np.array([blob.box for blob in blobs(image[0, 0], codes)]).reshape(-1, 5)
        aside = true[[3, 8]] + [45.0, 0, 0, 0, 0]
        turned = true[[3, 8]] + [1.0, 1.0, 0, 0, 0.2]
        found = np.concatenate([true, aside, turned])
        scores = np.repeat([4.0, 3.0, 2.0], [len(true), 2, 2])
        logits, deltas = detections(found, scores, SIZE, shapes)
        half, quarter = pooled(image[0, 0], 2), pooled(image[0, 0], 4)
        # boxes of these sides belong to the finer map: the other is never read
        return [logits[None], deltas[None], np.full_like(quarter, np.inf)[None, None], half[None, None]]

    def corners(regions: NDArray[np.float32]) -> list[Any]:
        return [np.stack([maps_at(crop_quad(region[0], codes, None), (56, 56), 2) for region in regions])]

    count = len(shapes.of(SIZE))
    outputs = {
        "s": (None, count, 1),
        "d": (None, count, 5),
        "coarse": (None, 1, SIZE[0] // 4, SIZE[1] // 4),
        "fine": (None, 1, SIZE[0] // 2, SIZE[1] // 2),
    }
    networks = {
        "cord": Answering((None, 1, 256, 128), {"mask": (None, 1, 128, 64)}, cord),
        "detector": Answering((None, 1, *SIZE), outputs, detector),
        "corners": Answering((None, 1, 56, 56), {"maps": (None, 4, 28, 28)}, corners),
    }
    settings = Settings(
        **COMMON,
        isolation=Projection(size=(512, 256), head=0.5, pelvis=0.5, smooth_rows=3),
        cord=CordRefine(margin=0.08),
        detector=Detector(anchors=shapes, selection=selection),
        crops_from="features",
        crop_margin=(0.3, 0.3),
        regions=RegionReading(canonical_side=448.0),
        corners=CornerReading(boxes_per_call=7),
    )
    return networks, settings
