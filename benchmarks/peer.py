"""The same film by torch eager, NumPy and OpenCV: what a careful engineer writes without spinert.

The networks are rebuilt in torch from the ONNX files of the bundle, so both sides hold the same FP32 weights. Around
them the arrangement is the fastest of those tried: clipping before the resize and in uint16, scaling after it, OpenCV
on one thread (its area resize gains nothing from two, its histogram loses), patches by warpAffine from a film that was
reduced to their pixels beforehand, mirrored and plain images in one batch, soft-argmax and moments as matrix products.
What few would do, a histogram for np.percentile, channels_last and folding the normalisation, can be chosen apart. From
the votes of the patches on, both sides take the same steps with spinert's own code.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from spinert.bundle import Bundle
from spinert.export.recipes import landmarks
from spinert.findings import AasceAngles, CobbAngle, Finding, Vertebra
from spinert.image import Image
from spinert.kernels import PlaneMap
from spinert.runtime import patches
from spinert.runtime.pipelines import clustered_landmarks, settings_of
from spinert.runtime.stopwatch import Stopwatch

DESCRIPTION = Path(__file__).resolve().parent.parent / "examples" / "cobb.json"
COARSE, PATCHES = "coarse", "patches"
RADIUS = 3
"""Cells about the highest one whose share of the mass is the confidence, as the pipeline takes it."""


class Measured(NamedTuple):
    """Corners float64 [17, 4, 2] in pixels of the image, the challenge's angles and the Cobb angles in degrees."""

    corners_px: NDArray[np.float64]
    aasce_degrees: NDArray[np.float64]
    cobb_degrees: tuple[float, ...]


def measured(findings: Sequence[Finding]) -> Measured:
    corners = [finding.corners_px for finding in findings if isinstance(finding, Vertebra)]
    (aasce,) = (finding for finding in findings if isinstance(finding, AasceAngles))
    curves = tuple(finding.degrees for finding in findings if isinstance(finding, CobbAngle))
    return Measured(np.array(corners), np.array(aasce.degrees), curves)


