"""Which studies a calibration works on, which it refuses, and that nothing it stores names one."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spinert.bundle import Bundle
from spinert.calibrate.studies import LEAST, Material, gather, inputs_of
from spinert.calibrate.workspace import Workspace
from spinert.errors import CalibrationFailed
from spinert.findings import Vertebra, from_json
from spinert.runtime.backends import ort
from tests import dicom_files
from tests.bundles import SIZE
from tests.calibrate import small_bundle


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "made", {})


def gathered(bundle: Bundle, workspace: Workspace, data: Sequence[Path], held_out: Sequence[Path] = ()) -> Material:
    spec = bundle.manifest.networks["landmarks"]
    network = ort.open_network(bundle.network_file("landmarks", "fp32"), spec, threads=1)
    return gather(bundle, data, held_out, {"landmarks": network}, workspace, lambda *_: None)


@pytest.fixture
def some(films: Path, tmp_path: Path) -> Path:
    """A folder with films that the test may add to."""
    return Path(shutil.copytree(films, tmp_path / "some"))


def spoilt(folder: Path) -> None:
    """Three studies that the pipeline refuses: cut short, no radiograph, the same pixels again."""
    whole = (folder / "film-000.dcm").read_bytes()
    (folder / "bad-cut.dcm").write_bytes(whole[:300])
    other = dicom_files.radiograph(modality="CT", StudyInstanceUID=f"{dicom_files.ROOT}.9.1")
    other.save_as(folder / "bad-kind.dcm", enforce_file_format=True)
    again = dicom_files.radiograph(small_bundle.film(3), StudyInstanceUID=f"{dicom_files.ROOT}.9.2")
    again.save_as(folder / "film-999.dcm", enforce_file_format=True)


def test_a_third_is_held_out_and_the_order_of_paths_does_not_matter(
    small: Bundle, films: Path, workspace: Workspace, tmp_path: Path
) -> None:
    found = gathered(small, workspace, [films])
    assert (len(found.calibration), len(found.held_out), found.refused) == (32, 16, ())
    backwards = sorted(films.iterdir(), reverse=True)
    other = gathered(small, Workspace(tmp_path / "other", {}), backwards)
    for kind in ("calibration", "held_out"):
        assert [each.fingerprint for each in getattr(found, kind)] == [
            each.fingerprint for each in getattr(other, kind)
        ]
    assert not {each.fingerprint for each in found.calibration} & {each.fingerprint for each in found.held_out}


def test_what_a_study_fed_the_network_is_kept(small: Bundle, films: Path, workspace: Workspace) -> None:
    found = gathered(small, workspace, [films])
    for study in (*found.calibration[:2], *found.held_out[:1]):
        (arrays,) = inputs_of(study, "landmarks", workspace)
        assert arrays["image"].shape == (1, 1, *SIZE)
        assert np.ptp(arrays["image"]) == pytest.approx(1.0)
        assert sum(isinstance(each, Vertebra) for each in from_json(study.document).findings) == 17


def test_refused_studies_are_told_with_their_problem_and_the_rest_goes_on(
    small: Bundle, some: Path, workspace: Workspace
) -> None:
    spoilt(some)
    found = gathered(small, workspace, [some])
    assert (len(found.calibration), len(found.held_out)) == (32, 16)
    assert [each.place for each in found.refused] == [0, 1, 50]
    assert all(each.problem and "bad-" not in each.problem for each in found.refused)
    assert found.refused[-1].problem == "its pixels are those of a study before it"


def test_nothing_that_is_stored_names_a_study(small: Bundle, some: Path, workspace: Workspace) -> None:
    spoilt(some)
    workspace.once("studies", Material, lambda: gathered(small, workspace, [some]))
    stored = sorted(workspace.folder.iterdir())
    assert len(stored) == 50
    words = [b"film-", b"bad-", b"PHANTOM", dicom_files.ROOT.encode(), str(some).encode()]
    for path in stored:
        assert not [word for word in words if word in path.read_bytes() or word in path.name.encode()]


def test_too_few_studies_are_an_error_that_names_up_to_five_refused_ones(
    small: Bundle, films: Path, tmp_path: Path, workspace: Workspace
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(films.iterdir())[:20]:
        shutil.copy(path, few)
    for number in range(7):
        (few / f"bad-{number}.dcm").write_bytes(b"no DICOM")
    with pytest.raises(CalibrationFailed) as caught:
        gathered(small, workspace, [few])
    told = caught.value.problem
    assert told.startswith(f"13 studies to calibrate on, at least {LEAST} are needed (7 were refused: bad-0: ")
    assert all(f"bad-{number}: " in told for number in range(5))
    assert told.endswith("; and 2 more)")


def test_too_few_held_out_studies_are_an_error(small: Bundle, films: Path, workspace: Workspace) -> None:
    given = sorted(films.iterdir())
    with pytest.raises(CalibrationFailed, match="15 studies held out, at least 16 are needed\n"):
        gathered(small, workspace, given[:16], given[16:31])


def test_held_out_studies_may_not_be_among_the_others(small: Bundle, films: Path, workspace: Workspace) -> None:
    given = sorted(films.iterdir())
    with pytest.raises(CalibrationFailed, match="2 of 18 held-out studies are among those to calibrate on"):
        gathered(small, workspace, given[:18], given[16:34])


def test_studies_of_both_kinds_may_be_given(small: Bundle, films: Path, workspace: Workspace) -> None:
    given = sorted(films.iterdir())
    found = gathered(small, workspace, given[:16], given[16:32])
    assert (len(found.calibration), len(found.held_out)) == (16, 16)
    assert sorted(each.place for each in found.held_out) == list(range(16))
