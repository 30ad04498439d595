"""What a user gets from the core wheel alone: no inference library, no torch, no development tools.

Needs the built wheel in SPINERT_WHEEL (`make test` sets it).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WHEEL = os.environ.get("SPINERT_WHEEL")
CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"

IMPORT_EVERYTHING = """
import pkgutil, importlib, sys, spinert
names = [m.name for m in pkgutil.walk_packages(spinert.__path__, "spinert.", onerror=lambda name: None)]
names = [n for n in names if not n.startswith(("spinert.export", "spinert.calibrate"))]
names = [n for n in names if not n.endswith(("._cuda", "__main__"))]
for name in names:
    importlib.import_module(name)
assert not {"torch", "onnx", "onnxruntime", "openvino", "cv2"} & set(sys.modules), sorted(sys.modules)
print(len(names))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if WHEEL is None:
        pytest.skip("SPINERT_WHEEL is not set: run `make test`, which builds the wheel first")
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", CONSTRAINTS, WHEEL]
    subprocess.run(install, check=True)
    return python


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *arguments], capture_output=True, text=True, cwd=python.parent)


def test_every_module_but_export_and_calibrate_imports(python: Path) -> None:
    done = run(python, "-c", IMPORT_EVERYTHING)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25


@pytest.mark.parametrize(
    "command", ["", "infer", "build", "calibrate", "doctor", "evaluate", "info", "export", "verify"]
)
def test_every_help_page_opens(python: Path, command: str) -> None:
    done = run(python, "-m", "spinert", *command.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_inference_without_a_backend_says_what_to_install(python: Path) -> None:
    film = Path(__file__).parents[1] / "examples" / "study.dcm"
    done = run(python, "-m", "spinert", "infer", str(film), "--json")
    assert done.returncode == 6
    assert 'pip install "spinert[cpu]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_doctor_counts_a_box_without_backend_as_unable(python: Path) -> None:
    done = run(python, "-m", "spinert", "doctor")
    assert done.returncode == 6
    assert "spinert[cpu]" in done.stdout


def test_the_wheel_carries_the_default_bundle_and_no_sources(python: Path) -> None:
    where = "import spinert, pathlib; p = pathlib.Path(spinert.__file__).parent; print(*[f for f in p.rglob('*')])"
    files = run(python, "-c", where).stdout
    assert "bundles/cobb/bundle.json" in files
    assert not any(file.endswith((".cc", ".inl", ".cu", ".h")) for file in files.split())
