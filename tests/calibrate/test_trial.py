"""A candidate on trial in a process of its own: what it finds, what refuses it, and what kills it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.bundle import Bundle
from spinert.calibrate.trial import Candidate, run
from spinert.findings import Vertebra
from spinert.runtime.backends import openvino
from spinert.runtime.files import StudyFiles, find_studies, read_study
from tests.bundles import SIZE
from tests.calibrate import small_bundle
from tests.calibrate.pairs import Net


class Deadly:
    """Unpickled in the trial's process, it ends that process at once, as a library's crash does."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (11,)


@pytest.fixture
def studies(films: Path) -> list[StudyFiles]:
    return find_studies([films])[:2]


@pytest.fixture
def exact(small: Bundle) -> Candidate:
    return Candidate("ort", "fp32", {"landmarks": str(small.network_file("landmarks", "fp32"))})


def test_it_gives_a_document_for_each_study_and_times_in_turns(
    small: Bundle, exact: Candidate, studies: list[StudyFiles]
) -> None:
    outcome = run(small, exact, studies, threads=1, timed=True)
    assert outcome.problem is None
    assert outcome.provider == "CPUExecutionProvider"
    results = outcome.examined()
    assert len(results) == 2
    for result in results:
        assert result is not None
        assert result.provenance.precision == "fp32"
        assert sum(isinstance(each, Vertebra) for each in result.findings) == 17
    assert outcome.milliseconds > 0
    assert outcome.reference_milliseconds > 0
    assert outcome.speedup > 0


def test_a_study_that_the_candidate_fails_on_is_none(small: Bundle, studies: list[StudyFiles], tmp_path: Path) -> None:
    """The square root of what the darker film has above the mean of both is no number."""
    net = Net()
    specs = small.manifest.networks["landmarks"]
    net.node("ReduceMean", "image", net.constant("axes", np.array([1, 2, 3])), to="mean", keepdims=1)
    means = _network_means(studies)
    limit = np.float32(sum(means) / 2)
    net.node("Sqrt", net.node("Sub", "mean", net.constant("limit", limit), to="above"), to="root")
    answer = net.constant("answer", small_bundle.heatmaps_at(small_bundle.CORNERS)[None])
    net.node("Add", "root", answer, to="heatmaps")
    model = net.model({"image": ["N", *specs.inputs[0].shape[1:]]}, {"heatmaps": ["N", *specs.outputs[0].shape[1:]]})  # type: ignore[list-item]
    path = tmp_path / "half-broken.onnx"
    path.write_bytes(model.SerializeToString())
    outcome = run(small, Candidate("ort", "fp16", {"landmarks": str(path)}), studies, threads=1, timed=False)
    assert sum(mean < limit for mean in means) == 1
    assert [result is None for result in outcome.results] == [mean < limit for mean in means]
    assert outcome.milliseconds == 0.0


def _network_means(studies: list[StudyFiles]) -> list[float]:
    found = []
    for study in studies:
        (image,) = read_study(study)
        prepared = kernels.prepare_radiograph(
            image.pixels, size=SIZE, mm_per_pixel_xy=image.mm_per_pixel_xy, percentiles=(1.0, 99.0)
        )
        found.append(float(prepared.pixels.mean()))
    return found


def test_a_file_that_the_library_refuses_is_told(small: Bundle, studies: list[StudyFiles], tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no network")
    outcome = run(small, Candidate("ort", "fp16", {"landmarks": str(path)}), studies, threads=1, timed=False)
    assert outcome.problem is not None
    assert "cannot open broken.onnx" in outcome.problem
    assert outcome.results == ()


def test_a_crash_is_told_and_survived(small: Bundle, exact: Candidate, capfd: pytest.CaptureFixture[str]) -> None:
    deadly: Any = Deadly()
    outcome = run(small, exact, [deadly], threads=1, timed=False)
    assert outcome.problem == "ort crashed on the fp32 file"
    assert outcome.examined() == []


def test_a_missing_library_is_told_without_a_process(
    small: Bundle, studies: list[StudyFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "missing", lambda: "openvino is not installed")
    outcome = run(small, Candidate("openvino", "fp32", {}), studies, threads=1, timed=True)
    assert outcome.problem == "openvino is not installed"
