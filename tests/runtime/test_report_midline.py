"""The picture of a result without vertebrae: the midline on the film, the challenge's angles in the legend."""

import msgspec
import numpy as np
import PIL.Image
import pytest

from spinert.findings import AasceAngles, CobbAngle, Finding, Midline
from spinert.image import Image
from spinert.runtime.report.film import film
from spinert.runtime.report.legend import WIDTH
from spinert.runtime.report.overlay import overlay
from spinert.runtime.report.pen import ALARM, PLAIN
from tests import results

IMAGE = Image(np.full((1000, 500), 40, np.uint8), "DX")
ROWS = np.linspace(100.0, 900.0, 33)
POINTS = tuple((250.0 + 60.0 * float(np.sin(y / 130.0)), float(y)) for y in ROWS)


def picture(*findings: Finding) -> np.ndarray:
    return np.asarray(overlay(IMAGE, results.result(IMAGE, list(findings)))).astype(int)


def has_colour(drawn: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(drawn - colour).max(axis=-1) <= 12


def test_the_midline_lies_on_its_points() -> None:
    drawn = picture(Midline(points_px=POINTS))
    at = np.round(film(IMAGE).to_display(np.array(POINTS))).astype(int)
    shift = (drawn.shape[1] - WIDTH - film(IMAGE).picture.width) // 2
    np.testing.assert_allclose(drawn[at[1:-1, 1], at[1:-1, 0] + shift], [PLAIN] * 31, atol=40)


def test_a_flagged_midline_stands_out() -> None:
    on_film = np.s_[:, :-WIDTH]
    assert not has_colour(picture(Midline(points_px=POINTS))[on_film], ALARM).any()
    flagged = picture(Midline(points_px=POINTS, flags=("broken_midline",)))[on_film]
    assert has_colour(flagged, ALARM).sum() > 500
    assert not has_colour(flagged, PLAIN).any()


@pytest.mark.parametrize("flags", [(), ("implausible_angles",)])
def test_the_challenges_angles_are_in_the_legend(flags: tuple[str, ...]) -> None:
    angles = AasceAngles(degrees=(40.5, 20.25, 3.0), degrees_95=((38.0, 43.0), (17.0, 23.0), (0.0, 6.0)), flags=flags)
    legend = np.s_[:1000, -WIDTH:]
    bare, drawn = picture(Midline(points_px=POINTS))[legend], picture(Midline(points_px=POINTS), angles)[legend]
    without = picture(Midline(points_px=POINTS), msgspec.structs.replace(angles, degrees_95=None))[legend]
    assert (bare != drawn).any(axis=-1).sum() > 1000
    assert (without != drawn).any()
    assert has_colour(drawn, ALARM).any() == bool(flags)


def test_a_curves_interval_is_in_the_legend() -> None:
    image, result = results.examined()
    known = [
        msgspec.structs.replace(each, degrees_95=(40.0, 50.0)) if isinstance(each, CobbAngle) else each
        for each in result.findings
    ]
    before: PIL.Image.Image = overlay(image, result)
    after = overlay(image, results.result(image, known))
    assert (np.asarray(before)[:, -WIDTH:] != np.asarray(after)[:, -WIDTH:]).any()
