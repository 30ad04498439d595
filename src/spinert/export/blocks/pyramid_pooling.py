"""Pyramid pooling (Zhao et al., Pyramid scene parsing network, 2017): context from means over ever smaller regions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from spinert.export.blocks.unet import convolutions


class PyramidPooling(nn.Module):
    """Features [N, C, H, W] -> as many; H and W multiples of every bin.

    For each bin, the means over bin x bin windows, a 1 x 1 convolution to C / len(bins) channels, ReLU, bilinear
    interpolation back to H x W; all of them and the features themselves through a 3 x 3 convolution. Means over the
    whole image have one value for each channel, of which a batch of one has no variance: no batch normalisation there.
    """

    def __init__(self, channels: int, bins: Sequence[int]) -> None:
        super().__init__()
        self.bins = tuple(bins)
        reduced = max(channels // len(bins), 1)
        self.reduce = nn.ModuleList(nn.Conv2d(channels, reduced, 1) for _ in bins)
        self.merge = convolutions(channels + reduced * len(bins), channels, count=1)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        parts = [features]
        for bins, reduce in zip(self.bins, self.reduce, strict=True):
            if height % bins or width % bins:
                raise ValueError(f"features of {height} x {width} do not divide into {bins} x {bins} windows")
            window = height // bins, width // bins
            context = functional.relu(reduce(functional.avg_pool2d(features, window)))
            # by a factor, not to a size: the size would be computed in the exported graph
            factors = (float(window[0]), float(window[1]))
            parts.append(functional.interpolate(context, scale_factor=factors, mode="bilinear"))
        return self.merge(torch.cat(parts, 1))  # type: ignore[no-any-return]
