"""Residual networks (He et al., Deep residual learning for image recognition, CVPR 2016) as backbones, from MONAI.

The stride of a bottleneck is that of its 3 x 3 convolution, as in all programs in use today; the paper has it in the
first 1 x 1. One input channel: a radiograph has no colours.
"""

from typing import Any, Literal

from torch import Tensor, nn

Depth = Literal[10, 14, 18, 34, 50, 101, 152]
"""Layers of the network; 10 and 14, with one block in each stage, are for small networks and not of the paper."""
STRIDES = (4, 8, 16, 32)
"""Input pixels for one cell behind each stage."""

_STAGES: dict[int, tuple[str, list[int]]] = {
    10: ("basic", [1, 1, 1, 1]),
    14: ("bottleneck", [1, 1, 1, 1]),
    18: ("basic", [2, 2, 2, 2]),
    34: ("basic", [3, 4, 6, 3]),
    50: ("bottleneck", [3, 4, 6, 3]),
    101: ("bottleneck", [3, 4, 23, 3]),
    152: ("bottleneck", [3, 8, 36, 3]),
}


class Backbone(nn.Module):
    """Image [N, 1, H, W] -> the features behind each stage, [N, channels[i], H / STRIDES[i], W / STRIDES[i]], upwards.

    width          factor on the channels: 64, 128, 256, 512, four times as many behind bottlenecks
    stages         how many, up to 4
    output_stride  8 or 16: stages beyond it keep the resolution and dilate their 3 x 3 convolutions instead, all of a
                   stage alike (Zhao et al., PSPNet, CVPR 2017)
    """

    def __init__(
        self, depth: Depth, width: float = 1.0, *, stages: int = 4, output_stride: Literal[8, 16, 32] = 32
    ) -> None:
        super().__init__()
        whole = _resnet(depth, width)
        self.stem = nn.Sequential(whole.conv1, whole.bn1, nn.ReLU(inplace=True), whole.maxpool)
        self.stages = nn.ModuleList((whole.layer1, whole.layer2, whole.layer3, whole.layer4)[:stages])
        self.channels = stage_channels(depth, width)[:stages]
        for stage, stride in zip(self.stages, STRIDES, strict=False):
            if stride > output_stride:
                _keep_resolution(stage, stride // output_stride)

    def forward(self, image: Tensor) -> list[Tensor]:
        features = self.stem(image)
        out = []
        for stage in self.stages:
            features = stage(features)
            out.append(features)
        return out


def stage_channels(depth: Depth, width: float = 1.0) -> tuple[int, ...]:
    """Channels behind each of the four stages."""
    factor = 4 if _STAGES[depth][0] == "bottleneck" else 1
    return tuple(factor * int(channels * width) for channels in (64, 128, 256, 512))


def last_stage(depth: Depth, width: float = 1.0) -> nn.Module:
    """The fourth stage alone, of stride 1: features [N, stage_channels[2], h, w] -> [N, stage_channels[3], h, w]."""
    stage: nn.Module = _resnet(depth, width).layer4
    _keep_resolution(stage, 1)
    return stage


def check_size(size: tuple[int, int], multiple: int) -> None:
    """Raises ValueError unless height and width are multiples, so that what is halved can be doubled again."""
    if min(size) < multiple or any(side % multiple for side in size):
        raise ValueError(f"size is {list(size)}, expected multiples of {multiple}")


def _resnet(depth: Depth, width: float) -> Any:
    # seconds to import, and needed only where a network is built
    from monai.networks.nets.resnet import ResNet

    block, layers = _STAGES[depth]
    return ResNet(
        block,
        layers,
        [64, 128, 256, 512],
        spatial_dims=2,
        n_input_channels=1,
        conv1_t_stride=2,
        widen_factor=width,
        feed_forward=False,
        bias_downsample=False,
    )


def _keep_resolution(stage: nn.Module, dilation: int) -> None:
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (dilation, dilation)
