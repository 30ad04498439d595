"""Recipe `mask_regressor`: three Cobb angles from the segmentation of a spine.

Lin et al., Seg4Reg networks for automated spinal curvature estimation (CSI 2019), section 2.2 and table 1: a
classification network, DenseNet-169 or EfficientNet-b5, with three outputs, on the mask at 512 x 256.

Input  "mask":   float32 [N, classes, H, W] in 0..1, the probability of each class of the segmentation (softmax),
                 resized; background, vertebra, gap between vertebrae
Output "angles": float32 [N, 3] in degrees, in the order of the training labels

Left open by the paper, chosen here: the mask has one channel for each class with its probability, which ensembles of
segmentations can average, and three channels are what weights from ImageNet expect. The unit of the last layer is in
`spinert.export.blocks.angle_regressor`. The branch of domain adaptation serves training only and is not here.
"""

from torch import nn

from spinert.export.blocks.angle_regressor import Backbone, angle_regressor
from spinert.export.recipes import Tensors

NETWORK = "angles"


class Options(Backbone, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`size` is (height, width) of the mask; the rest is in Backbone."""

    size: tuple[int, int] = (512, 256)
    classes: int = 3


def tensors(options: Options) -> Tensors:
    """One mask, three angles."""
    return Tensors({"mask": (options.classes, *options.size)}, ("angles",))


def network(options: Options) -> nn.Module:
    """With new weights; imports MONAI."""
    return angle_regressor(options, options.classes, options.size)
