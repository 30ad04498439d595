"""A radiograph to a network's input, where tests of parity and values leave off: windows in memory, and bad ones."""

from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.places import CpuPlace, CudaPlace
from tests.kernels.test_parity import film

Place = CpuPlace | CudaPlace


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (151, 7), (512, 512)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_axis_may_shrink_while_the_other_grows(place: Place, dtype: type, size: tuple[int, int]) -> None:
    pixels = film((151, 113), dtype)
    ratio = size[0] * 113 / (size[1] * 151)  # of spacings, so that the image fills the whole input
    got = place.run(kernels.prepare_radiograph, pixels, size=size, mm_per_pixel_xy=(1.0, ratio))
    want = reference.prepare_radiograph(pixels, size=size, mm_per_pixel_xy=(1.0, ratio))
    assert want.min() < want.max() or size == (1, 1)
    np.testing.assert_allclose(got.pixels, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_window_comes_with_the_pixels(place: Place, dtype: type) -> None:
    pixels = film((97, 61), dtype)
    got = place.run(kernels.prepare_radiograph, pixels, size=(32, 32), percentiles=(3.0, 71.0))
    low, high = reference.percentile_values(pixels, (3.0, 71.0))
    assert got.window.dtype == np.int32
    assert got.window.tolist() == [low, high] == [got.low, got.high]


@pytest.mark.parametrize("values", [[300, 300], [0, 65535], [511, 512], [767, 768], [256, 65280]], ids=str)
def test_ranks_next_to_a_change_of_the_high_byte_are_exact(place: Place, values: list[int]) -> None:
    """Half of the pixels have either value: the ranks on both sides of the step must not mix their bytes."""
    pixels = np.repeat(np.array(values, np.uint16), 5000).reshape(100, 100)
    pixels = np.random.default_rng(0).permutation(pixels.ravel()).reshape(100, 100)
    for percentiles in ((50.0, 50.01), (0.0, 50.0), (50.01, 100.0)):
        got = place.run(kernels.prepare_radiograph, pixels, size=(8, 8), percentiles=percentiles)
        assert (got.low, got.high) == reference.percentile_values(pixels, percentiles)


def test_on_a_device_the_window_stays_there(cuda: CudaPlace) -> None:
    stream = cuda.native.Stream()
    pixels = cuda.put(film((40, 30), np.uint16), stream)
    prepared = kernels.prepare_radiograph(pixels, size=(16, 16))
    assert isinstance(prepared.window, cuda.native.DeviceArray)
    assert prepared.window.stream.handle == stream.handle
    with pytest.raises(TypeError):
        _ = prepared.low


def test_preparing_a_film_on_a_device_allocates_its_results_only(cuda: CudaPlace) -> None:
    stream = cuda.native.Stream()
    pixels = cuda.put(film((40, 30), np.uint16), stream)
    kernels.prepare_radiograph(pixels, size=(16, 16))
    before = stream.allocations
    kernels.prepare_radiograph(pixels, size=(16, 16))
    assert stream.allocations - before == 2  # pixels and window


@pytest.mark.parametrize("values", [[-5, 70000], [9, 3], [70000, -1]], ids=str)
def test_a_window_that_is_none_is_clamped_on_a_device(cuda: CudaPlace, values: list[int]) -> None:
    """The binding cannot look into it; whatever it holds, the pixels are 0..1."""
    stream = cuda.native.Stream()
    pixels, out = cuda.put(film((40, 30), np.uint16), stream), cuda.native.empty((8, 8), "float32", stream)
    window = cuda.put(np.array(values, np.int32), stream)
    cuda.native.window_resize(pixels, window, False, 0, 0, 8, 8, out, stream)
    got = cuda.give(out)
    assert ((got >= 0.0) & (got <= 1.0)).all()


def test_the_bindings_refuse_a_window_of_another_length(cuda: CudaPlace) -> None:
    stream = cuda.native.Stream()
    pixels, out = film((6, 8), np.uint16), np.zeros((4, 4), np.float32)
    long = np.zeros(3, np.int32)
    with pytest.raises(ValueError, match="window is not"):
        _cpu.order_statistics(pixels, 1, 2, long, 1)
    with pytest.raises(ValueError, match="window is not"):
        _cpu.window_resize(pixels, long, False, 0, 0, 4, 4, out, 1)
    arrays: list[Any] = [cuda.put(array, stream) for array in (pixels, long, out)]
    with pytest.raises(ValueError, match="window is not"):
        cuda.native.order_statistics(arrays[0], 1, 2, arrays[1], stream)
    with pytest.raises(ValueError, match="window is not"):
        cuda.native.window_resize(arrays[0], arrays[1], False, 0, 0, 4, 4, arrays[2], stream)


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ((0, 1), "ranks"),
        ((1, 49), "ranks"),
        ((5, 4), "ranks"),
    ],
)
def test_the_device_binding_refuses_ranks_that_no_pixel_has(
    cuda: CudaPlace, arguments: tuple[int, int], got: str
) -> None:
    stream = cuda.native.Stream()
    pixels, window = cuda.put(film((6, 8), np.uint8), stream), cuda.native.empty((2,), "int32", stream)
    with pytest.raises(ValueError, match=got):
        cuda.native.order_statistics(pixels, *arguments, window, stream)


@pytest.mark.parametrize("place_of_image", [(0, 0, 5, 4), (1, 0, 4, 4), (0, -1, 4, 4), (0, 0, 0, 4), (0, 1, 4, 4)])
def test_the_device_binding_refuses_a_place_outside_the_output(
    cuda: CudaPlace, place_of_image: tuple[int, int, int, int]
) -> None:
    stream = cuda.native.Stream()
    pixels, out = cuda.put(film((6, 8), np.uint8), stream), cuda.native.empty((4, 4), "float32", stream)
    window = cuda.put(np.array([0, 9], np.int32), stream)
    with pytest.raises(ValueError, match="do not lie within out"):
        cuda.native.window_resize(pixels, window, False, *place_of_image, out, stream)
    with pytest.raises(TypeError, match="pixels is float32"):
        cuda.native.window_resize(out, window, False, 0, 0, 4, 4, out, stream)
