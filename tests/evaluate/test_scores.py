"""Scores of a handful of films that were compared by hand."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.evaluate.case import Case
from spinert.evaluate.centres import Located
from spinert.evaluate.compared import NO_ANGLES, Compared
from spinert.evaluate.curves import Paired
from spinert.evaluate.scores import measures_angles, scores_of, without_angles_failed


def case(degrees: tuple[float, float, float] | None) -> Case:
    return Case("film", lambda: pytest.fail("not to be read"), None if degrees is None else np.array(degrees))


def three(*values: float) -> NDArray[np.float64]:
    return np.array(values)


GOOD = Compared(
    case((40.0, 20.0, 10.0)),
    rows=1000,
    degrees=three(42, 20, 12),
    intervals=np.array([[39.0, 45.0], [21.0, 23.0], [9.0, 15.0]]),
    corner_error=5.0,
    located=(Located("L1", 5.0, identified=True), Located("L2", 9.0, identified=False), Located("L3", None, False)),
    labels=True,
    flags=("L1:tilted",),
    timings_ms={"read": 1.0, "network": 10.0},
)
FAILED = Compared(
    case((30.0, 5.0, 5.0)), failure="BadStudy: dark", exit_code=3, located=(Located("L1", None, identified=False),)
)


def test_a_failed_film_counts_as_0_degrees_with_its_reason() -> None:
    scores = scores_of([GOOD, FAILED, FAILED], angles=True)
    assert (scores.films, scores.failed, scores.flagged) == (3, 2, 1)
    assert scores.failures == {"BadStudy: dark": 2}
    assert scores.angles is not None
    assert scores.angles.smape_percent == pytest.approx((100 * 4 / 144 + 100 + 100) / 3)
    assert scores.angles.mae_degrees == pytest.approx(((2 + 30 + 30) / 3, (0 + 5 + 5) / 3, (2 + 5 + 5) / 3))
    assert scores.angles.severity == ((0,) * 5, (0,) * 5, (0, 0, 1, 0, 2), (0,) * 5)
    assert scores.angles.same_severity_percent == pytest.approx(100 / 3)


def test_intervals_are_scored_over_the_films_that_have_them() -> None:
    scores = scores_of([GOOD, FAILED], angles=True).angles
    assert scores is not None
    assert scores.coverage_percent == pytest.approx(200 / 3)
    assert scores.interval_width_degrees == pytest.approx((6 + 2 + 6) / 3)
    plain = scores_of([replace(GOOD, intervals=None)], angles=True).angles
    assert plain is not None
    assert plain.coverage_percent is None


def test_curves_are_scored_one_by_one() -> None:
    curves = [Paired(20.0, (15.0, 25.0), 24.0), Paired(30.0, (29.0, 32.0), 28.0), Paired(12.0, None, 12.0)]
    scores = scores_of([replace(GOOD, curves=curves), FAILED], angles=True).curves
    assert scores is not None
    assert (scores.curves, scores.mae_degrees) == (3, pytest.approx(2.0))
    assert (scores.coverage_percent, scores.interval_width_degrees) == (50.0, pytest.approx(6.5))
    assert scores_of([GOOD], angles=True).curves is None


def test_identification_is_over_all_vertebrae_and_localisation_over_those_found() -> None:
    scores = scores_of([GOOD, FAILED], angles=True).centres
    assert scores is not None
    assert (scores.vertebrae, scores.found) == (4, 2)
    assert scores.identification_percent == pytest.approx(25)
    assert scores.localisation_mm is None
    assert scores.localisation_percent_of_height == pytest.approx((0.7, 0.2))


def test_films_with_and_without_spacing_are_not_mixed() -> None:
    scores = scores_of([GOOD, replace(GOOD, has_spacing=True, corner_error=3.0)], angles=True)
    assert scores.corners is not None
    assert (scores.corners.error_mm, scores.corners.error_px) == (3.0, 5.0)
    assert scores.corners.error_percent_of_height == pytest.approx(0.5)
    assert scores.centres is not None
    assert scores.centres.localisation_mm == pytest.approx((7.0, 2.0))


def test_milliseconds_are_medians_over_results_in_the_order_of_the_stages() -> None:
    slow = replace(GOOD, timings_ms={"read": 3.0, "network": 100.0, "geometry": 1.0})
    latency = scores_of([GOOD, slow, GOOD, FAILED], angles=True).latency_ms
    assert latency == {"read": 1.0, "network": 10.0, "geometry": 1.0, "total": 11.0}
    assert list(latency)[-1] == "total"
    assert scores_of([FAILED], angles=True).latency_ms == {}


def test_angles_are_left_out_where_they_are_not_labelled_or_not_measured() -> None:
    assert scores_of([replace(GOOD, case=case(None))], angles=True).angles is None
    assert scores_of([GOOD], angles=False).angles is None
    mixed = scores_of([GOOD, replace(GOOD, case=case(None))], angles=True).angles
    assert mixed is not None
    assert mixed.films == 1


def test_a_labelling_bundle_does_not_fail_for_want_of_angles() -> None:
    labelling = [replace(GOOD, degrees=None, intervals=None), FAILED]
    assert not measures_angles(labelling)
    assert without_angles_failed(labelling) == labelling


def test_a_bundle_that_measures_angles_fails_where_it_gives_none() -> None:
    without = replace(GOOD, degrees=None, intervals=None)
    assert [film.failure for film in without_angles_failed([GOOD, without])] == [None, NO_ANGLES]


@pytest.mark.parametrize("films", [[FAILED], [replace(GOOD, degrees=None, intervals=None, labels=False)]])
def test_a_bundle_that_finds_nothing_at_all_has_failed(films: list[Compared]) -> None:
    assert measures_angles(films)
    marked = without_angles_failed(films)
    assert all(film.failure for film in marked)
    scores = scores_of(marked, angles=True)
    assert scores.angles is not None
    assert scores.angles.smape_percent == 100
    assert scores.centres is None
