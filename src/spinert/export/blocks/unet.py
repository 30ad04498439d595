"""U-Nets (Ronneberger et al., 2015) as encoder and decoder, with what their descendants change as parameters.

Convolutions are padded, so that a map has the size of its image; the original crops instead.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Block = Callable[[int, int], nn.Module]
"""From the numbers of channels that come in and go out to layers that keep the size."""
Upsampling = Literal["transposed", "bilinear", "nearest"]


def convolutions(inputs: int, outputs: int, count: int = 2, batch_norm: bool = True) -> nn.Sequential:
    """`count` 3 x 3 convolutions, each with ReLU and, before it, batch normalisation in place of a bias."""
    layers: list[nn.Module] = []
    for _ in range(count):
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.ReLU(inplace=True))
        inputs = outputs
    return nn.Sequential(*layers)


def plain_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3 x 3 convolutions with bias and ReLU, as in the original."""
    return convolutions(inputs, outputs, batch_norm=False)


def upsampled(kind: Upsampling, inputs: int, outputs: int) -> tuple[nn.Module, int]:
    """The layer that doubles height and width, and its channels: only a transposed convolution changes them."""
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 2, 2), outputs
    if kind == "bilinear":
        return nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False), inputs
    return nn.Upsample(scale_factor=2.0, mode="nearest"), inputs


class Encoder(nn.Module):
    """Image [N, C, H, W] -> features of every level, [N, widths[k], H / 2^k, W / 2^k]."""

    def __init__(self, inputs: int, widths: Sequence[int], block: Block) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            block(below, width) for below, width in zip((inputs, *widths), widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)

    def forward(self, image: Tensor) -> list[Tensor]:
        features = [self.levels[0](image)]
        for level in list(self.levels)[1:]:
            features.append(level(self.pool(features[-1])))
        return features


class Decoder(nn.Module):
    """Features of every level -> features of the decoder's stages, the deepest first, the last at full size.

    encoded   channels of the encoder's levels
    widths    channels of the decoder's stages in the order of the encoder's levels, one fewer
    skips     levels that are handed across; all where None
    """

    def __init__(
        self,
        encoded: Sequence[int],
        widths: Sequence[int],
        block: Block,
        upsampling: Upsampling,
        skips: Collection[int] | None = None,
    ) -> None:
        super().__init__()
        self.skips = set(range(len(widths)) if skips is None else skips)
        self.ups, self.stages = nn.ModuleList(), nn.ModuleList()
        below = encoded[-1]
        for level in reversed(range(len(widths))):
            up, channels = upsampled(upsampling, below, widths[level])
            self.ups.append(up)
            self.stages.append(block(channels + (encoded[level] if level in self.skips else 0), widths[level]))
            below = widths[level]

    def forward(self, encoded: list[Tensor]) -> list[Tensor]:
        stages: list[Tensor] = []
        features = encoded[-1]
        for depth, (up, stage) in enumerate(zip(self.ups, self.stages, strict=True)):
            features = up(features)
            level = len(self.stages) - 1 - depth
            if level in self.skips:
                features = torch.cat([encoded[level], features], 1)
            features = stage(features)
            stages.append(features)
        return stages


class UNet(nn.Module):
    """Image [N, inputs, H, W] -> [N, outputs, H, W] without an activation; H and W multiples of `divisor(widths)`.

    widths   channels of the encoder's levels, and of the decoder's stages
    skips    levels that are handed across; all where None
    bottom   from the deepest features to as many channels
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        widths: Sequence[int],
        *,
        block: Block,
        upsampling: Upsampling = "transposed",
        skips: Collection[int] | None = None,
        bottom: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(inputs, widths, block)
        self.bottom = bottom or nn.Identity()
        self.decoder = Decoder(widths, widths[:-1], block, upsampling, skips)
        self.head = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        encoded = self.encoder(image)
        encoded[-1] = self.bottom(encoded[-1])
        return self.head(self.decoder(encoded)[-1])  # type: ignore[no-any-return]


def divisor(widths: Sequence[int]) -> int:
    """What height and width must be multiples of: each level but the first halves them."""
    return 1 << (len(widths) - 1)


def check(widths: Sequence[int], size: tuple[int, int], multiple: int | None = None) -> None:
    """Raises ValueError where the size (height, width) cannot be halved once for each level, or there are too few."""
    if len(widths) < 2:
        raise ValueError(f"widths {list(widths)}: expected two levels or more")
    multiple = multiple or divisor(widths)
    if any(edge < 1 or edge % multiple for edge in size):
        raise ValueError(f"size {list(size)}: expected height and width in multiples of {multiple}")
