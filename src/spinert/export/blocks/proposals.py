"""Region proposals on a feature pyramid: the first stage of Mask R-CNN and of what is made like it."""

from torch import Tensor, nn

from spinert.export.blocks.anchor_heads import ProposalHead
from spinert.export.blocks.fpn import FeaturePyramid
from spinert.export.blocks.resnet import Backbone, Depth

LEVELS = ("p2", "p3", "p4", "p5")
"""Features that regions are cut from, of strides 4, 8, 16, 32; proposals come from a fifth level of stride 64 too."""


class PyramidProposals(nn.Module):
    """Image [N, 1, H, W] -> logits [N, A, 1], deltas [N, A, values], and the features of LEVELS.

    H and W multiples of 32. Lin et al., Feature pyramid networks for object detection, CVPR 2017, section 4.1.
    """

    def __init__(
        self, depth: Depth, width: float, *, channels: int, per_cell: int, hidden: int, values: int = 4
    ) -> None:
        super().__init__()
        self.backbone = Backbone(depth, width)
        self.pyramid = FeaturePyramid(self.backbone.channels, channels, "pool")
        self.head = ProposalHead(channels, per_cell, hidden=hidden, values=values)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        levels = self.pyramid(self.backbone(image))
        return *self.head(levels), *levels[: len(LEVELS)]
