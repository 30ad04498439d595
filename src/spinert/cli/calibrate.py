"""`spinert calibrate`: a bundle gets files of another precision, proven in clinical units."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from spinert.cli.progress import stages
from spinert.errors import BadRequest, CalibrationFailed

if TYPE_CHECKING:
    from spinert.calibrate import Calibrated


def calibrate(
    bundle: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A shipped bundle, or the folder of another.")],
    *,
    data: Annotated[
        list[Path],
        typer.Option(metavar="PATH", help="Real studies: DICOM files, folders, zip archives; may be repeated."),
    ],
    precision: Annotated[Literal["fp16", "int8-trt", "int8-cpu"], typer.Option(help="What the new files are.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The new bundle; must not exist.")],
    held_out: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Studies of other patients to prove it on; by default every third of --data, whoever it is of.",
        ),
    ] = None,
    method: Annotated[
        Literal["percentile", "minmax", "entropy"], typer.Option(help="How ranges are taken from the histograms.")
    ] = "percentile",
    graph: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NETWORK=]FILE",
            help="An ONNX file that already carries Q/DQ: only linted and gated; once for each network.",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="By default what this process may use.")] = None,
) -> None:
    """Add fp16 or INT8 files to a bundle, if its findings stay the same.

    The pipeline examines real studies with fp32; what its networks were fed gives the ranges. The new files are then
    run over the held-out studies and must agree with fp32: Cobb angles within 0.3 degrees (median), 1.0 (95 %) and
    2.0 (largest of those that fp32 does not flag), corners within 0.5 px of the network (95 %), the same end vertebrae
    in 98 % of curves. The layers that bear rounding worst are put back to float until that holds. On a CPU the new
    files must also be faster. Otherwise nothing is written, and the error says by how much it failed.

    fp16 and int8-trt are for TensorRT (`spinert build` makes the engine and times it), int8-cpu is for the CPU.
    At least 16 studies of either kind are needed. An interrupted run of the same command is resumed.
    Needs the extra: pip install "spinert[cpu,openvino,calibrate]"

    \b
      spinert calibrate cobb --data studies/ --precision int8-cpu -o cobb-int8
    """
    _check_installed()
    from spinert.calibrate import calibrate as run
    from spinert.runtime.infer import find_bundle
    from spinert.runtime.threads import usable_threads

    found = find_bundle(bundle)
    with stages() as progress:
        done = run(
            found,
            data,
            output,
            precision=precision,
            held_out=held_out or (),
            method=method,
            quantized=_graphs(graph, list(found.manifest.networks)),
            threads=usable_threads() if threads is None else threads,
            progress=progress,
        )
    typer.echo(_text(done))


def _check_installed() -> None:
    if lacking := [name for name in ("onnx", "onnxruntime", "matplotlib") if find_spec(name) is None]:
        raise CalibrationFailed(f"not installed: {', '.join(lacking)}", 'pip install "spinert[cpu,openvino,calibrate]"')


def _graphs(given: list[str] | None, networks: list[str]) -> dict[str, Path] | None:
    """`FILE`, where there is one network, or `NETWORK=FILE` for each."""
    if not given:
        return None
    graphs = {}
    for each in given:
        name, separator, file = each.partition("=")
        if not separator and len(networks) > 1:
            raise BadRequest(
                f"--graph {each!r} does not say for which network: {', '.join(networks)}", "write NETWORK=FILE"
            )
        graphs[name if separator else networks[0]] = Path(file if separator else each)
    return graphs


def _text(done: "Calibrated") -> str:
    from spinert.calibrate import report
    from spinert.cli.table import aligned

    made = done.report
    chosen = made.chosen
    lines = [f"refused: {name}: {problem}" for name, problem in done.refused]
    lines.append(
        f"{made.precision} of bundle {done.bundle.name!r}: {made.method}; proven on {chosen.provider}, "
        f"{len(chosen.kept_float)} layers float"
    )
    if chosen.agreement is not None:
        heading = (f"{chosen.agreement.studies} studies, {chosen.agreement.curves} curves", "measured", "gate")
        lines += [
            f"  {line}" for line in aligned([heading, *report.rows(chosen.agreement)], words=(heading[0], heading[2]))
        ]
    lines += [
        f"  {each.precision} on {each.backend}: {each.milliseconds:.1f} ms, {each.speedup:.2f} x fp32 on onnxruntime"
        for each in made.timings
    ]
    variant = done.bundle.manifest.variants[made.precision]
    lines += [f"written: {done.bundle.folder / path}" for path in (variant.report, *variant.pictures)]
    return "\n".join([*lines, f"bundle in {done.bundle.folder}, SHA-256 {done.bundle.sha256}"])
