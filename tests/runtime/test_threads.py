import os
from pathlib import Path

import pytest

from spinert.runtime import threads


def limit(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.max").write_text(text)


def usable_under(monkeypatch: pytest.MonkeyPatch, root: Path, group: str, processors: int) -> int:
    monkeypatch.setattr(threads, "CGROUP", root)
    monkeypatch.setattr(threads, "_own_group", lambda: group)
    monkeypatch.setattr(threads, "_affinity", lambda: processors)
    return threads.usable_threads()


@pytest.mark.parametrize(
    ("quota", "expected"), [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 64)]
)
def test_a_quota_caps_the_processors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str, expected: int
) -> None:
    limit(tmp_path / "box", quota)
    assert usable_under(monkeypatch, tmp_path, "/box", 64) == expected


def test_the_tightest_group_on_the_way_up_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit(tmp_path / "pod" / "box", "800000 100000")
    limit(tmp_path / "pod", "300000 100000")
    assert usable_under(monkeypatch, tmp_path, "/pod/box", 64) == 3


def test_affinity_below_the_quota_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit(tmp_path, "800000 100000")
    assert usable_under(monkeypatch, tmp_path, "/", 4) == 4


def test_the_old_hierarchy_is_read_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("300000")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert usable_under(monkeypatch, tmp_path, "/", 64) == 3


@pytest.mark.parametrize("text", ["", "nonsense", "1 2 3", "a b"])
def test_an_unreadable_limit_limits_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    limit(tmp_path, text)
    assert usable_under(monkeypatch, tmp_path, "/", 8) == 8


def test_this_process_has_a_thread() -> None:
    assert 1 <= threads.usable_threads() <= (os.cpu_count() or 1)
