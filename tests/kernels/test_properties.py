"""What must hold for any input."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference

SIDES = st.integers(1, 40)
PIXELS = st.sampled_from([np.uint8, np.uint16]).flatmap(lambda dtype: arrays(dtype, st.tuples(SIDES, SIDES)))
MAPS = arrays(np.float32, st.tuples(st.integers(0, 3), SIDES, SIDES), elements=st.floats(-50, 50, width=32))
COORDINATES = st.floats(-1e6, 1e6).map(lambda value: value if abs(value) > 1e-9 else 0.0)
VECTORS = arrays(np.float64, st.tuples(st.integers(0, 9), st.just(2)), elements=COORDINATES)


@given(PIXELS, st.tuples(SIDES, SIDES), st.booleans(), st.floats(0.2, 5.0))
def test_prepared_pixels_are_within_0_and_1_and_agree(
    pixels: NDArray[np.uint16], size: tuple[int, int], inverted: bool, ratio: float
) -> None:
    got = kernels.prepare_radiograph(pixels, size=size, inverted=inverted, mm_per_pixel_xy=(1.0, ratio))
    want = reference.prepare_radiograph(pixels, size=size, inverted=inverted, mm_per_pixel_xy=(1.0, ratio))
    assert got.pixels.shape == size
    assert got.pixels.min() >= 0.0
    assert got.pixels.max() <= 1.0
    np.testing.assert_allclose(got.pixels, want, rtol=0, atol=1e-6)


@given(PIXELS, st.lists(st.floats(0.0, 100.0), min_size=2, max_size=2).map(sorted))
def test_percentiles_are_those_of_the_sorted_pixels(pixels: NDArray[np.uint16], percentiles: list[float]) -> None:
    low, high = percentiles
    got = kernels.prepare_radiograph(pixels, size=(3, 3), percentiles=(low, high))
    assert (got.low, got.high) == reference.percentile_values(pixels, (low, high))


@given(MAPS)
def test_soft_argmax_stays_within_the_map_and_agrees(maps: NDArray[np.float32]) -> None:
    xy, confidence = kernels.soft_argmax(maps)
    want_xy, want_confidence = reference.soft_argmax(maps)
    np.testing.assert_allclose(xy, want_xy, rtol=0, atol=2e-5)
    np.testing.assert_allclose(confidence, want_confidence, rtol=0, atol=1e-6)
    assert ((confidence >= 0.0) & (confidence <= 1.0)).all()


@given(MAPS)
def test_peak_lies_within_half_a_cell_of_the_highest(maps: NDArray[np.float32]) -> None:
    xy, value = kernels.peak(maps)
    for heatmap, point, top in zip(maps, xy, value, strict=True):
        y, x = np.unravel_index(np.argmax(heatmap), heatmap.shape)
        assert top == heatmap.max()
        assert abs(point - (x, y)).max() <= 0.5


@given(VECTORS)
def test_angles_are_0_to_180_symmetric_and_do_not_depend_on_length(vectors: NDArray[np.float64]) -> None:
    degrees = kernels.angle_matrix(vectors)
    assert ((degrees >= 0.0) & (degrees <= 180.0)).all()
    np.testing.assert_array_equal(degrees, degrees.T)
    np.testing.assert_array_equal(degrees, kernels.angle_matrix(vectors * 4.0))


@given(PIXELS, MAPS, st.integers(1, 4))
def test_instruction_sets_and_threads_agree_in_every_bit(
    pixels: NDArray[np.uint16], maps: NDArray[np.float32], threads: int
) -> None:
    before = kernels.active_isa()
    seen = set()
    for isa in kernels.usable_isas():
        _cpu.force_isa(isa)
        prepared = kernels.prepare_radiograph(pixels, size=(19, 23), threads=threads)
        outputs = [prepared.pixels, *kernels.soft_argmax(maps, threads=threads), *kernels.peak(maps, threads=threads)]
        seen.add(b"".join(output.tobytes() for output in outputs))
    _cpu.force_isa(before)
    assert len(seen) == 1
