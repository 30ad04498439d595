"""`spinert infer`: studies in, result documents, pictures and a table out."""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinert.cli import failures
from spinert.cli.precisions import Precision
from spinert.errors import BadRequest

if TYPE_CHECKING:
    from spinert.runtime.files import StudyFiles

RESULTS = Path("spinert-results")


def infer(
    paths: Annotated[
        list[Path],
        typer.Argument(help="DICOM files, PNG or JPEG pictures, folders, zip archives."),
    ],
    bundle: Annotated[
        str, typer.Option("--bundle", "-b", metavar="NAME|DIR", help="A shipped bundle, or the folder of another.")
    ] = "cobb",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help=f"Where files go; by default {RESULTS}/, with --json nowhere."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print result documents in place of the table, one line for each study.")
    ] = False,
    spacing_mm: Annotated[
        str | None,
        typer.Option(metavar="ROW[,COLUMN]", help="Distance in mm between rows, and between columns where it differs."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Measure in spite of the header: its view, orientation, spacing."),
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the network; by default what this process may use.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="This backend or an error; `spinert doctor` lists them.")
    ] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="This precision or an error; by default the fastest proven one.")
    ] = None,
    require_gpu: Annotated[bool, typer.Option("--require-gpu", help="A GPU or an error, never the CPU.")] = False,
) -> None:
    """Measure the Cobb angles of AP or PA spine radiographs.

    Writes <study>.json (schema spinert.result/1) and <study>.png (the film with what was measured) for each study,
    whole or not at all. A study that fails is reported to standard error and the others go on; the exit code is
    that of the first error.

    \b
      spinert infer film.dcm
      spinert infer monday/ tuesday.zip -o results
      spinert infer photo.png --spacing-mm 0.2,0.14
      spinert infer monday/ --json > monday.jsonl
    """
    spacing = _spacing(spacing_mm)
    folder = output or (None if as_json else RESULTS)
    codes: list[int] = []
    studies = _find(paths, codes)
    if studies:
        from spinert.cli.table import table
        from spinert.runtime.infer import load
        from spinert.runtime.report.write import check_inputs_stay, stems, write

        names = stems([study.name for study in studies])
        if folder is not None:
            check_inputs_stay((path for study in studies for path in study.paths), folder, names)
        bar_hidden = as_json and sys.stdout.isatty()  # there the documents themselves show how far it is
        model = load(bundle, threads=threads, backend=backend, precision=precision, require_gpu=require_gpu)
        with model, _progress(0 if bar_hidden else len(studies)) as advance:
            for study, stem in zip(studies, names, strict=True):
                try:
                    image, result = model.infer_files(study, spacing_mm=spacing, force=force)
                    written = () if folder is None else write(image, result, folder, stem)
                except Exception as error:
                    codes.append(failures.show(error, study.name if len(studies) > 1 else None))
                else:
                    typer.echo(result.to_json().decode() if as_json else table(study.name, result, written))
                advance()
    if codes:
        raise typer.Exit(codes[0])


def _find(paths: Sequence[Path], codes: list[int]) -> list["StudyFiles"]:
    """The studies of all paths; a path without any is reported and its exit code noted."""
    from spinert.runtime.files import find_studies

    studies: list[StudyFiles] = []
    for path in paths:
        try:
            studies += find_studies([path])
        except Exception as error:
            codes.append(failures.show(error))
    return studies


def _spacing(text: str | None) -> tuple[float, float] | None:
    """ROW or ROW,COLUMN in mm. Raises BadRequest."""
    if text is None:
        return None
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(math.isfinite(value) and value > 0 for value in values):
        raise BadRequest(
            f"--spacing-mm is {text!r}, expected one or two distances above 0 mm", "such as 0.15, or 0.2,0.14"
        )
    return values[0], values[-1]


@contextmanager
def _progress(studies: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error for several studies, in a terminal only. Yields what to call after each study."""
    if studies < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    # standard output goes through the bar's console only where both are the same terminal
    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("studies", total=studies)
        yield lambda: progress.advance(task)
