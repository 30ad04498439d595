"""Stages of the high-resolution network: branches of ever half the resolution that exchange their features.

Sun et al., Deep high-resolution representation learning for human pose estimation, CVPR 2019, section 3. Branch b has
2^b times the channels of the first and a 2^b-th of its resolution.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, relu: bool = True) -> list[nn.Module]:
    """A convolution with batch normalisation, and ReLU unless it is summed first."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        *([nn.ReLU(inplace=True)] if relu else []),
    ]


class Basic(nn.Module):
    """Features [N, C, h, w] -> the same: two 3 x 3 convolutions round which the features go."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*convolution(channels, channels), *convolution(channels, channels, relu=False))

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.body(features) + features)


class Exchange(nn.Module):
    """Features of all branches -> of the first `outputs` branches, each the sum of what all have to say to it.

    A finer branch speaks through 3 x 3 convolutions of stride 2, a coarser one through a 1 x 1 convolution and nearest
    up-sampling.
    """

    def __init__(self, channels: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            nn.ModuleList(_path(channels, source, target) for source in range(len(channels)))
            for target in range(outputs)
        )

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        out = []
        for paths in self.paths:
            assert isinstance(paths, nn.ModuleList)
            first, *others = [path(branch) for path, branch in zip(paths, branches, strict=True)]
            for other in others:
                first = first + other
            out.append(functional.relu(first))
        return out


class Module(nn.Module):
    """`blocks` residual blocks in each branch, then an exchange that gives `outputs` branches."""

    def __init__(self, channels: Sequence[int], blocks: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(Basic(width) for _ in range(blocks))) for width in channels)
        self.exchange = Exchange(channels, outputs)

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        features = [blocks(branch) for blocks, branch in zip(self.branches, branches, strict=True)]
        return self.exchange(features)  # type: ignore[no-any-return]


def _path(channels: Sequence[int], source: int, target: int) -> nn.Module:
    if source == target:
        return nn.Identity()
    if source > target:
        coarse = convolution(channels[source], channels[target], 1, relu=False)
        return nn.Sequential(*coarse, nn.Upsample(scale_factor=2.0 ** (source - target), mode="nearest"))
    steps: list[nn.Module] = []
    for step in range(source + 1, target + 1):
        last = step == target
        steps += convolution(channels[source], channels[target if last else source], 3, 2, relu=not last)
    return nn.Sequential(*steps)
