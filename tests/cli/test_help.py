import re
import subprocess
import sys
from typing import get_args

import pytest
from typer.testing import CliRunner

import spinert
from spinert import errors
from spinert.bundle import Precision
from spinert.cli import failures, precisions
from spinert.cli.main import EXIT_CODES, commands
from tests.cli.conftest import Run

COMMANDS = ("infer", "build", "calibrate", "doctor", "evaluate", "info", "export", "verify")
HEAVY = ("numpy", "pydicom", "onnxruntime", "PIL", "rich", "msgspec", "torch", "onnx", "spinert.runtime")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command: str) -> None:
    script = f"""
import sys
from typing import get_args
sys.argv = ["spinert", *"{command}".split(), "--help"]
from spinert.cli.main import app
try:
    app()
except SystemExit:
    print("LOADED", *[name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage: spinert" in done.stdout
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_help_lists_the_exit_code_of_every_error() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and value.__subclasses__() == []]
    classes += [errors.BadStudy, errors.NoBackend]
    documented = {int(code) for code in re.findall(r"^  (\d+) ", EXIT_CODES, flags=re.MULTILINE)}
    assert documented == {0, failures.BUG, *(error.exit_code for error in classes)}


def test_no_arguments_show_the_help() -> None:
    assert "Usage" in CliRunner().invoke(commands, []).output


def test_the_version_is_the_package_s() -> None:
    assert CliRunner().invoke(commands, ["--version"]).stdout == f"spinert {spinert.__version__}\n"


def test_an_unknown_option_is_a_bad_request(run: Run) -> None:
    done = run("infer", "--colour", "film.dcm")
    assert done.returncode == 2
    assert "No such option: --colour" in done.stderr


def test_the_precisions_of_the_options_are_those_of_bundles() -> None:
    assert get_args(precisions.Precision) == get_args(Precision)
