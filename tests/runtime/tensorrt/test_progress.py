"""Nested phases of a build as one growing share."""

import pytest

from spinert.runtime.tensorrt.progress import Phases


def test_the_share_of_inner_phases_counts_within_the_step_around_them() -> None:
    phases = Phases()
    phases.start("build", None, 4)
    phases.step("build", 0)
    assert phases.share() == pytest.approx(0.25)
    phases.start("tactics", "build", 2)
    phases.step("tactics", 0)
    assert phases.share() == pytest.approx(0.25 + 0.25 / 2)
    phases.start("one", "tactics", 10)
    phases.step("one", 4)
    assert phases.share() == pytest.approx(0.25 + 0.25 * (0.5 + 0.5 * 0.5))


def test_the_share_never_shrinks() -> None:
    phases = Phases()
    phases.start("build", None, 2)
    phases.start("inner", "build", 2)
    phases.step("inner", 1)
    assert phases.share() == pytest.approx(0.5)
    phases.finish("inner")
    phases.start("inner", "build", 100)
    assert phases.share() == pytest.approx(0.5)
    phases.step("build", 5)
    assert phases.share() == 1.0


def test_the_time_left_is_told_once_enough_is_done() -> None:
    phases = Phases()
    phases.start("build", None, 100)
    phases.step("build", 0)
    phases.share()
    assert phases.seconds_left() is None
    phases.step("build", 99)
    phases.share()
    assert phases.seconds_left() == 0.0


def test_a_step_of_an_unknown_phase_is_nothing() -> None:
    phases = Phases()
    phases.step("never begun", 3)
    assert phases.share() == 0.0
