"""Bundles whose precisions answer with corners moved by a known distance, so every difference is known beforehand."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spinert.bundle import Bundle
from spinert.errors import BadBundle, BadNetwork, BadRequest, BadStudy, NoBackend, NoEngine
from spinert.runtime import backends
from spinert.runtime.backends import openvino, ort
from spinert.runtime.pipelines import cobb_landmarks
from spinert.runtime.verify import Verification, verify
from tests import phantoms
from tests.bundles import SIZE, heatmaps_at, write_bundle

TILTS = np.interp(np.arange(17), [0, 4, 10, 16], [18.0, 22.0, -23.0, 15.0])
CORNERS = phantoms.spine_corners(TILTS, (48.0, 14.0), 160.0)
"""In pixels of the network; golden images are as large as its input, so in pixels of the image too."""


def truth(folder: Path, **others: NDArray[np.float64]) -> Bundle:
    """fp32 answers with CORNERS, other precisions with these; `int8_cpu` stands for int8-cpu."""
    answers: Any = {name.replace("_", "-"): heatmaps_at(corners) for name, corners in others.items()}
    return write_bundle(folder / "truth", heatmaps_at(CORNERS), others=answers, golden=True)


def by_ort(found: Verification) -> dict[str, Any]:
    return {row.precision: row for row in found.rows if row.backend == "ort"}


def answering(monkeypatch: pytest.MonkeyPatch, off_by: float) -> list[str]:
    """OpenVINO stands in for any second backend: it answers like onnxruntime, off by this. Returns what was closed."""
    closed: list[str] = []

    class Off:
        backend, provider = "openvino", "a second opinion"

        def __init__(self, network: Any) -> None:
            self.inputs, self.outputs, self._network = network.inputs, network.outputs, network

        def __call__(self, arrays: Any) -> dict[str, NDArray[Any]]:
            return {name: array + np.float32(off_by) for name, array in self._network(arrays).items()}

        def close(self) -> None:
            closed.append("openvino")
            self._network.close()

    monkeypatch.setattr(openvino, "missing", lambda: None)
    monkeypatch.setattr(openvino, "open_network", lambda *a, **k: Off(ort.open_network(*a, **k)))
    return closed


def test_the_reference_agrees_with_itself(tmp_path: Path) -> None:
    found = verify(truth(tmp_path), backend="ort")
    (row,) = found.rows
    assert (row.backend, row.precision, row.provider) == ("ort", "fp32", "CPUExecutionProvider")
    assert (row.tensors[0].largest, row.tensors[0].rms) == (0.0, 0.0)
    assert row.clinical is not None
    assert row.clinical.corners_px is not None
    assert (row.clinical.corners_px.count, row.clinical.corners_px.largest) == (68, 0.0)
    assert row.clinical.curve_degrees is not None
    assert row.clinical.curve_degrees.count == 2
    assert found.agrees
    assert (found.golden_images, found.studies, found.left_out) == (1, 0, ())


def test_every_usable_backend_and_every_precision_has_its_row(tmp_path: Path) -> None:
    found = verify(truth(tmp_path, fp16=CORNERS, int8_trt=CORNERS))
    expected = [(name, each) for name in backends.names() for each in ("fp32", "fp16", "int8-trt")]
    assert sorted((row.backend, row.precision) for row in found.rows) == sorted(expected)
    for row in found.rows:
        usable = backends.load(row.backend).missing() is None
        assert (row.reason is None) == usable or row.backend not in ("ort", "openvino")


def test_moved_corners_are_told_in_pixels_of_the_network(tmp_path: Path) -> None:
    found = verify(truth(tmp_path, fp16=CORNERS + np.array([0.3, 0.4])), backend="ort")
    clinical = by_ort(found)["fp16"].clinical
    assert clinical.corners_px.median == pytest.approx(0.5, abs=0.01)
    assert clinical.corners_px.largest == pytest.approx(0.5, abs=0.01)
    assert clinical.curve_degrees.largest == pytest.approx(0.0, abs=0.05)
    assert clinical.changed_ends == 0


def test_a_bent_spine_is_told_in_degrees(tmp_path: Path) -> None:
    tilts = np.interp(np.arange(17), [0, 4, 10, 16], [18.0, 22.0, -26.0, 15.0])
    bent = phantoms.spine_corners(tilts, (48.0, 14.0), 160.0)
    found = verify(truth(tmp_path, int8_cpu=bent), backend="ort", precision="int8-cpu")
    (row,) = found.rows
    assert row.clinical is not None
    assert row.clinical.curve_degrees is not None
    assert row.clinical.curve_degrees.largest == pytest.approx(3.0, abs=0.1)


def test_only_fp32_is_held_to_the_tolerance_of_fp32(tmp_path: Path) -> None:
    found = verify(truth(tmp_path, fp16=CORNERS + 2.0), backend="ort")
    row = by_ort(found)["fp16"]
    assert row.tensors[0].largest > row.tensors[0].tolerated
    assert row.agrees
    assert found.agrees


@pytest.mark.parametrize(("off_by", "agrees"), [(0.0625, True), (1.0, False)])
def test_fp32_of_another_backend_must_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off_by: float, agrees: bool
) -> None:
    answering(monkeypatch, off_by)
    found = verify(truth(tmp_path), backend="openvino")
    (row,) = found.rows
    assert row.provider == "a second opinion"
    assert row.tensors[0].largest == pytest.approx(off_by, rel=0.1)
    assert row.tensors[0].rms == pytest.approx(off_by, rel=0.1)
    assert row.tensors[0].relative < row.tensors[0].largest
    assert (row.agrees, found.agrees) == (agrees, agrees)


def test_values_that_are_not_finite_fail_in_every_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, float("nan"))
    found = verify(truth(tmp_path, fp16=CORNERS), backend="openvino", precision="fp16")
    (row,) = found.rows
    assert "not finite" in (row.failure or "")
    assert not row.agrees
    assert not found.agrees


def test_a_backend_that_is_missing_is_listed_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "missing", lambda: "openvino is not installed: pip install it")
    found = verify(truth(tmp_path))
    assert [row.reason for row in found.rows if row.backend == "openvino"] == [
        "openvino is not installed: pip install it"
    ]
    assert found.agrees


@pytest.mark.parametrize("error", [NoEngine("no engine was built", "build"), BadNetwork("no such operator", "update")])
def test_a_network_that_cannot_be_opened_is_listed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(openvino, "missing", lambda: None)
    monkeypatch.setattr(openvino, "open_network", refuse)
    found = verify(truth(tmp_path))
    (row,) = [row for row in found.rows if row.backend == "openvino"]
    assert row.reason == error.problem  # type: ignore[attr-defined]
    assert row.tensors == ()
    assert found.agrees


def test_where_nothing_of_what_was_asked_for_runs_it_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "missing", lambda: "not installed")
    with pytest.raises(NoBackend, match="openvino fp32: not installed"):
        verify(truth(tmp_path), backend="openvino")


def test_without_the_reference_nothing_can_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "missing", lambda: "onnxruntime is not installed")
    with pytest.raises(NoBackend, match="the reference, fp32 on onnxruntime, cannot run here"):
        verify(truth(tmp_path))


@pytest.mark.parametrize("asked", [{"backend": "none"}, {"precision": "fp16"}])
def test_what_does_not_exist_is_refused(tmp_path: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="only:"):
        verify(truth(tmp_path), **asked)


def test_a_bundle_without_golden_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="no golden inputs for network 'landmarks'"):
        verify(write_bundle(tmp_path / "truth", heatmaps_at(CORNERS)))


def test_studies_are_compared_too_and_those_that_cannot_be_examined_are_named(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "examples"
    PIL.Image.fromarray(np.zeros((40, 30), np.uint8)).save(tmp_path / "photo.png")
    found = verify(
        truth(tmp_path), backend="ort", studies=[folder / "study.dcm", tmp_path / "photo.png", folder / "study.dcm"]
    )
    assert found.studies == 2
    assert [text.split(":")[0] for text in found.left_out] == ["photo"]
    clinical = by_ort(found)["fp32"].clinical
    assert clinical.images == 3
    assert clinical.corners_px.count == 3 * 68


def test_the_same_machine_gives_the_same_answer(tmp_path: Path) -> None:
    bundle = truth(tmp_path, fp16=CORNERS + 0.5)
    first, second = (verify(bundle).to_json() for _ in range(2))
    assert first == second


def test_the_document_says_of_each_row_whether_it_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 1.0)
    document = json.loads(verify(truth(tmp_path)).to_json())
    agreed = {row["backend"]: row["agrees"] for row in document["rows"]}
    assert (agreed["ort"], agreed["openvino"], document["agrees"]) == (True, False, False)


def test_networks_are_closed_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = answering(monkeypatch, 0.0)
    verify(truth(tmp_path))
    assert closed == ["openvino"]
    monkeypatch.setattr("spinert.runtime.verify.golden.compare", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        verify(truth(tmp_path / "again"))
    assert closed == ["openvino"] * 2


def test_the_golden_image_is_as_large_as_the_input_of_the_network(tmp_path: Path) -> None:
    seen: list[tuple[int, ...]] = []
    opened = ort.open_network

    def watched(*arguments: Any, **named: Any) -> Any:
        network = opened(*arguments, **named)
        call = type(network).__call__

        class Watched(type(network)):  # type: ignore[misc]
            def __call__(self, arrays: Any) -> Any:
                seen.append(arrays["image"].shape)
                return call(self, arrays)

        network.__class__ = Watched
        return network

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ort, "open_network", watched)
        verify(truth(tmp_path), backend="ort")
    assert set(seen) == {(1, 1, *SIZE), (3, 1, *SIZE)}


def test_findings_of_other_vertebrae_are_a_failure_of_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, calls = cobb_landmarks.run, itertools.count()

    def without_t1(*arguments: Any) -> Any:
        return run(*arguments)[min(next(calls), 1) :]

    monkeypatch.setattr(cobb_landmarks, "run", without_t1)
    (row,) = verify(truth(tmp_path), backend="ort").rows
    assert row.failure is not None
    assert row.failure.startswith("the results have other vertebrae: T1, T2, ")
    assert not row.agrees


def test_a_golden_input_in_which_a_pipeline_finds_no_spine_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> None:
        raise BadStudy("no spine was found", "give a film")

    monkeypatch.setattr(cobb_landmarks, "run", refuses)
    found = verify(truth(tmp_path), backend="ort")
    assert found.golden_images == 0
    (row,) = found.rows
    assert (row.failure, row.clinical) == (None, None)
    assert row.tensors
