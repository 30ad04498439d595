"""Every kernel against its reference, wherever it runs, over awkward shapes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded, surrounded
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace

# Largest difference from the float64 reference. Interpolated pixels are 0..1, cells are counted, angles in degrees.
TOLERANCE = {"prepare": 1e-6, "cells": 2e-5, "confidence": 1e-6, "vectors": 1e-12, "degrees": 1e-12}

LENGTHS = (1, 2, 15, 16, 17, 31, 67, 131)
SHAPES = [(a, LENGTHS[-1 - i]) for i, a in enumerate(LENGTHS)] + [(1, 1), (64, 64), (200, 3)]
SIZES = ((1, 1), (16, 8), (33, 71), (128, 64))


def film(shape: tuple[int, int], dtype: type, seed: int = 0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def heatmaps(n: int, shape: tuple[int, int], spread: float = 4.0) -> NDArray[np.float32]:
    return np.random.default_rng(n).normal(0.0, spread, (n, *shape)).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_prepare_radiograph_agrees_with_the_reference(place: Place, shape: tuple[int, int], dtype: type) -> None:
    pixels = film(shape, dtype)
    for size in SIZES:
        for inverted in (False, True):
            got = place.run(
                kernels.prepare_radiograph, pixels, size=size, inverted=inverted, mm_per_pixel_xy=(0.2, 0.15)
            )
            want = reference.prepare_radiograph(pixels, size=size, inverted=inverted, mm_per_pixel_xy=(0.2, 0.15))
            assert (got.low, got.high) == reference.percentile_values(pixels, (1.0, 99.0))
            np.testing.assert_allclose(got.pixels, want, rtol=0, atol=TOLERANCE["prepare"])


@pytest.mark.parametrize("values", ["noise", "ramp", "flat", "two values", "spike", "narrow"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_percentiles_are_exact_whatever_the_histogram(place: Place, values: str, dtype: type) -> None:
    top = int(np.iinfo(dtype).max)
    n = 211 * 307
    # every 61st pixel guides the search: "spike" hides all low values from it
    spike = np.where(np.arange(n) % 61 == 0, top, np.arange(n) % 100)
    pixels = {
        "noise": film((1, n), dtype)[0],
        "ramp": np.arange(n) % (top + 1),
        "flat": np.full(n, top),
        "two values": np.where(np.arange(n) < n // 50, 0, top),
        "spike": spike,
        "narrow": top - film((1, n), np.uint8)[0].astype(np.int64) % 5,
    }[values]
    pixels = pixels.astype(dtype).reshape(211, 307)
    for percentiles in ((0.0, 100.0), (1.0, 99.0), (2.0, 98.0), (50.0, 50.0), (0.01, 99.99)):
        got = place.run(kernels.prepare_radiograph, pixels, size=(8, 8), percentiles=percentiles)
        assert (got.low, got.high) == reference.percentile_values(pixels, percentiles)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_soft_argmax_agrees_with_the_reference(place: Place, n: int, shape: tuple[int, int]) -> None:
    maps = heatmaps(n, shape)
    for radius in (0, 3, 20):
        xy, confidence = place.run(kernels.soft_argmax, maps, radius=radius)
        want_xy, want_confidence = reference.soft_argmax(maps, radius=radius)
        np.testing.assert_allclose(xy, want_xy, rtol=0, atol=TOLERANCE["cells"])
        np.testing.assert_allclose(confidence, want_confidence, rtol=0, atol=TOLERANCE["confidence"])


@pytest.mark.parametrize("spread", [1e-3, 1.0, 30.0, 1e4, 1e30])
def test_soft_argmax_holds_for_flat_and_for_steep_maps(place: Place, spread: float) -> None:
    maps = heatmaps(5, (37, 53), spread)
    xy, confidence = place.run(kernels.soft_argmax, maps)
    want_xy, want_confidence = reference.soft_argmax(maps)
    np.testing.assert_allclose(xy, want_xy, rtol=0, atol=TOLERANCE["cells"])
    np.testing.assert_allclose(confidence, want_confidence, rtol=0, atol=TOLERANCE["confidence"])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_peak_agrees_with_the_reference(place: Place, n: int, shape: tuple[int, int]) -> None:
    maps = heatmaps(n, shape)
    xy, value = place.run(kernels.peak, maps)
    want_xy, want_value = reference.peak(maps)
    np.testing.assert_allclose(xy, want_xy, rtol=0, atol=TOLERANCE["cells"])
    np.testing.assert_array_equal(value, want_value)


def test_a_device_computes_exponentials_to_the_same_bits(cuda: CudaPlace) -> None:
    """Two cells, the second x lower: x of the mean is e**-x / (1 + e**-x)."""
    maps = np.zeros((401, 1, 2), np.float32)
    maps[:, 0, 1] = -np.linspace(0.0, 90.0, 401)
    for got, want in zip(
        cuda.run(kernels.soft_argmax, maps, radius=0), kernels.soft_argmax(maps, radius=0), strict=True
    ):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 131])
def test_tilts_and_angles_agree_with_the_reference(isa: str, n: int) -> None:
    corners = np.random.default_rng(n).normal(0.0, 300.0, (n, 4, 2))
    vectors = kernels.tilt_vectors(corners)
    np.testing.assert_allclose(vectors, reference.tilt_vectors(corners), rtol=0, atol=TOLERANCE["vectors"])
    degrees = kernels.angle_matrix(vectors)
    np.testing.assert_allclose(degrees, reference.angle_matrix(vectors), rtol=0, atol=TOLERANCE["degrees"])
    np.testing.assert_array_equal(degrees, degrees.T)


def all_kernels(threads: int) -> Callable[[], list[NDArray[Any]]]:
    def run() -> list[NDArray[Any]]:
        results: list[NDArray[Any]] = []
        for shape in SHAPES:
            for dtype in (np.uint8, np.uint16):
                results += [kernels.prepare_radiograph(film(shape, dtype), size=(33, 71), threads=threads).pixels]
            maps = heatmaps(5, shape)
            results += [*kernels.soft_argmax(maps, threads=threads), *kernels.peak(maps, threads=threads)]
        vectors = kernels.tilt_vectors(np.random.default_rng(1).normal(0.0, 300.0, (97, 4, 2)))
        points = np.random.default_rng(2).normal(0.0, 9.0, (397, 2))
        offsets = np.array([0, 0, 17, 81, 146, 397])
        results += [kernels.dbscan(points, eps=2.0, min_samples=3, offsets=offsets, threads=threads)]
        return [*results, *kernels.kmeans(points, 17), vectors, kernels.angle_matrix(vectors)]

    return run


def test_every_isa_gives_the_same_bits(isa: str) -> None:
    got = all_kernels(threads=1)()
    _cpu.force_isa("base")
    for ours, base in zip(got, all_kernels(threads=1)(), strict=True):
        assert ours.tobytes() == base.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_change_a_bit(isa: str, threads: int) -> None:
    for ours, single in zip(all_kernels(threads)(), all_kernels(threads=1)(), strict=True):
        assert ours.tobytes() == single.tobytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kernels_write_their_outputs_and_nothing_else(isa: str, shape: tuple[int, int]) -> None:
    pixels, maps = film(shape, np.uint16), heatmaps(3, shape)
    for threads in (1, 3):
        with guarded((20, 30), np.float32) as out:
            _cpu.window_resize(pixels, np.array([100, 60000], np.int32), False, 2, 3, 17, 25, out, threads)
        with guarded((3, 2), np.float32) as xy, guarded((3,), np.float32) as scalar:
            _cpu.soft_argmax(maps, 1.0, 3, xy, scalar, threads)
            _cpu.peak(maps, xy, scalar, threads)
    corners = np.random.default_rng(0).normal(size=(shape[0], 4, 2))
    with guarded((shape[0], 2), np.float64) as vectors, guarded((shape[0], shape[0]), np.float64) as degrees:
        _cpu.tilt_vectors(corners, vectors, 2)
        _cpu.angle_matrix(vectors, degrees, 2)
    points = np.random.default_rng(0).normal(size=(shape[0] * shape[1], 2))
    with guarded((len(points),), np.int32) as labels, guarded((1, 2), np.float64) as centres:
        _cpu.dbscan(points, np.array([0, shape[0], len(points)]), 0.1, 2, labels, 2)
        _cpu.kmeans(points, 9, 0.0, labels, centres, 1)
    places = points[:, 0].copy()
    with surrounded((len(places),), np.float64) as gaps, guarded((len(places),), np.uint8) as outliers:
        _cpu.gap_outliers(places, 1.5, gaps, outliers, 1)
