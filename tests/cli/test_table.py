"""A result as text: angles with and without their interval, and results without vertebrae."""

import msgspec
import numpy as np
import pytest

from spinert.cli.table import table
from spinert.findings import AasceAngles, CobbAngle, Finding, Midline
from spinert.image import Image
from tests import results

IMAGE = Image(np.zeros((2000, 900), np.uint8), "DX")
MIDLINE = Midline(points_px=((10.0, 20.0), (10.0, 400.0)))


def lines(*findings: Finding) -> list[str]:
    return [line.strip() for line in table("film", results.result(IMAGE, list(findings)), []).splitlines()[1:-1]]


def curves() -> list[CobbAngle]:
    return results.double_curve()[1]


def test_an_interval_stands_behind_its_angle() -> None:
    first, second = curves()
    heading, *rows = lines(msgspec.structs.replace(first, degrees=24.31, degrees_95=(20.1, 28.52)), second)
    assert "degrees [95 %]" in heading
    assert "24.3 [20.1, 28.5]" in rows[0]
    assert "[" not in rows[1]


def test_without_intervals_there_are_no_brackets() -> None:
    assert "[" not in "".join(lines(*curves(), AasceAngles(degrees=(1.0, 2.0, 3.0))))


def test_the_challenges_angles_have_intervals_too() -> None:
    known = AasceAngles(degrees=(24.3, 10.0, 0.0), degrees_95=((20.1, 28.5), (7.0, 13.0), (0.0, 3.0)))
    assert lines(known) == ["AASCE challenge's angles [95 %]: 24.3 [20.1, 28.5], 10.0 [7.0, 13.0], 0.0 [0.0, 3.0]"]


def test_a_pipeline_without_vertebrae_is_not_said_to_have_found_no_curve() -> None:
    assert lines(MIDLINE, AasceAngles(degrees=(24.3, 10.0, 0.0))) == ["AASCE challenge's angles: 24.3, 10.0, 0.0"]
    _, _, corners = results.double_curve()
    assert "no curve found" in lines(*results.vertebrae(corners), AasceAngles(degrees=(4.0, 1.0, 0.0)))
    assert lines() == ["no curve found"]


@pytest.mark.parametrize("flags", [("broken_midline",), ("touches_edge", "short_midline")])
def test_what_is_wrong_with_a_midline_is_said(flags: tuple[str, ...]) -> None:
    said = lines(msgspec.structs.replace(MIDLINE, flags=flags), AasceAngles(degrees=(1.0, 1.0, 1.0), flags=flags))
    assert said[0] == f"midline not to be relied on: {', '.join(flags)}"
    assert said[1].endswith(f"(not to be relied on: {', '.join(flags)})")
