"""`spinert`: its commands, its help, its exit codes. Each command imports what it needs when it runs."""

import logging
import os
import sys
import warnings
from typing import Annotated

import typer

import spinert
from spinert.cli import failures
from spinert.cli.build import build
from spinert.cli.calibrate import calibrate
from spinert.cli.doctor import doctor
from spinert.cli.evaluate import evaluate
from spinert.cli.export import export
from spinert.cli.infer import infer
from spinert.cli.info import info
from spinert.cli.verify import verify

HELP = """Inference runtime for spine imaging: a radiograph in, Cobb angles out.

Research use only: not for clinical use.

\b
  spinert infer film.dcm                    angles as a table; result and picture in spinert-results/
  spinert infer film.dcm --json             the result document to standard output, no files
  spinert infer film.png --spacing-mm 0.15  a picture, whose pixel spacing only you know
  spinert doctor                            what is installed, what is missing and the command that brings it
"""

EXIT_CODES = """Exit codes:

\b
  0   done
  2   arguments that cannot be carried out
  3   the input is no readable radiograph of the wanted kind
  4   pixel spacing or orientation is missing or contradicts itself
  5   the bundle is incomplete, changed or too new
  6   nothing installed here can run the network
  7   a network does not fit its bundle, or backends disagree
  8   an export failed
  9   a CUDA device is not there, has no memory left or failed
  10  a precision was not written: outside its gate, not faster, or too few studies
  11  an engine could not be built
  12  the engine that was asked for was not built here, or no longer fits
  70  a bug in spinert
"""

commands = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich alone takes longer to import than all of this
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands.command(short_help="Measure radiographs: files, folders, zip archives.", epilog=EXIT_CODES)(infer)
commands.command(short_help="Say what is installed here and what is missing.")(doctor)
commands.command(short_help="Show what a bundle holds.")(info)
commands.command(short_help="Turn a trained network into a bundle.")(export)
commands.command(short_help="Add FP16 or INT8 files to a bundle, proven in clinical units.")(calibrate)
commands.command(short_help="Compare every backend and precision of a bundle.")(verify)
commands.command(short_help="Compare bundles with labelled films: accuracy, failures, milliseconds.")(evaluate)
commands.command(short_help="Build a bundle's TensorRT engines for the GPU that is here.")(build)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spinert {spinert.__version__}")
        raise typer.Exit


@commands.callback(help=HELP, epilog=EXIT_CODES)
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Print the traceback of an error too; also {failures.DEBUG}=1.")
    ] = False,
) -> None:
    del version  # its callback has done its work
    if debug:
        os.environ[failures.DEBUG] = "1"


def app() -> None:
    """Run the command line. Every error ends in one message and one exit code."""
    # pydicom's remarks on a malformed value quote it, and it may be a name
    warnings.filterwarnings("ignore", module="pydicom")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    try:
        commands(prog_name="spinert")
    except Exception as error:
        sys.exit(failures.show(error))
