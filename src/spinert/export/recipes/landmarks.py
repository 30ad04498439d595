"""Recipe `landmarks`: corner heat-maps of an AP radiograph, or of a patch of one, from one compact network.

Input  "image":    float32 [N, 1, H, W], prepared radiograph in 0..1, H and W multiples of 32
Output "heatmaps": float32 [N, maps, H/4, W/4], logits; channel 4 * v + c is corner c (TL, TR, BL, BR) of
                   vertebra v (of 68 maps 0 = T1 .. 16 = L5). The softmax over a map is the corner's probability.

Own design (no paper): a residual encoder to stride 32, dilated blocks there so that one cell sees the whole
spine (a vertebra's level can only be told by counting from an end), and a narrow top-down path to stride 4.
4.2 GMAC at 768 x 320. Nearest up-sampling and plain 3 x 3 convolutions quantize well and run on every backend.
"""

import itertools

import msgspec
from torch import Tensor, nn
from torch.nn import functional

from spinert.export.blocks.residual import ResidualBlock
from spinert.export.recipes import Tensors

INPUT_NAME = "image"
OUTPUT_NAME = "heatmaps"
DEFAULT_SIZE = (768, 320)
"""Height and width of the network input in pixels."""
MAPS = 68
STRIDE = 4

NETWORK = "landmarks"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the image, multiples of 32; `widths` the channels of the stem and of each stage."""

    size: tuple[int, int] = DEFAULT_SIZE
    maps: int = MAPS
    widths: tuple[int, ...] = (16, 32, 96, 128, 160)
    top_down: int = 64


class LandmarkNet(nn.Module):
    """Image [N, 1, H, W] -> corner logits [N, maps, H/4, W/4]; see the module for the meaning of both."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 96, 128, 160), top_down: int = 64, maps: int = MAPS) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        self.encoder = nn.ModuleList(
            nn.Sequential(ResidualBlock(inputs, outputs, 2), ResidualBlock(outputs, outputs))
            for inputs, outputs in itertools.pairwise(widths)
        )
        deepest = widths[-1]
        self.context = nn.Sequential(
            ResidualBlock(deepest, deepest, dilation=2), ResidualBlock(deepest, deepest, dilation=4)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(width, top_down, 1) for width in widths[1:])
        self.smooth = nn.ModuleList(ResidualBlock(top_down, top_down) for _ in widths[1:-1])
        self.head = nn.Conv2d(top_down, maps, 1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.stem(image)
        pyramid = []
        for level in self.encoder:
            features = level(features)
            pyramid.append(features)
        pyramid[-1] = self.context(pyramid[-1])
        merged = self.lateral[-1](pyramid[-1])
        for depth in range(len(pyramid) - 2, -1, -1):
            merged = functional.interpolate(merged, scale_factor=2.0, mode="nearest") + self.lateral[depth](
                pyramid[depth]
            )
            merged = self.smooth[depth](merged)
        return self.head(merged)  # type: ignore[no-any-return]


def tensors(options: Options) -> Tensors:
    """One image, one stack of heat-maps."""
    return Tensors({INPUT_NAME: (1, *options.size)}, (OUTPUT_NAME,))


def network(options: Options) -> nn.Module:
    """As `examples/train_landmarks.py`, `train_coarse.py` and `train_patches.py` train it."""
    return LandmarkNet(options.widths, options.top_down, options.maps)
