"""What a person sees when something goes wrong: the problem and its remedy, a traceback only on request."""

import os
import traceback
from pathlib import Path

import typer

from spinert.errors import SpinertError

DEBUG = "SPINERT_DEBUG"
BUG = 70
"""Exit code of a mistake in spinert itself: EX_SOFTWARE of BSD's sysexits."""


def show(error: Exception, study: str | None = None) -> int:
    """Print an error to standard error and return its exit code.

    study   named in front where there are several
    The text of an unexpected error is not printed: it may quote what the file says of a patient.
    """
    where = "" if study is None else f"{study}: "
    if isinstance(error, SpinertError):
        typer.echo(f"error: {where}{error}", err=True)
        code = error.exit_code
    else:
        typer.echo(
            f"error: {where}{type(error).__name__} at {_place(error)}: this is a bug in spinert\n"
            f"  remedy: report it with what `spinert --debug` adds, after a look that it names no patient",
            err=True,
        )
        code = BUG
    if os.environ.get(DEBUG, "0") != "0":
        traceback.print_exception(error)
    return code


def _place(error: Exception) -> str:
    """The innermost line of spinert that was running."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "spinert" in Path(frame.filename).parts]
    return f"{Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else "an unknown place"
