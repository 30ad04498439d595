"""`spinert evaluate`: bundles against labelled films, side by side."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from spinert.cli.precisions import Precision
from spinert.cli.progress import stages
from spinert.errors import BadRequest

RESULTS = Path("spinert-evaluation")


def evaluate(
    bundles: Annotated[
        list[str], typer.Argument(metavar="BUNDLE", help="Shipped bundles by name, others by their folder.")
    ],
    *,
    dataset: Annotated[str, typer.Option(metavar="NAME", help="How the labels are kept: aasce or csv.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where the films and their labels lie.")],
    fold: Annotated[
        int | None,
        typer.Option(min=0, metavar="K", help="Only this fold: the one that training held out. By default all films."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where files go.")] = RESULTS,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of the network; one, so that milliseconds can be compared.")
    ] = 1,
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="This backend or an error; `spinert doctor` lists them.")
    ] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="This precision or an error; by default the fastest proven one.")
    ] = None,
) -> None:
    """Say how well bundles agree with labelled films, and how fast they are.

    Every film goes one at a time through the whole path that `spinert infer` takes. Printed for each bundle: SMAPE by
    the AASCE 2019 challenge's rule, mean absolute error, Pearson's r and ICC(2,1) of its three angles, bias and 95 %
    limits of agreement of the major one, severity (below 10, to 25, to 45, above 45 degrees), errors of the curves that
    were found, how often 95 % intervals hold the true angle, distances of corners, vertebrae identified (within 20 mm,
    and none nearer), milliseconds of each stage (medians), MB. What a bundle does not find, or the dataset does not
    know, is n/a.

    A film without a result is counted, with its reason, and its angles as 0 degrees: 100 % of SMAPE. Files: of each
    bundle a table of the films and plots of found against true, Bland-Altman and severity; summary.json of all. They
    call films by number, never by name. As with `infer` the exit code is that of the first film that failed, once all
    is written.

    \b
    Datasets:
      aasce   the AASCE 2019 challenge: images/, filenames.csv, corners_px.npy, angles.csv, known_label_errors.json
      csv     films of yours beside angles.csv (or --data TABLE.csv), which has the columns
              file,angle1,angle2,angle3         DICOM, PNG or JPEG; degrees by the challenge's rule, the largest first
              and, where wanted, fold           a number from 0; all films of one patient in one
              and spacing_mm                    of pictures: 0.15, or 0.2 0.14 for rows and columns

    A new kind of dataset is one file in spinert/evaluate/datasets/.
    Needs the extra: pip install "spinert[cpu,openvino,evaluate]"

    \b
      spinert evaluate cobb --dataset aasce --data aasce/ --fold 0
      spinert evaluate cobb mine/ --dataset csv --data films/ --precision fp32 -o comparison
    """
    _check_installed()
    from spinert.cli.scores import table
    from spinert.evaluate import check, datasets, report
    from spinert.evaluate import evaluate as run

    cases = datasets.read(dataset, data, fold)
    check(bundles, threads=threads, backend=backend, precision=precision)
    with stages() as progress:
        done = [
            run(bundle, cases, threads=threads, backend=backend, precision=precision, progress=progress)
            for bundle in bundles
        ]
    written = report.write(done, output, dataset=dataset, fold=fold)
    typer.echo("\n".join([table([each.scores for each in done]), *(f"written: {path}" for path in written)]))
    codes = [film.exit_code for each in done for film in each.films if film.exit_code]
    if codes:
        raise typer.Exit(codes[0])


def _check_installed() -> None:
    if find_spec("matplotlib") is None:
        raise BadRequest(
            "matplotlib, which draws the plots, is not installed", 'pip install "spinert[cpu,openvino,evaluate]"'
        )
