"""Fully convolutional heads that draw maps into a region (He et al., Mask R-CNN, ICCV 2017, section 3 and figure 4)."""

from torch import nn


def convolutions(inputs: int, channels: int, count: int) -> list[nn.Module]:
    """Regions [N, inputs, s, s] -> [N, channels, s, s] by 3 x 3 convolutions with ReLU."""
    layers: list[nn.Module] = []
    for step in range(count):
        layers += [nn.Conv2d(channels if step else inputs, channels, 3, padding=1), nn.ReLU(inplace=True)]
    return layers


def begin(head: nn.Module) -> nn.Module:
    """The same head with weights after He et al. (Delving deep into rectifiers, ICCV 2015) and biases of zero."""
    for module in head.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return head
