"""A found curve is set against the labelled curve that it is, whatever its end vertebrae are called."""

from dataclasses import replace

import numpy as np
import pytest

from spinert.evaluate.curves import pair
from spinert.findings import CobbAngle
from spinert.image import Image
from tests import phantoms, results

TILTS = np.concatenate([np.linspace(15.0, -25.0, 9), np.linspace(-20.0, 12.0, 8)])
"""An S: 40 degrees from T1 to T9, 37 back from T9 to L5."""
CORNERS = phantoms.spine_corners(TILTS, (200.0, 130.0), 750.0)
IMAGE = Image(np.zeros((1000, 400), np.uint8), "OT")


def found(upper: int, lower: int) -> CobbAngle:
    return replaced(results.curve(CORNERS, TILTS, upper, lower), degrees_95=(30.0, 50.0))


def replaced(curve: CobbAngle, **changes: object) -> CobbAngle:
    fields = {name: getattr(curve, name) for name in curve.__struct_fields__}
    return CobbAngle(**fields | changes)


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_labelled_curve_is_found_under_neighbouring_names(shift: int) -> None:
    (upper,) = pair(IMAGE, [found(max(shift, 0), 8 + shift)], CORNERS)
    (lower,) = pair(IMAGE, [found(8 + shift, 16)], CORNERS)
    assert upper.labelled == pytest.approx(40.0, abs=0.01)
    assert lower.labelled == pytest.approx(37.0, abs=0.01)
    assert upper.interval == (30.0, 50.0)


def test_a_curve_to_the_other_side_is_none_of_these() -> None:
    """Then the truth is the labelled angle between the end-plates that it names: T1 to T7 turns by 30 degrees."""
    curve = found(0, 6)
    left, right, below_left, below_right = curve.line_px
    mirrored = replaced(curve, line_px=(below_left, below_right, left, right))
    (one,) = pair(IMAGE, [mirrored], CORNERS)
    assert one.labelled == pytest.approx(30.0, abs=0.01)


def test_a_curve_that_is_labelled_below_ten_degrees_keeps_its_place() -> None:
    tilts = np.linspace(4.0, -4.0, 17)
    corners = phantoms.spine_corners(tilts, (200.0, 130.0), 750.0)
    (one,) = pair(IMAGE, [replaced(results.curve(corners, tilts, 0, 16), degrees=11.0)], corners)
    assert (one.degrees, one.labelled) == (11.0, pytest.approx(8.0, abs=0.01))


def test_angles_are_taken_where_pixels_are_square() -> None:
    image = replace(IMAGE, spacing_mm=(0.5, 0.2))
    in_px = CORNERS * np.array([2.5, 1.0])
    line = tuple((x * 2.5, y) for x, y in found(0, 8).line_px)
    (one,) = pair(image, [replaced(found(0, 8), line_px=line)], in_px)
    assert one.labelled == pytest.approx(40.0, abs=0.01)
