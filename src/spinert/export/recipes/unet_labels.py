"""Recipe `unet_labels`: the centres of C1 to L5 in a sagittal or coronal radiograph, corrected by the whole spine.

Bayat et al., Vertebral labelling in radiographs: learning a coordinate corrector to enforce spinal shape (CSI 2019),
section 2: a U-Net regresses Gaussian maps, soft-argmax turns them into coordinates, and a residual block of fully
connected layers corrects these. All of it is one graph.

Input  "image":       float32 [N, 1, H, W], prepared radiograph in 0..1 with the whole spine, multiples of 16
Output "maps":        float32 [N, 25, H, W], linear: 0 the background, 1 to 24 the Gaussians of C1 .. L5 with peak one
       "uncorrected": float32 [N, 24, 2], x and y in pixels of the input, (0, 0) the centre of its top-left pixel
       "coordinates": float32 [N, 24, 2], the same, corrected

Left open by the paper, chosen here: depth and widths (those of the U-Net it cites), batch normalisation, image size
512 x 256 (fixed in each export, free in training); the factor of the maps before the softmax over an image (50: a
Gaussian of peak one then outweighs 10^5 pixels of background); the block has one hidden layer of 256 with ReLU, reads
and corrects fractions of width and height, so that it does not depend on the image size, and at first changes nothing.
"""

import msgspec
import torch
from torch import Tensor, nn

from spinert.export.blocks import unet
from spinert.export.recipes import Tensors

NETWORK = "labels"
VERTEBRAE = 24


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width); `widths` the channels of the levels; `sharpness` the factor before the softmax."""

    size: tuple[int, int] = (512, 256)
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    sharpness: float = 50.0
    hidden: int = 256

    def __post_init__(self) -> None:
        unet.check(self.widths, self.size)


class ResidualCorrector(nn.Module):
    """Coordinates [N, 24, 2] in fractions of width and height -> the same, corrected by each other."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(2 * VERTEBRAE, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 2 * VERTEBRAE)
        )
        last = self.body[-1]
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, coordinates: Tensor) -> Tensor:
        return coordinates + self.body(coordinates.flatten(1)).reshape(-1, VERTEBRAE, 2)  # type: ignore[no-any-return]


class LabelNet(nn.Module):
    """Image [N, 1, H, W] -> maps, uncorrected and corrected coordinates; see the module."""

    def __init__(self, widths: tuple[int, ...], sharpness: float, hidden: int) -> None:
        super().__init__()
        self.unet = unet.UNet(1, 1 + VERTEBRAE, widths, block=unet.convolutions)
        self.corrector = ResidualCorrector(hidden)
        self.sharpness = sharpness

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.unet(image)
        found = soft_argmax(self.sharpness * maps[:, 1:])
        size = maps.new_tensor([maps.shape[3], maps.shape[2]])
        return maps, found, size * self.corrector(found / size)


def soft_argmax(maps: Tensor) -> Tensor:
    """Maps [N, C, H, W] -> [N, C, 2], the mean x and y of the softmax over each map, in pixels."""
    height, width = maps.shape[2:]
    heat = maps.flatten(2).softmax(2).reshape(-1, maps.shape[1], height, width)
    rows, columns = (torch.arange(length, dtype=maps.dtype, device=maps.device) for length in (height, width))
    return torch.stack([heat.sum(2) @ columns, heat.sum(3) @ rows], 2)


def tensors(options: Options) -> Tensors:
    """One image; maps and both sets of coordinates."""
    return Tensors({"image": (1, *options.size)}, ("maps", "uncorrected", "coordinates"))


def network(options: Options) -> nn.Module:
    """With new weights."""
    return LabelNet(options.widths, options.sharpness, options.hidden)
