import json
import os
import pty
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import PIL.Image
import pydicom
import pytest

from spinert.cli.main import app
from spinert.findings import CobbAngle, from_json
from spinert.runtime.infer import Model
from tests.cli.conftest import Run

SPACING = ("--spacing-mm", "0.15")


def angles(document: str) -> list[tuple[str, str, str, float]]:
    findings = from_json(document).findings
    return [(f.name, f.upper, f.lower, round(f.degrees, 1)) for f in findings if isinstance(f, CobbAngle)]


TRUTH = [("main_thoracic", "T5", "T11", 45.0), ("thoracolumbar_lumbar", "T11", "L5", 38.0)]


def test_json_is_one_document_and_nothing_else(film: Path, bundle: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spinert", "infer", film, "--bundle", bundle, "--json", *SPACING]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert angles(done.stdout) == TRUTH
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_quoted_of_a_malformed_record(dicom: Path, bundle: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(dicom)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's own protest at these values
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "Laterality", "StudyDate", "PatientOrientation"):
            setattr(dataset, keyword, "DOE^JANE 1970-01-01")
        dataset.save_as(tmp_path / "film.dcm", enforce_file_format=True)
    command = [sys.executable, "-m", "spinert", "infer", "film.dcm", "--bundle", bundle, "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "JANE" not in done.stdout


def test_json_of_several_studies_is_one_line_each(run: Run, film: Path, bundle: Path) -> None:
    done = run("infer", film, film, film, "--bundle", bundle, "--json", *SPACING)
    assert [angles(line) for line in done.stdout.splitlines()] == [TRUTH] * 3


def test_the_table_names_angles_levels_files_and_the_disclaimer(run: Run, film: Path, bundle: Path) -> None:
    done = run("infer", film, "--bundle", bundle, *SPACING)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["main", "thoracic", "45.0", "T5", "T8", "T11", "not", "stated"] in lines
    assert ["thoracolumbar", "lumbar", "38.0", "T11"] in [line[:4] for line in lines]
    assert "written: spinert-results/film.png" in done.stdout
    assert "research use only: not for clinical use" in done.stdout


def test_a_dicom_film_gives_sides_and_no_name(run: Run, dicom: Path, bundle: Path, tmp_path: Path) -> None:
    done = run("infer", dicom, "--bundle", bundle)
    assert done.returncode == 0, done.stderr
    assert ["main", "thoracic", "45.0", "T5", "T8", "T11", "right"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    files = list((tmp_path / "spinert-results").iterdir())
    assert len(files) == 2
    for content in (done.stdout.encode(), *(file.read_bytes() for file in files)):
        assert b"PHANTOM" not in content


def test_result_and_picture_are_written_whole(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    run("infer", film, "--bundle", bundle, "-o", "out", "--json", *SPACING)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["film.json", "film.png"]
    assert angles((tmp_path / "out/film.json").read_text()) == TRUTH
    with PIL.Image.open(tmp_path / "out/film.png") as picture:
        picture.load()
        assert picture.text["Disclaimer"] == "research use only: not for clinical use"


def test_studies_of_one_name_do_not_overwrite_each_other(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    for folder in ("monday", "tuesday"):
        (tmp_path / folder).mkdir()
        shutil.copy(film, tmp_path / folder)
    run("infer", "monday/film.png", "tuesday/film.png", "--bundle", bundle, "-o", "out", *SPACING)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["film-2.json", "film-2.png", "film.json", "film.png"]


def test_a_result_never_takes_the_place_of_an_input(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    # `spinert infer film.png -o .` replaced the radiograph by its overlay.
    shutil.copy(film, tmp_path / "film.png")
    (tmp_path / "link").symlink_to(tmp_path)
    for paths, folder in ((["film.png"], "."), (["link/film.png"], tmp_path), (["."], "link")):
        done = run("infer", *paths, "--bundle", bundle, "-o", folder, *SPACING)
        assert done.returncode == 2
        assert "'film.png'" in done.stderr
        assert (tmp_path / "film.png").read_bytes() == film.read_bytes()


def test_a_failing_study_does_not_stop_the_others(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(film.read_bytes()[:3000])
    done = run("infer", "broken.png", film, "--bundle", bundle, "--json", *SPACING)
    assert done.returncode == 3
    assert angles(done.stdout) == TRUTH
    assert "error: broken: " in done.stderr
    assert "remedy: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_exit_code_is_that_of_the_first_error(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(film.read_bytes()[:3000])
    assert run("infer", "absent.png", "broken.png", "--bundle", bundle, *SPACING).returncode == 2
    assert run("infer", "broken.png", film, "--bundle", bundle).returncode == 4


@pytest.mark.parametrize("spacing", ["", "x", "0", "-1", "nan", "0.1,0.1,0.1", "0,1", "inf"])
def test_an_impossible_spacing_is_refused(run: Run, film: Path, spacing: str) -> None:
    done = run("infer", film, f"--spacing-mm={spacing}")
    assert done.returncode == 2
    assert f"--spacing-mm is {spacing!r}" in done.stderr


def test_one_spacing_counts_for_rows_and_columns(run: Run, film: Path, bundle: Path) -> None:
    both = json.loads(run("infer", film, "--bundle", bundle, "--json", "--spacing-mm", "0.2,0.1").stdout)
    one = json.loads(run("infer", film, "--bundle", bundle, "--json", "--spacing-mm", "0.2").stdout)
    assert (both["study"]["spacing_mm"], one["study"]["spacing_mm"]) == ([0.2, 0.1], [0.2, 0.2])


def test_a_picture_without_spacing_asks_for_it(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    done = run("infer", film, "--bundle", bundle)
    assert done.returncode == 4
    assert "--spacing-mm" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_changed_bundle_is_refused(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "changed")
    network = tmp_path / "changed/landmarks.onnx"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    done = run("infer", film, "--bundle", "changed", "--json", *SPACING)
    assert (done.returncode, done.stdout) == (5, "")
    assert "landmarks.onnx of bundle 'truth' has changed" in done.stderr


def test_a_folder_that_cannot_be_written_is_refused(run: Run, film: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run("infer", film, "--bundle", bundle, "-o", "taken", *SPACING)
    assert done.returncode == 2
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_bar_is_drawn_on_a_terminal_and_keeps_off_standard_output(film: Path, bundle: Path, tmp_path: Path) -> None:
    terminal, screen = pty.openpty()
    command = [sys.executable, "-m", "spinert", "infer", film, film, "--bundle", bundle, "--json", *SPACING]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=screen, text=True, env=environment)
    os.close(screen)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "studies" in shown
    assert [angles(line) for line in done.stdout.splitlines()] == [TRUTH] * 2


@pytest.fixture
def fails_unexpectedly(monkeypatch: pytest.MonkeyPatch, film: Path, bundle: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("the record says DOE^JANE")

    monkeypatch.setattr(Model, "infer_files", fail)
    monkeypatch.setattr(sys, "argv", ["spinert", "infer", str(film), "--bundle", str(bundle), "--json"])


@pytest.mark.usefixtures("fails_unexpectedly")
def test_a_bug_is_called_one_and_quotes_no_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SPINERT_DEBUG", raising=False)
    with pytest.raises(SystemExit) as leaving:
        app()
    shown = capsys.readouterr().err
    assert leaving.value.code == 70
    assert "ValueError at infer.py line" in shown
    assert "this is a bug in spinert" in shown
    assert "DOE" not in shown
    assert "Traceback" not in shown


@pytest.mark.usefixtures("fails_unexpectedly")
def test_the_traceback_of_a_bug_is_shown_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPINERT_DEBUG", "1")
    with pytest.raises(SystemExit):
        app()
    assert "Traceback" in capsys.readouterr().err
