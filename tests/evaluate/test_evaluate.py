"""Whole runs of the library: a bundle that is always right, and the shipped one on real films."""

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from spinert.errors import BadBundle, BadRequest
from spinert.evaluate import check, datasets, evaluate
from spinert.findings import AasceAngles
from spinert.runtime.infer import SHIPPED, load


def test_a_perfect_network_is_perfect(aasce: Path, perfect: Path) -> None:
    told: list[tuple[str, int, int]] = []
    done = evaluate(
        perfect, datasets.read("aasce", aasce, 1), backend="ort", progress=lambda *step: told.append(step)
    ).scores
    scores = done.all_films
    assert (done.bundle, done.precision, done.backend, done.threads) == ("truth", "fp32", "ort", 1)
    assert done.megabytes == (perfect / "landmarks.onnx").stat().st_size / 1e6
    assert (scores.films, scores.failed) == (2, 0)
    assert scores.angles is not None
    assert scores.angles.mae_degrees[0] < 0.05
    assert scores.angles.smape_percent < 0.2
    assert scores.angles.severity[2][2] == 2
    assert scores.corners is not None
    assert scores.corners.error_px is not None
    assert scores.corners.error_px < 0.1
    assert scores.centres is not None
    assert scores.centres.identification_percent == 100
    assert list(scores.latency_ms) == ["read", "prepare", "network", "decode", "geometry", "total"]
    assert told == [("truth", 0, 2), ("truth", 1, 2), ("truth", 2, 2)]


def test_dicom_and_pictures_of_a_table_run_with_their_own_spacing(table: Path, perfect: Path) -> None:
    done = evaluate(perfect, datasets.read("csv", table), backend="ort")
    assert [film.has_spacing for film in done.films] == [True, True, False]
    assert done.scores.all_films.failed == 0
    assert done.scores.all_films.angles is not None
    assert done.scores.all_films.angles.smape_percent < 0.2
    assert done.scores.all_films.centres is None
    assert done.scores.all_films.corners is None


def test_a_film_that_cannot_be_read_counts_as_100_percent(aasce: Path, perfect: Path) -> None:
    cases = datasets.read("aasce", aasce, 1)
    number = cases[0].name.removeprefix("film ")
    PIL.Image.new("L", (1, 1)).save(aasce / "images" / f"made-1th-01-Jan-2017-{number} A AP.jpg")
    done = evaluate(perfect, cases, backend="ort")
    scores = done.scores.all_films
    assert (scores.films, scores.failed) == (2, 1)
    assert scores.angles is not None
    assert scores.angles.smape_percent == pytest.approx(50.0, abs=0.2)
    assert scores.centres is not None
    assert scores.centres.identification_percent == 50
    assert [film.failure is None for film in done.films] == [False, True]
    assert done.scores.without_warning is not None
    assert done.scores.without_warning.films == 1


def test_with_every_film_failed_there_are_scores_and_none_without_a_warning(table: Path, perfect: Path) -> None:
    for path in table.glob("PHANTOM*"):
        path.write_bytes(b"nothing")
    done = evaluate(perfect, datasets.read("csv", table), backend="ort").scores
    assert done.all_films.failed == 3
    assert done.all_films.angles is not None
    assert done.all_films.angles.smape_percent == 100
    assert done.without_warning is None


def test_bundles_are_opened_before_the_first_film(perfect: Path, tmp_path: Path) -> None:
    check([perfect], backend="ort")
    with pytest.raises(BadBundle, match="no bundle"):
        check([perfect, tmp_path / "nowhere"], backend="ort")
    with pytest.raises(BadRequest, match="no fp16 files"):
        check([perfect], precision="fp16")


def test_the_shipped_bundle_on_real_films_scores_what_a_plain_loop_computes() -> None:
    shared = os.environ.get("SPINERT_SHARED")
    if shared is None:
        pytest.skip(reason="SPINERT_SHARED names no folder with data/aasce")
    data = Path(shared) / "data" / "aasce"
    cases = datasets.read("aasce", data, 0)[::15]
    assert len(cases) == 6
    scores = evaluate("cobb", cases, backend="ort", precision="fp32").scores.all_films

    names = (data / "filenames.csv").read_text().splitlines()
    printed = np.loadtxt(data / "angles.csv", delimiter=",")
    terms, major = [], []
    with load(SHIPPED / "cobb", threads=1, backend="ort", precision="fp32") as model:
        for case in cases:
            row = int(case.name.removeprefix("film "))
            with PIL.Image.open(data / "images" / names[row].strip('"')) as picture:
                pixels = np.asarray(picture.convert("L"))
            found = model.infer(pixels, spacing_mm=(1.0, 1.0))  # square pixels: the angles do not depend on their size
            (angles,) = [each.degrees for each in found.findings if isinstance(each, AasceAngles)]
            difference = sum(abs(one - other) for one, other in zip(angles, printed[row], strict=True))
            terms.append(100 * difference / (sum(angles) + sum(printed[row])))
            major.append(abs(angles[0] - printed[row][0]))
    assert scores.angles is not None
    assert scores.angles.smape_percent == pytest.approx(sum(terms) / 6, abs=0.01)
    assert scores.angles.mae_degrees[0] == pytest.approx(sum(major) / 6, abs=0.01)
    assert scores.failed == 0
