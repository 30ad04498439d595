"""Recipe `pspnet`: background, vertebra and gap between vertebrae of an AP radiograph, pixel by pixel.

Lin et al., Seg4Reg networks for automated spinal curvature estimation (AASCE challenge, MICCAI 2019), sections 2.1 to
2.3: a network "similar to PSPNet" (Zhao et al., Pyramid scene parsing network, CVPR 2017) on ResNet-50 or ResNet-101,
1024 x 512, with dilated convolutions of rates 2, 4 and 6 appended to the pooling pyramid, which keep the resolution and
are summed after the convolutions.

Input  "image": float32 [N, 1, H, W], prepared and equalized radiograph in 0..1, H and W multiples of 8
Output "mask":  float32 [N, classes, H, W], logits of the softmax over background, vertebra, gap

Left open by the paper: the pooling pyramid is that of PSPNet (means over 1 x 1, 2 x 2, 3 x 3 and 6 x 6 regions, a 1 x 1
convolution each); the dilated convolutions are 3 x 3 of as many channels as one of its levels, batch-normalised, and
their sum goes through a ReLU beside the levels; the backbone has the plain 7 x 7 stem and an output stride of 8. Where
sides do not divide by 3 or 6, neighbouring regions share cells, so that one window fits all. No auxiliary loss.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from spinert.export.blocks.resnet import Backbone, Depth, check_size
from spinert.export.recipes import Tensors

NETWORK = "mask"
STRIDE: Literal[8] = 8
"""Input pixels for one cell of the features."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `width` a factor on the backbone's channels; `depth` 50 or 101.

    `bins` are the regions along a side of each level of the pooling pyramid, `dilations` those of the other one.
    """

    size: tuple[int, int] = (1024, 512)
    classes: int = 3
    depth: Depth = 50
    width: float = 1.0
    bins: tuple[int, ...] = (1, 2, 3, 6)
    dilations: tuple[int, ...] = (2, 4, 6)
    dropout: float = 0.1

    def __post_init__(self) -> None:
        check_size(self.size, STRIDE)
        if not self.bins or not self.dilations or min(*self.bins, *self.dilations) < 1:
            raise ValueError(f"bins {list(self.bins)} and dilations {list(self.dilations)}, expected some, all above 0")
        if max(self.bins) > min(self.size) // STRIDE:
            raise ValueError(f"size {list(self.size)} has fewer cells of {STRIDE} pixels than {max(self.bins)} bins")


class Pyramids(nn.Module):
    """Features [N, C, h, w] -> themselves, C / levels channels for each level of means, and as many of wider views."""

    def __init__(self, channels: int, bins: Sequence[int], dilations: Sequence[int]) -> None:
        super().__init__()
        self.bins = tuple(bins)
        reduced = channels // len(bins)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, reduced, 1, bias=False), nn.BatchNorm2d(reduced), nn.ReLU(inplace=True))
            for _ in bins
        )
        self.dilated = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, reduced, 3, padding=rate, dilation=rate, bias=False), nn.BatchNorm2d(reduced)
            )
            for rate in dilations
        )
        self.channels = channels + reduced * (len(bins) + 1)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        parts = [features]
        for bins, level in zip(self.bins, self.levels, strict=True):
            means = level(functional.avg_pool2d(features, *_windows(height, width, bins)))
            parts.append(functional.interpolate(means, (height, width), mode="bilinear"))
        first, *others = [branch(features) for branch in self.dilated]
        for other in others:
            first = first + other
        return torch.cat([*parts, functional.relu(first)], 1)


def _windows(height: int, width: int, bins: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(sides, steps) of bins x bins equal windows that leave no cell out."""
    steps = height // bins, width // bins
    return (height - (bins - 1) * steps[0], width - (bins - 1) * steps[1]), steps


class PspNet(nn.Module):
    """Image [N, 1, H, W] -> logits [N, classes, H, W]; see the module."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.backbone = Backbone(options.depth, options.width, output_stride=STRIDE)
        deepest = self.backbone.channels[-1]
        self.pyramids = Pyramids(deepest, options.bins, options.dilations)
        self.head = nn.Sequential(
            nn.Conv2d(self.pyramids.channels, deepest // 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(deepest // 4),
            nn.ReLU(inplace=True),
            nn.Dropout2d(options.dropout),
            nn.Conv2d(deepest // 4, options.classes, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        logits = self.head(self.pyramids(self.backbone(image)[-1]))
        return functional.interpolate(logits, scale_factor=float(STRIDE), mode="bilinear")


def tensors(options: Options) -> Tensors:
    """One image, a map of logits for each class."""
    return Tensors({"image": (1, *options.size)}, ("mask",))


def network(options: Options) -> nn.Module:
    """Cross-entropy over the classes trains it; a batch of one has no variance of a mean over the whole image."""
    return PspNet(options)
