"""Recipe `simple_baseline`: corner heat-maps of a film, or of a patch of it, from a ResNet with deconvolutions.

Chen et al., Accurate automated keypoint detections for spinal curvature estimation (AASCE challenge, MICCAI 2019),
sections 2.2 and 3.1, method 2, with the network of Xiao, Wu and Wei (Simple baselines for human pose estimation and
tracking, ECCV 2018): ResNet-152, three deconvolutions 4 x 4 of 256 channels, a 1 x 1 convolution.

Input  "image":    float32 [N, 1, H, W], prepared radiograph (I) or patch (II) in 0..1, H and W multiples of 32
Output "heatmaps": float32 [N, maps, H/4, W/4], logits; channel 4 * v + c is corner c (TL, TR, BL, BR) of vertebra v

Simple Baseline I takes the whole film, after CLAHE, at 384 x 288 to 68 maps: the defaults. Simple Baseline II takes
patches at 256 x 192: `{"size": [256, 192], "maps": 12}`.

Left open by the paper: what the maps of II stand for, where a patch shows n = 4, 6, 8, 10 or 12 corners of one to three
vertebrae, halves among them. Here 12 slots, of the first, second and third vertebra of which the patch shows a pair of
corners, from its top; a slot without a corner has no peak. 384 x 288 and 256 x 192 are height x width, as with Xiao et
al. Heat-maps are Gaussians of 3 (I) or 2 (II) cells in Xiao et al.; whether a recipe's user trains those with a squared
error or a softmax over each map, the network is the same.
"""

import msgspec
from torch import Tensor, nn

from spinert.export.blocks.resnet import Backbone, Depth, check_size
from spinert.export.recipes import Tensors

NETWORK = "landmarks"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image; `width` a factor on the backbone's channels.

    `deconvolution` has the channels of the deconvolutions.
    """

    size: tuple[int, int] = (384, 288)
    maps: int = 68
    depth: Depth = 152
    width: float = 1.0
    deconvolution: int = 256

    def __post_init__(self) -> None:
        check_size(self.size, 32)


class SimpleBaseline(nn.Module):
    """Image [N, 1, H, W] -> heat-maps [N, maps, H/4, W/4]; see the module."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.backbone = Backbone(options.depth, options.width)
        layers: list[nn.Module] = []
        inputs, channels = self.backbone.channels[-1], options.deconvolution
        for _ in range(3):
            layers += [
                nn.ConvTranspose2d(inputs, channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            ]
            inputs = channels
        self.head = nn.Sequential(*layers, nn.Conv2d(channels, options.maps, 1))
        for module in self.head.modules():
            if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
                nn.init.normal_(module.weight, std=0.001)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.backbone(image)[-1])  # type: ignore[no-any-return]


def tensors(options: Options) -> Tensors:
    """One image, one stack of heat-maps."""
    return Tensors({"image": (1, *options.size)}, ("heatmaps",))


def network(options: Options) -> nn.Module:
    """The deconvolutions begin with a deviation of 0.001, as Xiao et al. write."""
    return SimpleBaseline(options)
