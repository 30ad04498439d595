"""Volumes on other grids: by hand, against the reference, torch and SciPy, and what must hold for any of them."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from spinert import kernels
from spinert.kernels import Grid, _cpu, reference
from tests.kernels.guards import guarded

DTYPES = (np.uint8, np.int16, np.uint16, np.float32)
SHAPES = [(1, 1, 1), (1, 1, 67), (1, 37, 1), (19, 1, 1), (3, 15, 17), (5, 16, 31), (7, 33, 16), (2, 3, 131)]
NEW_SHAPES = [(1, 1, 1), (2, 16, 15), (7, 13, 47), (4, 64, 17), (11, 5, 3)]
CT = (1.0, -1024.0, -160.0, 240.0)


def volume_of(shape: tuple[int, ...], dtype: type = np.int16, seed: int = 0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    if dtype == np.float32:
        return rng.normal(0.0, 100.0, shape).astype(np.float32)
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def close_to(got: NDArray[np.float32], want: NDArray[np.float64], largest: float) -> None:
    """Equal to three roundings of float32, and not finite in the same places."""
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))
    finite = np.isfinite(want)
    np.testing.assert_allclose(got[finite], want[finite], rtol=0, atol=5e-7 * max(1.0, largest))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_grid_of_the_volume_itself_changes_nothing(place: Any, dtype: type) -> None:
    volume = volume_of((3, 17, 33), dtype)
    grid = Grid.of_spacing(volume.shape, (2.0, 0.7, 0.7), (2.0, 0.7, 0.7))
    assert grid == Grid(volume.shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    np.testing.assert_array_equal(place.run(kernels.resample_volume, volume, grid), volume.astype(np.float32))


def test_two_voxels_become_three(place: Any) -> None:
    grid = Grid.of_shape((1, 1, 2), (1, 1, 3))
    got = place.run(kernels.resample_volume, np.array([[[30, 60]]], np.int16), grid)
    np.testing.assert_allclose(got, [[[30.0, 45.0, 60.0]]], rtol=1e-7)  # at -1/6, 1/2 and 7/6: the border goes on


def test_four_voxels_become_two_under_a_triangle_of_twice_the_width(place: Any) -> None:
    got = place.run(kernels.resample_volume, np.array([[[0, 0, 80, 0]]], np.int16), Grid.of_shape((1, 1, 4), (1, 1, 2)))
    # triangles 2 wide on each side of 1/2 and 5/2: weights 3 3 1 and, mirrored, 1 3 3, of 7
    np.testing.assert_allclose(got, [[[80 / 7, 240 / 7]]], rtol=1e-6)


def test_a_ramp_stays_a_ramp_where_axes_grow(place: Any) -> None:
    z, y, x = np.mgrid[:5, :7, :9]
    volume = (100 * z + 10 * y - 3 * x).astype(np.int16)
    grid = Grid((11, 17, 29), (0.37, 0.35, 0.28), (0.1, 0.2, 0.15))
    points = grid.to_volume(np.stack(np.mgrid[:11, :17, :29][::-1], axis=-1))
    want = 100 * points[..., 2] + 10 * points[..., 1] - 3 * points[..., 0]
    np.testing.assert_allclose(place.run(kernels.resample_volume, volume, grid), want, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("step", "shift"), [(2.0, 1e-4), (3.0, 1e-4), (10 / 7, 0.09), (1.9, 0.09), (1.21, 0.09)])
def test_a_ramp_moves_by_a_small_part_of_a_voxel_where_axes_shrink(place: Any, step: float, shift: float) -> None:
    volume = np.broadcast_to(np.arange(200, dtype=np.int16), (1, 1, 200)).copy()
    grid = Grid.of_spacing(volume.shape, (1.0, 1.0, 1.0), (1.0, 1.0, step))
    got = place.run(kernels.resample_volume, volume, grid)[0, 0]
    places = grid.origin[2] + grid.step[2] * np.arange(grid.shape[2])
    within = (places > 4) & (places < 195)
    assert abs(got - places)[within].max() < shift


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_resample_volume_agrees_with_the_reference(place: Any, shape: tuple[int, int, int], dtype: type) -> None:
    volume = volume_of(shape, dtype)
    grids = [Grid.of_shape(shape, new_shape) for new_shape in NEW_SHAPES]
    grids += [Grid((2, 5, 19), (0.4, 1.7, 2.3), (-3.0, 1.2, -0.8)), Grid((2, 3, 40), (1.0, 9.0, 1.9), (0.5, 5.0, 0.0))]
    for grid in grids:
        for window in (None, CT, (-2.0, 30.0, -100.0, 5000.0)):
            got = place.run(kernels.resample_volume, volume, grid, window=window)
            want = reference.resample_volume(volume, grid, window=window)
            close_to(got, want, float(abs(volume.astype(np.float64)).max()) if window is None else 1.0)


@pytest.mark.parametrize("new_shape", NEW_SHAPES[1:], ids=str)
def test_slices_are_resized_as_torch_does_with_antialias(place: Any, new_shape: tuple[int, int, int]) -> None:
    volume = volume_of((5, 31, 37), np.float32)
    rows, columns = new_shape[1:]
    got = place.run(kernels.resample_volume, volume, Grid.of_shape(volume.shape, (5, rows, columns)))
    want = torch.nn.functional.interpolate(
        torch.from_numpy(volume)[None].double(), (rows, columns), mode="bilinear", align_corners=False, antialias=True
    )
    close_to(got, want[0].numpy(), float(abs(volume).max()))


def test_a_volume_that_grows_is_scipys_linear_zoom(place: Any) -> None:
    volume = volume_of((5, 13, 17), np.float32)
    got = place.run(kernels.resample_volume, volume, Grid.of_shape(volume.shape, (10, 26, 51)))
    want = ndimage.zoom(volume.astype(np.float64), (2, 2, 3), order=1, mode="nearest", grid_mode=True)
    close_to(got, want, float(abs(volume).max()))


def test_a_window_clips_stored_values_before_it_blends_them(place: Any) -> None:
    volume = np.array([[[0, 1000, 4000]]], np.uint16)  # HU -1024, -24 and 2976
    got = place.run(kernels.resample_volume, volume, Grid.of_shape((1, 1, 3), (1, 1, 6)), window=CT)
    np.testing.assert_allclose(got, [[[0.0, 0.085, 0.255, 0.505, 0.835, 1.0]]], rtol=1e-6)


@pytest.mark.parametrize("window", [CT, (-1.0, 0.0, -300.0, 300.0), (0.37, 1e5, 1e5 - 1.0, 1e5 + 9.0)])
def test_a_windowed_volume_lies_within_0_and_1(place: Any, window: tuple[float, float, float, float]) -> None:
    got = place.run(
        kernels.resample_volume, volume_of((9, 40, 41)), Grid((7, 33, 35), (1.1, 1.3, 1.2), (0, 0, 0)), window=window
    )
    assert got.min() == 0.0
    assert got.max() == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("step", [0.6, 1.0, 1.4, 2.0, 3.3])
def test_a_value_that_is_not_finite_stays_where_it_has_a_weight(place: Any, bad: float, step: float) -> None:
    volume = volume_of((7, 19, 41), np.float32)
    volume[3, 9, 20] = volume[0, 18, 40] = bad
    grid = Grid.of_spacing(volume.shape, (1.0, 1.0, 1.0), (step, step, step))
    got = place.run(kernels.resample_volume, volume, grid)
    weights = [
        reference.linear_weights(n, m, step, grid.origin[0]) for n, m in zip(volume.shape, grid.shape, strict=True)
    ]
    reach = [(w > 0).astype(float) for w in weights]
    reached = np.einsum("zk,yj,xi,kji->zyx", *reach, ~np.isfinite(volume), optimize=True) > 0
    np.testing.assert_array_equal(~np.isfinite(got), reached)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_resample_labels_agrees_with_the_reference(place: Any, shape: tuple[int, int, int], dtype: type) -> None:
    labels = volume_of(shape, dtype)
    for new_shape in NEW_SHAPES:
        for grid in (Grid.of_shape(shape, new_shape), Grid(new_shape, (0.5, 1.7, 0.9), (-2.0, 0.5, 3.0))):
            got = place.run(kernels.resample_labels, labels, grid)
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, reference.resample_labels(labels, grid))


def test_labels_are_torchs_nearest_exact(place: Any) -> None:
    labels = volume_of((7, 20, 30), np.uint8)
    for new_shape in NEW_SHAPES:
        got = place.run(kernels.resample_labels, labels, Grid.of_shape(labels.shape, new_shape))
        want = torch.nn.functional.interpolate(torch.from_numpy(labels)[None, None], new_shape, mode="nearest-exact")
        np.testing.assert_array_equal(got, want[0, 0].numpy())


def test_labels_found_on_a_finer_grid_come_back_unchanged(place: Any) -> None:
    labels = volume_of((6, 21, 17), np.uint8)
    grid = Grid.of_spacing(labels.shape, (3.0, 0.9, 0.7), (1.0, 0.5, 0.5))
    finer = place.run(kernels.resample_labels, labels, grid)
    back = place.run(kernels.resample_labels, finer, grid.inverse(labels.shape))
    np.testing.assert_array_equal(back, labels)


def test_a_grid_of_a_spacing_has_exactly_that_spacing_and_the_first_corner() -> None:
    grid = Grid.of_spacing((300, 512, 512), (1.0, 0.7, 0.7), (1.0, 1.0, 1.0))
    assert grid.shape == (300, 358, 358)
    assert grid.step == (1.0, 1.0 / 0.7, 1.0 / 0.7)
    np.testing.assert_allclose(grid.to_volume(np.full(3, -0.5)), np.full(3, -0.5), atol=1e-12)


def test_a_grid_of_a_shape_has_both_corners() -> None:
    grid = Grid.of_shape((20, 30, 50), (7, 60, 13))
    np.testing.assert_allclose(grid.to_volume(np.full(3, -0.5)), np.full(3, -0.5), atol=1e-12)
    np.testing.assert_allclose(grid.to_volume(np.array([12.5, 59.5, 6.5])), [49.5, 29.5, 19.5], atol=1e-12)


def test_a_blob_lies_on_the_grid_where_its_map_says(place: Any) -> None:
    z, y, x = np.mgrid[:40, :60, :80]
    at = np.array([33.3, 21.6, 18.2])  # x, y, z
    blob = 1000.0 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2 + (z - at[2]) ** 2) / 20.0)
    grid = Grid.of_spacing(blob.shape, (1.0, 0.7, 0.6), (1.3, 1.0, 0.5))
    got = place.run(kernels.resample_volume, blob.astype(np.float32), grid)
    found = np.array(ndimage.center_of_mass(got.astype(np.float64)))[::-1]
    np.testing.assert_allclose(grid.to_volume(found), at, atol=0.01)
    np.testing.assert_allclose(grid.inverse(blob.shape).to_volume(at), grid.to_grid(at), atol=1e-12)


@pytest.mark.parametrize("step", [0.4, 1.0, 10 / 7, 2.0, 5.5])
def test_a_device_gives_the_bits_of_the_cpu(cuda: Any, step: float) -> None:
    volume = volume_of((9, 31, 47))
    grid = Grid.of_spacing(volume.shape, (1.0, 1.0, 1.0), (step, 1.3 * step, step))
    for window in (None, CT):
        got = cuda.run(kernels.resample_volume, volume, grid, window=window)
        assert got.tobytes() == kernels.resample_volume(volume, grid, window=window).tobytes()


def test_a_captured_resample_runs_again_on_what_the_volume_has_become(cuda: Any) -> None:
    first, second = volume_of((3, 9, 17), seed=1), volume_of((3, 9, 17), seed=2)
    grid, stream = Grid.of_shape(first.shape, (2, 12, 11)), cuda.native.Stream()
    placed, out = cuda.put(first, stream), cuda.native.empty(grid.shape, np.float32, stream)
    arguments = placed, grid.step, grid.origin, (0.0, -np.inf, np.inf, 1.0), out, stream
    cuda.native.resample_volume(*arguments)  # once, for its scratch
    with cuda.native.Graph(stream) as graph:
        cuda.native.resample_volume(*arguments)
    for volume in (second, first):
        cuda.native.upload(volume, placed)
        graph.launch()
        assert cuda.give(out).tobytes() == kernels.resample_volume(volume, grid).tobytes()


@given(
    st.tuples(*[st.integers(1, 6), st.integers(1, 20), st.integers(1, 40)]),
    st.tuples(*[st.integers(0, 6), st.integers(0, 20), st.integers(0, 40)]),
    st.tuples(*[st.floats(0.05, 5.0)] * 3),
    st.tuples(*[st.floats(-50.0, 50.0)] * 3),
    st.sampled_from(DTYPES),
)
def test_any_grid_agrees_in_every_bit_of_isas_and_threads_and_with_the_reference(
    shape: tuple[int, int, int], new_shape: tuple[int, int, int], step: Any, origin: Any, dtype: type
) -> None:
    volume, grid = volume_of(shape, dtype), Grid(new_shape, step, origin)
    before, seen = kernels.active_isa(), set()
    for isa in kernels.usable_isas():
        _cpu.force_isa(isa)
        for threads in (1, 3):
            seen.add(kernels.resample_volume(volume, grid, threads=threads).tobytes())
    _cpu.force_isa(before)
    assert len(seen) == 1
    largest = float(abs(volume.astype(np.float64)).max())
    close_to(kernels.resample_volume(volume, grid), reference.resample_volume(volume, grid), largest)
    labels = volume_of(shape, np.uint16)
    np.testing.assert_array_equal(kernels.resample_labels(labels, grid), reference.resample_labels(labels, grid))


@given(st.tuples(*[st.floats(1e-300, 1e300)] * 3), st.tuples(*[st.floats(-1e300, 1e300)] * 3))
def test_extreme_grids_stay_within_the_volume(step: Any, origin: Any) -> None:
    volume = volume_of((3, 5, 19))
    got = kernels.resample_volume(volume, Grid((2, 3, 17), step, origin))
    assert got.min() >= volume.min()
    assert got.max() <= volume.max()
    assert np.isin(
        kernels.resample_labels(volume.view(np.uint16), Grid((2, 3, 17), step, origin)), volume.view(np.uint16)
    ).all()


@pytest.mark.parametrize("new_shape", [(0, 3, 5), (2, 0, 5), (2, 3, 0), (1, 1, 1), (3, 5, 17), (3, 5, 32)], ids=str)
def test_resampling_writes_its_output_and_nothing_else(isa: str, new_shape: tuple[int, int, int]) -> None:
    volume = volume_of((4, 9, 23), np.uint16)
    for threads in (1, 3):
        with guarded(new_shape, np.float32) as out:
            _cpu.resample_volume(volume, (1.3, 1.8, 1.1), (0.1, 0.4, 0.0), (5.0, 0.0, 9.0, 1.0), out, threads)
        with guarded(new_shape, np.int16) as labels:
            _cpu.resample_labels(
                volume.view(np.uint16), (1.3, 2.8, 1.1), (9.0, -4.0, 0.0), labels.view(np.uint16), threads
            )
