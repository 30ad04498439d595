"""Labels from the DICOM object to the result, and which film of a study a bundle of labels takes."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from spinert import kernels
from spinert.errors import BadBundle, BadStudy
from spinert.findings import VertebraCentre, from_json
from spinert.runtime.infer import Model, load
from tests import dicom_files, phantoms, phantoms_sagittal
from tests.label_bundles import SIZE, write_bundle
from tests.phantoms_sagittal import C1_TO_L5, SagittalPhantom


@pytest.fixture(scope="module")
def film() -> SagittalPhantom:
    """A lateral film that shows a part of the spine."""
    return phantoms_sagittal.random_phantom(np.random.default_rng(2), whole=False)


@pytest.fixture(scope="module")
def model(film: SagittalPhantom, tmp_path_factory: pytest.TempPathFactory) -> Model:
    plane = kernels.prepare_radiograph(film.pixels, size=SIZE).map
    folder = tmp_path_factory.mktemp("bundle") / "labels"
    write_bundle(folder, plane.to_network(film.centres_px), film.visible, ("lateral",))
    return load(folder, threads=1)


def lateral(film: SagittalPhantom) -> pydicom.Dataset:
    spacing = [film.spacing_mm, film.spacing_mm]
    row = "A" if film.facing == "right" else "P"
    return dicom_files.radiograph(
        film.pixels, ViewPosition="LL", PatientOrientation=[row, "F"], ImagerPixelSpacing=spacing
    )


def test_a_lateral_dicom_film_gives_the_levels_it_shows_and_names_the_others(
    film: SagittalPhantom, model: Model
) -> None:
    result = from_json(model.infer(lateral(film)).to_json())
    shown = [level for level, seen in zip(C1_TO_L5, film.visible, strict=True) if seen]
    hidden = [level for level in C1_TO_L5 if level not in shown]
    centres = [finding for finding in result.findings if isinstance(finding, VertebraCentre)]
    assert [centre.level for centre in centres] == shown
    np.testing.assert_allclose([c.centre_px for c in centres], film.centres_px[film.visible], atol=0.05)
    assert centres[0].centre_mm is not None
    assert result.warnings == (f"levels that the film does not show clearly: {', '.join(hidden)}",)
    assert list(result.timings_ms) == ["prepare", "network", "decode", "geometry"]


def test_the_lateral_film_of_a_study_is_taken_and_the_frontal_one_named(
    film: SagittalPhantom, model: Model, tmp_path: Path
) -> None:
    frontal = phantoms.random_phantom(np.random.default_rng(0))
    lateral(film).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    dicom_files.radiograph(frontal.pixels).save_as(tmp_path / "b.dcm", enforce_file_format=True)
    examined = model.infer_files(tmp_path)
    assert examined.image.view == "LL"
    assert "left out: view AP" in examined.result.warnings[0]


def test_a_frontal_film_is_refused_for_lateral_labels_and_taken_by_force(film: SagittalPhantom, model: Model) -> None:
    dataset = dicom_files.radiograph(film.pixels)
    with pytest.raises(BadStudy, match=r"this bundle: lateral\); the study has: DX \d+x\d+ view AP"):
        model.infer(dataset)
    forced = model.infer(dataset, force=True)
    assert forced.warnings[0] == "taken against its header by force, which says view AP"
    assert forced.findings


def test_a_bundle_without_the_network_of_labels_is_refused(film: SagittalPhantom, tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", np.full((24, 2), 50.0), film.visible, ("lateral",), labels="landmarks")
    with pytest.raises(BadBundle, match="pipeline 'vertebra_labels' needs labels, bundle 'labels-truth' has landmarks"):
        load(tmp_path / "bundle")


def test_a_bundle_of_a_view_that_there_is_not_is_refused(film: SagittalPhantom, tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", np.full((24, 2), 50.0), film.visible, ("sideways",))
    with pytest.raises(BadBundle, match="sideways"):
        load(tmp_path / "bundle")
