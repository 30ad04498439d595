"""Films on which each vertebra has a grey value of its own, and networks that read them there and answer perfectly.

The networks know nothing but the pixels that they are given: where a pipeline maps a point wrongly, they look at the
wrong place and the truth does not come back. A vertebra of a phantom is a rectangle, so that its mean and its second
moments tell its centre, sides and tilt to a hundredth of a pixel.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.runtime.boxes import AnchorShapes

FINE = 4
"""Each pixel of a film is drawn as FINE x FINE, so that its value is the share that a vertebra covers."""
BRIGHTEST = 60_000
Points = NDArray[np.float64]


def coded_film(corners_px: Points, size: tuple[int, int], codes: int | None = None) -> NDArray[np.uint16]:
    """uint16 [rows, columns]: vertebra k is (k + 1) / codes of the brightest value, all else 0."""
    codes = codes or len(corners_px)
    film = np.zeros(size, np.float64)
    for k, quad in enumerate(corners_px):
        left, top = np.floor(quad.min(axis=0)).astype(int) - 1
        width, height = np.ceil(quad.max(axis=0)).astype(int) + 2 - (left, top)
        drawn = np.zeros((height * FINE, width * FINE), np.uint8)
        outline = (quad[[0, 1, 3, 2]] - (left, top) + 0.5) * FINE - 0.5
        cv2.fillConvexPoly(drawn, np.round(outline * 256).astype(np.int32), 255, cv2.LINE_8, 8)
        covered = drawn.reshape(height, FINE, width, FINE).mean(axis=(1, 3)) / 255
        film[top : top + height, left : left + width] += covered * (k + 1) / codes
    return np.round(film * BRIGHTEST).astype(np.uint16)


class Blob(NamedTuple):
    """A vertebra as it is seen: `code` from 0, mean (x, y) and covariance in pixels."""

    code: int
    mean: Points
    covariance: Points
    mask: NDArray[np.bool_]

    @property
    def box(self) -> Points:
        """(cx, cy, width, height, radians) of the rectangle; it is wider than high."""
        values, vectors = np.linalg.eigh(self.covariance)
        height, width = np.sqrt(12 * values)
        along = vectors[:, 1] * np.sign(vectors[0, 1])
        return np.array([*self.mean, width, height, np.arctan2(along[1], along[0])])


def quad_of(box: Points) -> Points:
    """Corners TL, TR, BL, BR of (cx, cy, width, height, radians), also of many."""
    along = np.stack([np.cos(box[..., 4]), np.sin(box[..., 4])], -1) * box[..., 2:3] / 2
    down = np.stack([-np.sin(box[..., 4]), np.cos(box[..., 4])], -1) * box[..., 3:4] / 2
    centre = box[..., :2]
    return np.stack([centre - along - down, centre + along - down, centre - along + down, centre + along + down], -2)


def upright_of(box: Points) -> Points:
    """(cx, cy, width, height, 0) around the rectangle."""
    quad = quad_of(box)
    low, high = quad.min(axis=-2), quad.max(axis=-2)
    return np.concatenate([(low + high) / 2, high - low, np.zeros_like(box[..., :1])], axis=-1)


def blobs(pixels: NDArray[np.float32], codes: int) -> list[Blob]:
    """The vertebrae in a picture whose brightest possible value, 1, is the code `codes`."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((pixels > 0.02).astype(np.uint8), connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height, area = boxes[label].tolist()
        here = slice(top, top + height), slice(left, left + width)
        part, inside = pixels[here], labels[here] == label
        code = round(float(part[inside].max()) * codes)
        if not code or area < 12 or min(width, height) < 4:
            # such as the last row of a head that was cut away
            continue
        weight = np.where(inside, np.clip(part * codes / code, 0, 1), 0.0)
        y, x = np.mgrid[here]
        total = weight.sum()
        mean = np.array([(weight * x).sum(), (weight * y).sum()]) / total
        dx, dy = x - mean[0], y - mean[1]
        moments = np.array([[(weight * dx * dx).sum(), (weight * dx * dy).sum()], [0.0, (weight * dy * dy).sum()]])
        moments[1, 0] = moments[0, 1]
        # a pixel holds the mean over its area
        found.append(Blob(code - 1, mean, moments / total - np.eye(2) / 12, labels == label))
    return found


