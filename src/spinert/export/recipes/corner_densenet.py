"""Recipe `corner_densenet`: the corners of one vertebra in a crop round it.

Khanal et al., Automatic Cobb angle detection using vertebra detector and vertebra corners regression (CSI 2019),
section 3.2: a DenseNet of 5 blocks with growth rate 8 and bottlenecks, global average pooling, a dense layer, and
8 linear outputs; crops are resized to 200 x 120 pixels.

Input  "crop":    float32 [N, 1, H, W], the detector's box in a prepared radiograph in 0..1, resized
Output "corners": float32 [N, 8], x and y of TL, TR, BL, BR as fractions of the crop, from its left and top edge (not
                  the centre of a pixel) to the right and the bottom

Left open by the paper: 200 x 120 is read as width x height, as a vertebra is wider than high. Layers in each block (3,
of 40 in all), the stem (3 x 3, twice the growth rate), transitions without compression, bottlenecks of four times
the growth rate, the width of the dense layer (128, linear) and dropout 0.2 are those of the training program that
the authors have published. The order of the corners is that of the challenge's landmarks.
"""

import msgspec
import torch
from torch import Tensor, nn

from spinert.export.recipes import Tensors

NETWORK = "corners"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the crop; `layers` those of each dense block, `dense` the width before the last."""

    size: tuple[int, int] = (120, 200)
    layers: tuple[int, ...] = (3, 3, 3, 3, 3)
    growth: int = 8
    dense: int = 128
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if min(self.size) >> (len(self.layers) - 1) < 1:
            raise ValueError(f"size {list(self.size)} is too small to be halved {len(self.layers) - 1} times")


class DenseLayer(nn.Module):
    """Features [N, C, H, W] -> [N, C + growth, H, W]: those that came, and new ones from all of them."""

    def __init__(self, inputs: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_normalised(inputs, nn.Conv2d(inputs, 4 * growth, 1, bias=False), dropout),
            *_normalised(4 * growth, nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False), dropout),
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features, self.body(features)], 1)


def _normalised(inputs: int, convolution: nn.Module, dropout: float) -> tuple[nn.Module, ...]:
    return nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), convolution, nn.Dropout(dropout)


class CornerDenseNet(nn.Module):
    """Crop [N, 1, H, W] -> corners [N, 8]; see the module."""

    def __init__(self, layers: tuple[int, ...], growth: int, dense: int, dropout: float) -> None:
        super().__init__()
        channels = 2 * growth
        parts: list[nn.Module] = [nn.Conv2d(1, channels, 3, padding=1, bias=False)]
        for block, count in enumerate(layers):
            if block:
                parts += [
                    *_normalised(channels, nn.Conv2d(channels, channels, 1, bias=False), dropout),
                    nn.AvgPool2d(2),
                ]
            for _ in range(count):
                parts.append(DenseLayer(channels, growth, dropout))
                channels += growth
        self.features = nn.Sequential(*parts, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.head = nn.Sequential(nn.Linear(channels, dense), nn.Dropout(dropout), nn.Linear(dense, 8))

    def forward(self, crop: Tensor) -> Tensor:
        return self.head(self.features(crop).mean((2, 3)))  # type: ignore[no-any-return]


def tensors(options: Options) -> Tensors:
    """One crop, four corners."""
    return Tensors({"crop": (1, *options.size)}, ("corners",))


def network(options: Options) -> nn.Module:
    """The mean squared error of the fractions trains it."""
    return CornerDenseNet(options.layers, options.growth, options.dense, options.dropout)
