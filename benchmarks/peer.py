"""The same film by torch eager, NumPy and OpenCV: what a careful engineer writes without spinert.

The network is rebuilt in torch from the ONNX file of the bundle, so both sides hold the same FP32 weights. Around it
the arrangement is the fastest of those tried: clipping before the resize and in uint16, scaling after it, OpenCV on one
thread (its area resize gains nothing from two, its histogram loses), and soft-argmax as matrix products. What few would
do, a histogram for np.percentile, channels_last and folding the normalisation, can be chosen apart.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from spinert.bundle import Bundle
from spinert.export.recipes.landmarks import INPUT_NAME, STRIDE, LandmarkNet
from spinert.image import Image
from spinert.runtime import cobb
from spinert.runtime.landmark_checks import check_landmarks
from spinert.runtime.pipelines import settings_of
from spinert.runtime.pipelines.cobb_landmarks import Settings


class Measured(NamedTuple):
    """Corners float64 [17, 4, 2] in pixels of the image, the challenge's angles and the Cobb angles in degrees."""

    corners_px: NDArray[np.float64]
    aasce_degrees: NDArray[np.float64]
    cobb_degrees: tuple[float, ...]


def torch_network(bundle: Bundle) -> nn.Module:
    """LandmarkNet with the bundle's weights, BatchNormalization still in it as in the trained checkpoint.

    The ONNX file has every normalisation folded into its convolution. Convolutions are taken in the order in which
    they run; each bias goes into its convolution or, where that has none, into the normalisation behind it.
    """
    graph = onnx.load(bundle.network_file("landmarks", "fp32")).graph
    constants = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    folded = [[constants[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    network = LandmarkNet().eval()
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


def _fold_normalisation(network: nn.Module) -> None:
    """Fold each normalisation into the convolution before it, in place; all of them stand in a Sequential."""
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for index, (layer, after) in enumerate(pairwise(list(sequence))):
            if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                sequence[index], sequence[index + 1] = fuse_conv_bn_eval(layer, after), nn.Identity()


def _layers(network: LandmarkNet) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
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
        assert isinstance(settings, Settings)
        self._settings = settings
        self._window = window
        (source,) = bundle.manifest.networks["landmarks"].inputs
        height, width = source.shape[2:]
        assert source.name == INPUT_NAME
        assert height is not None
        assert width is not None
        self._size = height, width
        network = torch_network(bundle)
        if folded:
            _fold_normalisation(network)
        self._layout = layout
        self._network = network.to(memory_format=layout)

    def __call__(self, image: Image) -> Measured:
        pixels, scale, corner = self._prepare(image)
        cells, _confidence = self._find(pixels)
        network_px = (cells.reshape(-1, 4, 2) + 0.5) * STRIDE - 0.5
        corners_px = (network_px - corner + 0.5) * scale - 0.5
        check_landmarks(corners_px, image)
        curves = cobb.clinical_curves(
            image.to_mm(corners_px), self._settings.class_names, threshold_deg=self._settings.least_cobb_degrees
        )
        aasce = cobb.aasce_angles(corners_px, image.shape[0])
        return Measured(corners_px, aasce, tuple(curve.degrees for curve in curves))

    def _prepare(self, image: Image) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Network input [H, W], image pixels for one of its pixels (x, y), and where the image lies in it (x, y)."""
        (rows, columns), (mm_x, mm_y) = image.shape, image.mm_per_pixel_xy
        low, high = self._window(image.pixels, self._settings.percentiles)
        height, width = self._size
        fit = min(height / (rows * mm_y), width / (columns * mm_x))
        new_rows = int(np.clip(round(rows * mm_y * fit), 1, height))
        new_columns = int(np.clip(round(columns * mm_x * fit), 1, width))
        clipped = np.clip(image.pixels, low, high)
        small = cv2.resize(clipped, (new_columns, new_rows), interpolation=cv2.INTER_AREA)
        window = (small.astype(np.float32) - np.float32(low)) * np.float32(1 / max(high - low, 1))
        top, left = (height - new_rows) // 2, (width - new_columns) // 2
        pixels = np.zeros((height, width), np.float32)
        pixels[top : top + new_rows, left : left + new_columns] = 1 - window if image.inverted else window
        return pixels, np.array([columns / new_columns, rows / new_rows]), np.array([left, top], np.float64)

    @torch.inference_mode()
    def _find(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean position (x, y) in cells [68, 2] and the share of the mass around the highest cell [68]."""
        source = torch.from_numpy(pixels)[None, None].contiguous(memory_format=self._layout)
        logits = self._network(source)[0].contiguous()
        maps, height, width = logits.shape
        share = logits.flatten(1).softmax(-1)
        highest = share.argmax(-1)
        share = share.view(maps, height, width)
        x, y = torch.arange(width), torch.arange(height)
        position = torch.stack([share.sum(1) @ x.float(), share.sum(2) @ y.float()], -1)
        near_x, near_y = self._near(x, highest % width), self._near(y, highest // width)
        confidence = (near_y[:, None] @ share @ near_x[:, :, None]).flatten()
        return position.numpy().astype(np.float64), confidence.numpy().astype(np.float64)

    def _near(self, cells: Tensor, centre: Tensor) -> Tensor:
        return ((cells - centre[:, None]).abs() <= self._settings.confidence_radius_cells).float()
