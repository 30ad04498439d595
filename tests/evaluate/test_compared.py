"""Findings of every kind of bundle set against the labels of a film."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.errors import BadGeometry
from spinert.evaluate.case import Case
from spinert.evaluate.compared import compare, examine
from spinert.findings import T1_TO_L5, AasceAngles, Finding, Midline, VertebraCentre
from spinert.image import Image
from spinert.runtime.infer import load
from tests import results
from tests.evaluate import made

CENTRES = {level: tuple(quad.mean(axis=0)) for level, quad in zip(T1_TO_L5, made.spine(), strict=True)}
IMAGE = Image(made.film(), "OT")
CASE = Case("film 0", lambda: IMAGE, made.angles(), made.spine(), CENTRES, 0)
ANGLES = AasceAngles(degrees=(30.0, 20.0, 10.0), degrees_95=((28.0, 33.0), (15.0, 22.0), (0.0, 12.0)))


def moved(x_px: float, y_px: float) -> NDArray[np.float64]:
    return made.spine() + np.array([x_px, y_px])


def centre(level: str, shift_px: float = 0.0, flags: tuple[str, ...] = ()) -> VertebraCentre:
    x, y = CENTRES[level]
    return VertebraCentre(level=level, centre_px=(x + shift_px, y), centre_mm=None, confidence=0.9, flags=flags)


def test_landmarks_are_measured_in_every_way() -> None:
    found: list[Finding] = [*results.vertebrae(moved(3.0, 4.0), {"L3": ("tilted",)}), ANGLES]
    film = compare(CASE, IMAGE, found, {"network": 5.0})
    assert film.degrees is not None
    assert film.degrees.tolist() == [30, 20, 10]
    assert film.intervals is not None
    assert film.intervals.shape == (3, 2)
    assert film.corner_error == pytest.approx(5.0)
    assert [each.distance for each in film.located] == pytest.approx([5.0] * 17)
    assert film.flags == ("L3:tilted",)
    assert film.failure is None
    assert (film.rows, film.has_spacing, film.timings_ms) == (1000, False, {"network": 5.0})


def test_with_spacing_lengths_are_in_mm() -> None:
    image = replace(IMAGE, spacing_mm=(0.5, 0.2))
    film = compare(CASE, image, results.vertebrae(moved(10.0, 0.0)), {})
    assert film.has_spacing
    assert film.corner_error == pytest.approx(2.0)
    assert [each.distance for each in film.located] == pytest.approx([2.0] * 17)


@pytest.mark.parametrize("midline", [[], [Midline(points_px=((1.0, 1.0), (1.0, 9.0)))]])
def test_a_bundle_of_angles_alone_has_angles_alone(midline: list[Finding]) -> None:
    film = compare(CASE, IMAGE, [*midline, AasceAngles(degrees=ANGLES.degrees)], {})
    assert film.degrees is not None
    assert film.intervals is None
    assert film.corner_error is None
    assert not film.labels
    assert not any(each.identified for each in film.located)


def test_a_labelling_bundle_has_centres_and_no_angles() -> None:
    film = compare(CASE, IMAGE, [centre("L1", 2.0), centre("L2", flags=("faint",))], {})
    assert film.labels
    assert film.degrees is None
    assert film.corner_error is None
    distances = {each.level: each.distance for each in film.located if each.distance is not None}
    assert distances == pytest.approx({"L1": 2.0, "L2": 0.0})
    assert film.flags == ("L2:faint",)


def test_corners_are_compared_of_the_levels_that_both_sides_have() -> None:
    shifted = results.vertebrae(made.spine())[:3]
    assert compare(CASE, IMAGE, shifted, {}).corner_error == pytest.approx(0.0, abs=1e-9)
    assert compare(replace(CASE, corners_px=None), IMAGE, shifted, {}).corner_error is None


def test_a_film_that_cannot_be_read_is_a_failure_whose_vertebrae_were_all_missed() -> None:
    def read() -> Image:
        raise BadGeometry("spacing contradicts itself", "correct it")

    with load(threads=1, backend="ort", precision="fp32") as model:
        film = examine(replace(CASE, read=read), model)
    assert film.failure == "BadGeometry: spacing contradicts itself"
    assert film.exit_code == BadGeometry.exit_code
    assert film.degrees is None
    assert len(film.located) == 17
    assert not any(each.identified for each in film.located)


def test_a_study_that_the_pipeline_does_not_take_is_a_failure() -> None:
    lateral = replace(IMAGE, view="LL")
    with load(threads=1, backend="ort", precision="fp32") as model:
        film = examine(replace(CASE, read=lambda: lateral), model)
    assert film.failure is not None
    assert film.failure.startswith("BadStudy: ")


def test_a_mistake_in_spinert_is_no_failure_of_the_film() -> None:
    def read() -> Image:
        raise ZeroDivisionError

    with load(threads=1, backend="ort", precision="fp32") as model, pytest.raises(ZeroDivisionError):
        examine(replace(CASE, read=read), model)
