"""Results that can be worked out by hand."""

import numpy as np
import pytest

from spinert import kernels
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace


def test_window_clips_below_low_and_above_high(place: Place) -> None:
    pixels = np.array([[0, 10, 20, 30, 255]], np.uint8)
    got = place.run(kernels.prepare_radiograph, pixels, size=(1, 5), percentiles=(40.0, 80.0))
    assert (got.low, got.high) == (10, 30)
    np.testing.assert_array_equal(got.pixels, [[0.0, 0.0, 0.5, 1.0, 1.0]])


def test_window_clips_before_it_averages(place: Place) -> None:
    pixels = np.array([[0, 100], [0, 10000]], np.uint16)
    got = place.run(kernels.prepare_radiograph, pixels, size=(1, 1), percentiles=(0.0, 75.0))
    assert got.high == 100
    assert got.pixels[0, 0] == 0.5


def test_inversion_turns_the_image_and_leaves_the_padding(place: Place) -> None:
    pixels = np.array([[0], [0], [200], [200]], np.uint8)
    got = place.run(kernels.prepare_radiograph, pixels, size=(4, 3), inverted=True, percentiles=(0.0, 100.0))
    np.testing.assert_array_equal(got.pixels, [[0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_flat_image_becomes_zero(place: Place, value: int) -> None:
    got = place.run(kernels.prepare_radiograph, np.full((5, 4), value, np.uint16), size=(8, 8))
    assert (got.low, got.high) == (value, value)
    assert not got.pixels.any()


def test_same_size_keeps_every_pixel(place: Place) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53), np.uint8)
    got = place.run(kernels.prepare_radiograph, pixels, size=(37, 53), percentiles=(0.0, 100.0))
    np.testing.assert_allclose(got.pixels, (pixels - got.low) / (got.high - got.low), rtol=2e-7, atol=0)
    assert got.map == (1.0, 1.0, 0.0, 0.0)


def test_tall_pixels_make_a_tall_image(place: Place) -> None:
    """100 x 100 pixels of 0.1 mm x 0.2 mm are 10 mm wide and 20 mm high: half of a square network input."""
    got = place.run(
        kernels.prepare_radiograph,
        np.full((100, 100), 9, np.uint8),
        size=(64, 64),
        inverted=True,
        mm_per_pixel_xy=(0.1, 0.2),
    )
    filled = got.pixels > 0
    assert filled.any(axis=1).sum() == 64
    assert filled.any(axis=0).nonzero()[0].tolist() == list(range(16, 48))


def test_plane_map_leads_back_to_the_corners_of_the_image() -> None:
    """The outer edges of the placed image are the outer edges of the stored one: -1/2 and rows - 1/2."""
    got = kernels.prepare_radiograph(np.arange(300 * 100, dtype=np.uint16).reshape(300, 100), size=(128, 64))
    left, columns = 10, 43  # round(100 * 128 / 300) = 43, (64 - 43) // 2 = 10
    edges = np.array([[left - 0.5, -0.5], [left + columns - 0.5, 127.5]])
    np.testing.assert_allclose(got.map.to_image(edges), [[-0.5, -0.5], [99.5, 299.5]], rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.map.to_network(got.map.to_image(edges)), edges, rtol=0, atol=1e-12)


def test_a_bright_spot_is_found_back_through_the_plane_map() -> None:
    """Four source pixels to one, 12 columns of padding; the spot covers whole network pixels: its centre is exact."""
    pixels = np.zeros((800, 300), np.uint16)
    pixels[596:608, 96:104] = 4000
    got = kernels.prepare_radiograph(pixels, size=(200, 100), percentiles=(0.0, 100.0))
    y, x = np.mgrid[:200, :100]
    weight = got.pixels / got.pixels.sum()
    centre = got.map.to_image(np.array([(weight * x).sum(), (weight * y).sum()]))
    np.testing.assert_allclose(centre, [99.5, 601.5], rtol=0, atol=1e-4)


def test_soft_argmax_of_two_equal_cells_lies_between_them(place: Place) -> None:
    maps = np.full((1, 9, 40), -200.0, np.float32)
    maps[0, 4, 10] = maps[0, 4, 30] = 5.0
    xy, confidence = place.run(kernels.soft_argmax, maps)
    np.testing.assert_array_equal(xy, [[20.0, 4.0]])
    np.testing.assert_array_equal(confidence, [0.5])


def test_soft_argmax_of_a_flat_map_is_its_middle(place: Place) -> None:
    xy, confidence = place.run(kernels.soft_argmax, np.full((1, 21, 35), -3.0, np.float32), radius=1)
    np.testing.assert_allclose(xy, [[17.0, 10.0]], rtol=1e-6)
    np.testing.assert_allclose(confidence, [4 / (21 * 35)], rtol=1e-6)  # the first of equals: a corner cell


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cell", [0, 15, 16, 17 * 19 - 1])
def test_a_value_that_is_not_finite_spoils_its_map_only(place: Place, bad: float, cell: int) -> None:
    maps = np.random.default_rng(0).normal(size=(3, 17, 19)).astype(np.float32)
    maps[1].flat[cell] = bad
    xy, confidence = place.run(kernels.soft_argmax, maps)
    assert np.isnan(xy).all(axis=1).tolist() == [False, True, False]
    assert (confidence == 0.0).tolist() == [False, True, False]
    xy, value = place.run(kernels.peak, maps)
    assert np.isnan(xy).all(axis=1).tolist() == np.isnan(value).tolist() == [False, True, False]


@pytest.mark.parametrize("level", [-np.finfo(np.float32).max, np.finfo(np.float32).max, 0.0])
def test_extreme_logits_are_logits(place: Place, level: float) -> None:
    maps = np.full((1, 5, 7), level, np.float32)
    xy, confidence = place.run(kernels.soft_argmax, maps, radius=9)
    np.testing.assert_allclose(xy, [[3.0, 2.0]], rtol=1e-6)
    np.testing.assert_allclose(confidence, [1.0], rtol=1e-6)
    assert place.run(kernels.peak, maps)[0].tolist() == [[0.0, 0.0]]


def test_peak_finds_the_vertex_of_a_parabola(place: Place) -> None:
    y, x = np.mgrid[:20, :30].astype(np.float32)
    maps = (-((x - 12.25) ** 2) - (y - 7.375) ** 2)[None].astype(np.float32)
    xy, value = place.run(kernels.peak, maps)
    np.testing.assert_allclose(xy, [[12.25, 7.375]], rtol=0, atol=1e-5)
    assert value[0] == maps.max()


def test_peak_takes_no_step_across_the_border(place: Place) -> None:
    maps = np.zeros((1, 5, 40), np.float32)
    maps[0, 0, 39] = 3.0
    maps[0, 0, 38] = maps[0, 1, 39] = 2.0
    assert place.run(kernels.peak, maps)[0].tolist() == [[39.0, 0.0]]


def test_peak_takes_the_first_of_equals(place: Place) -> None:
    maps = np.zeros((1, 8, 33), np.float32)
    maps[0, 2, 31] = maps[0, 2, 32] = maps[0, 7, 0] = 1.0
    assert place.run(kernels.peak, maps)[0].tolist() == [[31.5, 2.0]]


def test_tilt_vector_joins_the_middles_of_the_sides() -> None:
    corners = np.array([[[0.0, 0.0], [10.0, 2.0], [0.0, 8.0], [12.0, 8.0]]])  # TL, TR, BL, BR
    assert kernels.tilt_vectors(corners).tolist() == [[11.0, 1.0]]


@pytest.mark.parametrize("degrees", [0.0, 1e-6, 22.5, 45.0, 89.999, 90.0, 110.0, 135.0, 180.0])
def test_angle_of_two_directions(isa: str, degrees: float) -> None:
    radians = np.radians(degrees)
    vectors = np.array([[3.0, 0.0], [np.cos(radians) * 50.0, np.sin(radians) * 50.0]])
    got = kernels.angle_matrix(vectors)
    np.testing.assert_allclose(got, [[0.0, degrees], [degrees, 0.0]], rtol=0, atol=1e-12)


def test_angle_with_a_vector_that_is_not_finite_is_nan() -> None:
    got = kernels.angle_matrix(np.array([[1.0, 0.0], [np.nan, 1.0], [np.inf, 0.0], [0.0, 0.0]]))
    assert np.isnan(got[1:3]).all()
    assert np.isnan(got[:, 1:3]).all()
    assert got[0, 3] == got[3, 3] == 0.0
