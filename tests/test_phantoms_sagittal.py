"""The lateral films that labelling is tested and trained on are what their docstring says."""

import numpy as np
import pytest

from tests import phantoms_sagittal
from tests.phantoms_sagittal import C1_TO_L5


def bows(levels: tuple[str, str]) -> float:
    """How far the spine between two levels bows forward of the line between them, in mm; patient facing right."""
    centres = phantoms_sagittal.spine_corners_mm(phantoms_sagittal.usual_tilts()).mean(axis=1)
    first, last = (C1_TO_L5.index(level) for level in levels)
    along = (centres[last] - centres[first]) / np.linalg.norm(centres[last] - centres[first])
    forward = np.array([along[1], -along[0]])
    aside = (centres[first : last + 1] - centres[first]) @ forward
    return float(aside[np.abs(aside).argmax()])


def test_neck_and_loins_bow_forward_and_the_thorax_backward() -> None:
    assert bows(("C2", "C7")) > 1
    assert bows(("T1", "T12")) < -10
    assert bows(("L1", "L5")) > 10


def test_an_adult_spine_has_its_length() -> None:
    corners = phantoms_sagittal.spine_corners_mm(phantoms_sagittal.usual_tilts())
    assert 550 < np.ptp(corners[..., 1]) < 680


@pytest.mark.parametrize("facing", ["left", "right"])
def test_bodies_are_brighter_than_what_is_before_and_behind_them(facing: phantoms_sagittal.Facing) -> None:
    corners = phantoms_sagittal.spine_corners_mm(phantoms_sagittal.usual_tilts()) * 1.3 + (250, 60)
    if facing == "left":
        corners = corners[:, [1, 0, 3, 2]] * (-1, 1) + (399, 0)
    film = phantoms_sagittal.draw(corners, (960, 400), np.random.default_rng(0), spacing_mm=1 / 1.3, facing=facing)
    forward = 1 if facing == "right" else -1
    for v in range(19, 24):
        x, y = np.round(film.centres_px[v]).astype(int).tolist()
        before = x + forward * round(0.75 * float(np.linalg.norm(corners[v, 1] - corners[v, 0])))
        assert film.pixels[y, x] > film.pixels[y, before], C1_TO_L5[v]


@pytest.mark.parametrize("seed", range(6))
def test_whole_films_show_all_and_parts_some_consecutive_levels(seed: int) -> None:
    whole = phantoms_sagittal.random_phantom(np.random.default_rng(seed), whole=True)
    part = phantoms_sagittal.random_phantom(np.random.default_rng(seed), whole=False)
    assert whole.visible.all()
    shown = np.flatnonzero(part.visible)
    assert 4 <= len(shown) < 24
    assert len(shown) == shown[-1] - shown[0] + 1
    assert (np.diff(whole.centres_px[:, 1]) > 0).all()