def middle_blob(pixels: NDArray[np.float32], codes: int) -> Blob | None:
    """The vertebra in the middle of a crop."""
    rows, columns = pixels.shape
    return next((blob for blob in blobs(pixels, codes) if blob.mask[rows // 2, columns // 2]), None)


class Answering:
    """A network that answers with what `answer` makes of its one input."""

    backend = provider = "test"

    def __init__(
        self,
        source: Sequence[int | None],
        targets: Mapping[str, Sequence[int | None]],
        answer: Callable[[NDArray[np.float32]], Sequence[NDArray[Any]]],
    ) -> None:
        self.inputs = (TensorSpec("image", "float32", tuple(source)),)
        self.outputs = tuple(TensorSpec(name, "float32", tuple(shape)) for name, shape in targets.items())
        self.answer = answer
        self.batches: list[int] = []

    def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        (image,) = arrays.values()
        assert image.dtype == np.float32
        assert image.flags.c_contiguous
        assert image.shape[1:] == self.inputs[0].shape[1:]
        self.batches.append(len(image))
        outputs = [np.ascontiguousarray(each, np.float32) for each in self.answer(image)]
        for spec, output in zip(self.outputs, outputs, strict=True):
            assert output.shape == (len(image), *spec.shape[1:]), spec
        return {spec.name: output for spec, output in zip(self.outputs, outputs, strict=True)}

    def close(self) -> None:
        pass

    @property
    def spec(self) -> NetworkSpec:
        return NetworkSpec(inputs=self.inputs, outputs=self.outputs, files={"fp32": "none.onnx"}, opset=20)


def encode(boxes: Points, starts: Points) -> Points:
    """Deltas [n, 4 | 5] from anchors or proposals [n, 4 | 5] to boxes [n, 5], by hand as the papers have them."""
    if starts.shape[1] == 4:
        starts = np.concatenate([(starts[:, :2] + starts[:, 2:]) / 2, starts[:, 2:] - starts[:, :2]], axis=1)
    moved = (boxes[:, :2] - starts[:, :2]) / starts[:, 2:4]
    grown = np.log(boxes[:, 2:4] / starts[:, 2:4])
    turned = boxes[:, 4:] - starts[:, 4:] if starts.shape[1] == 5 else np.empty((len(boxes), 0))
    return np.concatenate([moved, grown, turned], axis=1)


def detections(
    boxes: Points, scores: Points, size: tuple[int, int], shapes: AnchorShapes
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [A, 1] and deltas [A, 4 | 5] of a dense detector that finds boxes [n, 5] with these scores in logits.

    Each is told by a free anchor near it.
    """
    starts = shapes.of(size)
    middles = starts[:, :2] if starts.shape[1] == 5 else (starts[:, :2] + starts[:, 2:]) / 2
    logits, deltas = np.full((len(starts), 1), -9.0), np.zeros(starts.shape)
    free = np.ones(len(starts), bool)
    for box, score in zip(boxes, scores, strict=True):
        near = np.where(free, np.linalg.norm(middles - box[:2], axis=1), np.inf).argmin()
        free[near] = False
        logits[near], deltas[near] = score, encode(box[None], starts[near][None])[0]
    return logits.astype(np.float32), deltas.astype(np.float32)


def pooled(image: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """[h, w] means of stride x stride pixels: a feature map that shows the picture."""
    rows, columns = image.shape
    return image.reshape(rows // stride, stride, columns // stride, stride).mean(axis=(1, 3))


def crop_quad(crop: NDArray[np.float32], codes: int, shape_px: Callable[[int], Points] | None) -> Points:
    """Corners [4, 2] of the middle vertebra in a crop.

    shape_px  code -> its true corners in a square-pixel picture: the crop of an upright box shows them stretched along
              its axes. None: the crop of a turned box, in which the rectangle lies along the axes.
    """
    blob = middle_blob(crop, codes)
    if blob is None:
        return np.tile([(crop.shape[1] - 1) / 2, (crop.shape[0] - 1) / 2], (4, 1))
    spread = np.sqrt(np.diag(blob.covariance))
    if shape_px is None:
        return blob.mean + np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) * np.sqrt(3) * spread
    quad = shape_px(blob.code)
    quad = quad - quad.mean(axis=0)
    across, down = quad[1] - quad[0], quad[2] - quad[0]
    true = np.sqrt((across**2 + down**2) / 12)
    return blob.mean + quad * spread / true


def maps_at(corners_px: Points, size: tuple[int, int], stride: int, sharp: float = 1.0) -> NDArray[np.float32]:
    """Logits [4, h, w] of Gaussians at corners [4, 2] in pixels of the crop."""
    cells = (corners_px + 0.5) / stride - 0.5
    y, x = np.mgrid[0 : size[0] // stride, 0 : size[1] // stride]
    squared = (x - cells[:, :1, None]) ** 2 + (y - cells[:, 1:, None]) ** 2
    return (-squared / (2 * sharp**2)).astype(np.float32)
