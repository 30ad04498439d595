"""Folders of labelled films, and a bundle that is always right about them."""

from pathlib import Path

import pytest

from tests.evaluate import made


@pytest.fixture(scope="session")
def perfect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.perfect_bundle(tmp_path_factory.mktemp("bundle") / "truth")


@pytest.fixture
def aasce(tmp_path: Path) -> Path:
    return made.aasce_folder(tmp_path / "aasce")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return made.csv_folder(tmp_path / "films")
