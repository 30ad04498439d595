"""The system of `peeled_corners` with perfect networks that read coded films, at a size that tests can afford."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5
from spinert.runtime.boxes import AnchorShapes, Selection
from spinert.runtime.detector import Detector
from spinert.runtime.masked_points import MaskedPoints
from spinert.runtime.peeling import Peeling
from spinert.runtime.pipelines.peeled_corners import Settings
from spinert.runtime.preparation import Preparation
from spinert.runtime.region_head import RegionHead
from tests.runtime.pipelines.coded_films import (
    Answering,
    Points,
    blobs,
    crop_quad,
    detections,
    maps_at,
    middle_blob,
    pooled,
    upright_of,
)

SIZE = (512, 256)
CROP = (96, 128)
PLANE = (None, 1, *SIZE)
COUNT = 17


SHAPES = AnchorShapes(strides=(8,), sizes=((24.0, 40.0),), ratios=(0.5, 1.0))


def spine(image: NDArray[np.float32]) -> list[Any]:
    near = cv2.dilate((image[0, 0] > 0.02).astype(np.float32), np.ones((15, 15)))
    return [np.stack([near, 1 - near])[None]]


def boxes(image: NDArray[np.float32], unseen: int | None) -> list[Any]:
    maps = np.zeros((COUNT + 1, *SIZE))
    for blob in blobs(image[0, 0], COUNT):
        if blob.code != unseen:
            maps[blob.code] = 0.9 * blob.mask
    maps[-1] = 1 - maps[:-1].sum(axis=0)
    return [maps[None]]


def detector(image: NDArray[np.float32]) -> list[Any]:
    found = np.array([upright_of(blob.box) for blob in blobs(image[0, 0], COUNT)]).reshape(-1, 5)
    logits, deltas = detections(found, np.full(len(found), 3.0), SIZE, SHAPES)
    return [logits[None], deltas[None], pooled(image[0, 0], 4)[None, None]]


def head(regions: NDArray[np.float32]) -> list[Any]:
    scores = np.zeros((len(regions), COUNT + 1))
    for row, region in enumerate(regions[:, 0]):
        blob = middle_blob(region, COUNT)
        if blob is not None:
            scores[row, blob.code + 1] = 6.0
            # every third time a tag as sure as the right one, of a vertebra that lies elsewhere
            scores[row, 1 + (blob.code + 5) % COUNT] = 6.0 if row % 3 == 0 else 0.0
    return [scores, np.zeros((len(regions), COUNT, 4))]


def box_mask(crops: NDArray[np.float32]) -> list[Any]:
    maps = np.zeros((len(crops), 2, *CROP))
    for row, crop in enumerate(crops[:, 0]):
        blob = middle_blob(crop, COUNT)
        if blob is not None:
            maps[row, 0] = cv2.dilate(blob.mask.astype(np.float32), np.ones((17, 17)))
    maps[:, 1] = 1 - maps[:, 0]
    return [maps]


def corner_maps(crops: NDArray[np.float32], shape_mm: Callable[[int], Points]) -> list[Any]:
    maps = np.zeros((len(crops), 5, *CROP))
    for row, crop in enumerate(crops[:, 0]):
        maps[row, :4] = np.exp(maps_at(crop_quad(crop, COUNT, shape_mm), CROP, 1, sharp=3.0))
        # a corner of a neighbour that only the mask of the box keeps out
        maps[row, :4, :4, :4] = 1.0
    return [maps]


def peeled(
    shape_mm: Callable[[int], Points], *, unseen: int | None = None, **changes: Any
) -> tuple[dict[str, Answering], Settings]:
    """Zhong et al. `unseen` is a vertebra that U-Net C does not find."""
    count = len(SHAPES.of(SIZE))
    networks = {
        "whole_spine": Answering(PLANE, {"maps": (None, 2, *SIZE)}, spine),
        "target_spine": Answering(PLANE, {"maps": (None, 2, *SIZE)}, spine),
        "vertebra_boxes": Answering(PLANE, {"maps": (None, COUNT + 1, *SIZE)}, lambda image: boxes(image, unseen)),
        "detector": Answering(PLANE, {"s": (None, count, 1), "d": (None, count, 4), "f": (None, 1, 128, 64)}, detector),
        "region_head": Answering((None, 1, 28, 28), {"s": (None, COUNT + 1), "d": (None, COUNT, 4)}, head),
        "box_mask": Answering((None, 1, *CROP), {"maps": (None, 2, *CROP)}, box_mask),
        "corner_maps": Answering(
            (None, 1, *CROP), {"maps": (None, 5, *CROP)}, lambda crops: corner_maps(crops, shape_mm)
        ),
    }
    settings: dict[str, Any] = {
        "class_names": T1_TO_L5,
        "preparation": Preparation(percentiles=(0.0, 100.0)),
        "film_size": (1024, 512),
        "peeling": Peeling(aspect=2.2),
        "detector": Detector(
            anchors=SHAPES,
            selection=Selection(scores="sigmoid", least_score=0.5, most_candidates=200, overlap=0.7, most_boxes=60),
            region_head=RegionHead(
                selection=Selection(scores="softmax", least_score=0.4, most_candidates=100, overlap=0.5, most_boxes=60)
            ),
        ),
        "crop_margin": (0.3, 0.35),
        "corners": MaskedPoints(boxes_per_call=16),
        "least_confidence": 0.5,
        "least_cobb_degrees": 10.0,
    }
    return networks, Settings(**{**settings, **changes})
