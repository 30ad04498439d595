"""Recipe `boundary_unet`: the two boundary curves of the spine in an AP radiograph.

Wang S. et al., Spinal curve guide network (SCG-Net) for accurate automated spinal curvature estimation (CSI 2019),
section 2.1: a U-Net with two skip connections, at full size and at a quarter of it, and pyramid pooling at the bottom.

Input  "image":      float32 [N, 1, H, W], prepared radiograph in 0..1, H and W multiples of 96
Output "boundaries": float32 [N, 2, H, W] in 0..1, left and right boundary, each thickened to a band

Left open by the paper, chosen here: depth and widths (those of the U-Net it cites), batch normalisation, image size
768 x 384, bins of the pooling (1, 2, 3, 6, as in the network it is from). Each map ends in a sigmoid of its own: the
bands may touch, and the regressor reads them as they are. Pooling is over fixed windows, hence multiples of 96.
"""

import math

import msgspec
from torch import nn

from spinert.export.blocks import unet
from spinert.export.blocks.pyramid_pooling import PyramidPooling
from spinert.export.recipes import Tensors

NETWORK = "boundaries"
SKIPS = (0, 2)
"""Levels at full size and at a quarter of it."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width); `widths` the channels of the levels; `bins` the rows and columns of each pooling."""

    size: tuple[int, int] = (768, 384)
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    bins: tuple[int, ...] = (1, 2, 3, 6)

    def __post_init__(self) -> None:
        unet.check(self.widths, self.size, unet.divisor(self.widths) * math.lcm(*self.bins))
        if len(self.widths) < 4:
            raise ValueError(
                f"widths {list(self.widths)}: expected four levels or more, the third has a skip connection"
            )


def tensors(options: Options) -> Tensors:
    """One image, two maps."""
    return Tensors({"image": (1, *options.size)}, ("boundaries",))


def network(options: Options) -> nn.Module:
    """Its first part alone gives logits."""
    bottom = PyramidPooling(options.widths[-1], options.bins)
    return nn.Sequential(
        unet.UNet(1, 2, options.widths, block=unet.convolutions, skips=SKIPS, bottom=bottom), nn.Sigmoid()
    )
