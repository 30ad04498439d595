"""Overlapping tiles of a volume: by hand, against the reference, and what holds for any."""

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded, surrounded
from tests.kernels.places import CpuPlace, CudaPlace

Size = tuple[int, int, int]
Place = CpuPlace | CudaPlace

# a tile alone, rows that are no whole lanes, strides of all kinds, a last tile moved back, three tiles over a voxel
GRIDS: list[tuple[Size, Size, Size]] = [
    ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
    ((3, 5, 17), (3, 5, 17), (1, 1, 1)),
    ((4, 6, 35), (2, 3, 16), (2, 3, 16)),
    ((7, 11, 131), (3, 4, 67), (2, 3, 31)),
    ((9, 8, 40), (6, 5, 15), (2, 2, 4)),
    ((13, 1, 33), (5, 1, 31), (1, 1, 1)),
]


def ones(patch: Size) -> Any:
    return tuple(np.ones(n) for n in patch)


def blended(*tiles: Any, **settings: Any) -> Any:
    blend = kernels.TileBlend(**settings)
    for tile, position in zip(tiles, blend.positions, strict=True):
        blend.add(tile, position)
    return blend.result


def random_tiles(count: int, classes: int, patch: Size, dtype: type = np.float32) -> list[NDArray[Any]]:
    rng = np.random.default_rng(count)
    return [rng.normal(0.0, 2.0, (classes, *patch)).astype(dtype) for _ in range(count)]


def case(
    grid: tuple[Size, Size, Size], classes: int, tile_dtype: type = np.float32
) -> tuple[list[NDArray[Any]], dict[str, Any], NDArray[np.float64]]:
    """Tiles, settings of a blend, and the means of the reference."""
    shape, patch, stride = grid
    weights = kernels.gaussian_weights(patch, 1 / 8)
    positions = kernels.tile_positions(shape, patch, stride)
    tiles = random_tiles(len(positions), classes, patch, tile_dtype)
    settings = {"shape": shape, "patch": patch, "stride": stride, "classes": classes, "weights": weights}
    return tiles, settings, reference.blend_tiles(tiles, positions, shape, weights)


def test_tiles_begin_every_stride_and_the_last_ends_with_the_volume() -> None:
    assert kernels.tile_positions((1, 1, 10), (1, 1, 4), (1, 1, 4))[:, 2].tolist() == [0, 4, 6]
    assert kernels.tile_positions((1, 1, 10), (1, 1, 4), (1, 1, 3))[:, 2].tolist() == [0, 3, 6]
    assert kernels.tile_positions((4, 1, 5), (4, 1, 5), (2, 1, 2)).tolist() == [[0, 0, 0]]
    assert kernels.tile_positions((3, 1, 3), (2, 1, 2), (1, 1, 2)).tolist() == [
        [0, 0, 0],
        [0, 0, 1],
        [1, 0, 0],
        [1, 0, 1],
    ]


SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))


@given(SIZES, SIZES, SIZES)
def test_tiles_cover_every_voxel_and_leave_no_volume(shape: Size, patch: Size, stride: Size) -> None:
    patch = tuple(map(min, patch, shape))  # type: ignore[assignment]
    stride = tuple(map(min, stride, patch))  # type: ignore[assignment]
    covered = np.zeros(shape, int)
    positions = kernels.tile_positions(shape, patch, stride)
    for z, y, x in positions.tolist():
        here = covered[z : z + patch[0], y : y + patch[1], x : x + patch[2]]
        assert here.shape == patch
        here += 1
    assert covered.min() == 1
    assert positions.tolist() == np.unique(positions, axis=0).tolist()  # slab after slab, none twice


def test_gaussian_weights_are_1_in_the_middle_and_fall_by_sigma() -> None:
    z, y, x = kernels.gaussian_weights((5, 4, 1), 0.2)
    np.testing.assert_allclose(z, np.exp([-2.0, -0.5, 0.0, -0.5, -2.0]), rtol=1e-15)  # sigma is 1 voxel
    np.testing.assert_array_equal(y, y[::-1])
    assert x.tolist() == [1.0]


def test_a_tile_alone_is_the_result(place: Place) -> None:
    tiles, settings, _ = case(GRIDS[1], 3)
    np.testing.assert_array_equal(place.run(blended, *tiles, **settings, dtype="float32"), tiles[0])


