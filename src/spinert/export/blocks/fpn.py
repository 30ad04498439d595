"""Feature pyramid (Lin et al., Feature pyramid networks for object detection, CVPR 2017)."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

Coarser = Literal["pool", "convolutions"]


class FeaturePyramid(nn.Module):
    """Features of ever half the size -> as many maps of `channels` at the same places, and coarser ones behind them.

    inputs   channels of the features, from fine to coarse
    coarser  "pool": one more level, every other cell of the last, as Faster and Mask R-CNN use it for proposals;
             "convolutions": two more, 3 x 3 of stride 2 on the last features that come in, and again after a ReLU
             (Lin et al., Focal loss for dense object detection, ICCV 2017)
    """

    def __init__(self, inputs: Sequence[int], channels: int, coarser: Coarser) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(each, channels, 1) for each in inputs)
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in inputs)
        self.coarser = nn.ModuleList(
            nn.Conv2d(each, channels, 3, 2, 1) for each in (inputs[-1], channels) if coarser == "convolutions"
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        merged = self.lateral[-1](features[-1])
        out = [self.smooth[-1](merged)]
        for depth in range(len(features) - 2, -1, -1):
            doubled = functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = doubled + self.lateral[depth](features[depth])
            out.insert(0, self.smooth[depth](merged))
        if not self.coarser:
            return [*out, functional.max_pool2d(out[-1], 1, 2)]
        first, second = self.coarser
        coarse = first(features[-1])
        return [*out, coarse, second(functional.relu(coarse))]
