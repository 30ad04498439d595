"""Recipe `rotated_corners`: the four corners of a vertebra in its tilted box, upright by rotated ROI align.

Tao et al., Automated spinal curvature assessment from X-ray images using landmarks estimation network via rotation
proposals (AASCE challenge, MICCAI 2019), section 2.2: regions of fixed size, cut along the tilted boxes, go through a
fully convolutional network, "as stated in" Mask R-CNN (He et al., ICCV 2017), which yields 4 landmarks.

Input  "regions":  float32 [N, C, S, S], N boxes cut from the pyramid of `rotated_proposals` (`kernels.box_map` with the
                   stride of the level, `kernels.crop_rotated`)
Output "heatmaps": float32 [N, maps, 4 S, 4 S], logits; channel c is corner c (TL, TR, BL, BR), the softmax over a map
                   its probability

Left open by the paper: all of the network. It is the keypoint head of He et al., section 5: regions of 256 x 14 x 14,
eight 3 x 3 convolutions of 512 channels, a deconvolution 4 x 4 and bilinear interpolation to 56 x 56.
"""

import msgspec
from torch import nn

from spinert.export.blocks.region_maps import begin, convolutions
from spinert.export.recipes import Tensors

NETWORK = "corners"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`channels` are those of the regions, `cells` is S, `convolutions` their number and `hidden` their channels."""

    maps: int = 4
    channels: int = 256
    cells: int = 14
    convolutions: int = 8
    hidden: int = 512


def tensors(options: Options) -> Tensors:
    """The regions are the batch."""
    return Tensors({"regions": (options.channels, options.cells, options.cells)}, ("heatmaps",))


def network(options: Options) -> nn.Module:
    """Cross-entropy of the softmax over each map trains it, with the corner's cell as the target."""
    return begin(
        nn.Sequential(
            *convolutions(options.channels, options.hidden, options.convolutions),
            nn.ConvTranspose2d(options.hidden, options.maps, 4, 2, 1),
            nn.Upsample(scale_factor=2.0, mode="bilinear"),
        )
    )
