import json

import msgspec
import pytest

from spinert import findings

RESULT = findings.Result(
    study=findings.Study(
        study_uid="2.25.1", series_uid=None, sop_uid=None, modality="DX", rows=10, columns=5,
        spacing_mm=(0.14, 0.2), spacing_kind="detector_plane",
    ),
    provenance=findings.Provenance(
        spinert="0.1.0", bundle="cobb", bundle_sha256="0" * 64, precision="fp32", backend="onnxruntime",
        provider="CPUExecutionProvider", isa="base",
    ),
    timings_ms={"read": 1.0},
    warnings=("one",),
    findings=(
        findings.Vertebra(level="T1", corners_px=((0, 0), (1, 0), (0, 1), (1, 1)), confidence=0.5),
        findings.CobbAngle(
            name="main_thoracic", degrees=40.0, upper="T5", lower="T11", apex="T8", side="right",
            line_px=((0, 0), (1, 0), (0, 1), (1, 1)), flags=("uncertain_vertebra",),
        ),
        findings.AasceAngles(degrees=(1.0, 2.0, 3.0)),
    ),
)  # fmt: skip


def test_a_result_survives_the_journey_through_json() -> None:
    assert findings.from_json(RESULT.to_json()) == RESULT


def test_the_document_has_the_fields_of_the_schema() -> None:
    document = json.loads(RESULT.to_json())
    assert list(document) == ["schema", "disclaimer", "study", "provenance", "timings_ms", "warnings", "findings"]
    assert document["schema"] == "spinert.result/1"
    assert document["disclaimer"] == "research use only: not for clinical use"
    assert [finding["kind"] for finding in document["findings"]] == ["vertebra", "cobb_angle", "aasce_angles"]
    assert document["findings"][1]["side"] == "right"


def test_the_document_is_one_line() -> None:
    assert b"\n" not in RESULT.to_json()


def test_another_schema_is_refused() -> None:
    document = RESULT.to_json().replace(b"spinert.result/1", b"spinert.result/9")
    with pytest.raises(msgspec.ValidationError, match=r"spinert.result/9"):
        findings.from_json(document)


def test_levels_run_from_head_to_foot() -> None:
    assert findings.LEVELS[:1] + findings.LEVELS[-1:] == ("C1", "S1")
    assert findings.T1_TO_L5[:1] + findings.T1_TO_L5[-1:] == ("T1", "L5")
    assert len(findings.T1_TO_L5) == 17
