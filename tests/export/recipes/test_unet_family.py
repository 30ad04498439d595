"""The U-Nets, DenseNets and the VGG with the values of their papers: how large they are and what they give."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')

from torch import nn  # noqa: E402

from spinert.errors import BadRequest  # noqa: E402
from spinert.export import recipes  # noqa: E402

UNET = (64, 128, 256, 512, 1024)
# number of parameters as torchvision publishes them, for 3 channels and 1000 classes
DENSENET_121, DENSENET_169, EFFICIENTNET_B5, VGG_11 = 7_978_856, 14_149_480, 30_389_784, 132_863_336


def conv(inputs: int, outputs: int, kernel: int = 3) -> int:
    return kernel * kernel * inputs * outputs


def normalized(inputs: int, outputs: int) -> int:
    """A 3 x 3 convolution without bias and the two parameters of each channel's normalisation."""
    return conv(inputs, outputs) + 2 * outputs


def biased(inputs: int, outputs: int) -> int:
    return conv(inputs, outputs) + outputs


def transposed(inputs: int, outputs: int) -> int:
    return conv(inputs, outputs, 2) + outputs


def dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def double(inputs: int, outputs: int, layer: Any = normalized) -> int:
    return layer(inputs, outputs) + layer(outputs, outputs)


def residual(inputs: int, outputs: int) -> int:
    return double(inputs, outputs) + conv(inputs, outputs, 1) + 2 * outputs


def unet(maps: int, channels: int = 1, layer: Any = normalized, skips: tuple[int, ...] = (0, 1, 2, 3)) -> int:
    down = double(channels, 64, layer) + sum(double(above, below, layer) for above, below in pairwise(UNET))
    up = sum(
        transposed(below, above) + double(2 * above if level in skips else above, above, layer)
        for level, (above, below) in enumerate(pairwise(UNET))
    )
    return down + up + dense(64, maps)


def other_head(published: int, features: int) -> int:
    """Three outputs in place of a thousand."""
    return published - dense(features, 1000) + dense(features, 3)


def ru_net() -> int:
    down = sum(residual(*pair) for pair in pairwise((1, *UNET)))
    return down + sum(residual(above + below, above) for above, below in pairwise(UNET)) + dense(64, 2)


def cascaded() -> int:
    """Layer by layer as the authors' program has them."""
    mask_down = [(1, 16), (16, 32), (32, 64), (64, 64), (64, 64), (64, 64)]
    mask_up = [(64 + 64, 16), (16 + 64, 16), (16 + 64, 16), (16 + 32, 16)]
    centreline_down = [(1, 16), (16, 32), (32, 64), (64, 128)]
    centreline_up = [(128 + 64, 32), (32 + 32, 16)]
    twice = [*mask_down, *mask_up, *centreline_down, *centreline_up]
    normalizations = 2 * sum(outputs for _, outputs in [*mask_down, *centreline_down])
    last = biased(16 + 16, 16) + biased(16, 1)
    return sum(double(*pair, layer=biased) for pair in twice) + normalizations + 2 * last


def corner_densenet() -> int:
    total, channels = conv(1, 16), 16
    for block in range(5):
        if block:
            total += 2 * channels + conv(channels, channels, 1)
        for _ in range(3):
            total += 2 * channels + conv(channels, 32, 1) + 2 * 32 + conv(32, 8)
            channels += 8
    assert channels == 16 + 15 * 8
    return total + 2 * channels + dense(channels, 128) + dense(128, 8)


def vgg_pyramid() -> int:
    """VGG-11 without its classifier, with one channel in place of three, and normalisation in place of biases."""
    widths, classifier = (64, 128, 256, 512, 512), dense(7 * 7 * 512, 4096) + dense(4096, 4096) + dense(4096, 1000)
    channels = 64 + 128 + 2 * 256 + 4 * 512
    encoder = VGG_11 - classifier - conv(2, 64) - channels + 2 * channels
    decoder = sum(
        transposed(below, width) + double(2 * width, width)
        for width, below in zip(widths, (*widths[1:], 512), strict=True)
    )
    return encoder + decoder + dense(64, 2) + dense(512 + 512 + 512 + 256 + 128, 3)


def pyramid_pooling() -> int:
    return 4 * dense(1024, 256) + normalized(2 * 1024, 1024)


