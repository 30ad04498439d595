"""Films and a bundle that several tests share; none of them changes either."""

from pathlib import Path

import pytest

from spinert.bundle import Bundle
from tests.calibrate import small_bundle


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 studies: a third held out leaves 32 to calibrate on."""
    return small_bundle.films(tmp_path_factory.mktemp("data") / "films", 48)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of `small_bundle`, fp32 only."""
    return small_bundle.small_bundle(tmp_path_factory.mktemp("bundles") / "small")
