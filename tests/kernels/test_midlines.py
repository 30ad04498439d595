"""The line in the middle of a mask: by hand and against the reference."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded

SHAPES = [(0, 5), (5, 0), (1, 1), (1, 64), (3, 63), (17, 65), (31, 128), (67, 131), (131, 200), (40, 1)]
NAN = np.nan


def band(shape: tuple[int, int], width: float = 20.0) -> NDArray[np.uint8]:
    """A wavy column, as a spine's mask is; some rows are empty."""
    rows, columns = shape
    y, x = np.mgrid[:rows, :columns]
    middle = columns * (0.5 + 0.3 * np.sin(y / 15.0))
    mask = abs(x - middle) <= width / 2.0
    mask[5::11] = False
    return mask.astype(np.uint8) * 255


def specks(shape: tuple[int, int], share: float) -> NDArray[np.uint8]:
    rng = np.random.default_rng(7)
    return rng.integers(1, 256, shape, np.uint8) * (rng.random(shape) < share)


def test_the_middle_of_each_row_and_its_borders(place: Any) -> None:
    mask = np.array([[0, 0, 0, 0, 0], [0, 1, 0, 7, 0], [255, 255, 0, 0, 0], [0, 0, 0, 0, 1]], np.uint8)
    midline, borders = place.run(kernels.mask_midline, mask)
    np.testing.assert_array_equal(midline, [NAN, 2.0, 0.5, 4.0])
    np.testing.assert_array_equal(borders, [[NAN, NAN], [1.0, 3.0], [0.0, 1.0], [4.0, 4.0]])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("threads", [1, 3])
def test_midlines_agree_with_the_reference(place: Any, shape: tuple[int, int], threads: int) -> None:
    for mask in (band(shape), specks(shape, 0.02), specks(shape, 1.0), np.zeros(shape, np.uint8)):
        got = place.run(kernels.mask_midline, mask, threads=threads)
        for ours, want in zip(got, reference.mask_midline(mask), strict=True):
            np.testing.assert_array_equal(ours, want)


@pytest.mark.parametrize("column", [0, 1, 62, 63, 64, 65, 127, 128, 191, 199])
def test_a_single_pixel_is_found_wherever_it_is(place: Any, column: int) -> None:
    mask = np.zeros((3, 200), np.uint8)
    mask[1, column] = 1
    midline, borders = place.run(kernels.mask_midline, mask)
    np.testing.assert_array_equal(midline, [NAN, column, NAN])
    assert borders[1].tolist() == [column, column]


def test_an_upright_band_has_its_middle_both_ways(place: Any) -> None:
    borders = np.tile([10.0, 16.0], (5, 1))
    midpoints = place.run(kernels.border_midpoints, borders)
    assert midpoints.tolist() == [[[13.0, y] for y in range(5)]] * 2


def test_the_nearest_point_of_an_aslant_band_lies_in_another_row(place: Any) -> None:
    """Borders that fall by 45 degrees: from (0, 0) the nearest right point is (4, 4) - half way down, not (8, 0)."""
    rows = np.arange(9.0)
    borders = np.stack([-rows, 8.0 - rows], axis=1)
    midpoints = place.run(kernels.border_midpoints, borders)
    assert midpoints[0, 0].tolist() == [2.0, 2.0]
    assert midpoints[1, 8].tolist() == [-2.0, 6.0]


@pytest.mark.parametrize(
    ("right", "nearest"),
    [
        ({4: 5.0, 1: 4.0, 7: 4.0}, (2.5, 4.0)),
        ({4: 9.0, 1: 4.0, 7: 4.0}, (2.0, 2.5)),
        ({4: 9.0, 0: 3.0, 7: 4.0}, (2.0, 5.5)),
        ({4: 9.0, 0: 3.0, 8: 3.0}, (1.5, 2.0)),
    ],
    ids=str,
)
def test_of_equally_near_points_the_nearer_row_counts_then_the_upper(
    place: Any, right: dict[int, float], nearest: tuple[float, float]
) -> None:
    """From the left point (0, 4) it is 5 to (5, 4), to (4, 1) and (4, 7), and to (3, 0) and (3, 8)."""
    borders = np.full((9, 2), NAN)
    for row, column in right.items():
        borders[row] = 0.0, column
    assert tuple(place.run(kernels.border_midpoints, borders)[0, 4]) == nearest


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("threads", [1, 3])
def test_midpoints_agree_with_the_reference(place: Any, shape: tuple[int, int], threads: int) -> None:
    for mask in (band(shape), band(shape, 2.0), specks(shape, 0.02)):
        _, borders = reference.mask_midline(mask)
        got = place.run(kernels.border_midpoints, borders, threads=threads)
        np.testing.assert_array_equal(got, reference.border_midpoints(borders))


