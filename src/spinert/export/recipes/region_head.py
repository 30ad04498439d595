"""Recipe `region_head`: what each proposed region shows and how its box must move, the second stage of an R-CNN.

Khanal et al., Automatic Cobb angle detection using vertebra detector and vertebra corners regression (AASCE challenge,
MICCAI 2019), section 3.1: Faster R-CNN on ResNet-101; "vertebra" or background. These are the defaults.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (same
volume), section 2: the box branch of Mask R-CNN, which tells the 17 vertebrae apart. These are `MASK_RCNN`.

Input  "regions": float32 [N, C, S, S], N regions cut by ROI align from the features of `region_proposals`
Output "logits":  float32 [N, 1 + classes], of the softmax over background and the classes
Output "deltas":  float32 [N, classes, 4], (dx, dy, dw, dh) for each class, for
                  `spinert.runtime.anchors.decode_boxes` on the proposed boxes, weights 10, 10, 5, 5
C is 1024 with the defaults and 256 with `MASK_RCNN`, S is 7.

Left open by the papers: with Khanal et al. regions go through the last stage of the ResNet, of stride 1 as they are
7 x 7 already, and the mean over them (He et al., Deep residual learning, CVPR 2016, appendix A), without hidden layers;
with Zhong et al. through two dense layers of 1024 (Lin et al., Feature pyramid networks, CVPR 2017, section 4.2).
"""

import msgspec
from torch import Tensor, nn

from spinert.export.blocks.resnet import Depth, last_stage, stage_channels
from spinert.export.recipes import Tensors

NETWORK = "regions"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cells` is S; `depth` and `width` those of the backbone, whose last stage works here unless there is a pyramid.

    With `pyramid` regions have `channels` channels and go through two dense layers of `hidden`.
    """

    classes: int = 1
    cells: int = 7
    depth: Depth = 101
    width: float = 1.0
    pyramid: bool = False
    channels: int = 256
    hidden: int = 1024


MASK_RCNN = Options(classes=17, pyramid=True)
"""Of Zhong et al."""


class Mean(nn.Module):
    """Features [N, C, h, w] -> [N, C]."""

    def forward(self, features: Tensor) -> Tensor:
        return features.mean((2, 3))


class RegionHead(nn.Module):
    """Regions [N, C, S, S] -> logits [N, 1 + classes], deltas [N, classes, 4]; see the module."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.classes = options.classes
        if options.pyramid:
            inputs, channels = options.channels * options.cells**2, options.hidden
            self.body = nn.Sequential(
                nn.Flatten(),
                nn.Linear(inputs, channels),
                nn.ReLU(inplace=True),
                nn.Linear(channels, channels),
                nn.ReLU(inplace=True),
            )
        else:
            channels = stage_channels(options.depth, options.width)[3]
            self.body = nn.Sequential(last_stage(options.depth, options.width), Mean())
        self.logits = nn.Linear(channels, 1 + options.classes)
        self.deltas = nn.Linear(channels, 4 * options.classes)
        for layer, deviation in ((self.logits, 0.01), (self.deltas, 0.001)):
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)

    def forward(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(regions)
        return self.logits(features), self.deltas(features).reshape(-1, self.classes, 4)


def tensors(options: Options) -> Tensors:
    """The regions are the batch."""
    channels = options.channels if options.pyramid else stage_channels(options.depth, options.width)[2]
    return Tensors({"regions": (channels, options.cells, options.cells)}, ("logits", "deltas"))


def network(options: Options) -> nn.Module:
    """Cross-entropy trains the logits, smooth L1 the deltas of a region's own class."""
    return RegionHead(options)