NETWORKS: dict[str, tuple[str, dict[str, Any], int, list[tuple[int, ...]]]] = {
    "R2 DenseNet": ("mask_regressor", {}, other_head(DENSENET_169, 1664), [(3,)]),
    "R2 EfficientNet": ("mask_regressor", {"backbone": "efficientnet"}, other_head(EFFICIENTNET_B5, 2048), [(3,)]),
    "R3": ("ru_net", {}, ru_net(), [(2, 768, 384)]),
    "R4": ("corner_densenet", {}, corner_densenet(), [(8,)]),
    "R5": ("cascaded_unets", {}, cascaded(), [(1, 1024, 256), (1, 1024, 256)]),
    "R7 A, B": ("unet", {}, unet(2), [(2, 768, 384)]),
    "R7 C": ("unet", {"maps": 18}, unet(18), [(18, 768, 384)]),
    "R7 D": ("unet", {"maps": 2, "size": [128, 128]}, unet(2), [(2, 128, 128)]),
    "R7 E": ("unet", {"maps": 5, "size": [128, 128]}, unet(5), [(5, 128, 128)]),
    "R7 of three channels": ("unet", {"channels": 3}, unet(2, channels=3), [(2, 768, 384)]),
    "R7 as first published": ("unet", {"batch_norm": False}, unet(2, layer=biased), [(2, 768, 384)]),
    "R8 boundaries": ("boundary_unet", {}, unet(2, skips=(0, 2)) + pyramid_pooling(), [(2, 768, 384)]),
    "R8 angles": ("boundary_regressor", {}, other_head(DENSENET_121, 1024), [(3,)]),
    "R9": ("vgg_pyramid", {}, vgg_pyramid(), [(2, 512, 256), (3,)]),
    "R10": (
        "unet_labels",
        {},
        unet(25) + dense(48, 256) + dense(256, 48),
        [(25, 512, 256), (24, 2), (24, 2)],
    ),
}


@pytest.mark.parametrize("system", NETWORKS)
def test_a_network_with_the_values_of_its_paper_has_its_size_and_shapes(system: str) -> None:
    name, given, parameters, shapes = NETWORKS[system]
    recipe, options = recipes.load(name), recipes.options_of(name, given)
    with torch.device("meta"):  # shapes without arithmetic
        network = recipe.network(options).eval()
        result = network(*(torch.zeros(2, *shape) for shape in recipe.tensors(options).inputs.values()))
    outputs = (result,) if isinstance(result, torch.Tensor) else result
    assert sum(each.numel() for each in network.parameters()) == parameters
    assert [tuple(each.shape) for each in outputs] == [(2, *shape) for shape in shapes]


def test_the_unet_has_the_23_convolutions_of_its_paper() -> None:
    with torch.device("meta"):
        network = recipes.load("unet").network(recipes.options_of("unet", {}))
    assert sum(isinstance(each, nn.Conv2d | nn.ConvTranspose2d) for each in network.modules()) == 23


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("unet", {"size": [768, 380]}, r"size \[768, 380\]: expected height and width in multiples of 16"),
        ("unet", {"size": [0, 16]}, "multiples of 16"),
        ("ru_net", {"widths": [8]}, r"widths \[8\]: expected two levels or more"),
        ("boundary_unet", {"size": [768, 320]}, "multiples of 96"),
        ("boundary_unet", {"size": [768, 384], "widths": [4, 8, 16]}, "the third has a skip connection"),
        ("cascaded_unets", {"mask_up_widths": [16]}, "6 levels down and 1 up: expected one fewer up"),
        ("cascaded_unets", {"size": [1024, 248]}, "multiples of 32"),
        ("corner_densenet", {"size": [12, 200]}, "too small to be halved 4 times"),
        ("vgg_pyramid", {"depths": [1, 1]}, r"depths \[1, 1\]: expected one above zero for each of widths"),
        ("vgg_pyramid", {"size": [512, 240]}, "multiples of 32"),
        ("mask_regressor", {"blocks": []}, "one dense block or more"),
        ("mask_regressor", {"backbone": "vgg"}, "'vgg'"),
        ("unet_labels", {"size": [100, 256]}, "multiples of 16"),
    ],
)
def test_options_that_do_not_fit_each_other_are_refused(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=f"options of recipe '{name}': .*{message}"):
        recipes.options_of(name, given)


