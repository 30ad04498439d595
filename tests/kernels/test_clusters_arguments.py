"""Points, offsets and numbers that clusters cannot be made of: refused, or harmless where nobody looks at them."""

import re
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.kernels import _cpu
from tests.kernels.places import CudaPlace
from tests.kernels.test_clusters import at, scattered


def test_points_that_are_not_finite_are_noise_on_a_device(cuda: CudaPlace) -> None:
    points = at(0.0, np.nan, 0.5, np.inf, 1.0, -np.inf)
    assert cuda.run(kernels.dbscan, points, eps=1.0, min_samples=2).tolist() == [0, -1, 0, -1, 0, -1]
    assert cuda.run(kernels.dbscan, points, eps=1.0, min_samples=1).tolist() == [0, -1, 0, -1, 0, -1]


@pytest.mark.parametrize("offsets", [[0, 9], [0, -1, 5], [3, 2, 1], [-9, 99], [5, 5], [7, 7, 7, 7]])
def test_offsets_that_lead_elsewhere_leave_points_noise_on_a_device(cuda: CudaPlace, offsets: list[int]) -> None:
    labels = cuda.run(kernels.dbscan, at(0.0, 0.0, 0.0, 0.0, 0.0), eps=1.0, min_samples=2, offsets=np.array(offsets))
    assert labels.max() < 5
    assert labels[0] == -1


def test_a_point_that_is_not_finite_spoils_means_on_a_device(cuda: CudaPlace) -> None:
    labels, centres = cuda.run(kernels.kmeans, at(0.0, np.nan, 5.0, 6.0), 2, max_iterations=3)
    assert set(labels.tolist()) <= {0, 1}
    assert np.isnan(centres).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_place_that_is_not_finite_leaves_no_outlier_on_a_device(cuda: CudaPlace, bad: float) -> None:
    assert not cuda.run(kernels.gap_outliers, np.array([0.0, 1.0, 2.0, 90.0, bad, 3.0]), ratio=1.0).any()


def test_device_and_host_arrays_are_not_mixed(cuda: CudaPlace) -> None:
    points = cuda.native.empty((3, 2), "float64")
    with pytest.raises(TypeError, match="expected one place"):
        kernels.dbscan(points, eps=1.0, min_samples=1, offsets=np.array([0, 3]))


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda m, a: m.dbscan(a((5, 2)), a((1,), "int64"), 1.0, 2, a((5,), "int32"), m.Stream()), "offsets"),
        (lambda m, a: m.dbscan(a((5, 3)), a((2,), "int64"), 1.0, 2, a((5,), "int32"), m.Stream()), "points"),
        (lambda m, a: m.dbscan(a((5, 2)), a((2,), "int64"), np.nan, 2, a((5,), "int32"), m.Stream()), "eps"),
        (lambda m, a: m.dbscan(a((5, 2)), a((2,), "int64"), 1.0, 0, a((5,), "int32"), m.Stream()), "min_samples"),
        (lambda m, a: m.dbscan(a((5, 2)), a((2,), "int64"), 1.0, 2, a((4,), "int32"), m.Stream()), "labels"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, 0.0, a((5,), "int32"), a((6, 2)), m.Stream()), "k is not"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, 0.0, a((5,), "int32"), a((2, 1)), m.Stream()), "axes"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, 0.0, a((4,), "int32"), a((2, 2)), m.Stream()), "labels"),
        (lambda m, a: m.kmeans(a((5, 2)), 0, 0.0, a((5,), "int32"), a((2, 2)), m.Stream()), "max_iterations"),
        (lambda m, a: m.kmeans(a((5, 2)), 1, -1.0, a((5,), "int32"), a((2, 2)), m.Stream()), "tolerance"),
        (lambda m, a: m.gap_outliers(a((5,)), 0.5, a((5,)), a((5,), "uint8"), m.Stream()), "ratio"),
        (lambda m, a: m.gap_outliers(a((5,)), 2.0, a((4,)), a((5,), "uint8"), m.Stream()), "gaps"),
        (lambda m, a: m.gap_outliers(a((5,)), 2.0, a((5,)), a((4,), "uint8"), m.Stream()), "outliers"),
    ],
)
def test_the_device_bindings_refuse_what_would_leave_an_array(cuda: CudaPlace, call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(cuda.native, lambda shape, dtype="float64": cuda.native.empty(shape, dtype))


@pytest.mark.parametrize("ratio", [0.99, 0.0, -2.0, float("nan"), float("inf")])
def test_a_ratio_below_1_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match=re.escape(f"ratio is {ratio}, expected a finite value of at least 1")):
        kernels.gap_outliers(np.zeros(3), ratio=ratio)


def test_places_of_another_type_or_not_finite_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("places is float64 [3, 1], expected float64 [n]")):
        kernels.gap_outliers(np.zeros((3, 1)), ratio=2.0)
    with pytest.raises(ValueError, match="places has nan in row 1, expected finite"):
        kernels.gap_outliers(np.array([0.0, np.nan, 1.0]), ratio=2.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 16, 66])
