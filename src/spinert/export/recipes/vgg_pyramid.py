"""Recipe `vgg_pyramid`: three Cobb angles from an AP radiograph, learned together with the mask of its spine.

Wang J. et al., A multi-task learning method for direct estimation of spinal curvature (CSI 2019), section 2.1: VGG-11
as encoder, a decoder that ends in the mask; the means (global average pooling) of the encoder's last map and of every
stage of the decoder but the last are joined, and one dense layer gives the angles.

Input  "image":  float32 [N, 1, H, W], radiograph in 0..1, resized with its aspect and padded, H and W multiples of 32
Output "mask":   float32 [N, 2, H, W], logits of background and spine
       "angles": float32 [N, 3] in degrees, in the order of the training labels

Left open by the paper, chosen here: the encoder's last map is that after the fifth pooling; the decoder doubles by
transposed convolutions, reads the encoder's maps of its size and has their widths, two convolutions a stage, as in the
U-Net it cites; batch normalisation (VGG-11 has none, but here it is trained from new weights); image size 512 x 256.
The last layer is linear in units of 90 degrees, as in `spinert.export.blocks.angle_regressor`.
"""

import msgspec
import torch
from torch import Tensor, nn

from spinert.export.blocks import unet
from spinert.export.blocks.angle_regressor import ANGLES, UNIT
from spinert.export.recipes import Tensors

NETWORK = "angles"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width); `widths` and `depths` the channels and convolutions of each stage of the encoder."""

    size: tuple[int, int] = (512, 256)
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    depths: tuple[int, ...] = (1, 1, 2, 2, 2)
    batch_norm: bool = True

    def __post_init__(self) -> None:
        unet.check(self.widths, self.size, 1 << len(self.widths))
        if len(self.depths) != len(self.widths) or min(self.depths) < 1:
            raise ValueError(f"depths {list(self.depths)}: expected one above zero for each of widths")


class VggPyramid(nn.Module):
    """Image [N, 1, H, W] -> mask logits [N, 2, H, W] and angles [N, 3] in degrees."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], batch_norm: bool) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(
            unet.convolutions(inputs, outputs, count, batch_norm)
            for inputs, outputs, count in zip((1, *widths), widths, depths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        block = unet.convolutions if batch_norm else unet.plain_convolutions
        self.decoder = unet.Decoder((*widths, widths[-1]), widths, block, "transposed")
        self.mask = nn.Conv2d(widths[0], 2, 1)
        self.angles = nn.Linear(widths[-1] + sum(widths[1:]), ANGLES)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        encoded, features = [], image
        for stage in self.encoder:
            encoded.append(stage(features))
            features = self.pool(encoded[-1])
        stages = self.decoder([*encoded, features])
        means = [each.mean((2, 3)) for each in (features, *stages[:-1])]
        return self.mask(stages[-1]), UNIT * self.angles(torch.cat(means, 1))


def tensors(options: Options) -> Tensors:
    """One image, its mask and three angles."""
    return Tensors({"image": (1, *options.size)}, ("mask", "angles"))


def network(options: Options) -> nn.Module:
    """With new weights."""
    return VggPyramid(options.widths, options.depths, options.batch_norm)
