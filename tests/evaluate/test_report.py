"""What an evaluation leaves on the disk."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import PIL.Image
import pytest

from spinert.errors import BadRequest
from spinert.evaluate import Evaluation, datasets, evaluate, report
from tests.evaluate.test_scores import FAILED, GOOD

PLOTS = ("predicted_against_true", "bland_altman", "severity")


@pytest.fixture
def evaluation(table: Path, perfect: Path) -> Evaluation:
    (table / "PHANTOM-7141.dcm").write_bytes(b"no DICOM")
    return evaluate(perfect, datasets.read("csv", table), backend="ort")


def test_each_bundle_has_a_table_and_plots_and_all_have_one_summary(evaluation: Evaluation, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written = report.write([evaluation, evaluation], folder, dataset="csv", fold=None)
    names = [f"{bundle}.{plot}.png" for bundle in ("truth", "truth-2") for plot in PLOTS]
    assert {path.name for path in written} == {"truth.films.csv", "truth-2.films.csv", "summary.json", *names}
    assert {path.name for path in folder.iterdir()} == {path.name for path in written}
    for name in names:
        with PIL.Image.open(folder / name) as picture:
            assert picture.width > 400


def test_the_summary_says_what_ran_and_reads_back(evaluation: Evaluation, tmp_path: Path) -> None:
    report.write([evaluation], tmp_path, dataset="csv", fold=2)
    document = (tmp_path / "summary.json").read_bytes()
    plain = json.loads(document)
    assert (plain["schema"], plain["dataset"], plain["fold"]) == ("spinert.evaluation/1", "csv", 2)
    assert plain["bundles"][0]["all_films"]["failed"] == 1
    assert plain["bundles"][0]["bundle_sha256"] == evaluation.scores.bundle_sha256
    assert plain["bundles"][0]["without_warning"]["angles"]["icc_2_1"] == [None] * 3  # one spine: nothing varies
    del plain["bundles"][0]["without_warning"], plain["bundles"][0]["all_films"]
    assert msgspec.convert({**plain, "bundles": []}, report.Summary).spinert


def test_no_file_calls_a_film_by_its_name(evaluation: Evaluation, tmp_path: Path) -> None:
    for path in report.write([evaluation], tmp_path / "out", dataset="csv", fold=None):
        assert b"7141" not in path.read_bytes()


def test_the_table_has_a_line_for_each_film_and_says_why_one_failed() -> None:
    good = replace(GOOD, case=replace(GOOD.case, name="row 1", fold=0))
    text = report.films_csv([good, FAILED]).decode()
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["case"], first["fold"], first["unit"]) == ("row 1", "0", "px")
    assert [first[f"{side}_1"] for side in report.SIDES] == ["40.000", "42.000", "39.000", "45.000"]
    assert [first[f"{side}_3"] for side in report.SIDES] == ["10.000", "12.000", "9.000", "15.000"]
    assert (first["smape_percent"], first["corner_error"], first["milliseconds"]) == ("2.778", "5.000", "11.000")
    assert (first["vertebrae"], first["identified"], first["localisation"]) == ("3", "1", "7.000")
    assert (first["flags"], first["failure"]) == ("L1:tilted", "")
    assert (second["found_1"], second["low_1"], second["milliseconds"]) == ("", "", "")
    assert (second["smape_percent"], second["failure"]) == ("100.000", "BadStudy: dark")


def test_a_film_without_labelled_angles_has_empty_columns() -> None:
    text = report.films_csv([replace(GOOD, case=replace(GOOD.case, degrees=None))]).decode()
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["labelled_1"], line["smape_percent"], line["found_1"]) == ("", "", "42.000")


def test_a_labelling_bundle_has_no_plots_of_angles(evaluation: Evaluation, tmp_path: Path) -> None:
    scores = msgspec.structs.replace(evaluation.scores.all_films, angles=None)
    labelling = Evaluation(msgspec.structs.replace(evaluation.scores, all_films=scores), evaluation.films)
    written = report.write([labelling], tmp_path, dataset="csv", fold=None)
    assert [path.name for path in written] == ["truth.films.csv", "summary.json"]


def test_a_single_film_has_plots_too(evaluation: Evaluation, tmp_path: Path) -> None:
    single = Evaluation(evaluation.scores, evaluation.films[:1])
    assert len(report.write([single], tmp_path, dataset="csv", fold=None)) == 5


def test_a_folder_that_cannot_be_written_is_refused(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadRequest, match="cannot write"):
        report.write([evaluation], tmp_path / "file", dataset="csv", fold=None)


def test_severity_is_drawn_where_a_grade_has_no_film() -> None:
    from spinert.evaluate import plots

    with PIL.Image.open(io.BytesIO(plots.severity(np.zeros((4, 5), np.intp), "none"))) as picture:
        assert picture.format == "PNG"
