"""Recipe `cascaded_unets`: the spine and its centreline in an AP radiograph, by two U-Nets one after the other.

Dubost et al., Automated estimation of the spinal curvature via spine centerline extraction with ensembles of cascaded
neural networks (CSI 2019), section 2.2 and figure 2: U-Nets with fewer feature maps and batch normalisation before
each pooling layer; the second reads nothing but the output of the first; both are trained at once.

Input  "image":      float32 [N, 1, H, W], radiograph divided by its maximum, H and W multiples of 32
Output "mask":       float32 [N, 1, H, W] in 0..1, the spine
       "centreline": float32 [N, 1, H, W] in 0..1, a band round its midline; both are compared with a threshold

The text gives no numbers. Feature maps, levels, image size (1024 x 256), the doubling by nearest neighbours, the width
of the decoders, single last convolutions and 3 x 3 ones at the ends are those of the training program that the
authors have published. Chosen here: both end in a sigmoid where that program has a ReLU, because the maps are
averaged over an ensemble and compared with 0.25, and a ReLU at the end may stop learning.
"""

import msgspec
from torch import Tensor, nn

from spinert.export.blocks import unet
from spinert.export.recipes import Tensors

NETWORK = "centreline"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width); for each of the two networks the channels of its levels down, and up again."""

    size: tuple[int, int] = (1024, 256)
    mask_widths: tuple[int, ...] = (16, 32, 64, 64, 64, 64)
    mask_up_widths: tuple[int, ...] = (16, 16, 16, 16, 16)
    centreline_widths: tuple[int, ...] = (16, 32, 64, 128)
    centreline_up_widths: tuple[int, ...] = (16, 16, 32)

    def __post_init__(self) -> None:
        for widths, up_widths in (
            (self.mask_widths, self.mask_up_widths),
            (self.centreline_widths, self.centreline_up_widths),
        ):
            unet.check(widths, self.size)
            if len(up_widths) != len(widths) - 1:
                raise ValueError(f"{len(widths)} levels down and {len(up_widths)} up: expected one fewer up")


def _down(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(*unet.plain_convolutions(inputs, outputs), nn.BatchNorm2d(outputs))


class MapNet(nn.Module):
    """Map [N, 1, H, W] -> map [N, 1, H, W] in 0..1."""

    def __init__(self, widths: tuple[int, ...], up_widths: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = unet.Encoder(1, widths, _down)
        self.decoder = unet.Decoder(widths, up_widths, unet.plain_convolutions, "nearest")
        below = (*up_widths, widths[-1])[1]
        self.decoder.stages[-1] = unet.convolutions(below + widths[0], up_widths[0], count=1, batch_norm=False)
        self.head = nn.Sequential(nn.Conv2d(up_widths[0], 1, 3, padding=1), nn.Sigmoid())

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(image))[-1])  # type: ignore[no-any-return]


class CascadedUNets(nn.Module):
    """Image [N, 1, H, W] -> mask and centreline, each [N, 1, H, W] in 0..1."""

    def __init__(self, mask: MapNet, centreline: MapNet) -> None:
        super().__init__()
        self.mask, self.centreline = mask, centreline

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        mask = self.mask(image)
        return mask, self.centreline(mask)


def tensors(options: Options) -> Tensors:
    """One image, two maps."""
    return Tensors({"image": (1, *options.size)}, ("mask", "centreline"))


def network(options: Options) -> nn.Module:
    """The mean squared error of both maps trains it."""
    return CascadedUNets(
        MapNet(options.mask_widths, options.mask_up_widths),
        MapNet(options.centreline_widths, options.centreline_up_widths),
    )
