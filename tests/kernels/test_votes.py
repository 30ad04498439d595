"""Votes of voxels and of slices: by hand and against the reference."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinert import kernels
from spinert.kernels import _cpu, reference
from tests.kernels.guards import guarded

SHAPES = [(1, 1, 1), (1, 16, 17), (15, 2, 31), (17, 16, 15), (31, 29, 67)]
NORMAL, BLASTIC, MIXED, LYTIC = range(4)


def probabilities(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random(shape, np.float32)


def centres_in(shape: tuple[int, ...], n: int = 23) -> NDArray[np.float64]:
    """Within the volume, on its voxels and between them, at its edges and a little outside."""
    rng = np.random.default_rng(n)
    inside = rng.uniform(-3.0, np.array(shape) + 2.0, (n, 3))
    inside[::3] = np.round(inside[::3])
    inside[1::3] = np.round(inside[1::3]) + 0.5
    return inside


def mean_near(place: Any, volume: NDArray[np.float32], centre: Any, **keywords: Any) -> float:
    return float(place.run(kernels.gaussian_mean, volume, np.array([centre], np.float64), **keywords)[0])


def counted(first: int, edge: int, centre: float) -> tuple[Any, ...]:
    """A volume that is 1 in the voxels first .. first + edge - 1 of its last axis, and a centre on that axis."""
    volume = np.zeros((1, 1, 40), np.float32)
    volume[..., first : first + edge] = 1.0
    return volume, (0.0, 0.0, centre)


@pytest.mark.parametrize(
    ("cube", "centre", "first"),
    [(10, 20.0, 15), (10, 20.25, 16), (10, 20.5, 16), (10, 19.999, 15), (3, 20.0, 19), (3, 20.5, 19), (1, 7.0, 7)],
)
def test_a_cube_has_as_many_voxels_for_any_centre(place: Any, cube: int, centre: float, first: int) -> None:
    """cube voxels whose centres lie in [centre - cube / 2, centre + cube / 2): all of the marked ones, no other."""
    assert mean_near(place, *counted(first, cube, centre), cube=cube, sigma=1e9) == pytest.approx(1.0, rel=1e-12)
    for moved in (first - 1, first + 1):
        share = mean_near(place, *counted(moved, cube, centre), cube=cube, sigma=1e9)
        assert share == pytest.approx(1.0 - 1.0 / cube, rel=1e-12)


@pytest.mark.parametrize("columns", [6142, 6143])
def test_a_cube_may_be_as_long_as_a_volume(place: Any, columns: int) -> None:
    """Its weights fill all shared memory that a block of a device has unasked, or one number more than that."""
    volume = np.ones((1, 1, columns), np.float32)
    assert mean_near(place, volume, (0.0, 0.0, 3000.0), cube=columns, sigma=1e9) == pytest.approx(1.0, rel=1e-12)


def test_voxels_weigh_less_the_farther_they_are(place: Any) -> None:
    volume = np.zeros((3, 3, 3), np.float32)
    volume[1, 1, 1], volume[1, 1, 2], volume[0, 0, 0] = 1.0, 2.0, 4.0
    near, far = np.exp(-0.5 / 4.0), np.exp(-1.5 / 4.0)
    want = (1.0 + 2.0 * near + 4.0 * far) / (1.0 + 2.0 * near) ** 3
    assert mean_near(place, volume, (1.0, 1.0, 1.0), cube=3, sigma=2.0) == pytest.approx(want, rel=1e-13)


def test_voxels_outside_the_volume_do_not_exist(place: Any) -> None:
    volume = np.full((4, 5, 6), 0.25, np.float32)
    for centre in ((0.0, 0.0, 0.0), (-4.9, 2.0, 3.0), (3.0, 4.0, 9.9)):
        assert mean_near(place, volume, centre, sigma=3.0) == pytest.approx(0.25, rel=1e-13)


@pytest.mark.parametrize("centre", [(-5.1, 2.0, 3.0), (2.0, 2.0, 11.0), (1e300, 0.0, 0.0), (0.0, -1e300, 0.0)])
def test_a_cube_beside_the_volume_has_no_mean(place: Any, centre: tuple[float, ...]) -> None:
    assert np.isnan(mean_near(place, np.ones((4, 5, 6), np.float32), centre, sigma=3.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_centre_that_is_not_finite_has_no_mean(place: Any, bad: float, axis: int) -> None:
    centre = [2.0, 2.0, 2.0]
    centre[axis] = bad
    assert np.isnan(mean_near(place, np.ones((4, 5, 6), np.float32), centre, sigma=3.0))


def test_nan_counts_in_its_cube_and_nowhere_else(place: Any) -> None:
    volume = probabilities((30, 30, 30))
    volume[15, 15, 20] = np.nan
    centres = np.array([[15.0, 15.0, 15.0], [15.0, 15.0, 15.5]])
    means = place.run(kernels.gaussian_mean, volume, centres, sigma=3.0)
    assert np.isnan(means).tolist() == [False, True]


@pytest.mark.parametrize("sigma", [1e-320, 1e-3, 0.03])
def test_a_narrow_gaussian_takes_the_nearest_voxel(place: Any, sigma: float) -> None:
    volume = probabilities((9, 9, 9))
    got = mean_near(place, volume, (3.6, 4.2, 5.4), sigma=sigma)
    assert got == pytest.approx(float(volume[4, 4, 5]), rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cube", [1, 2, 7, 8, 9, 10, 17, 100])
def test_gaussian_means_agree_with_the_reference(place: Any, shape: tuple[int, int, int], cube: int) -> None:
    volume, centres = probabilities(shape), centres_in(shape)
    for sigma in (0.7, 3.0, 1e6):
        got = place.run(kernels.gaussian_mean, volume, centres, cube=cube, sigma=sigma)
        want = reference.gaussian_mean(volume, centres, cube=cube, sigma=sigma)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=0)


@pytest.mark.parametrize("n", [0, 1, 2, 17])
def test_any_number_of_centres_is_taken(place: Any, n: int) -> None:
    volume, centres = probabilities((17, 16, 15)), centres_in((17, 16, 15), 17)[:n].copy()
    got = place.run(kernels.gaussian_mean, volume, centres, sigma=3.0, threads=3)
    np.testing.assert_allclose(got, reference.gaussian_mean(volume, centres, sigma=3.0), rtol=1e-12)


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 0, 4), (4, 4, 0)], ids=str)
def test_a_volume_without_voxels_has_no_means(place: Any, shape: tuple[int, int, int]) -> None:
    assert np.isnan(mean_near(place, np.zeros(shape, np.float32), (0.0, 0.0, 0.0), sigma=3.0))


def slices_of(*classes: int) -> NDArray[np.float32]:
    """Slices that show these classes of four."""
    return 0.1 + 0.6 * np.eye(4, dtype=np.float32)[list(classes)]


@pytest.mark.parametrize(
    ("shown", "threshold", "label"),
    [
        ([LYTIC, LYTIC, BLASTIC, NORMAL, NORMAL, NORMAL], 1, LYTIC),
        ([LYTIC, LYTIC, BLASTIC, NORMAL, NORMAL, NORMAL], 2, NORMAL),
        ([BLASTIC, MIXED, LYTIC], 0, BLASTIC),
        ([BLASTIC, MIXED, MIXED, LYTIC], 1, MIXED),
        ([NORMAL] * 5, 0, NORMAL),
        ([], 0, NORMAL),
    ],
)
def test_a_vertebra_has_the_lesion_of_more_slices_than_the_threshold(
    place: Any, shown: list[int], threshold: int, label: int
) -> None:
    labels, counts = place.run(kernels.vertebra_votes, slices_of(*shown), threshold=threshold)
    assert labels.tolist() == [label]
    assert counts.tolist() == [[shown.count(k) for k in range(4)]]


def test_a_slice_between_two_classes_votes_for_the_first_and_one_with_nan_not_at_all(place: Any) -> None:
    slices = np.array([[0.1, 0.5, 0.5], [np.nan, 0.1, 0.9], [0.1, 0.9, np.nan], [0.2, 0.0, 0.7]], np.float32)
    labels, counts = place.run(kernels.vertebra_votes, slices, threshold=0)
    assert counts.tolist() == [[0, 1, 1]]
    assert labels.tolist() == [1]


def test_infinite_logits_vote(place: Any) -> None:
    slices = np.array([[-np.inf, -np.inf, -np.inf], [0.0, np.inf, 5.0]], np.float32)
    assert place.run(kernels.vertebra_votes, slices, threshold=0)[1].tolist() == [[1, 1, 0]]


@pytest.mark.parametrize("classes", [1, 2, 3, 17])
@pytest.mark.parametrize("threads", [1, 3])
def test_many_vertebrae_vote_as_in_the_reference(place: Any, classes: int, threads: int) -> None:
    counts = (0, 1, 2, 15, 16, 17, 31, 67, 0)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    slices = np.round(probabilities((sum(counts), classes)), 1)
    slices[::9, 0] = np.nan
    for threshold in (0, 1, 4, 10**12):
        got = place.run(kernels.vertebra_votes, slices, threshold=threshold, offsets=offsets, threads=threads)
        for ours, want in zip(got, reference.vertebra_votes(slices, threshold=threshold, offsets=offsets), strict=True):
            np.testing.assert_array_equal(ours, want)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0, np.nan]), min_size=3, max_size=3), max_size=20))
def test_every_slice_without_nan_counts_once(rows: list[list[float]]) -> None:
    slices = np.array(rows, np.float32).reshape(-1, 3)
    labels, counts = kernels.vertebra_votes(slices, threshold=2)
    assert counts.sum() == (~np.isnan(slices).any(axis=1)).sum()
    assert (labels[0] > 0) == (counts[0, 1:].max() > 2)


@given(st.tuples(*[st.floats(-12.0, 25.0)] * 3), st.integers(1, 14), st.floats(0.2, 20.0))
def test_a_mean_lies_between_the_extremes(centre: tuple[float, float, float], cube: int, sigma: float) -> None:
    volume = probabilities((9, 11, 13))
    (got,) = kernels.gaussian_mean(volume, np.array([centre]), cube=cube, sigma=sigma)
    (want,) = reference.gaussian_mean(volume, np.array([centre]), cube=cube, sigma=sigma)
    np.testing.assert_allclose(got, want, rtol=1e-11)
    assert np.isnan(got) or volume.min() * (1.0 - 1e-12) <= got <= volume.max() * (1.0 + 1e-12)


def all_votes(threads: int) -> list[NDArray[Any]]:
    volume = probabilities((31, 29, 67))
    means = [
        kernels.gaussian_mean(volume, centres_in(volume.shape), cube=cube, sigma=3.0, threads=threads)
        for cube in (3, 10, 40)
    ]
    slices, offsets = probabilities((97, 4)), np.array([0, 0, 13, 40, 97])
    return [*means, *kernels.vertebra_votes(slices, threshold=3, offsets=offsets, threads=threads)]


def test_every_isa_gives_the_same_bits(isa: str) -> None:
    got = all_votes(threads=1)
    _cpu.force_isa("base")
    for ours, base in zip(got, all_votes(threads=1), strict=True):
        assert ours.tobytes() == base.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_change_a_bit(isa: str, threads: int) -> None:
    for ours, single in zip(all_votes(threads), all_votes(threads=1), strict=True):
        assert ours.tobytes() == single.tobytes()


def test_the_outputs_are_written_and_nothing_else(isa: str) -> None:
    volume, slices = probabilities((17, 16, 15)), probabilities((31, 5))
    with (
        guarded((23,), np.float64) as means,
        guarded((3,), np.int32) as labels,
        guarded((3, 5), np.int32) as counts,
    ):
        _cpu.gaussian_mean(volume, centres_in(volume.shape), 10, 3.0, means, 2)
        _cpu.vertebra_votes(slices, np.array([0, 9, 9, 31]), 1, labels, counts, 2)


VOLUME, CENTRES, SLICES = probabilities((4, 5, 6)), np.zeros((2, 3)), probabilities((7, 4))


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: kernels.gaussian_mean(VOLUME, CENTRES, cube=0, sigma=3.0), "cube is 0, expected 1 or more"),
        (lambda: kernels.gaussian_mean(VOLUME, CENTRES, sigma=0.0), "sigma is 0.0, expected a finite value above 0"),
        (lambda: kernels.gaussian_mean(VOLUME, CENTRES, sigma=float("nan")), "sigma is nan"),
        (lambda: kernels.gaussian_mean(VOLUME, CENTRES, sigma=float("inf")), "sigma is inf"),
        (lambda: kernels.gaussian_mean(VOLUME, CENTRES, sigma=1.0, threads=0), "threads is 0"),
        (lambda: kernels.vertebra_votes(SLICES, threshold=-1), "threshold is -1"),
        (lambda: kernels.vertebra_votes(SLICES[:, :0], threshold=1), "expected at least one class"),
        (lambda: kernels.vertebra_votes(SLICES, threshold=1, offsets=np.array([0, 6])), "0 to 7, the number of slices"),
    ],
)
def test_values_out_of_range_are_refused(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        call()


def test_arrays_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("volume is float64 [4, 5, 6], expected float32 [slices, rows")):
        kernels.gaussian_mean(VOLUME.astype(np.float64), CENTRES, sigma=1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=re.escape("centres is float64 [3], expected float64 [n, 3]")):
        kernels.gaussian_mean(VOLUME, CENTRES[0], sigma=1.0)
    with pytest.raises(TypeError, match=re.escape("probabilities is float32 [7], expected float32 [slices, classes]")):
        kernels.vertebra_votes(SLICES[:, 0].copy(), threshold=1)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda: _cpu.gaussian_mean(VOLUME, CENTRES, 10, 1.0, np.zeros(3), 1), "another n"),
        (lambda: _cpu.gaussian_mean(VOLUME, CENTRES, 0, 1.0, np.zeros(2), 1), "cube"),
        (lambda: _cpu.gaussian_mean(VOLUME, CENTRES, 10, -1.0, np.zeros(2), 1), "sigma"),
        (lambda: _cpu.gaussian_mean(VOLUME, CENTRES, 10, 1.0, np.zeros(2), 0), "threads"),
        (lambda: _cpu.vertebra_votes(SLICES, None, 1, np.zeros(1, np.int32), np.zeros((1, 3), np.int32), 1), "classes"),
        (lambda: _cpu.vertebra_votes(SLICES, None, 1, np.zeros(2, np.int32), np.zeros((1, 4), np.int32), 1), "number"),
        (lambda: _cpu.vertebra_votes(SLICES, None, -1, np.zeros(1, np.int32), np.zeros((1, 4), np.int32), 1), "below"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call()
