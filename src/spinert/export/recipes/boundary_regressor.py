"""Recipe `boundary_regressor`: three Cobb angles from a radiograph and the boundaries of its spine.

Wang S. et al., Spinal curve guide network (SCG-Net) for accurate automated spinal curvature estimation (CSI 2019),
section 2.2: a DenseNet on the image together with the boundary maps of recipe `boundary_unet`.

Input  "image":      float32 [N, 1, H, W], prepared radiograph in 0..1
       "boundaries": float32 [N, 2, H, W] in 0..1, left and right boundary
Output "angles":     float32 [N, 3] in degrees, in the order of the training labels

Left open by the paper, chosen here: which DenseNet (121), the image size (that of `boundary_unet`), and that image and
maps are joined as channels, in the graph. The unit of the last layer is in `spinert.export.blocks.angle_regressor`.
"""

import torch
from torch import Tensor, nn

from spinert.export.blocks.angle_regressor import Backbone, angle_regressor
from spinert.export.recipes import Tensors

NETWORK = "angles"


class Options(Backbone, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of image and maps; the rest is in Backbone."""

    size: tuple[int, int] = (768, 384)
    blocks: tuple[int, ...] = (6, 12, 24, 16)


class GuidedRegressor(nn.Module):
    """Image [N, 1, H, W] and boundaries [N, 2, H, W] -> angles [N, 3] in degrees."""

    def __init__(self, regressor: nn.Module) -> None:
        super().__init__()
        self.regressor = regressor

    def forward(self, image: Tensor, boundaries: Tensor) -> Tensor:
        return self.regressor(torch.cat([image, boundaries], 1))  # type: ignore[no-any-return]


def tensors(options: Options) -> Tensors:
    """One image with its boundaries, three angles."""
    return Tensors({"image": (1, *options.size), "boundaries": (2, *options.size)}, ("angles",))


def network(options: Options) -> nn.Module:
    """With new weights; imports MONAI."""
    return GuidedRegressor(angle_regressor(options, 3, options.size))
