"""Recipe `hrnet`: the four corners of one vertebra in a crop round its box, from a network that keeps its resolution.

Chen et al., Accurate automated keypoint detections for spinal curvature estimation (AASCE challenge, MICCAI 2019),
sections 2.1 and 3.1, method 1: HRNet-W48 at 384 x 288 as Sun et al. describe it (Deep high-resolution representation
learning for human pose estimation, CVPR 2019): a stem to stride 4, four bottlenecks, then 1, 4 and 3 modules of 2, 3
and 4 branches with four residual blocks each; the maps are made from the finest branch.

Input  "crop":     float32 [N, 1, H, W], a box of the detector in a prepared radiograph in 0..1, H and W multiples of 32
Output "heatmaps": float32 [N, maps, H/4, W/4], logits; channel c is corner c (TL, TR, BL, BR)

Left open by the paper: how much of the film the crop shows round its box; 384 x 288 is height x width as with Sun et
al., though a vertebra is wider than high. The last exchange makes the finest branch only, which alone is used.
"""

import msgspec
from torch import Tensor, nn

from spinert.export.blocks.high_resolution import Module, convolution
from spinert.export.blocks.resnet import check_size
from spinert.export.recipes import Tensors

NETWORK = "corners"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the crop; `width` the channels of the finest branch: 48, 32, 18, or fewer.

    `modules` has the number of modules in the stages with 2, 3 and 4 branches, `blocks` the residual blocks of a branch
    in a module and the bottlenecks before the stages, `stem` the channels there.
    """

    size: tuple[int, int] = (384, 288)
    maps: int = 4
    width: int = 48
    modules: tuple[int, int, int] = (1, 4, 3)
    blocks: int = 4
    stem: int = 64

    def __post_init__(self) -> None:
        check_size(self.size, 32)
        if min(self.modules) < 1:
            raise ValueError(f"modules are {list(self.modules)}, expected at least one in each stage")


class HighResolutionNet(nn.Module):
    """Crop [N, 1, H, W] -> heat-maps [N, maps, H/4, W/4]; see the module."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        stem, widths = options.stem, [options.width << branch for branch in range(4)]
        self.stem = nn.Sequential(*convolution(1, stem, 3, 2), *convolution(stem, stem, 3, 2))
        self.bottlenecks = nn.Sequential(
            Bottleneck(stem, stem), *(Bottleneck(4 * stem, stem) for _ in range(options.blocks - 1))
        )
        self.begin = nn.ModuleList(
            [
                nn.Sequential(*convolution(4 * stem, widths[0])),
                nn.Sequential(*convolution(4 * stem, widths[1], 3, 2)),
                nn.Sequential(*convolution(widths[1], widths[2], 3, 2)),
                nn.Sequential(*convolution(widths[2], widths[3], 3, 2)),
            ]
        )
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    Module(widths[:branches], options.blocks, 1 if branches == 4 and module == count - 1 else branches)
                    for module in range(count)
                )
            )
            for branches, count in zip((2, 3, 4), options.modules, strict=True)
        )
        self.head = nn.Conv2d(widths[0], options.maps, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.001)

    def forward(self, crop: Tensor) -> Tensor:
        features = self.bottlenecks(self.stem(crop))
        first, *new = self.begin
        # the two branches of the first stage come from the same features, each later one from the coarsest so far
        branches = [first(features)]
        coarsest = features
        for begin, stage in zip(new, self.stages, strict=True):
            branches = stage([*branches, begin(coarsest)])
            coarsest = branches[-1]
        return self.head(branches[0])  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """Features [N, inputs, h, w] -> [N, 4 * width, h, w] through a 3 x 3 convolution of `width` channels."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *convolution(inputs, width, 1), *convolution(width, width), *convolution(width, 4 * width, 1, relu=False)
        )
        same = inputs == 4 * width
        self.skip = nn.Identity() if same else nn.Sequential(*convolution(inputs, 4 * width, 1, relu=False))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        return self.relu(self.body(features) + self.skip(features))  # type: ignore[no-any-return]


def tensors(options: Options) -> Tensors:
    """One crop, a heat-map for each corner."""
    return Tensors({"crop": (1, *options.size)}, ("heatmaps",))


def network(options: Options) -> nn.Module:
    """Convolutions begin with a deviation of 0.001, as in the program that Sun et al. have published."""
    return HighResolutionNet(options)
