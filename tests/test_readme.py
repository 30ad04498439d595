"""The README is run: its shell commands and its Python example."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """`spinert` commands of the README that stand alone; make, pip and training lines are run elsewhere."""
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("spinert ") and "DIR" not in line and "WEIGHTS" not in line]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "study.dcm", tmp_path / "examples")
    return tmp_path


def test_there_is_something_to_run() -> None:
    assert len(commands()) >= 4
    assert len(blocks("python")) == 1


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_works(command: str, here: Path) -> None:
    spinert = Path(sys.executable).parent / "spinert"
    arguments = [str(spinert) if word == "spinert" else word for word in command.split()]
    done = subprocess.run(arguments, cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_python_example_works(here: Path) -> None:
    done = subprocess.run([sys.executable, "-c", blocks("python")[0]], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "main_thoracic" in done.stdout


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_a_link_of_the_readme_leads_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()
