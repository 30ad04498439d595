import threading
from pathlib import Path

import numpy as np
import pydicom
import pytest

from spinert.errors import BadBundle, BadGeometry, BadNetwork, BadStudy
from spinert.findings import Result
from spinert.image import Image
from spinert.runtime import dicom
from spinert.runtime.infer import Model, load
from tests import dicom_files
from tests.bundles import heatmaps_at, write_bundle

PIXELS = np.random.default_rng(0).integers(0, 255, (400, 200)).astype(np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("bundle") / "truth"
    corners = np.stack([[30 + 20 * (c % 2), 10 + 10 * v + 6 * (c // 2)] for v in range(17) for c in range(4)])
    write_bundle(folder, heatmaps_at(corners.astype(np.float64)))
    return load(folder, threads=1)


def without_times(result: Result) -> tuple[object, ...]:
    return result.study, result.provenance, result.findings, result.warnings


def test_a_result_says_what_made_it(model: Model) -> None:
    result = model.infer(PIXELS, spacing_mm=(0.2, 0.2))
    assert result.provenance.bundle == "truth"
    assert result.provenance.bundle_sha256 == model.bundle.sha256
    assert (result.provenance.precision, result.provenance.provider) == ("fp32", "CPUExecutionProvider")
    assert list(result.timings_ms) == ["prepare", "network", "decode", "geometry"]
    assert result.study.spacing_mm == (0.2, 0.2)


def test_many_threads_get_the_same_result(model: Model) -> None:
    expected = without_times(model.infer(PIXELS, spacing_mm=(0.2, 0.2)))
    got: list[object] = []

    def work() -> None:
        got.extend(without_times(model.infer(PIXELS, spacing_mm=(0.2, 0.2))) == expected for _ in range(10))

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert got == [True] * 60


def test_an_array_needs_its_spacing(model: Model) -> None:
    with pytest.raises(BadGeometry, match="an array carries no pixel spacing"):
        model.infer(PIXELS)


@pytest.mark.parametrize("array", [PIXELS.astype(np.float32), PIXELS[None]], ids=["float", "three axes"])
def test_an_array_that_is_no_grey_image_is_refused(model: Model, array: np.ndarray) -> None:
    with pytest.raises(BadStudy, match=r"expected uint8 or uint16 \[rows, columns\]"):
        model.infer(array, spacing_mm=(1, 1))


def test_an_array_with_impossible_spacing_is_refused(model: Model) -> None:
    with pytest.raises(BadGeometry, match=r"given spacing is 0 x 0\.2 mm"):
        model.infer(PIXELS, spacing_mm=(0, 0.2))


def test_an_array_too_small_for_a_spine_is_refused(model: Model) -> None:
    with pytest.raises(BadStudy, match="1 rows x 1 columns"):
        model.infer(PIXELS[:1, :1].copy(), spacing_mm=(1, 1))


def test_a_study_without_a_frontal_film_says_what_it_has(model: Model) -> None:
    images = [Image(PIXELS, "DX", view="LL"), Image(PIXELS, "CR", view="RL")]
    with pytest.raises(BadStudy, match=r"AP or PA .* the study has: DX 400x200 view LL; CR 400x200 view RL"):
        model.infer_images(images)


def test_a_study_with_two_frontal_films_asks_for_one(model: Model) -> None:
    with pytest.raises(BadStudy, match="name the file of one"):
        model.infer_images([Image(PIXELS, "DX", view="AP"), Image(PIXELS, "DX", view="PA")])


def test_the_frontal_film_is_chosen_among_others(model: Model) -> None:
    chosen = Image(PIXELS, "DX", view="PA")
    assert model.infer_images([Image(PIXELS, "DX", view="LL"), chosen]).image is chosen


def test_a_film_that_was_not_chosen_is_named(model: Model) -> None:
    # A follow-up film whose maker writes FRONTAL was dropped without a word, and the older AP film was measured.
    images = [Image(PIXELS, "DX", view="AP"), Image(PIXELS, "DX", view="FRONTAL")]
    assert "left out: view FRONTAL" in model.infer_images(images).result.warnings[0]


def lateral_film(**attributes: object) -> pydicom.Dataset:
    """A lateral film whose header agrees with itself."""
    return dicom_files.radiograph(PIXELS, ViewPosition="LL", PatientOrientation=["A", "F"], **attributes)


def test_a_lateral_film_is_refused_for_angles_by_what_its_header_states(model: Model, tmp_path: Path) -> None:
    (tmp_path / "DOE_JANE").mkdir()
    lateral_film().save_as(tmp_path / "DOE_JANE/film.dcm", enforce_file_format=True)
    stated = r"lateral view: View Position \(0018,5101\) is LL; cobb_landmarks takes one AP or PA"
    with pytest.raises(BadStudy, match=stated) as caught:
        model.infer(lateral_film())
    assert "--force where the header is wrong" in caught.value.remedy
    for path in (tmp_path / "DOE_JANE/film.dcm", tmp_path / "DOE_JANE"):
        with pytest.raises(BadStudy, match=stated) as caught:
            model.infer(path)
        assert str(caught.value).startswith("film.dcm: ")
        assert "DOE" not in str(caught.value)


def test_a_lateral_film_is_taken_as_frontal_by_force_with_a_warning(model: Model) -> None:
    examined = model.infer_images([dicom.image_of(lateral_film())], force=True)
    assert (examined.image.view, examined.image.orientation) == (None, None)
    assert examined.result.warnings[0] == (
        "taken as frontal by force though the header says lateral view: View Position (0018,5101) is LL"
    )
    assert "left out" not in " ".join(examined.result.warnings)


def test_force_prefers_the_frontal_film_of_a_study(model: Model) -> None:
    frontal = dicom.image_of(dicom_files.radiograph(PIXELS))
    examined = model.infer_images([dicom.image_of(lateral_film()), frontal], force=True)
    assert examined.image is frontal
    assert "left out: view LL" in examined.result.warnings[0]


@pytest.mark.parametrize("force", [False, True])
def test_films_of_two_patients_in_one_study_are_refused(model: Model, tmp_path: Path, force: bool) -> None:
    """One frontal film and one lateral one, so that there would be one to choose."""
    dicom_files.radiograph(PIXELS, PatientID="PHANTOM-1").save_as(tmp_path / "a.dcm", enforce_file_format=True)
    lateral_film(PatientID="PHANTOM-2").save_as(tmp_path / "b.dcm", enforce_file_format=True)
    with pytest.raises(
        BadStudy, match=r"2 radiographs .* more than one patient: Patient ID \(0010,0020\) differs"
    ) as one:
        model.infer(tmp_path, force=force)
    assert "PHANTOM" not in str(one.value)


@pytest.mark.parametrize("patient", ["PHANTOM-1", " phantom-1 ", None])
def test_films_of_one_patient_are_one_study(model: Model, patient: str | None) -> None:
    films = [dicom_files.radiograph(PIXELS, PatientID="PHANTOM-1"), lateral_film(PatientID=patient)]
    images = [dicom.image_of(film) for film in films]
    assert model.infer_images(images).image is images[0]
    assert "PHANTOM" not in repr(images)
    assert "patient" not in repr(images[0].identity)


def test_a_closed_model_says_so(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", np.zeros((68, 48, 24), np.float32))
    with load(tmp_path / "b") as model:
        pass
    with pytest.raises(BadNetwork, match="was closed"):
        model.infer(PIXELS, spacing_mm=(1, 1))


def test_an_unknown_bundle_names_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="neither a shipped one"):
        load(tmp_path / "nothing")
