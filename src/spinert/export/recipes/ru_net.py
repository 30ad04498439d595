"""Recipe `ru_net`: the spine in an AP radiograph, by a residual U-Net.

Zhao et al., Automatic spine curvature estimation by a top-down approach (CSI 2019), section 2.1: a U-Net whose
convolutions are residual modules, 2 x 2 max pooling down, bilinear interpolation up, two maps out.

Input  "image": float32 [N, 1, H, W], prepared radiograph in 0..1, H and W multiples of 16
Output "mask":  float32 [N, 2, H, W], logits of background and spine; their softmax is the probability

Left open by the paper, chosen here: widths (those of the original U-Net), image size 768 x 384, the residual module
(two 3 x 3 convolutions with batch normalisation around an identity, or a 1 x 1 convolution where widths differ),
the order of the classes. As interpolation keeps the channels, a decoder stage reads those of the stage below too.
"""

import msgspec
from torch import nn

from spinert.export.blocks import unet
from spinert.export.blocks.residual import ResidualBlock
from spinert.export.recipes import Tensors

NETWORK = "mask"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `widths` the channels of the levels, each half as large as the last."""

    size: tuple[int, int] = (768, 384)
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)

    def __post_init__(self) -> None:
        unet.check(self.widths, self.size)


def tensors(options: Options) -> Tensors:
    """One image, two maps."""
    return Tensors({"image": (1, *options.size)}, ("mask",))


def network(options: Options) -> nn.Module:
    """With softmax and cross-entropy in training."""
    return unet.UNet(1, 2, options.widths, block=ResidualBlock, upsampling="bilinear")
