"""Contrast: by hand, against the reference, and to the last grey level against OpenCV."""

import re
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded
from tests.kernels.places import CpuPlace, CudaPlace

Place = CpuPlace | CudaPlace
SHAPES = [(1, 1), (1, 40), (40, 1), (5, 3), (9, 9), (17, 16), (64, 64), (64, 67), (67, 131), (31, 200)]
TILES = [(8, 8), (4, 6), (1, 1), (1, 2), (13, 7)]
LIMITS = [0.0, 0.5, 2.0, 40.0, 1e6]
KINDS = ["8 bits", "12 of 16 bits", "16 bits", "one level"]

SIDES = st.integers(1, 40)
PICTURES = st.sampled_from([np.uint8, np.uint16]).flatmap(lambda dtype: arrays(dtype, st.tuples(SIDES, SIDES)))


def picture(shape: tuple[int, ...], kind: str, seed: int = 0) -> NDArray[Any]:
    """Noise on a ramp: its levels have very different counts from tile to tile."""
    dtype: type = np.uint8 if kind == "8 bits" else np.uint16
    top = {"8 bits": 255, "12 of 16 bits": 4095, "16 bits": 65535, "one level": 0}[kind]
    noise = np.random.default_rng(seed).integers(0, top // 3 + 1, shape)
    return np.asarray((noise + np.linspace(top // 2, top - top // 3, shape[-1])).astype(dtype))


def opencv_clahe(image: NDArray[Any], clip_limit: float, tiles: tuple[int, int]) -> NDArray[Any]:
    return np.asarray(cv2.createCLAHE(clip_limit, tiles[::-1]).apply(image))


def test_levels_are_spread_by_their_counts(place: Place) -> None:
    """2, 1 and 1 of the pixels above the lowest: 255 * 2/4, 255 * 3/4 and 255, the first half to the even level."""
    image = np.array([[7, 7, 7, 7], [9, 9, 20, 200]], np.uint8)
    got = place.run(kernels.equalize_histogram, image)
    assert got.tolist() == [[0, 0, 0, 0], [128, 128, 191, 255]]


@pytest.mark.parametrize("level", [0, 7, 255])
def test_an_image_of_one_level_stays_as_it_is(place: Place, level: int) -> None:
    image = np.full((5, 9), level, np.uint8)
    assert (place.run(kernels.equalize_histogram, image) == level).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_equalized_images_are_those_of_opencv(place: Place, shape: tuple[int, int]) -> None:
    for seed in range(5):
        image = picture(shape, "8 bits", seed)
        got = place.run(kernels.equalize_histogram, image)
        np.testing.assert_array_equal(got, cv2.equalizeHist(image))
        assert np.abs(got.astype(int) - reference.equalize_histogram(image)).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_clahe_is_that_of_opencv_for_any_tiles(place: Place, shape: tuple[int, int], kind: str) -> None:
    """Tiles that do not divide the image, more tiles than pixels, and every way to clip."""
    image = picture(shape, kind)
    few = image.dtype == np.uint16 and place.name != "cpu"  # an emulated device takes its time over 65536 levels
    for clip_limit, tiles in [(2.0, (3, 2)), (40.0, (1, 1))] if few else zip(LIMITS, TILES, strict=True):
        got = place.run(kernels.clahe, image, clip_limit=clip_limit, tiles=tiles)
        np.testing.assert_array_equal(got, opencv_clahe(image, clip_limit, tiles))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_clahe_is_within_a_level_of_the_reference(isa: str, shape: tuple[int, int], kind: str) -> None:
    image = picture(shape, kind)
    for clip_limit, tiles in ((0.0, (8, 8)), (3.0, (2, 5)), (2.0, (1, 1))):
        got = kernels.clahe(image, clip_limit=clip_limit, tiles=tiles)
        want = reference.clahe(image, clip_limit=clip_limit, tiles=tiles)
        assert np.abs(got.astype(int) - want.astype(int)).max() <= 1


def test_a_row_on_the_centres_of_tiles_is_that_of_opencv(isa: str) -> None:
    """188 / 376 - 1/2 is a rounding below 0 in single precision: the tile before is another one than at 0."""
    for seed in range(20):
        image = picture((8 * 376, 24), "16 bits", seed)
        got = kernels.clahe(image, clip_limit=0.0, tiles=(8, 8))
        np.testing.assert_array_equal(got, opencv_clahe(image, 0.0, (8, 8)))


def test_one_tile_without_a_limit_is_the_cumulated_histogram(place: Place) -> None:
    image = np.array([[0, 1], [1, 3]], np.uint8)
    got = place.run(kernels.clahe, image, clip_limit=0.0, tiles=(1, 1))
    assert got.tolist() == [[64, 191], [191, 255]]


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_batch_is_each_image_alone(place: Place, kind: str) -> None:
    images = np.stack([picture((37, 53), kind, seed) // (seed + 1) for seed in range(3)])
    got = place.run(kernels.clahe, images, clip_limit=2.0, tiles=(3, 4))
    alone = [place.run(kernels.clahe, image, clip_limit=2.0, tiles=(3, 4)) for image in images]
    np.testing.assert_array_equal(got, alone)
    if images.dtype == np.uint8:
        alone = [place.run(kernels.equalize_histogram, image) for image in images]
        np.testing.assert_array_equal(place.run(kernels.equalize_histogram, images), alone)
    assert place.run(kernels.clahe, images[:0], clip_limit=2.0).shape == (0, 37, 53)


@given(PICTURES, st.floats(0.0, 50.0), st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_any_picture_is_that_of_opencv(image: NDArray[Any], clip_limit: float, tiles: tuple[int, int]) -> None:
    got = kernels.clahe(image, clip_limit=clip_limit, tiles=tiles)
    np.testing.assert_array_equal(got, opencv_clahe(image, clip_limit, tiles))
    if image.dtype == np.uint8:
        np.testing.assert_array_equal(kernels.equalize_histogram(image), cv2.equalizeHist(image))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 67, 131), (5, 9, 9), (1, 300, 201)], ids=str)
def test_instruction_sets_and_threads_agree_in_every_bit(isa: str, shape: tuple[int, ...], kind: str) -> None:
    images = picture(shape, kind)

    def results(threads: int) -> bytes:
        made = [kernels.clahe(images, clip_limit=2.0, tiles=(8, 5), threads=threads)]
        if images.dtype == np.uint8:
            made += [kernels.equalize_histogram(images, threads=threads)]
        return b"".join(result.tobytes() for result in made)

    got = results(threads=1)
    assert all(results(threads) == got for threads in (2, 3, 7))
    _cpu.force_isa("base")
    assert results(threads=1) == got


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_are_written_and_nothing_around_them(isa: str, shape: tuple[int, int]) -> None:
    for kind in KINDS[:2]:
        image = picture(shape, kind)
        with guarded(shape, image.dtype.type) as out:
            _cpu.clahe(image, 2.0, 5, 7, out, 2)
    with guarded(shape, np.uint8) as out:
        _cpu.equalize_histogram(picture(shape, "8 bits"), out, 2)


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (np.zeros((3, 4), np.int16), "images is int16 [3, 4], expected uint8"),
        (np.zeros((3, 4), np.float32), "images is float32 [3, 4]"),
        (np.zeros(4, np.uint8), "images is uint8 [4], expected uint8"),
        (np.zeros((2, 3, 4, 5), np.uint8), "images is uint8 [2, 3, 4, 5]"),
        (np.zeros((3, 4), np.uint8).T, "images is uint8 [4, 3], not C-contiguous"),
    ],
)
def test_images_of_another_type_are_refused(images: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.equalize_histogram(images)
    with pytest.raises(TypeError, match=re.escape(got)):
        kernels.clahe(images, clip_limit=2.0)


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"clip_limit": -1.0}, "clip_limit is -1.0"),
        ({"clip_limit": float("nan")}, "clip_limit is nan"),
        ({"clip_limit": float("inf")}, "clip_limit is inf"),
        ({"tiles": (0, 8)}, "tiles is (0, 8), expected (rows, columns) of 1 to 256"),
        ({"tiles": (8, 257)}, "tiles is (8, 257)"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_settings_out_of_range_are_refused(arguments: dict[str, Any], got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.clahe(picture((9, 9), "8 bits"), **{"clip_limit": 2.0, **arguments})


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (2, 0, 3)])
def test_an_image_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        kernels.equalize_histogram(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="at least one pixel"):
        kernels.clahe(np.zeros(shape, np.uint16), clip_limit=2.0)


IMAGE = np.zeros((3, 4), np.uint8)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.equalize_histogram(IMAGE, np.zeros((4, 3), np.uint8), 1), "another shape"),
        (lambda: _cpu.equalize_histogram(IMAGE[None], IMAGE.copy(), 1), "another shape"),
        (lambda: _cpu.equalize_histogram(IMAGE[0], IMAGE[0].copy(), 1), "neither one image"),
        (lambda: _cpu.equalize_histogram(IMAGE[:0], IMAGE[:0].copy(), 1), "no pixels"),
        (lambda: _cpu.clahe(IMAGE, -1.0, 8, 8, IMAGE.copy(), 1), "clip_limit"),
        (lambda: _cpu.clahe(IMAGE, float("nan"), 8, 8, IMAGE.copy(), 1), "clip_limit"),
        (lambda: _cpu.clahe(IMAGE, 1.0, 0, 8, IMAGE.copy(), 1), "tiles"),
        (lambda: _cpu.clahe(IMAGE, 1.0, 8, 257, IMAGE.copy(), 1), "tiles"),
        (lambda: _cpu.clahe(IMAGE, 1.0, 8, 8, IMAGE.copy(), 0), "threads"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()


def test_the_bindings_take_a_limit_beyond_every_count() -> None:
    out = IMAGE.copy()
    _cpu.clahe(IMAGE, float("inf"), 1, 1, out, 1)
    np.testing.assert_array_equal(out, kernels.clahe(IMAGE, clip_limit=0.0, tiles=(1, 1)))
