"""Recipe `rotated_proposals`: tilted boxes of all vertebrae of an AP radiograph, and features to cut them from.

Tao et al., Automated spinal curvature assessment from X-ray images using landmarks estimation network via rotation
proposals (AASCE challenge, MICCAI 2019), section 2.1: ResNet-50 with a feature pyramid, whose levels propose regions
from anchors of 5 scales, 3 ratios and 3 angles; boxes are (x, y, w, h, theta), theta of -pi/2 to pi/2, trained by its
squared error, the rest as in Mask R-CNN (He et al., ICCV 2017).

Input  "image":  float32 [N, 1, H, W], the refined spine region in 0..1, H and W multiples of 32
Output "logits": float32 [N, A, 1], of the sigmoid that an anchor is a vertebra
Output "deltas": float32 [N, A, 5], (dx, dy, dw, dh, dtheta) for `spinert.runtime.anchors.decode_boxes`, weights 1;
                 dtheta in radians, clockwise on the screen
Output "p2", "p3", "p4", "p5": float32 [N, 256, H/s, W/s], strides s of 4, 8, 16, 32
A counts anchors in the order of `spinert.runtime.anchors.anchors`: strides 4, 8, 16, 32, 64.

Left open by the paper: the 5 scales are one of each level, 32, 64, 128, 256, 512 as in Lin et al. (Feature pyramid
networks, CVPR 2017); ratios 0.5, 1, 2; angles -pi/6, 0, pi/6, of which one lies within 15 degrees of every tilt up to
45; so 9 anchors in a cell. dx and dy are along the axes of the image, not of the box. 1120 x 320 has the aspect of the
paper's refined region, 3.5.
"""

import msgspec
from torch import nn

from spinert.export.blocks.proposals import LEVELS, PyramidProposals
from spinert.export.blocks.resnet import Depth, check_size
from spinert.export.recipes import Tensors

NETWORK = "proposals"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `width` a factor on the backbone's channels, `channels` the pyramid's.

    `per_cell` is the number of anchors of a cell, ratios times angles; `hidden` the channels of the proposal network.
    """

    size: tuple[int, int] = (1120, 320)
    depth: Depth = 50
    width: float = 1.0
    channels: int = 256
    per_cell: int = 9
    hidden: int = 256

    def __post_init__(self) -> None:
        check_size(self.size, 32)


def tensors(options: Options) -> Tensors:
    """One image; an answer for each anchor, and features."""
    return Tensors({"image": (1, *options.size)}, ("logits", "deltas", *LEVELS))


def network(options: Options) -> nn.Module:
    """Cross-entropy trains the logits, smooth L1 the first four deltas, the squared error the fifth."""
    return PyramidProposals(
        options.depth,
        options.width,
        channels=options.channels,
        per_cell=options.per_cell,
        hidden=options.hidden,
        values=5,
    )