@given(arrays(np.uint8, st.tuples(st.integers(0, 40), st.integers(0, 150)), elements=st.sampled_from([0, 0, 0, 1])))
def test_any_mask_has_the_midpoints_of_the_reference(mask: NDArray[np.uint8]) -> None:
    midline, borders = kernels.mask_midline(mask)
    want_midline, want_borders = reference.mask_midline(mask)
    np.testing.assert_array_equal(midline, want_midline)
    np.testing.assert_array_equal(borders, want_borders)
    np.testing.assert_array_equal(kernels.border_midpoints(borders), reference.border_midpoints(borders))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_border_that_is_not_finite_has_no_midpoint(place: Any, bad: float) -> None:
    borders = np.tile([10.0, 16.0], (9, 1))
    borders[4, 0] = bad
    midpoints = place.run(kernels.border_midpoints, borders)
    assert np.isnan(midpoints[0, 4]).all()
    assert np.isfinite(midpoints[:, [0, 1, 2, 6, 7, 8]]).all()


def test_every_place_gives_the_same_bits(place: Any) -> None:
    mask = band((131, 200))
    midline, borders = place.run(kernels.mask_midline, mask)
    assert midline.tobytes() == kernels.mask_midline(mask)[0].tobytes()
    assert place.run(kernels.border_midpoints, borders).tobytes() == kernels.border_midpoints(borders).tobytes()


def test_every_isa_and_any_number_of_threads_give_the_same_bits(isa: str) -> None:
    mask = band((131, 200))
    got = kernels.mask_midline(mask)
    points = kernels.border_midpoints(got[1])
    _cpu.force_isa("base")
    for threads in (1, 2, 7):
        for ours, base in zip(got, kernels.mask_midline(mask, threads=threads), strict=True):
            assert ours.tobytes() == base.tobytes()
        assert points.tobytes() == kernels.border_midpoints(got[1], threads=threads).tobytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_outputs_are_written_and_nothing_else(isa: str, shape: tuple[int, int]) -> None:
    rows = shape[0]
    with (
        guarded((rows,), np.float64) as midline,
        guarded((rows, 2), np.float64) as borders,
        guarded((2, rows, 2), np.float64) as midpoints,
    ):
        _cpu.mask_midline(band(shape), midline, borders, 2)
        _cpu.border_midpoints(borders, midpoints, 2)


def test_arrays_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("mask is bool [4, 4], expected uint8 [rows, columns]")):
        kernels.mask_midline(np.zeros((4, 4), bool))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=re.escape("mask is uint8 [4, 4], not C-contiguous")):
        kernels.mask_midline(np.zeros((4, 4), np.uint8).T[::-1])
    with pytest.raises(TypeError, match=re.escape("borders is float64 [4, 3], expected float64 [rows, 2]")):
        kernels.border_midpoints(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="threads is 0"):
        kernels.mask_midline(np.zeros((4, 4), np.uint8), threads=0)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda m, b: _cpu.mask_midline(m, np.zeros(3), b, 1), "number of rows"),
        (lambda m, b: _cpu.mask_midline(m, np.zeros(4), b[1:], 1), "number of rows"),
        (lambda m, b: _cpu.mask_midline(m, np.zeros(4), b, 0), "threads"),
        (lambda m, b: _cpu.border_midpoints(b, np.zeros((2, 5, 2)), 1), "number of rows"),
        (lambda m, b: _cpu.border_midpoints(b.reshape(2, 4, 2)[0], b.reshape(2, 4, 2), 1), "shares memory"),
        (lambda m, b: _cpu.border_midpoints(b, np.zeros((2, 4, 2)), -1), "threads"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    b = np.zeros((8, 2)) if got == "shares memory" else np.zeros((4, 2))
    with pytest.raises(ValueError, match=got):
        call(np.zeros((4, 4), np.uint8), b)
