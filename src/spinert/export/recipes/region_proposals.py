"""Recipe `region_proposals`: the first stage of Faster R-CNN and of Mask R-CNN, as one dense network.

Khanal et al., Automatic Cobb angle detection using vertebra detector and vertebra corners regression (AASCE challenge,
MICCAI 2019), section 3.1: Faster R-CNN (Ren et al., NeurIPS 2015) on ResNet-101, anchors of areas 64^2 and 128^2 and
aspect ratios 1:1 and 2:1, images rescaled to sides of 600 to 1000 pixels. These are the defaults.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (same
volume), section 2, "Global Stage Detection": Mask R-CNN (He et al., ICCV 2017). These are `MASK_RCNN`.

Input  "image":    float32 [N, 1, H, W], prepared radiograph in 0..1 (times the mask of the spine with Zhong et al.)
Output "logits":   float32 [N, A, 1], of the sigmoid that an anchor is a vertebra
Output "deltas":   float32 [N, A, 4], (dx, dy, dw, dh) for `spinert.runtime.anchors.decode_boxes`, weights 1
Output "features": float32 [N, C, H/16, W/16], what the regions of `region_head` are cut from; C is 1024
   with `pyramid` instead "p2", "p3", "p4", "p5": [N, 256, H/s, W/s], strides s of 4, 8, 16, 32
A counts anchors in the order of `spinert.runtime.anchors.anchors`. Default: stride 16, sizes 64 and 128, ratios
(height / width) 1 and 0.5, as a vertebra is wider than high. `MASK_RCNN`: strides 4, 8, 16, 32, 64, one size of 32,
64, 128, 256, 512 each, ratios 0.5, 1, 2. Which level a proposal's region is cut from: Lin et al., CVPR 2017, eq. 1.

Left open by the papers: the sizes 992 x 608 and 1344 x 800 (He et al.: 800 pixels) and the backbone of Zhong et al.,
where He et al. have several: ResNet-50-FPN. With Khanal et al. the features are those of stride 16, behind the third
stage of the ResNet; the proposal network has 512 channels there (Ren et al.), and 256 on a pyramid (Lin et al.).
"""

import msgspec
from torch import Tensor, nn

from spinert.export.blocks.anchor_heads import ProposalHead
from spinert.export.blocks.proposals import LEVELS, PyramidProposals
from spinert.export.blocks.resnet import Backbone, Depth, check_size
from spinert.export.recipes import Tensors

NETWORK = "proposals"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `width` a factor on the backbone's channels, `channels` the pyramid's.

    `per_cell` is the number of anchors of a cell, `hidden` the channels of the proposal network.
    """

    size: tuple[int, int] = (992, 608)
    depth: Depth = 101
    width: float = 1.0
    pyramid: bool = False
    channels: int = 256
    per_cell: int = 4
    hidden: int = 512

    def __post_init__(self) -> None:
        check_size(self.size, 32 if self.pyramid else 16)


MASK_RCNN = Options(size=(1344, 800), depth=50, pyramid=True, per_cell=3, hidden=256)
"""Of Zhong et al."""


class Proposals(nn.Module):
    """Image [N, 1, H, W] -> logits [N, A, 1], deltas [N, A, 4], features [N, C, H/16, W/16]; see the module."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.backbone = Backbone(options.depth, options.width, stages=3)
        self.head = ProposalHead(self.backbone.channels[-1], options.per_cell, hidden=options.hidden)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        features = self.backbone(image)[-1]
        return *self.head([features]), features


def tensors(options: Options) -> Tensors:
    """One image; an answer for each anchor, and features."""
    features = LEVELS if options.pyramid else ("features",)
    return Tensors({"image": (1, *options.size)}, ("logits", "deltas", *features))


def network(options: Options) -> nn.Module:
    """Binary cross-entropy trains the logits, smooth L1 the deltas of the anchors that lie on a vertebra."""
    if not options.pyramid:
        return Proposals(options)
    return PyramidProposals(
        options.depth, options.width, channels=options.channels, per_cell=options.per_cell, hidden=options.hidden
    )
