"""Networks with the values of their papers, for their size and shapes alone.

Nothing is computed at that size: torch's meta device has shapes and no values.
"""

from typing import Any

import torch
from torch import nn

from spinert.export import recipes

# numbers of parameters as torchvision publishes them, of classifiers for 3 channels and 1000 classes
RESNET = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}
COLOURS = 2 * 64 * 7 * 7
"""Weights of a ResNet's first convolution for the two channels that a radiograph lacks."""


def built(name: str, **given: Any) -> tuple[Any, Any, nn.Module]:
    """The recipe, its options and the network without values."""
    recipe: Any = recipes.load(name)
    options = recipes.options_of(name, given)
    with torch.device("meta"):
        return recipe, options, recipe.network(options).eval()


def parameters(name: str, **given: Any) -> int:
    return sum(weight.numel() for weight in built(name, **given)[2].parameters())


def shapes(name: str, **given: Any) -> dict[str, list[int]]:
    """Of the outputs for one image, by name."""
    recipe, options, network = built(name, **given)
    tensors = recipe.tensors(options)
    result = network(*(torch.empty(1, *shape, device="meta") for shape in tensors.inputs.values()))
    outputs = (result,) if isinstance(result, torch.Tensor) else result
    return {name: list(output.shape) for name, output in zip(tensors.outputs, outputs, strict=True)}


def conv(inputs: int, outputs: int, kernel: int = 3) -> int:
    """Weights and biases."""
    return (inputs * kernel * kernel + 1) * outputs
