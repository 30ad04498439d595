"""`spinert evaluate` as a user runs it."""

import json
from pathlib import Path

import msgspec
import pytest

from spinert.cli import evaluate as command
from spinert.cli.scores import MOST_REASONS, table
from spinert.evaluate import Evaluated, datasets
from spinert.evaluate.datasets import aasce, csv
from spinert.evaluate.scores import scores_of
from tests.cli.conftest import Run
from tests.evaluate import made
from tests.evaluate.test_scores import FAILED, GOOD


@pytest.fixture(scope="module")
def perfect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.perfect_bundle(tmp_path_factory.mktemp("bundle") / "truth")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    return made.csv_folder(tmp_path / "films")


def rows(text: str) -> dict[str, list[str]]:
    """The table's cells by the name of their row; cells are two spaces apart."""
    lines = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
    return {line[0]: line[1:] for line in lines if line}


def test_bundles_stand_side_by_side_and_files_are_named(run: Run, perfect: Path, films: Path, tmp_path: Path) -> None:
    done = run("evaluate", perfect, "cobb", "--dataset", "csv", "--data", films, "--backend", "ort")
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    assert next(iter(found)) == "truth"
    assert found["truth"] == ["cobb"]
    assert found["runs"] == ["fp32 on ort", "fp32 on ort"]
    assert found["films"] == ["3", "3"]
    assert found["failed"] == ["0", "0"]
    assert float(found["SMAPE, %"][0]) < 0.2
    assert len(found["MAE of angle 1, 2, 3, degrees"]) == 2
    assert "vertebrae identified, %" not in found
    assert list(found).index("ms, read, median") < list(found).index("ms, network, median")
    assert done.stderr.splitlines() == ["truth (3)", "cobb (3)"]
    folder = tmp_path / "spinert-evaluation"
    written = [line.removeprefix("written: ") for line in done.stdout.splitlines() if line.startswith("written: ")]
    assert {Path(path).name for path in written} == {path.name for path in folder.iterdir()}
    summary = json.loads((folder / "summary.json").read_text())
    assert [each["bundle"] for each in summary["bundles"]] == ["truth", "cobb"]


def test_a_failed_film_is_counted_with_its_reason_and_gives_the_exit_code(run: Run, perfect: Path, films: Path) -> None:
    (films / "PHANTOM-7141.dcm").write_bytes(b"no DICOM")
    done = run("evaluate", perfect, "--dataset", "csv", "--data", films, "--fold", "0", "--backend", "ort", "-o", "out")
    assert done.returncode == 3
    assert rows(done.stdout)["failed"] == ["1"]
    assert "truth: 1 failed: BadStudy: " in done.stdout
    assert Path("out/summary.json").exists()
    assert "7141" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--dataset", "asce", "--data", "films"), 2, "no dataset 'asce', only: aasce, csv"),
        (("--dataset", "csv", "--data", "nowhere"), 2, "there is no file or folder nowhere"),
        (("--dataset", "aasce", "--data", "films"), 2, "lacks images, filenames.csv, corners_px.npy"),
        (("--dataset", "csv", "--data", "films", "--fold", "5"), 2, "no film in fold 5, only in: 0, 1"),
        (("--dataset", "csv", "--data", "films", "--precision", "fp16"), 2, "has no fp16 files"),
        (("--dataset", "csv", "--data", "films", "--backend", "none"), 2, "no backend 'none'"),
        (("--dataset", "csv", "--data", "films", "--threads", "0"), 2, "greater than or equal to 1"),
        (("nothing", "--dataset", "csv", "--data", "films"), 5, "no bundle 'nothing'"),
    ],
)
def test_what_cannot_be_carried_out_ends_before_the_first_film(
    run: Run, perfect: Path, films: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = run("evaluate", perfect, *arguments)
    assert done.returncode == code
    assert told in " ".join(done.stderr.split())
    assert "remedy" in done.stderr or "equal to 1" in done.stderr
    assert done.stdout == ""
    assert not Path("spinert-evaluation").exists()


def test_matplotlib_is_named_with_the_command_that_brings_it(
    run: Run, perfect: Path, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    done = run("evaluate", perfect, "--dataset", "csv", "--data", films)
    assert done.returncode == 2
    assert 'pip install "spinert[cpu,openvino,evaluate]"' in done.stderr


def evaluated(name: str, **changes: object) -> Evaluated:
    every = scores_of([GOOD, FAILED], angles=True)
    fields = {"bundle": name, "all_films": every, "without_warning": None, **changes}
    facts = {"bundle_sha256": "0" * 64, "precision": "fp32", "backend": "ort", "threads": 1, "megabytes": 11.82}
    return Evaluated(**{**facts, **fields})  # type: ignore[arg-type]


def test_what_a_bundle_does_not_give_is_not_there() -> None:
    labelling = msgspec.structs.replace(scores_of([GOOD, FAILED], angles=False), corners=None)
    found = rows(table([evaluated("angles"), evaluated("labels", all_films=labelling)]))
    assert found["SMAPE, %"] == ["51.39", "n/a"]
    assert found["95 % intervals hold, %"] == ["66.7", "n/a"]
    assert found["corner error, px"] == ["5.0", "n/a"]
    assert found["vertebrae identified, %"] == ["25.0", "25.0"]
    assert found["localisation, % of height"] == ["0.70 +- 0.20", "0.70 +- 0.20"]
    assert found["network files, MB"] == ["11.8", "11.8"]
    assert "corner error, mm" not in found
    assert "films without a warning" not in found


def test_stages_of_other_pipelines_have_their_rows_and_the_total_comes_last() -> None:
    other = msgspec.structs.replace(evaluated("a").all_films, latency_ms={"read": 2.0, "vote": 3.0, "total": 5.0})
    text = table([evaluated("a"), evaluated("b", all_films=other)])
    assert [name for name in rows(text) if name.startswith("ms")] == [
        "ms, read, median",
        "ms, network, median",
        "ms, vote, median",
        "ms, total, median",
    ]
    assert rows(text)["ms, vote, median"] == ["n/a", "3.0"]


def test_many_reasons_are_summed_up() -> None:
    reasons = {f"BadStudy: {number}": 2 for number in range(MOST_REASONS + 3)}
    many = msgspec.structs.replace(evaluated("a").all_films, failures=reasons)
    lines = table([evaluated("a", all_films=many)]).splitlines()
    assert sum(": 2 failed: BadStudy: " in line for line in lines) == MOST_REASONS
    assert "a: 6 failed for other reasons" in lines


def test_bundles_of_one_name_are_numbered_as_their_files_are() -> None:
    lines = table([evaluated("cobb"), evaluated("cobb")]).splitlines()
    assert lines[0].split() == ["cobb", "cobb-2"]
    assert [line for line in lines if "dark" in line] == [
        "cobb: 1 failed: BadStudy: dark",
        "cobb-2: 1 failed: BadStudy: dark",
    ]


def test_the_help_names_every_dataset_and_what_it_needs(run: Run) -> None:
    text = run("evaluate", "--help").stdout
    for name in datasets.names():
        assert f"\n    {name}  " in text
    assert ",".join(csv.NEEDED) in text
    assert all(column in text for column in csv.OPTIONAL)
    assert all(file in text for file in aasce.FILES)


def test_the_table_is_ascii() -> None:
    assert table([evaluated("a")]).isascii()
