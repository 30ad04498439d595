from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spinert.cli.table import table
from spinert.findings import Result, VertebraCentre
from spinert.image import Image
from spinert.runtime.report.film import film
from spinert.runtime.report.legend import WIDTH as LEGEND_WIDTH
from spinert.runtime.report.overlay import WIDEST_MARGIN, overlay
from spinert.runtime.report.pen import ALARM, PLAIN
from tests import phantoms_sagittal, results


def centre(level: str, at: NDArray[np.float64], mm: float | None = 0.5, flags: tuple[str, ...] = ()) -> VertebraCentre:
    x, y = at.tolist()
    millimetres = None if mm is None else (x * mm, y * mm)
    return VertebraCentre(level=level, centre_px=(x, y), centre_mm=millimetres, confidence=0.9, flags=flags)


@pytest.fixture(scope="module")
def examined() -> tuple[Image, Result]:
    """A lateral film whose T9 is flagged."""
    drawn = phantoms_sagittal.random_phantom(np.random.default_rng(0), whole=True)
    image = Image(drawn.pixels, "DX", spacing_mm=(0.5, 0.5), spacing_kind="given", orientation=("A", "F"), view="LL")
    findings = [
        centre(level, at, flags=("low_confidence",) if level == "T9" else ())
        for level, at in zip(phantoms_sagittal.C1_TO_L5, drawn.centres_px, strict=True)
    ]
    return image, results.result(image, findings)


def colour_at(picture: PIL.Image.Image, at: NDArray[np.float64]) -> tuple[int, ...]:
    x, y = np.round(at).astype(int).tolist()
    found = picture.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def test_every_centre_has_a_dot_in_the_colour_that_says_whether_to_trust_it(examined: tuple[Image, Result]) -> None:
    image, result = examined
    picture = overlay(image, result)
    for finding in result.findings:
        assert isinstance(finding, VertebraCentre)
        at = film(image).to_display(np.array(finding.centre_px))
        wanted = ALARM if finding.flags else PLAIN
        np.testing.assert_allclose(colour_at(picture, at), wanted, atol=12)


def test_names_lie_beside_the_dots(examined: tuple[Image, Result]) -> None:
    image, result = examined
    with_names = np.asarray(overlay(image, result), np.int16)
    without = np.asarray(overlay(image, results.result(image, [])), np.int16)
    width = film(image).picture.size[0]
    shift = without.shape[1] - LEGEND_WIDTH - width  # without marks the film has a margin
    changed = np.abs(with_names[:, :width] - without[:, shift : shift + width]).max(axis=2) > 40
    for finding in result.findings:
        assert isinstance(finding, VertebraCentre)
        x, y = np.round(film(image).to_display(np.array(finding.centre_px))).astype(int).tolist()
        assert changed[y - 6 : y + 7, x + 22 : x + 48].any(), finding.level


def test_front_and_back_are_marked_on_a_lateral_film_and_only_where_stated(examined: tuple[Image, Result]) -> None:
    image, result = examined
    corner = (0, 0, 60, 70)
    forward = np.asarray(overlay(image, result).crop(corner))
    backward = np.asarray(overlay(replace(image, orientation=("P", "F")), result).crop(corner))
    unstated = np.asarray(overlay(replace(image, orientation=None), result).crop(corner))
    assert (forward != unstated).any()
    assert (forward != backward).any()


def test_a_centre_far_outside_leaves_a_picture_of_bounded_size(examined: tuple[Image, Result]) -> None:
    image, _ = examined
    far = results.result(image, [centre("T1", np.array([1e7, 100.0])), centre("T2", np.array([-1e7, 120.0]))])
    assert overlay(image, far).width <= film(image).picture.width + 2 * WIDEST_MARGIN + LEGEND_WIDTH


def test_the_table_lists_level_place_and_confidence_in_millimetres(examined: tuple[Image, Result]) -> None:
    lines = [line.split() for line in table("film", examined[1], ()).splitlines()]
    first = examined[1].findings[0]
    assert isinstance(first, VertebraCentre)
    assert first.centre_mm is not None
    assert lines[1] == ["level", "x", "mm", "y", "mm", "confidence", "not", "to", "be", "relied", "on"]
    assert lines[2] == ["C1", *(f"{mm:.1f}" for mm in first.centre_mm), "0.90"]
    assert [line[-1] for line in lines if line[0] == "T9"] == ["low_confidence"]
    assert "no curve found" not in table("film", examined[1], ())


def test_the_table_is_in_pixels_where_there_is_no_spacing(examined: tuple[Image, Result]) -> None:
    image, _ = examined
    result = results.result(image, [centre("L1", np.array([10.25, 20.0]), mm=None)])
    lines = [line.split() for line in table("film", result, ()).splitlines()]
    assert lines[1:3] == [["level", "x", "px", "y", "px", "confidence"], ["L1", "10.2", "20.0", "0.90"]]
