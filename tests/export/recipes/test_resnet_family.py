"""Networks that end in maps, on a ResNet or like one: how large the papers' are, and what they give."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
pytest.importorskip("monai", reason='needs pip install "spinert[export]"')

from spinert.errors import BadRequest  # noqa: E402
from spinert.export import recipes  # noqa: E402
from spinert.export.blocks import resnet  # noqa: E402
from spinert.export.recipes import pspnet  # noqa: E402
from tests.export.recipes.full_size import COLOURS, RESNET, conv, parameters, shapes  # noqa: E402
from tests.export.recipes.small import SMALL  # noqa: E402

# numbers of parameters of the pose networks for 17 joints and 3 channels, in units of 100,000, as their papers' tables
# state them
BASELINES = {50: 340, 101: 530, 152: 686}
HRNETS = {32: 285, 48: 636}


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


def test_pspnet_is_a_dilated_backbone_with_two_pyramids() -> None:
    for depth in (50, 101):
        backbone = RESNET[depth] - 2049 * 1000 - COLOURS
        levels = 4 * (2048 + 2) * 512
        dilated = 3 * (2048 * 9 + 2) * 512
        head = ((2048 + 5 * 512) * 9 + 2) * 512 + conv(512, 3, 1)
        assert parameters("pspnet", depth=depth) == backbone + levels + dilated + head


def test_pspnet_gives_classes_for_every_pixel() -> None:
    assert shapes("pspnet") == {"mask": [1, 3, 1024, 512]}


@pytest.mark.parametrize(("cells", "bins"), [(64, 6), (128, 3), (20, 6), (7, 7), (11, 1)])
def test_the_regions_of_a_pyramid_leave_no_cell_out(cells: int, bins: int) -> None:
    side, step = (each[0] for each in pspnet._windows(cells, cells, bins))
    seen = [range(place * step, place * step + side) for place in range(bins)]
    assert set().union(*seen) == set(range(cells))
    # and no more of them than asked for fit in
    assert (cells - side) // step + 1 == bins


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bins": ()}, r"bins \[\] and dilations"),
        ({"dilations": (2, 0)}, r"dilations \[2, 0\], expected some, all above 0"),
        ({"size": (64, 40)}, r"size \[64, 40\] has fewer cells of 8 pixels than 6 bins"),
    ],
)
def test_pyramids_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        recipes.options_of("pspnet", wrong)


@pytest.mark.parametrize(
    "name", ["hrnet", "pspnet", "region_proposals", "retinanet", "rotated_proposals", "simple_baseline"]
)
def test_a_size_that_cannot_be_halved_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match=rf"options of recipe '{name}': size is \[100, 63\], expected multiples"):
        recipes.options_of(name, {**SMALL[name], "size": (100, 63)})
