import numpy as np
import pytest

from spinert.evaluate.centres import locate
from spinert.image import Image

TRUTH = {"L1": (100.0, 100.0), "L2": (100.0, 200.0), "L3": (100.0, 300.0)}


def film(spacing_mm: tuple[float, float] | None) -> Image:
    return Image(np.zeros((400, 200), np.uint8), "DX", spacing_mm=spacing_mm)


def identified(spacing_mm: tuple[float, float] | None, found: dict[str, tuple[float, float]]) -> list[str]:
    return [each.level for each in locate(film(spacing_mm), found, TRUTH) if each.identified]


def test_a_vertebra_is_identified_up_to_20_mm_away() -> None:
    found = {"L1": (140.0, 100.0), "L2": (141.0, 200.0), "L3": (100.0, 300.0)}
    assert identified((0.5, 0.5), found) == ["L1", "L3"]


def test_distances_are_in_mm_by_the_spacing_of_each_axis() -> None:
    (first, *_) = locate(film((0.5, 0.2)), {"L1": (110.0, 110.0)}, TRUTH)
    assert first.distance == pytest.approx(np.hypot(10 * 0.2, 10 * 0.5))


def test_a_centre_nearer_to_another_vertebra_is_not_identified_however_near_it_is() -> None:
    # 15 mm from L1, 10 mm from L2
    assert identified((0.25, 0.25), {"L1": (100.0, 160.0)}) == []


def test_a_spine_that_is_named_one_level_off_is_not_identified() -> None:
    shifted = {"L1": TRUTH["L2"], "L2": TRUTH["L3"], "L3": (100.0, 400.0)}
    assert identified((0.25, 0.25), shifted) == []


def test_a_vertebra_that_was_not_found_counts_and_has_no_distance() -> None:
    located = locate(film((0.5, 0.5)), {"L2": (100.0, 200.0)}, TRUTH)
    assert [(each.level, each.distance, each.identified) for each in located] == [
        ("L1", None, False),
        ("L2", 0.0, True),
        ("L3", None, False),
    ]


def test_a_level_that_is_not_labelled_is_left_out() -> None:
    assert len(locate(film(None), {"C7": (1.0, 1.0)}, TRUTH)) == 3
    assert locate(film(None), {"L1": (1.0, 1.0)}, {}) == []


def test_without_spacing_the_bound_is_three_quarters_of_the_distance_of_neighbours() -> None:
    # sideways, so that no other vertebra is nearer
    found = {"L1": (175.0, 100.0), "L2": (176.0, 200.0)}
    assert identified(None, found) == ["L1"]


def test_without_spacing_levels_that_are_no_neighbours_give_no_bound() -> None:
    truth = {"T1": (100.0, 100.0), "L5": (100.0, 300.0)}
    (first, last) = locate(film(None), {"T1": (190.0, 100.0), "L5": (100.0, 150.0)}, truth)
    assert first.identified
    assert not last.identified


def test_vertebrae_come_from_head_to_foot() -> None:
    located = locate(film(None), {}, dict(reversed(TRUTH.items())))
    assert [each.level for each in located] == ["L1", "L2", "L3"]
