"""Vertebrae whose level is not told, on their way through findings, picture, comparison and warnings."""

import numpy as np
import pytest

from spinert.errors import BadBundle
from spinert.findings import T1_TO_L5, AasceAngles, Vertebra, from_json
from spinert.image import Image
from spinert.runtime import notices
from spinert.runtime.cobb import aasce_angles
from spinert.runtime.differences import differences
from spinert.runtime.landmark_findings import check_names, landmark_findings, levels_of, repeated_aasce
from spinert.runtime.report.overlay import overlay
from tests import phantoms, results

CORNERS = phantoms.spine_corners(np.linspace(-12.0, 12.0, 14), (300.0, 60.0), 800.0)
IMAGE = Image(np.zeros((1000, 600), np.uint8), "DX")


def found(confidence: float = 1.0) -> list:  # type: ignore[type-arg]
    return landmark_findings(
        IMAGE, CORNERS, np.full(14, confidence), None, least_confidence=0.5, least_cobb_degrees=10.0
    )


def test_levels_are_told_only_where_their_number_fits() -> None:
    assert levels_of(17, T1_TO_L5) == T1_TO_L5
    assert levels_of(16, T1_TO_L5) is None
    assert levels_of(18, T1_TO_L5) is None


def test_vertebrae_without_level_are_flagged_and_make_no_curve() -> None:
    assert [(v.level, v.flags) for v in found()] == [(None, ("level_unknown",))] * 14


def test_flags_of_the_pipeline_come_first() -> None:
    noted = [("astray",)] + [()] * 13
    findings = landmark_findings(
        IMAGE, CORNERS, np.zeros(14), None, least_confidence=0.5, least_cobb_degrees=10.0, noted=noted
    )
    assert findings[0].flags == ("astray", "low_confidence", "level_unknown")
    assert findings[1].flags == ("low_confidence", "level_unknown")


def test_the_challenge_angles_of_too_few_vertebrae_repeat_the_last_and_say_so() -> None:
    (angles,) = repeated_aasce(IMAGE, CORNERS)
    assert isinstance(angles, AasceAngles)
    want = aasce_angles(np.concatenate([CORNERS, CORNERS[[13, 13, 13]]]), 1000)
    assert np.allclose(angles.degrees, want, atol=1e-3)
    assert angles.flags == ("level_unknown", "vertebrae_repeated")
    flat = CORNERS.copy()
    flat[3] = flat[3, 0]
    assert repeated_aasce(IMAGE, flat) == []


def test_a_result_without_levels_is_written_read_and_drawn() -> None:
    result = results.result(IMAGE, found())
    assert from_json(result.to_json()) == result
    named = results.result(
        IMAGE, [Vertebra(level="T1", corners_px=v.corners_px, confidence=1.0, flags=v.flags) for v in found()[:1]]
    )
    alone = results.result(IMAGE, found()[:1])
    without, with_name = (np.asarray(overlay(IMAGE, each)) for each in (alone, named))
    assert without.shape == with_name.shape
    assert not np.array_equal(without, with_name)


def test_warnings_tell_the_count_once_and_other_flags_by_place() -> None:
    (told,) = notices.flagged(found())
    assert told.startswith("14 vertebrae were found, not those that the bundle names: their levels are not told")
    _, flagged = notices.flagged(
        landmark_findings(
            IMAGE, CORNERS, np.r_[np.ones(2), 0.1, np.ones(11)], None, least_confidence=0.5, least_cobb_degrees=10.0
        )
    )
    assert flagged.endswith("picture: vertebra 3 from the top (low_confidence)")


def test_two_results_without_levels_are_compared_by_place() -> None:
    moved = [Vertebra(level=None, corners_px=v.corners_px, confidence=1.0) for v in found()]
    assert max(differences(found(), moved, IMAGE, 1.0).corners_px) == 0
    with pytest.raises(ValueError, match="other vertebrae"):
        differences(found(), moved[:-1], IMAGE, 1.0)


@pytest.mark.parametrize("names", [(), ("T1",), ("T1", "T3"), ("C7", "T1"), ("T2", "T1")])
def test_names_that_are_not_consecutive_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BadBundle, match="expected consecutive vertebrae"):
        check_names(names)


def test_names_of_a_part_of_the_spine_are_accepted() -> None:
    check_names(("T11", "T12", "L1"))