def test_overlapping_tiles_are_averaged_by_their_weights(place: Place) -> None:
    weights = (np.ones(1), np.ones(1), np.array([1.0, 2.0, 1.0]))
    tiles = [np.full((1, 1, 1, 3), value, np.float32) for value in (1.0, 7.0)]
    settings = {"shape": (1, 1, 4), "patch": (1, 1, 3), "stride": (1, 1, 1), "classes": 1, "weights": weights}
    got = place.run(blended, *tiles, **settings, dtype="float32")
    np.testing.assert_allclose(got, [[[[1.0, (2 * 1 + 1 * 7) / 3, (1 * 1 + 2 * 7) / 3, 7.0]]]], rtol=1e-6)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("tile_dtype", [np.float32, np.float16])
def test_means_agree_with_the_reference(place: Place, grid: tuple[Size, Size, Size], tile_dtype: type) -> None:
    for classes in (1, 3):
        tiles, settings, want = case(grid, classes, tile_dtype)
        got = place.run(blended, *tiles, **settings, dtype="float32")
        np.testing.assert_allclose(got, want, rtol=0, atol=5e-6)
        halves = place.run(blended, *tiles, **settings, dtype="float16")
        np.testing.assert_array_equal(halves, got.astype(np.float16))


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("classes", [2, 5])
def test_labels_are_the_classes_of_the_largest_means(place: Place, grid: tuple[Size, Size, Size], classes: int) -> None:
    tiles, settings, want = case(grid, classes)
    labels = place.run(blended, *tiles, **settings)
    means = place.run(blended, *tiles, **settings, dtype="float32")
    np.testing.assert_array_equal(labels, means.argmax(axis=0))
    ordered = np.sort(want, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-5
    np.testing.assert_array_equal(labels[clear], want.argmax(axis=0)[clear])


@given(SIZES, SIZES, SIZES, st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_any_grid_agrees_with_the_reference(shape: Size, patch: Size, stride: Size, classes: int, seed: int) -> None:
    patch = tuple(map(min, patch, shape))  # type: ignore[assignment]
    stride = tuple(map(min, stride, patch))  # type: ignore[assignment]
    rng = np.random.default_rng(seed)
    weights: Any = tuple(rng.uniform(0.1, 1.0, n) for n in patch)
    positions = kernels.tile_positions(shape, patch, stride)
    tiles = rng.uniform(-1.0, 1.0, (len(positions), classes, *patch)).astype(np.float32)
    settings = {"shape": shape, "patch": patch, "stride": stride, "classes": classes, "weights": weights}
    got = blended(*tiles, **settings, dtype="float32")
    np.testing.assert_allclose(got, reference.blend_tiles(list(tiles), positions, shape, weights), rtol=0, atol=2e-6)
    if classes > 1:
        np.testing.assert_array_equal(blended(*tiles, **settings), got.argmax(axis=0))


def test_the_first_of_equal_classes_is_the_label(place: Place) -> None:
    tile = np.array([[1.0, 0.0, 5.0], [2.0, 0.0, 5.0], [2.0, 0.0, 4.0]], np.float32).reshape(3, 1, 1, 3)
    settings = {"shape": (1, 1, 3), "patch": (1, 1, 3), "stride": (1, 1, 1), "classes": 3, "weights": ones((1, 1, 3))}
    assert place.run(blended, tile, **settings).tolist() == [[[1, 0, 0]]]


def test_nan_is_never_the_label(place: Place) -> None:
    nan, inf = np.nan, np.inf
    tile = np.array([[nan, 0.0, nan, -inf], [1.0, nan, nan, -inf]], np.float32).reshape(2, 1, 1, 4)
    settings = {"shape": (1, 1, 4), "patch": (1, 1, 4), "stride": (1, 1, 1), "classes": 2, "weights": ones((1, 1, 4))}
    assert place.run(blended, tile, **settings).tolist() == [[[1, 0, 0, 0]]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_spoils_its_voxel_only(place: Place, bad: float) -> None:
    tiles, settings, _ = case(GRIDS[3], 2)
    tiles[4][1, 2, 1, 16] = bad
    z, y, x = (kernels.tile_positions(*GRIDS[3])[4] + (2, 1, 16)).tolist()
    spoiled = ~np.isfinite(place.run(blended, *tiles, **settings, dtype="float32"))
    assert np.argwhere(spoiled).tolist() == [[1, z, y, x]]


def test_one_class_is_labelled_above_the_threshold(place: Place) -> None:
    tile = np.array([0.25, 0.5, 0.75, np.nan, np.inf], np.float32).reshape(1, 1, 1, 5)
    settings = {"shape": (1, 1, 5), "patch": (1, 1, 5), "stride": (1, 1, 1), "classes": 1, "weights": ones((1, 1, 5))}
    assert place.run(blended, tile, **settings, threshold=0.5).tolist() == [[[0, 0, 1, 0, 1]]]


def test_256_classes_have_labels(place: Place) -> None:
    tile = np.eye(256, dtype=np.float32).reshape(256, 1, 1, 256)
    shape = (1, 1, 256)
    settings = {"shape": shape, "patch": shape, "stride": (1, 1, 1), "classes": 256, "weights": ones(shape)}
    assert place.run(blended, tile, **settings)[0, 0].tolist() == list(range(256))


def test_every_half_is_read_exactly(place: Place) -> None:
    tile = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(1, 1, 1, -1)
    shape = tile.shape[1:]
    settings = {"shape": shape, "patch": shape, "stride": (1, 1, 1), "classes": 1, "weights": ones(shape)}
    got = place.run(blended, tile, **settings, dtype="float32")
    np.testing.assert_array_equal(got, tile.astype(np.float32))
    assert np.signbit(got[0, 0, 0, 0x8000])


def test_floats_become_the_nearest_halves(place: Place) -> None:
    """Bit patterns of every exponent, and what lies on either side of each half and midway between two."""
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**32, 60_000, np.uint32).view(np.float32)
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    midway = 0.5 * halves[1:] + 0.5 * halves[:-1]
    exact = [midway, np.nextafter(midway, np.float32(0)), np.nextafter(midway, np.float32(1e9)), halves]
    ends = np.array([65519.0, 65520.0, 65536.0, np.inf, np.nan, 2.0**-25, 2.0**-24, 1e-45], np.float32)
    values = np.concatenate([any_bits, *exact, ends, -ends])
    shape = (1, 1, len(values))
    settings = {"shape": shape, "patch": shape, "stride": (1, 1, 1), "classes": 1, "weights": ones(shape)}
    got = place.run(blended, values.reshape(1, *shape), **settings, dtype="float16")
    with np.errstate(over="ignore", under="ignore"):
        want = values.astype(np.float16)
    np.testing.assert_array_equal(got.ravel(), want)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
def test_threads_do_not_change_a_bit(place: Place, dtype: str) -> None:
    grid = ((40, 64, 70), (24, 48, 67), (12, 16, 3))  # large enough for several threads
    tiles, settings, _ = case(grid, 2)
    single = place.run(blended, *tiles, **settings, dtype=dtype)
    for threads in (2, 3, 7):
        assert place.run(blended, *tiles, **settings, dtype=dtype, threads=threads).tobytes() == single.tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_every_isa_gives_the_same_bits(isa: str, grid: tuple[Size, Size, Size], dtype: str) -> None:
    tiles, settings, _ = case(grid, 3)
    got = blended(*tiles, **settings, dtype=dtype)
    _cpu.force_isa("base")
    assert got.tobytes() == blended(*tiles, **settings, dtype=dtype).tobytes()


def test_sums_are_held_for_as_many_slices_as_a_patch_has() -> None:
    shape, patch, classes = (160, 64, 64), (16, 32, 32), 5
    stride = (8, 16, 16)
    tile = np.zeros((classes, *patch), np.float32)
    settings = {"shape": shape, "patch": patch, "stride": stride, "classes": classes, "weights": ones(patch)}
    count = len(kernels.tile_positions(shape, patch, stride))
    tracemalloc.start()
    try:
        result = blended(*[tile] * count, **settings)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    slab = classes * 16 * 64 * 64 * 4
    assert most < result.nbytes + slab + 2**20
    assert most < classes * result.nbytes  # the sums of the whole volume would be 4 times that


@pytest.mark.parametrize("columns", [8, 15, 16, 17, 33])
def test_tiles_are_written_to_their_places_and_nothing_else(isa: str, columns: int) -> None:
    tile = np.ones((2, 3, 6, columns), np.float32)
    weights: Sequence[NDArray[np.float32]] = [np.ones((1, n), np.float32) for n in tile.shape[1:]]
    with surrounded((2, 4, 6, columns), np.float32) as ring, guarded((3, 6, columns), np.uint8) as labels:
        for threads in (1, 3):
            _cpu.add_tile(tile, *weights, (0, 0, 0), (3, 0, 0), (0, 0, 0), ring, threads)
            _cpu.label_slices(ring, 3, 0, 3, 0.0, labels, threads)
            with guarded((2, 3, 6, columns), np.float16) as halves:
                _cpu.half_slices(ring, 3, 0, 3, halves, threads)
    assert (halves == 1.0).all()
