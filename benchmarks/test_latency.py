"""Latency of each stage on one film of 2400 x 1000 with the shipped bundle. Nothing is asserted about time.

pytest benchmarks/test_latency.py --benchmark-json=build/latency.json
"""

from collections.abc import Iterator

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import spinert
from benchmarks.films import film
from spinert import kernels
from spinert.image import Image
from spinert.runtime.backends import ort
from spinert.runtime.infer import Model
from spinert.runtime.network import Network

THREADS = 1


@pytest.fixture(scope="module")
def image() -> Image:
    return film()


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with spinert.load(threads=THREADS) as opened:
        yield opened


@pytest.fixture(scope="module")
def network(model: Model) -> Iterator[Network]:
    spec = model.bundle.manifest.networks["coarse"]
    opened = ort.open_network(model.bundle.network_file("coarse", "fp32"), spec, threads=THREADS)
    yield opened
    opened.close()


def input_size(network: Network) -> tuple[int, int]:
    height, width = network.inputs[0].shape[2:]
    assert height is not None
    assert width is not None
    return height, width


def test_prepare(benchmark: BenchmarkFixture, image: Image, network: Network) -> None:
    size = input_size(network)
    prepared = benchmark(kernels.prepare_radiograph, image.pixels, size=size, threads=THREADS)
    assert prepared.pixels.shape == size


def test_coarse_network(benchmark: BenchmarkFixture, image: Image, network: Network) -> None:
    prepared = kernels.prepare_radiograph(image.pixels, size=input_size(network), threads=THREADS)
    outputs = benchmark(network, {network.inputs[0].name: prepared.pixels[None, None]})
    assert np.isfinite(outputs[network.outputs[0].name]).all()


def test_soft_argmax(benchmark: BenchmarkFixture, image: Image, network: Network) -> None:
    prepared = kernels.prepare_radiograph(image.pixels, size=input_size(network), threads=THREADS)
    heatmaps = network({network.inputs[0].name: prepared.pixels[None, None]})[network.outputs[0].name][0].copy()
    cells, _confidence = benchmark(kernels.soft_argmax, heatmaps, threads=THREADS)
    assert np.isfinite(cells).all()


def test_whole_film(benchmark: BenchmarkFixture, image: Image, model: Model) -> None:
    examined = benchmark(model.infer_images, [image])
    assert len(examined.result.findings) >= 17
