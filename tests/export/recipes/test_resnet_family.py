"""Networks on a ResNet with the values of their papers: how large they are and what they give.

Nothing is computed at that size: torch's meta device has shapes and no values.
"""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
pytest.importorskip("monai", reason='needs pip install "spinert[export]"')

from torch import nn  # noqa: E402

from spinert.errors import BadRequest  # noqa: E402
from spinert.export import recipes  # noqa: E402
from spinert.export.blocks import resnet  # noqa: E402
from spinert.runtime.anchors import anchors  # noqa: E402
from tests.export.recipes.small import SMALL  # noqa: E402

# numbers of parameters as torchvision publishes them, of classifiers for 3 channels and 1000 classes
RESNET = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}
# and of the detector for 3 channels and 91 classes, with group normalisation in its towers
RETINANET_50 = 38_198_935
# the pose networks for 17 joints and 3 channels, in units of 100,000, as the tables of their papers state them
BASELINES = {50: 340, 101: 530, 152: 686}
HRNETS = {32: 285, 48: 636}
COLOURS = 2 * 64 * 7 * 7
"""Weights of the first convolution for the two channels that a radiograph lacks."""


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


@pytest.mark.parametrize("depth", RESNET)
def test_a_backbone_is_the_published_classifier_without_its_end_and_for_grey(depth: Any) -> None:
    with torch.device("meta"):
        backbone = resnet.Backbone(depth)
    found = sum(weight.numel() for weight in backbone.parameters())
    assert found == RESNET[depth] - (backbone.channels[-1] + 1) * 1000 - COLOURS


def test_a_dilated_backbone_keeps_the_resolution_and_the_weights() -> None:
    with torch.device("meta"):
        plain, dilated = resnet.Backbone(50), resnet.Backbone(50, output_stride=8)
        features = dilated(torch.empty(1, 1, 64, 32))
    assert [list(each.shape[1:]) for each in features] == [[256, 16, 8], [512, 8, 4], [1024, 8, 4], [2048, 8, 4]]
    assert {key: each.shape for key, each in plain.state_dict().items()} == {
        key: each.shape for key, each in dilated.state_dict().items()
    }


def test_a_dilated_stage_reaches_as_far_as_the_strided_one() -> None:
    with torch.device("meta"):
        stages = resnet.Backbone(50, output_stride=8).stages
    found = [
        {each.dilation for each in stage.modules() if getattr(each, "kernel_size", 0) == (3, 3)} for stage in stages
    ]
    assert found == [{(1, 1)}, {(1, 1)}, {(2, 2)}, {(4, 4)}]


def test_retinanet_is_as_large_as_published() -> None:
    normalisation = 8 * 2 * 256 - 8 * 256  # scale and shift in place of the bias
    classes = 90 * conv(256, 9)
    assert parameters("retinanet") == RETINANET_50 - normalisation - classes - COLOURS


def test_retinanet_answers_for_every_anchor_of_the_runtime() -> None:
    strides = (8, 16, 32, 64, 128)
    sizes = [[4 * stride * 2 ** (octave / 3) for octave in range(3)] for stride in strides]
    count = len(anchors((1344, 800), strides, sizes, (0.5, 1.0, 2.0)))
    assert count == 201_600
    assert shapes("retinanet") == {"logits": [1, count, 1], "deltas": [1, count, 4]}


@pytest.mark.parametrize("depth", BASELINES)
def test_a_simple_baseline_is_as_large_as_published(depth: Any) -> None:
    backbone = RESNET[depth] - 2049 * 1000 - COLOURS
    deconvolutions = 2048 * 256 * 16 + 2 * 256 * 256 * 16 + 3 * 2 * 256
    for maps in (12, 17, 68):
        assert parameters("simple_baseline", depth=depth, maps=maps) == backbone + deconvolutions + maps * 257
    assert round((COLOURS + backbone + deconvolutions + 17 * 257) / 1e5) == BASELINES[depth]


def test_simple_baselines_give_maps_of_stride_4() -> None:
    assert shapes("simple_baseline") == {"heatmaps": [1, 68, 96, 72]}
    assert shapes("simple_baseline", size=(256, 192), maps=12) == {"heatmaps": [1, 12, 64, 48]}


def hrnet(width: int, maps: int, colours: int) -> int:
    """By the tables of the paper; a convolution with batch normalisation has two values for each of its channels."""

    def normalised(inputs: int, outputs: int, kernel: int = 3) -> int:
        return (inputs * kernel * kernel + 2) * outputs

    def path(source: int, target: int) -> int:
        if source == target:
            return 0
        if source > target:
            return normalised(width << source, width << target, 1)
        down = (target - source - 1) * normalised(width << source, width << source)
        return down + normalised(width << source, width << target)

    stem = normalised(colours, 64) + normalised(64, 64)
    bottleneck = normalised(64, 64) + normalised(64, 256, 1)
    first = normalised(64, 64, 1) + bottleneck + normalised(64, 256, 1)
    later = normalised(256, 64, 1) + bottleneck
    begin = normalised(256, width) + normalised(256, 2 * width)
    begin += normalised(2 * width, 4 * width) + normalised(4 * width, 8 * width)
    blocks = [sum(8 * normalised(width << each, width << each) for each in range(n)) for n in range(5)]
    exchange = [sum(path(i, j) for i in range(n) for j in range(n)) for n in range(5)]
    modules = blocks[2] + exchange[2] + 4 * (blocks[3] + exchange[3]) + 3 * blocks[4] + 2 * exchange[4]
    return stem + first + 3 * later + begin + modules + sum(path(i, 0) for i in range(4)) + maps * (width + 1)


def test_hrnet_is_as_large_as_published() -> None:
    assert {width: round(hrnet(width, 17, 3) / 1e5) for width in HRNETS} == HRNETS
    assert parameters("hrnet") == hrnet(48, 4, 1)
    assert parameters("hrnet", width=18, maps=7) == hrnet(18, 7, 1)


def test_hrnet_gives_four_maps_of_stride_4() -> None:
    assert shapes("hrnet") == {"heatmaps": [1, 4, 96, 72]}


def test_hrnet_with_an_empty_stage_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"modules are \[1, 0, 3\], expected at least one"):
        recipes.options_of("hrnet", {"modules": (1, 0, 3)})


@pytest.mark.parametrize("name", ["hrnet", "retinanet", "simple_baseline"])
def test_a_size_that_cannot_be_halved_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match=rf"options of recipe '{name}': size is \[100, 64\], expected multiples"):
        recipes.options_of(name, {**SMALL[name], "size": (100, 64)})


def test_a_depth_that_no_resnet_has_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"options of recipe 'retinanet': Invalid enum value 51 - at `\$\.depth`"):
        recipes.options_of("retinanet", {"depth": 51})


def test_a_head_s_answers_are_in_the_order_of_the_anchors() -> None:
    from spinert.export.blocks.anchor_heads import anchors_of

    # the value says its place: row, column, anchor, value
    numbers = torch.arange(2 * 3 * 2 * 4).reshape(1, 2, 3, 2, 4)
    cells = numbers.permute(0, 3, 4, 1, 2).reshape(1, 8, 2, 3)
    assert torch.equal(anchors_of(cells, 4), numbers.reshape(1, 12, 4))