def test_a_value_that_is_not_finite_is_refused_with_its_row(bad: float, row: int) -> None:
    points = scattered(67)
    points[row, 1] = bad
    for call in (lambda: kernels.dbscan(points, eps=1.0, min_samples=2), lambda: kernels.kmeans(points, 2)):
        with pytest.raises(ValueError, match=re.escape(f"{bad}] in row {row}, expected finite")):
            call()


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"eps": 0.0}, "eps is 0.0"),
        ({"eps": -1.0}, "eps is -1.0"),
        ({"eps": float("nan")}, "eps is nan"),
        ({"eps": float("inf")}, "eps is inf"),
        ({"eps": 1e-9}, "points extend from 0 to 5, expected at most 2**30 eps = 1.07374"),
        ({"min_samples": 0}, "min_samples is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"offsets": np.array([0, 4])}, "offsets is [0 4], expected to ascend from 0 to 5"),
        ({"offsets": np.array([1, 5])}, "offsets is [1 5]"),
        ({"offsets": np.array([0, 3, 2, 5])}, "offsets is [0 3 2 5]"),
        ({"offsets": np.array([], np.int64)}, "offsets is [0], expected the begin of every group"),
    ],
)
def test_values_that_dbscan_cannot_take_are_refused(arguments: dict[str, Any], got: str) -> None:
    points = at(0.0, 1.0, 2.0, 3.0, 5.0)
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.dbscan(points, **{"eps": 1.0, "min_samples": 2, **arguments})


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ({"k": 0}, "k is 0, expected 1 to 3"),
        ({"k": 4}, "k is 4, expected 1 to 3"),
        ({"max_iterations": 0}, "max_iterations is 0"),
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"points": np.array([[0.0], [-1e151]]), "k": 1}, "points extend from -1e+151 to 0"),
    ],
)
def test_values_that_kmeans_cannot_take_are_refused(arguments: dict[str, Any], got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(got)):
        kernels.kmeans(**{"points": at(0.0, 1.0, 2.0), "k": 2, **arguments})


def test_points_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("points is float32 [3, 2], expected float64 [n, 2]")):
        kernels.dbscan(np.zeros((3, 2), np.float32), eps=1.0, min_samples=1)
    with pytest.raises(TypeError, match=re.escape("offsets is int32 [2], expected int64 [groups + 1]")):
        kernels.dbscan(np.zeros((3, 2)), eps=1.0, min_samples=1, offsets=np.array([0, 3], np.int32))
    with pytest.raises(TypeError, match=re.escape("points is float64 [3, 3], expected float64 [n, 1 or 2]")):
        kernels.kmeans(np.zeros((3, 3)), 1)
    with pytest.raises(TypeError, match=re.escape("points is float64 [3], expected float64 [n, 1 or 2]")):
        kernels.kmeans(np.zeros(3), 1)


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda p, o, i: _cpu.dbscan(p, o[:1], 1.0, 2, i, 1), "offsets"),
        (lambda p, o, i: _cpu.dbscan(p, np.array([0, 9, 5]), 1.0, 2, i, 1), "offsets"),
        (lambda p, o, i: _cpu.dbscan(p, o, float("nan"), 2, i, 1), "eps"),
        (lambda p, o, i: _cpu.dbscan(p * np.nan, o, 1.0, 2, i, 1), "finite"),
        (lambda p, o, i: _cpu.dbscan(p * 1e10, o, 1.0, 2, i, 1), "extend"),
        (lambda p, o, i: _cpu.dbscan(p, o, 1.0, 0, i, 1), "min_samples"),
        (lambda p, o, i: _cpu.dbscan(p, o, 1.0, 2, i[:4], 1), "labels"),
        (lambda p, o, i: _cpu.dbscan(p, o, 1.0, 2, i, 0), "threads"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i[:4], p[:2].copy(), 1), "labels"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i, np.zeros((2, 1)), 1), "axes"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i, np.zeros((6, 2)), 1), "k is not"),
        (lambda p, o, i: _cpu.kmeans(p, 0, 0.0, i, np.zeros((2, 2)), 1), "max_iterations"),
        (lambda p, o, i: _cpu.kmeans(p, 1, -1.0, i, np.zeros((2, 2)), 1), "tolerance"),
        (lambda p, o, i: _cpu.kmeans(p, 1, 0.0, i, np.zeros((2, 2)), 0), "threads"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 0.5, p[:, 1].copy(), np.zeros(5, np.uint8), 1), "ratio"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0] * np.nan, 2.0, p[:, 1].copy(), np.zeros(5, np.uint8), 1), "finite"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 2.0, np.zeros(4), np.zeros(5, np.uint8), 1), "gaps"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 2.0, p[:, 1].copy(), np.zeros(4, np.uint8), 1), "outliers"),
        (lambda p, o, i: _cpu.gap_outliers(p[:, 0].copy(), 2.0, p[:, 1].copy(), np.zeros(5, np.uint8), 0), "threads"),
    ],
)
def test_the_bindings_refuse_what_would_leave_an_array(call: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        call(at(0.0, 1.0, 2.0, 3.0, 5.0), np.array([0, 5]), np.zeros(5, np.int32))
