"""Recipe `retinanet`: the boxes of all vertebrae of an AP radiograph, from one dense detector.

Chen et al., Accurate automated keypoint detections for spinal curvature estimation (AASCE challenge, MICCAI 2019),
sections 2.1 and 3.1, method 1: RetinaNet with ResNet-50-FPN as Lin et al. describe it (Focal loss for dense object
detection, ICCV 2017): levels P3 to P7 of strides 8 to 128, nine anchors in a cell, two towers of four convolutions.

Input  "image":  float32 [N, 1, H, W], prepared radiograph in 0..1, H and W multiples of 32
Output "logits": float32 [N, A, 1], of the sigmoid that an anchor is a vertebra
Output "deltas": float32 [N, A, 4], (dx, dy, dw, dh) for `spinert.runtime.anchors.decode_boxes`, weights 1
A counts the anchors of all levels in the order of `spinert.runtime.anchors.anchors`: (168 * 100 + 84 * 50 + 42 * 25
+ 21 * 13 + 11 * 7) * 9 = 201,600 at 1344 x 800. Strides s of 8, 16, 32, 64, 128; for each the sizes 4 s, 4 s * 2^(1/3),
4 s * 2^(2/3); ratios 0.5, 1, 2.

Left open by the paper: the size of the image (the 800 x 1333 of Lin et al., upright and up to multiples of 32); one
class, a vertebra of any level. P6 comes from C5, as Lin et al. write. The ResNet is trained with batch normalisation.
"""

import msgspec
from torch import Tensor, nn

from spinert.export.blocks.anchor_heads import RetinaHead
from spinert.export.blocks.fpn import FeaturePyramid
from spinert.export.blocks.resnet import Backbone, Depth, check_size
from spinert.export.recipes import Tensors

NETWORK = "detector"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `width` a factor on the backbone's channels, `channels` the pyramid's.

    `per_cell` is the number of anchors, sizes times ratios; `tower` the convolutions of each tower.
    """

    size: tuple[int, int] = (1344, 800)
    depth: Depth = 50
    width: float = 1.0
    channels: int = 256
    per_cell: int = 9
    tower: int = 4

    def __post_init__(self) -> None:
        check_size(self.size, 32)


class RetinaNet(nn.Module):
    """Image [N, 1, H, W] -> logits [N, A, 1], deltas [N, A, 4]; see the module."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.backbone = Backbone(options.depth, options.width)
        self.pyramid = FeaturePyramid(self.backbone.channels[1:], options.channels, "convolutions")
        self.head = RetinaHead(options.channels, options.per_cell, depth=options.tower)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.pyramid(self.backbone(image)[1:]))  # type: ignore[no-any-return]


def tensors(options: Options) -> Tensors:
    """One image, one answer for each anchor."""
    return Tensors({"image": (1, *options.size)}, ("logits", "deltas"))


def network(options: Options) -> nn.Module:
    """Focal loss (alpha 0.25, gamma 2) trains the logits, smooth L1 the deltas of anchors that lie on a vertebra."""
    return RetinaNet(options)
