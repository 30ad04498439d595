"""The shipped coarse network in FP16 finds the corners that it finds in FP32."""

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from spinert import kernels
from spinert.calibrate.half import to_half
from spinert.runtime import decode
from spinert.runtime.infer import SHIPPED
from tests.calibrate.graphs import operators, run
from tests.phantoms import random_phantom

SIZE, STRIDE, RADIUS = (512, 224), 4.0, 3


@pytest.fixture(scope="module")
def networks() -> tuple[ModelProto, ModelProto]:
    full = onnx.load(SHIPPED / "cobb" / "coarse.fp32.onnx")
    return full, to_half(full, {})


def test_only_the_input_and_the_output_are_cast(networks: tuple[ModelProto, ModelProto]) -> None:
    full, half = networks
    assert operators(half) == ["Cast", *operators(full), "Cast"]
    assert half.ByteSize() < 0.51 * full.ByteSize()


@pytest.mark.parametrize("seed", [0, 1])
def test_corners_agree_within_a_twentieth_of_a_pixel(networks: tuple[ModelProto, ModelProto], seed: int) -> None:
    film = random_phantom(np.random.default_rng(seed)).pixels
    prepared = kernels.prepare_radiograph(film, size=SIZE)
    full, half = (
        decode.heatmap_corners(run(model, image=prepared.pixels[None, None])[0][0], prepared.map, STRIDE, RADIUS)
        for model in networks
    )
    np.testing.assert_allclose(half[0], full[0], atol=0.05)
    np.testing.assert_allclose(half[1], full[1], atol=0.005)
