"""What an interrupted run leaves is used by the same run only, and never half of it."""

from pathlib import Path

import numpy as np
import pytest

from spinert.calibrate.workspace import Workspace

KEY = {"bundle": "0" * 64, "method": "percentile"}


class Made:
    """Counts how often a stage is carried out."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> list[int]:
        self.times += 1
        return [self.times, 7]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "bundle"


def test_a_stage_is_carried_out_once(output: Path) -> None:
    make = Made()
    first = Workspace(output, KEY).once("stage", list[int], make)
    again = Workspace(output, dict(reversed(KEY.items()))).once("stage", list[int], make)
    assert (first, again, make.times) == ([1, 7], [1, 7], 1)


def test_another_run_begins_anew(output: Path) -> None:
    make = Made()
    workspace = Workspace(output, KEY)
    workspace.once("stage", list[int], make)
    workspace.store_arrays("film", {"x": np.zeros(3)})
    other = Workspace(output, {**KEY, "method": "minmax"})
    assert sorted(path.name for path in other.folder.iterdir()) == ["run.json"]
    assert other.once("stage", list[int], make) == [2, 7]


def test_a_stage_that_fails_stores_nothing(output: Path) -> None:
    def fail() -> list[int]:
        raise KeyboardInterrupt

    workspace = Workspace(output, KEY)
    with pytest.raises(KeyboardInterrupt):
        workspace.once("stage", list[int], fail)
    assert workspace.once("stage", list[int], Made()) == [1, 7]


def test_half_written_files_are_not_taken(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(output, KEY)

    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            workspace.once("stage", list[int], Made())
        with pytest.raises(KeyboardInterrupt):
            workspace.store_arrays("film", {"x": np.zeros(3)})
    make = Made()
    assert workspace.once("stage", list[int], make) == [1, 7]
    assert make.times == 1
    with pytest.raises(FileNotFoundError), workspace.arrays("film"):
        pass


def test_a_folder_whose_key_was_not_finished_is_not_taken(output: Path) -> None:
    workspace = Workspace(output, KEY)
    workspace.once("stage", list[int], Made())
    (workspace.folder / "run.json").rename(workspace.folder / "run.json.partial")
    make = Made()
    Workspace(output, KEY).once("stage", list[int], make)
    assert make.times == 1


def test_arrays_come_back_by_name(output: Path) -> None:
    workspace = Workspace(output, KEY)
    workspace.store_arrays("film", {"0|landmarks|image": np.arange(6.0).reshape(2, 3)})
    with workspace.arrays("film") as stored:
        np.testing.assert_array_equal(stored["0|landmarks|image"], np.arange(6.0).reshape(2, 3))


def test_it_lies_hidden_beside_the_bundle_and_is_removed(output: Path, tmp_path: Path) -> None:
    workspace = Workspace(output, KEY)
    assert [path.name for path in tmp_path.iterdir()] == [".bundle.calibration"]
    workspace.remove()
    workspace.remove()
    assert list(tmp_path.iterdir()) == []
