"""Heads that say for every anchor of every cell how likely it is a vertebra, and how it must move.

The order of the anchors is that of `spinert.runtime.anchors`: level, row, column, then the anchors of a cell.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class RetinaHead(nn.Module):
    """Pyramid levels [N, C, h, w] -> logits [N, A, classes] and deltas [N, A, values].

    Two towers of four 3 x 3 convolutions, shared by the levels, and a last one for each (Lin et al., Focal loss for
    dense object detection, ICCV 2017, section 4.1). The bias of the logits begins at a probability of 0.01, since
    nearly all anchors are background.
    """

    def __init__(self, channels: int, per_cell: int, *, classes: int = 1, values: int = 4, depth: int = 4) -> None:
        super().__init__()
        self.classes, self.values = classes, values
        self.logits = nn.Sequential(*_tower(channels, depth), nn.Conv2d(channels, per_cell * classes, 3, padding=1))
        self.deltas = nn.Sequential(*_tower(channels, depth), nn.Conv2d(channels, per_cell * values, 3, padding=1))
        _begin_small(self)
        last = self.logits[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.constant_(last.bias, -math.log(99.0))

    def forward(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        logits = [anchors_of(self.logits(level), self.classes) for level in levels]
        deltas = [anchors_of(self.deltas(level), self.values) for level in levels]
        return torch.cat(logits, 1), torch.cat(deltas, 1)


class ProposalHead(nn.Module):
    """Levels [N, C, h, w] -> logits [N, A, 1] and deltas [N, A, values] of a region proposal network.

    A 3 x 3 convolution to `hidden` channels and one 1 x 1 for each (Ren et al., Faster R-CNN, NeurIPS 2015, section
    3.1). One logit for the sigmoid in place of two for a softmax, which says the same with fewer weights.
    """

    def __init__(self, channels: int, per_cell: int, *, hidden: int, values: int = 4) -> None:
        super().__init__()
        self.values = values
        self.body = nn.Sequential(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU(inplace=True))
        self.logits = nn.Conv2d(hidden, per_cell, 1)
        self.deltas = nn.Conv2d(hidden, per_cell * values, 1)
        _begin_small(self)

    def forward(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        bodies = [self.body(level) for level in levels]
        logits = [anchors_of(self.logits(body), 1) for body in bodies]
        deltas = [anchors_of(self.deltas(body), self.values) for body in bodies]
        return torch.cat(logits, 1), torch.cat(deltas, 1)


def anchors_of(cells: Tensor, values: int) -> Tensor:
    """[N, per_cell * values, h, w] -> [N, h * w * per_cell, values]."""
    _, channels, height, width = cells.shape
    return cells.permute(0, 2, 3, 1).reshape(-1, height * width * channels // values, values)


def _tower(channels: int, depth: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True)]
    return layers


def _begin_small(head: nn.Module) -> None:
    """Normal weights of deviation 0.01, as both papers begin."""
    for module in head.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.01)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