def test_regressed_angles_are_in_units_of_90_degrees() -> None:
    from spinert.export.blocks.angle_regressor import Backbone, angle_regressor

    network = angle_regressor(Backbone(features=4, growth=4, blocks=(1,)), 3, (32, 32)).eval()
    last = [each for each in network.modules() if isinstance(each, nn.Linear)][-1]
    nn.init.zeros_(last.weight)
    last.bias.data = torch.tensor([0.5, 0.1, -0.1])
    np.testing.assert_allclose(network(torch.rand(1, 3, 32, 32)).detach(), [[45.0, 9.0, -9.0]], rtol=1e-6)


def test_labels_are_where_their_gaussians_are_and_new_weights_correct_nothing() -> None:
    from spinert.export.recipes import unet_labels

    centres = np.random.default_rng(0).uniform((20, 20), (236, 492), (24, 2))
    rows, columns = np.mgrid[:512, :256]
    distances = (columns - centres[:, 0, None, None]) ** 2 + (rows - centres[:, 1, None, None]) ** 2
    maps = torch.from_numpy(np.exp(-distances / (2 * 4.0**2)).astype(np.float32))

    class Perfect(nn.Module):
        def forward(self, image: Any) -> Any:
            return torch.cat([1 - maps.amax(0, keepdim=True), maps])[None]

    network = unet_labels.network(unet_labels.Options(widths=(4, 4)))
    network.unet = Perfect()
    _, uncorrected, coordinates = network(torch.zeros(1, 1, 512, 256))
    np.testing.assert_allclose(uncorrected[0].detach(), centres, atol=0.01)
    np.testing.assert_allclose(coordinates[0].detach(), centres, atol=0.01)


def test_each_vertebra_is_corrected_by_all_the_others() -> None:
    from spinert.export.recipes import unet_labels

    torch.manual_seed(0)
    corrector = unet_labels.ResidualCorrector(8)
    nn.init.normal_(corrector.body[-1].weight)
    places = torch.rand(1, 24, 2)
    moved = places.clone()
    moved[0, 3] += 0.1
    assert ((corrector(moved) - corrector(places))[0].abs() > 1e-4).all()


def test_maps_share_each_pixel_among_them() -> None:
    network = recipes.load("unet").network(recipes.options_of("unet", {"size": [16, 16], "widths": [4, 8], "maps": 5}))
    maps = network(torch.rand(2, 1, 16, 16))
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.sum(1).detach(), 1.0, rtol=1e-5)


def test_the_centreline_is_seen_through_the_mask_alone() -> None:
    from spinert.export.recipes import cascaded_unets

    options = cascaded_unets.Options(
        size=(16, 16), mask_widths=(4, 4), mask_up_widths=(4,), centreline_widths=(4, 4), centreline_up_widths=(4,)
    )
    network = cascaded_unets.network(options).eval()
    nn.init.zeros_(network.mask.head[0].weight)
    first, second = (network(torch.rand(1, 1, 16, 16)) for _ in range(2))
    assert torch.equal(first[1], second[1])
    assert torch.equal(first[1], network.centreline(first[0]))


def test_pyramid_pooling_is_the_mean_of_windows_interpolated() -> None:
    from spinert.export.blocks.pyramid_pooling import PyramidPooling

    features = torch.rand(1, 2, 12, 6)
    network = PyramidPooling(2, (1, 2)).eval()
    merged: list[Any] = []
    network.merge.register_forward_pre_hook(lambda _module, given: merged.append(given[0].detach()))
    for reduce in network.reduce:
        nn.init.constant_(reduce.weight, 0.5)
        nn.init.zeros_(reduce.bias)
    network(features)
    mean = features.mean(1)[0].numpy()
    np.testing.assert_allclose(merged[0][0, 2], np.full((12, 6), mean.mean()), rtol=1e-5)
    windows = mean.reshape(2, 6, 2, 3).mean((1, 3))
    np.testing.assert_allclose(merged[0][0, 3][[0, 0, -1, -1], [0, -1, 0, -1]], windows.ravel(), rtol=1e-5)
    with pytest.raises(ValueError, match="13 x 6 do not divide into 2 x 2 windows"):
        network(torch.rand(1, 2, 13, 6))
