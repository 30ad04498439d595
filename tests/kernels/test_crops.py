"""Crops along any directions: by hand, against the reference and SciPy, and what must hold for any of them."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from spinert import kernels
from spinert.kernels import Affine, Grid, _cpu, reference
from tests.kernels.guards import guarded
from tests.kernels.test_resample import DTYPES, close_to, volume_of


def boxes(n: int, extent: float = 60.0, seed: int = 0) -> NDArray[np.float64]:
    """Centres in and about an image of this extent, all angles."""
    rng = np.random.default_rng(seed)
    centres, sides = rng.uniform(-0.3 * extent, 1.3 * extent, (n, 2)), rng.uniform(2.0, 0.6 * extent, (n, 2))
    return np.concatenate([centres, sides, rng.uniform(-7.0, 7.0, (n, 1))], axis=1)


def ways(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and steps of oblique crops."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.0, 20.0, (n, 3)), rng.normal(0.0, 1.0, (n, 3, 3))


def whole(height: int, width: int, radians: float = 0.0) -> NDArray[np.float64]:
    """The box of a whole image, turned about its middle."""
    return np.array([[(width - 1) / 2, (height - 1) / 2, width, height, radians]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_box_of_the_whole_image_is_the_image(place: Any, dtype: type) -> None:
    images = volume_of((3, 17, 33), dtype)
    got = place.run(kernels.crop_rotated, images, kernels.box_map(whole(17, 33), (17, 33)), (17, 33))
    np.testing.assert_array_equal(got, images[None].astype(np.float32))


@pytest.mark.parametrize("quarters", [1, 2, 3, -1, 5])
def test_a_quarter_turn_is_rot90(place: Any, quarters: int) -> None:
    image = volume_of((1, 19, 19))
    maps = kernels.box_map(whole(19, 19, quarters * math.pi / 2), (19, 19))
    got = place.run(kernels.crop_rotated, image, maps, (19, 19))
    np.testing.assert_array_equal(got[0, 0], np.rot90(image[0], quarters).astype(np.float32))


def test_a_positive_angle_turns_x_towards_y() -> None:
    maps = kernels.box_map(np.array([[10.0, 20.0, 4.0, 2.0, math.radians(30.0)]]), (2, 4))
    right = maps.to_image(np.array([[1.5, 0.5], [3.5, 0.5]]))[0]
    np.testing.assert_allclose(right, [[10.0, 20.0], [10.0 + 2.0 * math.cos(math.pi / 6), 21.0]], atol=1e-12)


def test_a_ramp_is_exact_at_any_angle(place: Any) -> None:
    y, x = np.mgrid[:60, :80].astype(np.float32)
    box = np.array([[38.0, 31.0, 40.0, 20.0, 0.7]])
    maps = kernels.box_map(box, (11, 23))
    got = place.run(kernels.crop_rotated, (3 * x - 5 * y)[None], maps, (11, 23), samples=3)
    v, u = np.mgrid[:11, :23]
    points = maps.to_image(np.stack([u, v], axis=-1).reshape(-1, 2))[0].reshape(11, 23, 2)
    np.testing.assert_allclose(got[0, 0], 3 * points[..., 0] - 5 * points[..., 1], rtol=0, atol=1e-4)


def test_points_outside_of_the_image_have_the_value_that_was_asked_for(place: Any) -> None:
    image = np.array([[[10, 20]]], np.uint8)
    maps = Affine(np.array([[[0.5, 0.0], [0.0, 0.5]]]), np.array([[-1.0, -0.5]]))
    got = place.run(kernels.crop_rotated, image, maps, (3, 7), outside=-7.0)
    row = [-7.0, 10.0, 10.0, 15.0, 20.0, 20.0, -7.0]  # at -1, -1/2, 0, 1/2, 1, 3/2, 2: the extent is -1/2 .. 3/2
    np.testing.assert_array_equal(got[0, 0], [row, row, row])


def test_missing_slices_of_a_disc_are_filled_with_zeros(place: Any) -> None:
    volume = np.full((5, 40, 40), 9, np.int16)
    maps = kernels.oblique_map(np.array([[20.0, 20.0, 2.0]]), np.eye(3)[None], (9, 8, 8), spacing=(4.0, 1.0, 1.0))
    assert (place.run(kernels.crop_oblique, volume, maps, (9, 8, 8)) == 9.0).all()  # 9 mm of slices 4 mm apart
    thick = np.diag([1.0, 1.0, 4.0])[None]
    maps = kernels.oblique_map(np.array([[20.0, 20.0, 2.0]]), thick, (9, 8, 8), spacing=(4.0, 1.0, 1.0))
    got = place.run(kernels.crop_oblique, volume, maps, (9, 8, 8))
    assert got[0].max(axis=(1, 2)).tolist() == got[0].min(axis=(1, 2)).tolist() == [0, 0, 9, 9, 9, 9, 9, 0, 0]


def test_a_disc_levelled_in_millimetres_lies_level(place: Any) -> None:
    """An endplate tilted by 20 degrees in mm, on sagittal slices whose pixels are not square."""
    tilt, spacing = math.radians(20.0), (4.0, 0.6, 0.9)
    y, x = np.mgrid[:100, :80]
    depth = (y - 50) * spacing[1] * math.cos(tilt) - (x - 40) * spacing[2] * math.sin(tilt)
    volume = np.repeat((depth * 10.0)[None], 3, axis=0).astype(np.float32)
    along = np.array([[math.cos(tilt), math.sin(tilt), 0.0], [-math.sin(tilt), math.cos(tilt), 0.0], [0.0, 0.0, 8.0]])
    maps = kernels.oblique_map(np.array([[40.0, 50.0, 1.0]]), 0.5 * along[None], (3, 21, 31), spacing=spacing)
    got = place.run(kernels.crop_oblique, volume, maps, (3, 21, 31))
    want = np.broadcast_to((np.arange(21) - 10)[:, None] * 0.5 * 10.0, (3, 21, 31))
    np.testing.assert_allclose(got[0], want, rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 31), (1, 47, 2), (3, 61, 67)], ids=str)
def test_crop_rotated_agrees_with_the_reference(place: Any, shape: tuple[int, int, int], dtype: type) -> None:
    images, maps = volume_of(shape, dtype), kernels.box_map(boxes(5), (13, 17))
    for samples in (1, 2, 3):
        got = place.run(kernels.crop_rotated, images, maps, (13, 17), samples=samples, outside=3.5)
        want = reference.crop_rotated(images, maps, (13, 17), samples=samples, outside=3.5)
        close_to(got, want, float(abs(images.astype(np.float64)).max()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (19, 1, 5), (16, 17, 15), (23, 21, 22)], ids=str)
def test_crop_oblique_agrees_with_the_reference(place: Any, shape: tuple[int, int, int], dtype: type) -> None:
    volume = volume_of(shape, dtype)
    for size in ((1, 1, 1), (5, 7, 16), (3, 2, 33)):
        maps = kernels.oblique_map(*ways(4), size, spacing=(1.5, 0.7, 0.8))
        got = place.run(kernels.crop_oblique, volume, maps, size, outside=-1.0)
        want = reference.crop_oblique(volume, maps, size, outside=-1.0)
        close_to(got, want, float(abs(volume.astype(np.float64)).max()))


def test_an_oblique_crop_is_scipys_affine_transform(place: Any) -> None:
    volume = volume_of((31, 33, 35), np.float32)
    maps = kernels.oblique_map(np.array([[17.0, 16.0, 15.0]]), 0.5 * ways(1)[1], (9, 10, 11), spacing=(1.0, 1.0, 1.0))
    got = place.run(kernels.crop_oblique, volume, maps, (9, 10, 11))[0]
    backwards = maps.matrix[0][::-1, ::-1], maps.origin[0][::-1]
    options: dict[str, Any] = {"output_shape": (9, 10, 11), "order": 1, "mode": "constant"}
    want = ndimage.affine_transform(volume.astype(np.float64), *backwards, **options)
    close_to(got, want, float(abs(volume).max()))


def test_an_upright_crop_is_a_trilinear_resample(place: Any) -> None:
    volume = volume_of((5, 13, 17))
    grid = Grid.of_shape(volume.shape, (9, 26, 30))
    maps = Affine(np.diag(grid.step[::-1])[None], np.array([grid.origin[::-1]]))
    got = place.run(kernels.crop_oblique, volume, maps, grid.shape)[0]
    close_to(got, reference.resample_volume(volume, grid), 32768.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_stays_where_it_has_a_weight(place: Any, bad: float) -> None:
    volume = volume_of((9, 20, 21), np.float32)
    volume[4, 10, 10] = volume[0, 0, 0] = bad
    for steps in (np.eye(3)[None], 0.6 * np.eye(3)[None], ways(1)[1]):
        maps = kernels.oblique_map(np.array([[10.0, 10.0, 4.0]]), steps, (7, 9, 19), spacing=(1.0, 1.0, 1.0))
        got = place.run(kernels.crop_oblique, volume, maps, (7, 9, 19))
        close_to(got, reference.crop_oblique(volume, maps, (7, 9, 19)), 1000.0)
    assert not np.isfinite(got).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1e300, 2.0**31, 2.0**63])
def test_maps_that_lead_far_away_or_nowhere_give_what_is_outside(place: Any, bad: float) -> None:
    volume = volume_of((3, 5, 7))
    for row in range(3):
        matrix, origin = np.eye(3)[None].copy(), np.zeros((1, 3))
        origin[0, row] = bad
        assert (place.run(kernels.crop_oblique, volume, Affine(matrix, origin), (2, 3, 17), outside=5.0) == 5.0).all()
        matrix[0, row, 0], origin[0, row] = bad, 0.0
        got = place.run(kernels.crop_oblique, volume, Affine(matrix, origin), (1, 1, 17), outside=5.0)
        assert (got[..., 1:] == 5.0).all()


def test_a_device_gives_the_bits_of_the_cpu(cuda: Any) -> None:
    """Of more channels than a thread takes and more crops than a launch."""
    images, maps = volume_of((9, 31, 37)), kernels.box_map(boxes(70, 30.0), (4, 5))
    got = cuda.run(kernels.crop_rotated, images, maps, (4, 5), samples=2, outside=7.5)
    assert got.tobytes() == kernels.crop_rotated(images, maps, (4, 5), samples=2, outside=7.5).tobytes()
    solid = kernels.oblique_map(*ways(70), (2, 3, 4), spacing=(1.0, 1.1, 0.9))
    got = cuda.run(kernels.crop_oblique, images, solid, (2, 3, 4))
    assert got.tobytes() == kernels.crop_oblique(images, solid, (2, 3, 4)).tobytes()


def test_a_captured_crop_keeps_its_maps(cuda: Any) -> None:
    first, second = volume_of((2, 19, 23), seed=1), volume_of((2, 19, 23), seed=2)
    maps, stream = kernels.box_map(boxes(40, 20.0), (3, 5)), cuda.native.Stream()
    placed, out = cuda.put(first, stream), cuda.native.empty((40, 2, 3, 5), np.float32, stream)
    together = np.ascontiguousarray(np.concatenate([maps.matrix, maps.origin[:, :, None]], axis=2))
    with cuda.native.Graph(stream) as graph:
        cuda.native.crop_rotated(placed, together, 2, 0.0, out, stream)
    together[:] = np.nan
    for images in (second, first):
        cuda.native.upload(images, placed)
        graph.launch()
        assert cuda.give(out).tobytes() == kernels.crop_rotated(images, maps, (3, 5), samples=2).tobytes()


@given(st.integers(0, 3), st.integers(1, 20), st.integers(1, 40), st.integers(1, 3), st.sampled_from(DTYPES))
def test_isas_and_threads_agree_in_every_bit(n: int, height: int, width: int, samples: int, dtype: type) -> None:
    images, maps = volume_of((2, 31, 37), dtype), kernels.box_map(boxes(n, seed=height), (height, width))
    size = (3, height, width)
    oblique = kernels.oblique_map(*ways(n, seed=width), size, spacing=(1.0, 0.9, 0.8))
    before, seen = kernels.active_isa(), set()
    for isa in kernels.usable_isas():
        _cpu.force_isa(isa)
        for threads in (1, 2, 5):
            rotated = kernels.crop_rotated(images, maps, (height, width), samples=samples, threads=threads)
            seen.add(rotated.tobytes() + kernels.crop_oblique(images, oblique, size, threads=threads).tobytes())
    _cpu.force_isa(before)
    assert len(seen) == 1
    assert rotated.shape == (n, 2, height, width)


@given(st.integers(1, 9), st.integers(0, 1000))
def test_maps_lead_there_and_back(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plane = kernels.box_map(boxes(n, seed=seed), (20, 30))
    solid = kernels.oblique_map(*ways(n, seed=seed), (9, 20, 30), spacing=(4.0, 0.7, 0.6))
    for maps, axes in ((plane, 2), (solid, 3)):
        points = rng.uniform(0.0, 30.0, (n, 7, axes))
        np.testing.assert_allclose(maps.to_crop(maps.to_image(points)), points, rtol=0, atol=1e-6)


def test_a_feature_map_is_cropped_where_the_image_is(place: Any) -> None:
    """Features that are means of 4 x 4 pixels, of an image that is a ramp."""
    y, x = np.mgrid[:80, :96].astype(np.float32)
    image = (2 * x + y)[None]
    features = image.reshape(1, 20, 4, 24, 4).mean(axis=(2, 4))
    box = np.array([[50.0, 40.0, 30.0, 24.0, 0.4]])
    of_image = place.run(kernels.crop_rotated, image, kernels.box_map(box, (7, 7)), (7, 7), samples=2)
    of_features = place.run(kernels.crop_rotated, features, kernels.box_map(box, (7, 7), stride=4.0), (7, 7), samples=2)
    np.testing.assert_allclose(of_features, of_image, rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (3, 15), (2, 16), (5, 17)], ids=str)
def test_crops_write_their_output_and_nothing_else(isa: str, size: tuple[int, int]) -> None:
    images = volume_of((4, 9, 23))
    maps = np.random.default_rng(0).normal(0.0, 2.0, (2, 3, 4))
    for threads in (1, 3):
        with guarded((2, 4, *size), np.float32) as out:
            _cpu.crop_rotated(images, maps[:, :2, 1:].copy(), 2, 0.0, out, threads)
            _cpu.crop_oblique(images, maps, 0.0, out, threads)


IMAGES, MAPS = np.zeros((2, 5, 7), np.int16), kernels.box_map(whole(5, 7), (5, 7))
SOLID = Affine(np.eye(3)[None], np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.crop_rotated(IMAGES[0], MAPS, (5, 7)), "images is int16 [5, 7], expected uint8 or int16 or"),
        (lambda: kernels.crop_rotated(IMAGES.astype(float), MAPS, (5, 7)), "images is float64 [2, 5, 7]"),
        (lambda: kernels.crop_oblique(IMAGES[:, ::2], SOLID, (1, 2, 3)), "volume is int16 [2, 3, 7], not C-contiguous"),
    ],
)
def test_images_of_another_type_are_refused(call: Any, got: str) -> None:
    with pytest.raises(TypeError, match=re.escape(got)):
        call()


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.crop_rotated(IMAGES[:, :0], MAPS, (5, 7)), "images has shape [2, 0, 7]"),
        (lambda: kernels.crop_rotated(IMAGES, MAPS, (5, 0)), "size is (5, 0), expected 2 lengths of at least 1"),
        (lambda: kernels.crop_rotated(IMAGES, MAPS, (5, 7), samples=0), "samples is 0, expected 1 to 64"),
        (lambda: kernels.crop_rotated(IMAGES, MAPS, (5, 7), samples=65), "samples is 65"),
        (lambda: kernels.crop_rotated(IMAGES, SOLID, (5, 7)), "maps has [1, 3, 3] and [1, 3], expected [n, 2, 2]"),
        (lambda: kernels.crop_oblique(IMAGES, MAPS, (1, 5, 7)), "maps has [1, 2, 2] and [1, 2], expected [n, 3, 3]"),
        (lambda: kernels.crop_oblique(IMAGES, SOLID, (1, 5, 7), threads=0), "threads is 0"),
        (lambda: kernels.box_map(np.zeros((1, 4)), (5, 7)), "boxes has shape [1, 4], expected [n, 5]"),
        (lambda: kernels.box_map(np.zeros((1, 5)), (5, 7)), "boxes has [0.0, 0.0, 0.0, 0.0, 0.0] in row 0"),
        (lambda: kernels.box_map(np.full((1, 5), np.nan), (5, 7)), "boxes has [nan"),
        (lambda: kernels.box_map(whole(5, 7), (5, 7), stride=0.0), "stride is 0.0"),
        (lambda: kernels.oblique_map(np.zeros((2, 3)), np.zeros((1, 3, 3)), (1, 2, 3), spacing=(1, 1, 1)), "[2, 3]"),
        (lambda: kernels.oblique_map(np.zeros((1, 3)), np.zeros((1, 3, 3)), (1, 2, 3), spacing=(1, 1, 1)), "one plane"),
        (lambda: kernels.oblique_map(np.zeros((1, 3)), np.eye(3)[None], (1, 2, 3), spacing=(1, 0, 1)), "spacing is"),
        (
            lambda: kernels.oblique_map(np.full((1, 3), np.inf), np.eye(3)[None], (1, 2, 3), spacing=(1, 1, 1)),
            "centres",
        ),
    ],
)
def test_values_out_of_range_are_refused(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        call()


PLANE, OUT = np.zeros((1, 2, 3)), np.zeros((1, 2, 4, 5), np.float32)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.crop_rotated(IMAGES, np.zeros((1, 3, 4)), 1, 0.0, OUT, 1), "maps"),
        (lambda: _cpu.crop_rotated(IMAGES, np.zeros((2, 2, 3)), 1, 0.0, OUT, 1), "another n"),
        (lambda: _cpu.crop_rotated(IMAGES[:1], PLANE, 1, 0.0, OUT, 1), "other channels"),
        (lambda: _cpu.crop_rotated(IMAGES, PLANE, 0, 0.0, OUT, 1), "samples"),
        (lambda: _cpu.crop_rotated(IMAGES[:, :0], PLANE, 1, 0.0, OUT, 1), "empty"),
        (lambda: _cpu.crop_oblique(IMAGES, PLANE, 0.0, OUT, 1), "maps"),
        (lambda: _cpu.crop_oblique(IMAGES[:0], np.zeros((1, 3, 4)), 0.0, OUT, 1), "empty"),
        (lambda: _cpu.crop_oblique(IMAGES, np.zeros((1, 3, 4)), 0.0, OUT, 0), "threads"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()
