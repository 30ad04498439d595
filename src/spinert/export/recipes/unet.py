"""Recipe `unet`: U-Nets A to E of a coarse-to-fine landmark search, one architecture with different maps.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment
(CSI 2019), section 2. The last map of each is the background, one minus the sum of the others.

    A  {"maps": 2}                      whole spine, background; of the whole image
    B  {"maps": 2}                      target spine, background; of the image times map 0 of A
    C  {"maps": 18}                     the centre region (box) of 17 vertebrae, background; as B
    D  {"maps": 2, "size": [128, 128]}  the box of the vertebra in the middle of a patch, background
    E  {"maps": 5, "size": [128, 128]}  Gaussians at its corners TL, TR, BL, BR, background

Input  "image": float32 [N, channels, H, W], prepared radiograph or patch of it in 0..1, H and W multiples of 16
Output "maps":  float32 [N, maps, H, W] in 0..1, of each pixel summing to one

Left open by the paper, chosen here: depth and widths (those of the U-Net it cites), batch normalisation (which that one
has not), padding, the sizes of image and patch, and the end: a softmax over the maps, for which the background
that complements them asks. It is in the graph, so that maps can be multiplied with each other and compared with 0.5.
"""

import msgspec
from torch import nn

from spinert.export.blocks import unet
from spinert.export.recipes import Tensors

NETWORK = "maps"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `widths` the channels of the levels, each half as large as the last."""

    size: tuple[int, int] = (768, 384)
    channels: int = 1
    maps: int = 2
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    batch_norm: bool = True

    def __post_init__(self) -> None:
        unet.check(self.widths, self.size)


def tensors(options: Options) -> Tensors:
    """One image, one stack of maps."""
    return Tensors({"image": (options.channels, *options.size)}, ("maps",))


def network(options: Options) -> nn.Module:
    """As U-Net A, unless `maps` says otherwise."""
    block = unet.convolutions if options.batch_norm else unet.plain_convolutions
    return nn.Sequential(unet.UNet(options.channels, options.maps, options.widths, block=block), nn.Softmax(1))