def torch_network(bundle: Bundle, name: str) -> nn.Module:
    """LandmarkNet with the bundle's weights, BatchNormalization still in it as in the trained checkpoint.

    Its options are those of `examples/cobb.json`: a bundle does not keep them.

    The ONNX file has every normalisation folded into its convolution. Convolutions are taken in the order in which
    they run; each bias goes into its convolution or, where that has none, into the normalisation behind it.
    """
    graph = onnx.load(bundle.network_file(name, "fp32")).graph
    constants = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    folded = [[constants[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    network = landmarks.network(_options(name)).eval()
    assert isinstance(network, landmarks.LandmarkNet)
    with torch.inference_mode():
        for (convolution, normalisation), (weight, bias) in zip(_layers(network), folded, strict=True):
            convolution.weight.copy_(weight)
            if normalisation is None:
                assert convolution.bias is not None
                convolution.bias.copy_(bias)
            else:  # (x - 0) / sqrt(variance + eps) * 1 + bias, the root being 1
                normalisation.running_mean.zero_()
                normalisation.running_var.fill_(1 - normalisation.eps)
                normalisation.weight.fill_(1.0)
                normalisation.bias.copy_(bias)
    return network


def _options(name: str) -> landmarks.Options:
    described = json.loads(DESCRIPTION.read_bytes())["networks"][name]
    return msgspec.convert(described["options"], landmarks.Options)


def _fold_normalisation(network: nn.Module) -> None:
    """Fold each normalisation into the convolution before it, in place; all of them stand in a Sequential."""
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for index, (layer, after) in enumerate(pairwise(list(sequence))):
            if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                sequence[index], sequence[index + 1] = fuse_conv_bn_eval(layer, after), nn.Identity()


def _layers(network: landmarks.LandmarkNet) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Convolutions in the order in which they run, each with the normalisation that reads its output."""
    ran: list[nn.Module] = []
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]
    hooks = [layer.register_forward_hook(lambda module, _arguments, _result: ran.append(module)) for layer in layers]
    with torch.inference_mode():
        network(torch.zeros(1, 1, 64, 64))
    for hook in hooks:
        hook.remove()
    for module, after in zip(ran, [*ran[1:], None], strict=True):
        if isinstance(module, nn.Conv2d):
            yield module, after if isinstance(after, nn.BatchNorm2d) else None


Window = Callable[[NDArray[np.uint8] | NDArray[np.uint16], tuple[float, float]], tuple[int, int]]
"""Stored values [rows, columns] and two percentiles -> the values at these ranks."""


def window_by_histogram(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], percentiles: tuple[float, float]
) -> tuple[int, int]:
    levels = 1 << (8 * pixels.itemsize)
    counts = cv2.calcHist([pixels], [0], None, [levels], [0, levels]).ravel().astype(np.int64).cumsum()
    ranks = np.ceil(np.asarray(percentiles) / 100 * pixels.size)
    low, high = np.searchsorted(counts, np.maximum(ranks, 1)).tolist()
    return low, high


def window_by_percentile(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], percentiles: tuple[float, float]
) -> tuple[int, int]:
    low, high = np.percentile(pixels, percentiles, method="inverted_cdf").tolist()
    return low, high


class TorchFilm:
    """One decoded radiograph to angles. `folded` folds the normalisation into the convolutions, in torch."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        window: Window = window_by_histogram,
        layout: torch.memory_format = torch.contiguous_format,
        folded: bool = False,
    ) -> None:
        settings = settings_of(bundle.manifest)
        assert isinstance(settings, clustered_landmarks.Settings)
        assert settings.mirrored
        self._settings = settings
        self._window = window
        self._layout = layout
        self._networks: dict[str, nn.Module] = {}
        for name in (COARSE, PATCHES):
            network = torch_network(bundle, name)
            if folded:
                _fold_normalisation(network)
            self._networks[name] = network.to(memory_format=layout)

    def __call__(self, image: Image) -> Measured:
        low, high = self._window(image.pixels, self._settings.preparation.percentiles)
        clipped = np.clip(image.pixels, low, high)
        rough = self._rough(image, clipped, (low, high))
        least = self._settings.least_rough_confidence
        centres = patches.rough_centres(rough.corners, rough.confidence, least=least)
        votes = self._votes(image, clipped, (low, high), centres)
        return measured(clustered_landmarks.measure(image, rough, centres, votes, self._settings, Stopwatch()))

    def _rough(
        self, image: Image, clipped: NDArray[np.uint8] | NDArray[np.uint16], window: tuple[int, int]
    ) -> clustered_landmarks.Rough:
        (rows, columns), (mm_x, mm_y) = image.shape, image.mm_per_pixel_xy
        height, width = _options(COARSE).size
        fit = min(height / (rows * mm_y), width / (columns * mm_x))
        new_rows = int(np.clip(round(rows * mm_y * fit), 1, height))
        new_columns = int(np.clip(round(columns * mm_x * fit), 1, width))
        small = cv2.resize(clipped, (new_columns, new_rows), interpolation=cv2.INTER_AREA)
        top, left = (height - new_rows) // 2, (width - new_columns) // 2
        pixels = np.zeros((height, width), np.float32)
        pixels[top : top + new_rows, left : left + new_columns] = _grey(image, small, window)
        step_x, step_y = columns / new_columns, rows / new_rows
        plane = PlaneMap(step_x, step_y, (0.5 - left) * step_x - 0.5, (0.5 - top) * step_y - 0.5)
        plain, mirrored = self._maps(COARSE, np.stack([pixels, pixels[:, ::-1]])[:, None])
        maps = (plain + _unmirrored(mirrored)) / 2
        cells, confidence, _ = _moments(maps)
        corners = plane.to_image((cells + 0.5) * landmarks.STRIDE - 0.5).reshape(-1, 4, 2)
        sure = confidence.reshape(-1, 4).min(axis=1)
        return clustered_landmarks.Rough(
            image.to_mm(corners), sure, maps.numpy(), plane, float(landmarks.STRIDE), window
        )

    def _votes(
        self,
        image: Image,
        clipped: NDArray[np.uint8] | NDArray[np.uint16],
        window: tuple[int, int],
        centres: NDArray[np.float64],
    ) -> patches.Votes:
        numbers, size = self._settings.patches, _options(PATCHES).size
        at = patches.places(len(centres), step=numbers.step, beyond=numbers.beyond)
        maps = patches.patch_maps(patches.frames(centres, at), size, vertebrae=numbers.height)
        in_px = (
            np.concatenate([maps.matrix, maps.origin[..., None]], axis=-1) / np.array(image.mm_per_pixel_xy)[:, None]
        )
        reduced = max(1.0, float(np.linalg.norm(in_px[:, :, :2], axis=1).min()))
        small = cv2.resize(clipped, None, fx=1 / reduced, fy=1 / reduced, interpolation=cv2.INTER_AREA)
        grey = _grey(image, small, window)
        outside = float(image.inverted)
        in_px[:, :, 2] = (in_px[:, :, 2] + 0.5) / reduced - 0.5
        in_px[:, :, :2] /= reduced
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crops = np.stack([cv2.warpAffine(grey, each, size[::-1], flags=how, borderValue=outside) for each in in_px])
        seen = patches.normalized(crops)
        logits = self._maps(PATCHES, np.concatenate([seen, seen[..., ::-1]])[:, None])
        plain, mirrored = logits.chunk(2)
        every = torch.cat([plain, _unmirrored(mirrored)])
        count, channels = every.shape[:2]
        cells, _, covariance = _moments(every.flatten(0, 1))
        shape = (count, channels // 4, 4)
        matrix, origin = np.tile(maps.matrix, (2, 1, 1)), np.tile(maps.origin, (2, 1))
        in_patch = ((cells + 0.5) * landmarks.STRIDE - 0.5).reshape(*shape, 2)
        points = np.einsum("pij,pscj->psci", matrix, in_patch) + origin[:, None, None]
        spread = covariance.reshape(*shape, 2, 2) * landmarks.STRIDE**2
        turn = matrix[:, None, None]
        pitch = size[0] / numbers.height
        return patches.Votes(
            points, turn @ spread @ turn.swapaxes(-1, -2), np.sqrt(np.trace(spread, axis1=-2, axis2=-1)) / pitch
        )

    @torch.inference_mode()
    def _maps(self, name: str, images: NDArray[np.float32]) -> Tensor:
        source = torch.from_numpy(np.ascontiguousarray(images)).contiguous(memory_format=self._layout)
        return self._networks[name](source).contiguous()  # type: ignore[no-any-return]


def _grey(
    image: Image, clipped: NDArray[np.uint8] | NDArray[np.uint16], window: tuple[int, int]
) -> NDArray[np.float32]:
    low, high = window
    grey = (clipped.astype(np.float32) - np.float32(low)) * np.float32(1 / max(high - low, 1))
    return 1 - grey if image.inverted else grey


def _unmirrored(maps: Tensor) -> Tensor:
    """Maps [.., 4 v, h, w] of a mirrored image, as they lie in the image."""
    order = torch.arange(maps.shape[-3]).view(-1, 4)[:, list(patches.MIRRORED)].flatten()
    return maps.index_select(-3, order).flip(-1)


@torch.inference_mode()
def _moments(logits: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of maps [m, h, w]: mean place (x, y) in cells [m, 2], share of mass about the highest cell [m], covariance."""
    maps, height, width = logits.shape
    share = logits.flatten(1).softmax(-1)
    highest = share.argmax(-1)
    share = share.view(maps, height, width)
    x, y = torch.arange(width).float(), torch.arange(height).float()
    along_x, along_y = share.sum(1), share.sum(2)
    mean = torch.stack([along_x @ x, along_y @ y], -1)
    xy = ((share @ x) * y).sum(-1) - mean[:, 0] * mean[:, 1]
    xx, yy = along_x @ x**2 - mean[:, 0] ** 2, along_y @ y**2 - mean[:, 1] ** 2
    near_x = ((x - (highest % width)[:, None]).abs() <= RADIUS).float()
    near_y = ((y - (highest // width)[:, None]).abs() <= RADIUS).float()
    confidence = (near_y[:, None] @ share @ near_x[:, :, None]).flatten()
    covariance = torch.stack([xx, xy, xy, yy], -1).view(maps, 2, 2)
    return tuple(each.numpy().astype(np.float64) for each in (mean, confidence, covariance))  # type: ignore[return-value]
