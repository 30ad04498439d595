"""Recipe `mask_head`: the mask of the vertebra in each detected box, the third head of Mask R-CNN.

Zhong et al., A coarse-to-fine deep heatmap regression method for adolescent idiopathic scoliosis assessment (AASCE
challenge, MICCAI 2019), section 2, "Global Stage Detection": Mask R-CNN (He et al., ICCV 2017) predicts box masks,
bounding boxes and the order of the vertebrae. `region_proposals` and `region_head` with their `MASK_RCNN` find the
boxes; this network is run on those that stay, which is why it is one of its own.

Input  "regions": float32 [N, C, S, S], N boxes cut by ROI align from the pyramid of `region_proposals`
Output "masks":   float32 [N, classes, 2 S, 2 S], logits of the sigmoid; the map of the box's own class counts

As with He et al. on a pyramid: regions of 256 x 14 x 14, four 3 x 3 convolutions of 256 channels, a deconvolution 2 x 2
to 28 x 28, a 1 x 1 convolution to each class. The paper leaves all of it open.
"""

import msgspec
from torch import nn

from spinert.export.blocks.region_maps import begin, convolutions
from spinert.export.recipes import Tensors

NETWORK = "masks"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`channels` are those of the regions, `cells` is S, `convolutions` their number and `hidden` their channels."""

    classes: int = 17
    channels: int = 256
    cells: int = 14
    convolutions: int = 4
    hidden: int = 256


def tensors(options: Options) -> Tensors:
    """The regions are the batch."""
    return Tensors({"regions": (options.channels, options.cells, options.cells)}, ("masks",))


def network(options: Options) -> nn.Module:
    """Binary cross-entropy on the map of a box's own class trains it."""
    hidden = options.hidden
    return begin(
        nn.Sequential(
            *convolutions(options.channels, hidden, options.convolutions),
            nn.ConvTranspose2d(hidden, hidden, 2, 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, options.classes, 1),
        )
    )
