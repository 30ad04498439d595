from pathlib import Path

import pytest

from spinert.errors import BadRequest
from spinert.evaluate import datasets


def test_every_module_of_the_folder_is_a_dataset_and_says_what_to_name() -> None:
    assert datasets.names() == ("aasce", "csv")
    for name in datasets.names():
        assert datasets.load(name).HELP


def test_an_unknown_dataset_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no dataset 'asce', only: aasce, csv"):
        datasets.read("asce", tmp_path)


@pytest.mark.parametrize("name", datasets.names())
def test_a_folder_that_is_not_there_is_refused_with_what_to_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no file or folder nowhere") as caught:
        datasets.read(name, tmp_path / "nowhere")
    assert datasets.load(name).HELP in caught.value.remedy


def test_one_fold_or_all_films(aasce: Path, table: Path) -> None:
    assert len(datasets.read("aasce", aasce)) == 10
    assert {case.fold for case in datasets.read("aasce", aasce, 3)} == {3}
    assert [case.name for case in datasets.read("csv", table, 0)] == ["row 1", "row 2"]


def test_a_fold_that_does_not_exist_is_refused_with_those_that_do(aasce: Path, table: Path) -> None:
    with pytest.raises(BadRequest, match="no film in fold 7, only in: 0, 1, 2, 3, 4"):
        datasets.read("aasce", aasce, 7)
    (table / "angles.csv").write_text("file,angle1,angle2,angle3\nPHANTOM-7141.png,3,2,1\n")
    with pytest.raises(BadRequest, match="no film in fold 0, it states no folds"):
        datasets.read("csv", table, 0)


@pytest.mark.parametrize("text", ["", "file,angle1,angle2,angle3\n", "file,angle1,angle2,angle3\n\n,,,\n"])
def test_a_dataset_without_a_film_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "angles.csv").write_text(text)
    with pytest.raises(BadRequest, match="holds no film"):
        datasets.read("csv", tmp_path)
