"""Detectors, in one stage and in two: how large the papers' are, and that they answer for the runtime's anchors."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
pytest.importorskip("monai", reason='needs pip install "spinert[export]"')
pytest.importorskip("onnx", reason='needs pip install "spinert[export]"')
pytest.importorskip("onnxruntime", reason='needs pip install "spinert[cpu]"')

from spinert.bundle import NetworkSpec  # noqa: E402
from spinert.errors import BadRequest  # noqa: E402
from spinert.export import onnx_graph, recipes, source  # noqa: E402
from spinert.export.blocks.anchor_heads import anchors_of  # noqa: E402
from spinert.export.recipes import region_head, region_proposals  # noqa: E402
from spinert.runtime.anchors import anchors  # noqa: E402
from spinert.runtime.backends import ort  # noqa: E402
from spinert.runtime.tensorrt.compile import Options, compile_network  # noqa: E402
from tests.export.recipes.full_size import COLOURS, RESNET, conv, parameters, shapes  # noqa: E402

# numbers of parameters as torchvision publishes them: of the one-stage detector for 3 channels and 91 classes, with
# group normalisation in its towers
RETINANET_50 = 38_198_935
# and of two-stage detectors on ResNet-50-FPN, for 3 channels; 91 classes, with the keypoints of persons 2
FASTER_RCNN_50, MASK_RCNN_50, KEYPOINT_RCNN_50 = 41_755_286, 44_401_393, 59_137_258
FROZEN = 2 * 26_560
"""Scales and shifts of a ResNet-50, which torchvision freezes in these and does not count."""


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


def test_the_first_stage_of_khanal_has_no_fifth_block() -> None:
    stage5 = parameters("region_head") - 2049 * 2 - 2049 * 4
    head = conv(1024, 512) + conv(512, 4, 1) + conv(512, 16, 1)
    assert parameters("region_proposals") + stage5 == RESNET[101] - 2049 * 1000 - COLOURS + head


def test_the_three_networks_of_zhong_are_one_published_mask_rcnn() -> None:
    first = parameters("region_proposals", **msgspec.structs.asdict(region_proposals.MASK_RCNN))
    second = parameters("region_head", **msgspec.structs.asdict(region_head.MASK_RCNN))
    # 18 classes for 91, and no box for the background
    fewer = 1025 * (91 - 18) + 1025 * 4 * (91 - 17)
    assert first + second == FASTER_RCNN_50 - COLOURS + FROZEN - fewer
    assert parameters("mask_head") == MASK_RCNN_50 - FASTER_RCNN_50 - 257 * (91 - 17)


def test_the_two_networks_of_tao_are_a_proposal_network_and_a_published_keypoint_head() -> None:
    first = parameters("region_proposals", **msgspec.structs.asdict(region_proposals.MASK_RCNN))
    more = 6 * conv(256, 1, 1) + conv(256, 9 * 5 - 3 * 4, 1)
    assert parameters("rotated_proposals") == first + more
    boxes = conv(7 * 7 * 256, 1024, 1) + conv(1024, 1024, 1) + 1025 * 2 + 1025 * 8
    maps = 512 * 16 + 1
    heads = KEYPOINT_RCNN_50 - (first - FROZEN + COLOURS) - boxes
    assert parameters("rotated_corners") == heads - (17 - 4) * maps


def test_the_first_stages_answer_for_every_anchor_of_the_runtime() -> None:
    count = len(anchors((992, 608), (16,), ((64.0, 128.0),), (1.0, 0.5)))
    assert shapes("region_proposals") == {
        "logits": [1, count, 1],
        "deltas": [1, count, 4],
        "features": [1, 1024, 62, 38],
    }
    strides, sizes = (4, 8, 16, 32, 64), ((32.0,), (64.0,), (128.0,), (256.0,), (512.0,))
    count = len(anchors((1344, 800), strides, sizes, (0.5, 1.0, 2.0)))
    pyramid = {f"p{level}": [1, 256, 1344 >> level, 800 >> level] for level in (2, 3, 4, 5)}
    given = msgspec.structs.asdict(region_proposals.MASK_RCNN)
    assert shapes("region_proposals", **given) == {"logits": [1, count, 1], "deltas": [1, count, 4], **pyramid}
    count = len(anchors((1120, 320), strides, sizes, (0.5, 1.0, 2.0), (-0.5, 0.0, 0.5)))
    pyramid = {f"p{level}": [1, 256, 1120 >> level, 320 >> level] for level in (2, 3, 4, 5)}
    assert shapes("rotated_proposals") == {"logits": [1, count, 1], "deltas": [1, count, 5], **pyramid}


def test_the_second_stages_answer_for_every_region() -> None:
    given = msgspec.structs.asdict(region_head.MASK_RCNN)
    assert shapes("region_head") == {"logits": [1, 2], "deltas": [1, 1, 4]}
    assert shapes("region_head", **given) == {"logits": [1, 18], "deltas": [1, 17, 4]}
    assert shapes("mask_head") == {"masks": [1, 17, 28, 28]}
    assert shapes("rotated_corners") == {"heatmaps": [1, 4, 56, 56]}


def test_the_regions_that_a_head_takes_are_those_of_the_features() -> None:
    for given in ({}, {"depth": 14, "width": 0.125}, {"pyramid": True, "channels": 64}):
        features = shapes("region_proposals", **given)
        head = recipes.options_of("region_head", given)
        regions = region_head.tensors(head).inputs["regions"]
        assert regions[0] == features["p2" if given.get("pyramid") else "features"][1]


def test_a_head_s_answers_are_in_the_order_of_the_anchors() -> None:
    # the value says its place: row, column, anchor, value
    numbers = torch.arange(2 * 3 * 2 * 4).reshape(1, 2, 3, 2, 4)
    cells = numbers.permute(0, 3, 4, 1, 2).reshape(1, 8, 2, 3)
    assert torch.equal(anchors_of(cells, 4), numbers.reshape(1, 12, 4))


def test_the_head_of_a_pyramid_computes_the_same_in_onnx(tmp_path: Path, rtx: Any) -> None:
    # the one branch that no network of the small options has
    options = {"pyramid": True, "channels": 4, "cells": 3, "hidden": 8, "classes": 3}
    torch.manual_seed(0)
    state = region_head.network(region_head.Options(**options)).state_dict()
    torch.save({key: torch.rand_like(value) - 0.5 for key, value in state.items()}, tmp_path / "weights.pt")
    origin = source.from_recipe("region_head", tmp_path / "weights.pt", None, options)
    model = onnx_graph.convert(origin.program, network=origin.network, inputs=origin.inputs, outputs=origin.outputs)
    (tmp_path / "head.onnx").write_bytes(content := model.SerializeToString())
    spec = NetworkSpec(
        inputs=onnx_graph.specs_of(model.graph.input),
        outputs=onnx_graph.specs_of(model.graph.output),
        files={"fp32": "head.onnx"},
        opset=onnx_graph.OPSET,
        golden="golden.npz",
    )
    regions = {"regions": np.random.default_rng(0).random((5, 4, 3, 3), np.float32)}
    found = ort.open_network(tmp_path / "head.onnx", spec, threads=1)(regions)
    for name, expected in origin.reference(regions).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)
    assert compile_network(rtx, content, spec, Options(), file="head.onnx").plan


def test_a_depth_that_no_resnet_has_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"options of recipe 'retinanet': Invalid enum value 51 - at `\$\.depth`"):
        recipes.options_of("retinanet", {"depth": 51})
