import json
import os
from pathlib import Path

import numpy as np
import pytest

from spinert.errors import BadRequest
from spinert.evaluate.datasets import aasce as reader
from spinert.findings import T1_TO_L5
from tests.evaluate import made


def test_a_film_has_angles_corners_and_centres_and_no_name(aasce: Path) -> None:
    case = reader.read_cases(aasce)[3]
    assert case.name == "film 3"
    assert case.degrees == pytest.approx(made.angles())
    assert case.corners_px is not None
    assert np.abs(case.corners_px - made.spine()).max() == 0
    assert tuple(case.centres_px) == T1_TO_L5
    assert case.centres_px["T1"] == pytest.approx(made.spine()[0].mean(axis=0))


def test_its_image_has_square_pixels_without_spacing(aasce: Path) -> None:
    image = reader.read_cases(aasce)[0].read()
    assert (image.shape, image.spacing_mm, image.spacing_kind) == (made.SIZE_PX, None, "none")


def test_films_with_known_label_errors_are_left_out_and_the_others_keep_their_row(aasce: Path) -> None:
    (aasce / "known_label_errors.json").write_text(
        json.dumps({"community": {"a": [{"i": 0}]}, "geometric": {"b": [2]}})
    )
    assert [case.name for case in reader.read_cases(aasce)][:2] == ["film 1", "film 3"]
    assert len(reader.read_films(aasce, with_label_errors=True)) == made.FILMS


@pytest.mark.parametrize("name", reader.FILES)
def test_a_missing_file_is_named(name: str, aasce: Path) -> None:
    (aasce / name).rename(aasce / "elsewhere")
    with pytest.raises(BadRequest, match=f"lacks {name}"):
        reader.read_cases(aasce)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("filenames.csv", "made-1th-01-Jan-2017-1 A AP.jpg\n", "1 names, corners_px.npy 10 films"),
        ("filenames.csv", "film.jpg\n" * 10, "no case number"),
        ("angles.csv", "1,2,3\n", "angles.csv has 1 x 3 values, filenames.csv 10 names"),
        ("angles.csv", "1,2,three\n" * 10, "do not fit"),
        ("known_label_errors.json", "[]", "do not fit"),
        ("corners_px.npy", "no array", "do not fit"),
    ],
)
def test_tables_that_do_not_fit_are_refused(name: str, content: str, told: str, aasce: Path) -> None:
    (aasce / name).write_text(content)
    with pytest.raises(BadRequest, match=told):
        reader.read_cases(aasce)


def test_all_films_of_one_person_are_in_one_fold() -> None:
    names = [
        "sunhl-1th-09-Jan-2017-194 C AP.jpg",
        "sunhl-1th-09-Jan-2017-194 A AP.jpg",
        "x-1th-08-Dec-2016-coronal12.jpg",
    ]
    assert [reader.case_of(name) for name in names] == ["194", "194", "coronal12"]
    folds = reader.folds_of([str(case) for case in range(50)] * 2)
    assert [list(folds.values()).count(fold) for fold in range(reader.FOLDS)] == [10] * 5


def test_the_folds_of_the_real_films_are_those_that_bundles_were_trained_with() -> None:
    shared = os.environ.get("SPINERT_SHARED")
    if shared is None:
        pytest.skip(reason="SPINERT_SHARED names no folder with data/aasce")
    films = reader.read_films(Path(shared) / "data" / "aasce")
    assert len(films) == 436
    assert sum(film.fold == 0 for film in films) == 90
    assert [film.row for film in films if film.fold == 0][:2] == [12, 23]
