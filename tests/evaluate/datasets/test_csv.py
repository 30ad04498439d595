from pathlib import Path

import pytest

from spinert.errors import BadRequest, BadStudy
from spinert.evaluate.datasets import csv as reader
from tests.evaluate import made

HEADINGS = "file,angle1,angle2,angle3"


def write(table: Path, *lines: str) -> None:
    (table / "angles.csv").write_text("\n".join(lines) + "\n")


def test_each_row_is_a_film_with_its_angles_and_fold_called_by_its_number(table: Path) -> None:
    cases = reader.read_cases(table)
    assert [(case.name, case.fold) for case in cases] == [("row 1", 0), ("row 2", 0), ("row 3", 1)]
    for case in cases:
        assert case.degrees == pytest.approx(made.angles(), abs=1e-3)
        assert case.corners_px is None
        assert case.centres_px == {}


def test_spacing_comes_from_the_header_from_the_table_or_from_nowhere(table: Path) -> None:
    spacings = [case.read().spacing_mm for case in reader.read_cases(table)]
    assert spacings == [(0.15, 0.15), (0.2, 0.2), None]


def test_spacing_may_differ_between_rows_and_columns(table: Path) -> None:
    write(table, f"spacing_mm,{HEADINGS}", "0.2 0.14,PHANTOM-7141.png,3,2,1")
    image = reader.read_cases(table)[0].read()
    assert image.spacing_mm == (0.2, 0.14)


def test_the_table_may_have_any_name_a_byte_order_mark_blank_lines_and_spaces(table: Path) -> None:
    other = table / "labels.csv"
    other.write_text(f"\ufeff{HEADINGS.replace(',', ', ')}\n\n PHANTOM-7141.png , 3, 2, 1\n", encoding="utf-8")
    (case,) = reader.read_cases(other)
    assert case.name == "row 2"
    assert case.degrees is not None
    assert case.degrees.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["file,angle1,angle2"], "lacks columns 'angle3'"),
        ([f"{HEADINGS},colour"], "has unknown columns 'colour'"),
        ([f"{HEADINGS},file"], "repeats columns 'file'"),
        ([HEADINGS, "PHANTOM-7141.png,1,2"], "row 1 of angles.csv has 3 values, the headings are 4"),
        ([HEADINGS, "PHANTOM-7141.png,1,2,3", "PHANTOM-7141.png,1,2,x"], "angle3 of row 2 of angles.csv is 'x'"),
        ([HEADINGS, "PHANTOM-7141.png,-1,2,3"], "angle1 of row 1 of angles.csv is '-1', expected 0 to 180"),
        ([HEADINGS, "PHANTOM-7141.png,1,181,3"], "angle2 of row 1"),
        ([HEADINGS, "PHANTOM-7141.png,1,nan,3"], "angle2 of row 1"),
        ([HEADINGS, "other.png,1,2,3"], "the film of row 1 of angles.csv is not there"),
        ([HEADINGS, ".,1,2,3"], "the film of row 1 of angles.csv is not there"),
        ([HEADINGS, ",1,2,3"], "the film of row 1 of angles.csv is not there"),
        ([f"{HEADINGS},fold", "PHANTOM-7141.png,1,2,3,-1"], "fold of row 1 of angles.csv is '-1'"),
        ([f"{HEADINGS},fold", "PHANTOM-7141.png,1,2,3,1.5"], "fold of row 1"),
        ([f"{HEADINGS},spacing_mm", "PHANTOM-7141.png,1,2,3,0"], "spacing_mm of row 1 of angles.csv is '0'"),
        ([f"{HEADINGS},spacing_mm", "PHANTOM-7141.png,1,2,3,1 1 1"], "spacing_mm of row 1"),
        ([f"{HEADINGS},spacing_mm", "PHANTOM-7141.png,1,2,3,wide"], "spacing_mm of row 1"),
        ([HEADINGS, '"PHANTOM-7141.png,1,2,3'], "cannot read angles.csv as CSV"),
    ],
)  # fmt: skip
def test_a_wrong_row_or_heading_is_named_without_the_films_name(lines: list[str], told: str, table: Path) -> None:
    write(table, *lines)
    with pytest.raises(BadRequest, match=told) as caught:
        reader.read_cases(table)
    assert "7141" not in str(caught.value)
    assert caught.value.remedy


def test_a_folder_without_a_table_and_bytes_that_are_no_text_are_refused(table: Path) -> None:
    (table / "angles.csv").write_bytes(b"file\xff\xfe")
    with pytest.raises(BadRequest, match=r"cannot read angles\.csv as CSV in UTF-8"):
        reader.read_cases(table)
    (table / "angles.csv").unlink()
    with pytest.raises(BadRequest, match=r"cannot read angles\.csv .*: No such file"):
        reader.read_cases(table)


@pytest.mark.parametrize("content", [b"no DICOM", b"", b"\x89PNG\r\n\x1a\n", None])
def test_a_film_that_cannot_be_read_says_why_without_its_name(content: bytes | None, table: Path) -> None:
    (case, *_) = reader.read_cases(table)
    film = table / "PHANTOM-7141.dcm"
    if content is None:
        film.unlink()
    else:
        film.write_bytes(content)
    with pytest.raises(BadStudy) as caught:
        case.read()
    assert "7141" not in str(caught.value)
