"""A film with known truth, a bundle that answers with that truth, and a way to run `spinert` as a user does."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import pytest

from spinert import kernels
from spinert.cli.main import app
from tests import dicom_files, phantoms, results
from tests.bundles import SIZE, heatmaps_at, write_bundle


class Done(NamedTuple):
    returncode: str | int | None
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An eight-bit PNG: 45 degrees from T5 to T11 over 38 degrees from T11 to L5."""
    _, _, corners = results.double_curve()
    drawn = phantoms.draw(corners, (2000, 900), np.random.default_rng(3))
    path = tmp_path_factory.mktemp("film") / "film.png"
    PIL.Image.fromarray((drawn.pixels >> 4).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="session")
def dicom(film: Path) -> Path:
    """The same film as a DX object, its left edge the patient's right; the record names PHANTOM-7141."""
    path = film.with_name("object.dcm")
    with PIL.Image.open(film) as picture:
        dicom_files.radiograph(np.asarray(picture)).save_as(path, enforce_file_format=True)
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose network always answers with the true corners of `film`."""
    _, _, corners = results.double_curve()
    plane = kernels.prepare_radiograph(np.zeros((2000, 900), np.uint8), size=SIZE).map
    folder = tmp_path_factory.mktemp("bundle") / "truth"
    write_bundle(folder, heatmaps_at(plane.to_network(corners)))
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `spinert` in an empty folder, in this process; all that reaches the two streams is captured."""
    monkeypatch.chdir(tmp_path)

    def run_spinert(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["spinert", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            app()
        return Done(leaving.value.code, *capfd.readouterr())

    return run_spinert
