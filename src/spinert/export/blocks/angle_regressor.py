"""From maps to three angles in degrees: a DenseNet or an EfficientNet (MONAI's), with its size as parameters.

The last layer is linear and in units of 90 degrees, so that its weights are of the order of those before it;
nothing clips it. The angles have the order of the training labels: main, upper, lower for the challenge.
"""

from typing import Literal

import msgspec
from torch import Tensor, nn

ANGLES = 3
UNIT = 90.0
"""Degrees for an output of one of the last linear layer."""
_STAGES = (
    "r1_k3_s11_e1_i32_o16_se0.25",
    "r2_k3_s22_e6_i16_o24_se0.25",
    "r2_k5_s22_e6_i24_o40_se0.25",
    "r3_k3_s22_e6_i40_o80_se0.25",
    "r3_k5_s11_e6_i80_o112_se0.25",
    "r4_k5_s22_e6_i112_o192_se0.25",
    "r1_k3_s11_e6_i192_o320_se0.25",
)
"""EfficientNet-b0 (Tan and Le, 2019), table 1: repeats, kernel, stride, expansion, channels in and out."""


class Backbone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The size of the network. The defaults are DenseNet-169 and EfficientNet-b5.

    features, growth, blocks   DenseNet: channels of its stem, of each layer, layers of each dense block
    width, depth   EfficientNet: how many times the channels and the layers of b0
    """

    backbone: Literal["densenet", "efficientnet"] = "densenet"
    features: int = 64
    growth: int = 32
    blocks: tuple[int, ...] = (6, 12, 32, 32)
    width: float = 1.6
    depth: float = 2.2

    def __post_init__(self) -> None:
        if not self.blocks or min(self.width, self.depth, *self.blocks, self.growth, self.features) <= 0:
            raise ValueError("expected one dense block or more, and sizes above zero")


class AngleRegressor(nn.Module):
    """Maps [N, channels, H, W] -> angles [N, 3] in degrees."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, maps: Tensor) -> Tensor:
        return UNIT * self.backbone(maps)  # type: ignore[no-any-return]


def angle_regressor(options: Backbone, channels: int, size: tuple[int, int]) -> AngleRegressor:
    """The network for maps of so many channels and of size (height, width). MONAI takes seconds to import."""
    from monai.networks.nets.densenet import DenseNet
    from monai.networks.nets.efficientnet import EfficientNet

    if options.backbone == "densenet":
        return AngleRegressor(
            DenseNet(
                spatial_dims=2,
                in_channels=channels,
                out_channels=ANGLES,
                init_features=options.features,
                growth_rate=options.growth,
                block_config=options.blocks,
            )
        )
    network = EfficientNet(
        list(_STAGES),
        spatial_dims=2,
        in_channels=channels,
        num_classes=ANGLES,
        width_coefficient=options.width,
        depth_coefficient=options.depth,
        dropout_rate=0.4,  # of b5
        image_size=max(size),  # pads as for a square, which is the same for every even size
    )
    network.set_swish(memory_efficient=False)  # the other is a function of its own, which ONNX lacks
    return AngleRegressor(network)
