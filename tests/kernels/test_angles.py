"""Angles of whole spines: by hand, against the reference and against the challenge's own labels."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.evaluate.datasets.aasce import read_films
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded
from tests.kernels.places import CpuPlace, CudaPlace

Array = NDArray[np.float64]
COUNTS = (0, 1, 2, 15, 16, 17, 67)
HEIGHT = 1000.0


def spines(n: int, vertebrae: int = 17, noise: float = 3.0) -> Array:
    """Spines that wave from side to side, wedged at random."""
    rng = np.random.default_rng(100 * n + vertebrae)
    waves = np.sin(np.arange(vertebrae) / rng.uniform(1.0, 6.0, (n, 1)))
    corners = stacked(rng.uniform(-40.0, 40.0, (n, 1)) * waves)
    return np.ascontiguousarray(corners + rng.normal(0.0, noise, corners.shape))


def stacked(degrees: Array) -> Array:
    """Rectangles with these tilts [n, m], 60 wide, 40 high and 50 apart: corners [n, m, 4, 2]."""
    tilt = np.radians(degrees)
    along = np.stack([np.cos(tilt), np.sin(tilt)], axis=-1)
    down = np.stack([-np.sin(tilt), np.cos(tilt)], axis=-1)
    x = 200.0 - 50.0 * np.cumsum(np.sin(tilt), axis=1)
    centre = np.stack([x, 50.0 * np.arange(degrees.shape[1]) + 0.0 * x], axis=-1)
    return np.stack([centre + x * 30.0 * along + y * 20.0 * down for y in (-1, 1) for x in (-1, 1)], axis=2)


def tilted(*degrees: float) -> Array:
    """One spine [1, n, 4, 2]."""
    return np.ascontiguousarray(stacked(np.array([degrees], np.float64)))


@pytest.mark.parametrize("m", [0, 1, 2, 7, 8, 9, 17, 63, 64, 65, 131])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_each_set_of_vectors_has_its_matrix(place: CpuPlace | CudaPlace, n: int, m: int) -> None:
    vectors = np.random.default_rng(m).normal(0.0, 300.0, (n, m, 2))
    got = place.run(kernels.angle_matrices, vectors)
    np.testing.assert_allclose(got, reference.angle_matrices(vectors), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(got, got.transpose(0, 2, 1))
    for matrix, own in zip(got, vectors, strict=True):
        np.testing.assert_array_equal(matrix, place.run(kernels.angle_matrix, own))


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e150])
def test_angles_do_not_depend_on_the_length(place: CpuPlace | CudaPlace, scale: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(2, 17, 2))
    got = place.run(kernels.angle_matrices, vectors * scale)
    np.testing.assert_allclose(got, reference.angle_matrices(vectors), rtol=0, atol=1e-12)


@pytest.mark.parametrize("fraction", np.linspace(0.0, 2.0, 33).tolist())
def test_every_octant_of_the_arc_tangent_is_good_to_the_last_digits(
    place: CpuPlace | CudaPlace, fraction: float
) -> None:
    """Around the places where one polynomial takes over from the next, and where the octants meet."""
    tangents = fraction * (1.0 + np.array([-1e-9, -1e-16, 0.0, 1e-16, 1e-9]))
    others = np.concatenate([np.stack([np.ones(5), tangents], 1), np.stack([-np.ones(5), tangents], 1)])
    got = place.run(kernels.angle_matrix, np.concatenate([[[1.0, 0.0]], others]))[0, 1:]
    want = np.degrees(np.arctan2(others[:, 1].astype(np.longdouble), others[:, 0].astype(np.longdouble)))
    np.testing.assert_allclose(got, want.astype(np.float64), rtol=4e-16, atol=0)


def test_the_angle_rule_of_the_challenge_by_hand(place: CpuPlace | CudaPlace) -> None:
    """T7 slopes 20 degrees down to the right, T12 25 degrees up; the ends of the spine are level."""
    corners = tilted(*np.interp(np.arange(17), [0, 6, 11, 16], [0.0, 20.0, -25.0, 0.0]))
    degrees, ends = place.run(kernels.challenge_angles, corners, np.array([1e6]))
    assert degrees[0] == pytest.approx([45.0, 20.0, 25.0], abs=1e-4)
    assert ends.tolist() == [[6, 11]]


@pytest.mark.parametrize("n", COUNTS)
def test_challenge_angles_agree_with_the_reference(place: CpuPlace | CudaPlace, n: int) -> None:
    corners, heights = spines(n), np.linspace(1.0, 1500.0, n)
    degrees, ends = place.run(kernels.challenge_angles, corners, heights)
    want_degrees, want_ends = reference.challenge_angles(corners, heights)
    np.testing.assert_allclose(degrees, want_degrees, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(ends, want_ends)


def test_every_labelled_film_has_the_angles_of_the_challenge_in_one_call(place: CpuPlace | CudaPlace) -> None:
    shared = os.environ.get("SPINERT_SHARED")
    if shared is None:
        pytest.skip(reason="SPINERT_SHARED names no folder with data/aasce")
    pillow = pytest.importorskip("PIL.Image", reason="needs Pillow for the heights of the films")
    folder = Path(shared) / "data" / "aasce"
    films = read_films(folder, with_label_errors=True)
    heights = []
    for film in films:
        with pillow.open(film.path) as image:
            heights.append(float(image.height))
    corners = np.stack([film.corners_px for film in films])
    degrees, ends = place.run(kernels.challenge_angles, corners, np.array(heights))
    printed = np.loadtxt(folder / "angles.csv", delimiter=",")[[film.row for film in films]]
    assert len(films) == 481
    assert np.abs(degrees - printed).max() < 0.006
    np.testing.assert_array_equal(ends, reference.challenge_angles(corners, np.array(heights))[1])


def spoilt(corners: Array, spine: int) -> dict[str, Array]:
    """The spine made impossible in each way."""
    collapsed, infinite, unknown = corners.copy(), corners.copy(), corners.copy()
    collapsed[spine, 4] = 7.0
    infinite[spine, 9, 1, 0] = np.inf
    unknown[spine, -1, 3, 1] = np.nan
    return {"collapsed": collapsed, "infinite": infinite, "unknown": unknown}


@pytest.mark.parametrize("way", ["collapsed", "infinite", "unknown"])
def test_a_spine_that_cannot_be_measured_spoils_no_other(place: CpuPlace | CudaPlace, way: str) -> None:
    corners, heights = spines(3), np.full(3, HEIGHT)
    degrees, ends = place.run(kernels.challenge_angles, spoilt(corners, 1)[way], heights)
    assert np.isnan(degrees[1]).all()
    assert ends[1].tolist() == [-1, -1]
    np.testing.assert_array_equal(degrees[::2], kernels.challenge_angles(corners, heights)[0][::2])
    vertebrae, turns, counts = place.run(kernels.end_vertebrae, spoilt(corners, 1)[way])
    assert counts[1] == -1
    assert np.isnan(turns[1]).all()
    assert (vertebrae[1] == -1).all()
    np.testing.assert_array_equal(counts[::2], kernels.end_vertebrae(corners)[2][::2])


@pytest.mark.parametrize("height", [0.0, -1.0, np.nan, np.inf])
def test_a_height_that_is_none_leaves_no_angle(place: CpuPlace | CudaPlace, height: float) -> None:
    degrees, ends = place.run(kernels.challenge_angles, spines(2), np.array([height, HEIGHT]))
    assert np.isnan(degrees).all(axis=1).tolist() == [True, False]
    assert ends[0].tolist() == [-1, -1]


def test_a_curve_runs_from_the_vertebra_that_tilts_most_to_the_one_that_tilts_least(
    place: CpuPlace | CudaPlace,
) -> None:
    vertebrae, turns, counts = place.run(kernels.end_vertebrae, tilted(12, 16, 20, 0, -25, -20))
    assert counts.tolist() == [1]
    assert vertebrae[0, 0].tolist() == [2, 4, 3]
    assert turns[0, 0] == pytest.approx(-45.0, abs=1e-6)
    assert (vertebrae[0, 1:] == -1).all()
    assert np.isnan(turns[0, 1:]).all()


def test_curves_alternate_and_share_a_vertebra(place: CpuPlace | CudaPlace) -> None:
    vertebrae, turns, counts = place.run(kernels.end_vertebrae, tilted(0, 20, 0, -20, 0, 15))
    assert counts.tolist() == [3]
    assert vertebrae[0, :3, :2].tolist() == [[0, 1], [1, 3], [3, 5]]
    assert turns[0, :3] == pytest.approx([20.0, -40.0, 35.0], abs=1e-6)


def test_a_straight_spine_has_no_curve(place: CpuPlace | CudaPlace) -> None:
    assert place.run(kernels.end_vertebrae, tilted(*[3] * 17))[2].tolist() == [0]


@pytest.mark.parametrize("m", [2, 3, 7, 8, 9, 16, 17, 31, 32])
@pytest.mark.parametrize("n", [0, 1, 16, 67])
def test_end_vertebrae_agree_with_the_reference(place: CpuPlace | CudaPlace, n: int, m: int) -> None:
    corners = spines(n, m)
    for threshold in (1e-3, 5.0, 10.0, 40.0, 200.0):
        got = place.run(kernels.end_vertebrae, corners, threshold=threshold)
        want = reference.end_vertebrae(corners, threshold=threshold)
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_allclose(got[1], want[1], rtol=0, atol=1e-9)
        np.testing.assert_array_equal(got[2], want[2])


# whole tens: many turns are equal, and which of them counts is part of the rule
@given(st.lists(st.integers(-6, 6).map(lambda n: 10.0 * n), min_size=2, max_size=17), st.sampled_from([10.0, 20.0]))
def test_of_equal_turns_the_same_count_as_in_the_reference(tilts: list[float], threshold: float) -> None:
    corners = tilted(*tilts)
    got, want = (module.end_vertebrae(corners, threshold=threshold) for module in (kernels, reference))
    np.testing.assert_array_equal(got[2], want[2])
    np.testing.assert_array_equal(got[0], want[0])


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_and_instruction_sets_do_not_change_a_bit(isa: str, threads: int) -> None:
    corners, heights = spines(67), np.full(67, HEIGHT)

    def results(threads: int) -> bytes:
        vectors = kernels.tilt_vectors(corners.reshape(-1, 4, 2), threads=threads).reshape(67, 17, 2)
        found = [vectors, kernels.angle_matrices(vectors, threads=threads)]
        found += [*kernels.challenge_angles(corners, heights, threads=threads)]
        found += [*kernels.end_vertebrae(corners, threads=threads)]
        return b"".join(array.tobytes() for array in found)

    here = results(threads)
    _cpu.force_isa("base")
    assert here == results(1)


@pytest.mark.parametrize("n", COUNTS)
def test_angles_write_their_outputs_and_nothing_else(isa: str, n: int) -> None:
    corners = spines(n)
    with guarded((n, 3), np.float64) as degrees, guarded((n, 2), np.int32) as ends:
        _cpu.challenge_angles(corners, np.full(n, HEIGHT), degrees, ends, 2)
    with (
        guarded((n, 16, 3), np.int32) as vertebrae,
        guarded((n, 16), np.float64) as turns,
        guarded((n,), np.int32) as counts,
    ):
        _cpu.end_vertebrae(corners, 10.0, vertebrae, turns, counts, 2)
    with guarded((3, n, n), np.float64) as matrices:
        _cpu.angle_matrices(np.random.default_rng(0).normal(size=(3, n, 2)), matrices, 2)


@pytest.mark.parametrize(
    ("call", "error", "got"),
    [
        (
            lambda c: kernels.challenge_angles(c[:, :16].copy(), np.ones(2)),
            TypeError,
            "corners is float64 [2, 16, 4, 2]",
        ),
        (lambda c: kernels.challenge_angles(c, np.ones(3)), TypeError, "heights is float64 [3], expected float64 [2]"),
        (lambda c: kernels.challenge_angles(c, np.ones(2), threads=0), ValueError, "threads is 0"),
        (lambda c: kernels.end_vertebrae(c[:, :1].copy()), ValueError, "1 vertebrae to a spine, expected 2 to 32"),
        (lambda c: kernels.end_vertebrae(np.ones((1, 33, 4, 2))), ValueError, "33 vertebrae to a spine"),
        (lambda c: kernels.end_vertebrae(c, threshold=0.0), ValueError, "threshold is 0.0, expected more than 0"),
        (lambda c: kernels.end_vertebrae(c, threshold=float("nan")), ValueError, "threshold is nan"),
        (
            lambda c: kernels.end_vertebrae(c[0]),
            TypeError,
            "corners is float64 [17, 4, 2], expected float64 [n, m, 4, 2]",
        ),
        (lambda c: kernels.angle_matrices(c[..., 0]), TypeError, "vectors is float64 [2, 17, 4]"),
    ],
)
def test_what_is_no_spine_is_refused(call: Any, error: type[Exception], got: str) -> None:
    with pytest.raises(error, match=re.escape(got)):
        call(spines(2))


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda c, h, d, e: _cpu.challenge_angles(c[:, :16].copy(), h, d, e, 1), "17"),
        (lambda c, h, d, e: _cpu.challenge_angles(c, h[:1], d, e, 1), "heights"),
        (lambda c, h, d, e: _cpu.challenge_angles(c, h, d[:1], e, 1), "degrees"),
        (lambda c, h, d, e: _cpu.challenge_angles(c, h, d, e[:1], 1), "ends"),
        (lambda c, h, d, e: _cpu.challenge_angles(c, h, d, e, 0), "threads"),
        (lambda c, h, d, e: _cpu.angle_matrices(c[:, :, 0].copy(), np.empty((2, 17, 16)), 1), "degrees"),
        (lambda c, h, d, e: _cpu.angle_matrix(c[0, :, 0].copy(), np.empty((17, 16)), 1), "degrees"),
        (lambda c, h, d, e: _cpu.tilt_vectors(c[0], np.empty((16, 2)), 1), "vectors"),
        (lambda c, h, d, e: curves_into(c, 10.0, (2, 15, 3), (2, 16), 2), "vertebrae"),
        (lambda c, h, d, e: curves_into(c, 10.0, (2, 16, 3), (2, 15), 2), "turns"),
        (lambda c, h, d, e: curves_into(c, 10.0, (2, 16, 3), (2, 16), 1), "counts"),
        (lambda c, h, d, e: curves_into(c, -1.0, (2, 16, 3), (2, 16), 2), "threshold"),
        (lambda c, h, d, e: curves_into(np.ones((2, 33, 4, 2)), 10.0, (2, 32, 3), (2, 32), 2), "2..32"),
        (lambda c, h, d, e: curves_into(np.ones((2, 1, 4, 2)), 10.0, (2, 0, 3), (2, 0), 2), "2..32"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(spines(2), np.ones(2), np.empty((2, 3)), np.empty((2, 2), np.int32))


def curves_into(corners: Array, threshold: float, vertebrae: tuple[int, ...], turns: tuple[int, ...], n: int) -> None:
    outputs = np.empty(vertebrae, np.int32), np.empty(turns), np.empty(n, np.int32)
    _cpu.end_vertebrae(corners, threshold, *outputs, 1)
