"""The libraries that run networks report to their makers unless kept from it; here nothing of it may be left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spinert.runtime.backends import ort
from tests.runtime.test_backends import USABLE

OPEN = """
import sys
from pathlib import Path
from tests.runtime.test_backends import pair, sum_network
from spinert.runtime import backends
network = backends.load(sys.argv[1]).open_network(*sum_network(Path(sys.argv[2])), threads=1)
network(pair(1))
print(*[name for name in sys.modules if "telemetry" in name.split(".")[0]])
"""
# some keep quiet where they believe to be tested, so they are not told
TELLING = ("CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST")


@pytest.mark.parametrize("backend", USABLE)
def test_a_backend_leaves_no_trace_of_telemetry(backend: str, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in TELLING}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}
    done = subprocess.run(
        [sys.executable, "-c", OPEN, backend, work],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
    assert list(home.rglob("*")) == []


@pytest.mark.skipif(ort.missing() is not None, reason="onnxruntime is not installed")
@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("0", "0")])
def test_onnxruntime_reports_only_where_the_user_asked_for_it(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    if before is not None:
        monkeypatch.setenv("ORT_DISABLE_TELEMETRY", before)
    ort.library()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == after
