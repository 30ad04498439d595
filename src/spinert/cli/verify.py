"""`spinert verify`: does every backend and precision of a bundle give the same answer on this machine?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinert.cli.precisions import Precision
from spinert.errors import BadNetwork

if TYPE_CHECKING:
    from spinert.runtime.differences import Spread
    from spinert.runtime.verify import Row, Verification

HEADINGS = (
    "backend", "precision", "tensor: largest", "RMS", "relative", "corners px: median", "largest",
    "Cobb degrees: median", "largest", "changed ends", "verdict",
)  # fmt: skip
WORDS = (HEADINGS[0], HEADINGS[1], HEADINGS[-1])


def verify(
    bundle: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A shipped bundle, or the folder of another.")],
    *,
    backend: Annotated[str | None, typer.Option(metavar="NAME", help="Only this backend.")] = None,
    precision: Annotated[Precision | None, typer.Option(help="Only this precision.")] = None,
    studies: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="DICOM files, folders or zip archives to compare on too; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document in place of the table.")] = False,
) -> None:
    """Run a bundle's golden inputs through every backend and precision here.

    All are compared with fp32 on onnxruntime: the output tensors, and what the pipeline makes of each golden input, or
    of the studies: corners in pixels of the network, Cobb angles in degrees, curves whose end vertebrae changed. What
    cannot run is listed with its reason.

    Exit code 0 when all that ran gave finite values and fp32 agrees within 1e-4 of a tensor's magnitude, else 7.

    \b
      spinert verify cobb
      spinert verify cobb --studies monday/ --precision int8-cpu
    """
    from spinert.runtime.infer import find_bundle
    from spinert.runtime.verify import verify as run

    found = run(find_bundle(bundle), backend=backend, precision=precision, studies=studies or ())
    typer.echo(found.to_json().decode() if as_json else _text(found))
    if not found.agrees:
        raise typer.Exit(BadNetwork.exit_code)


def _text(found: "Verification") -> str:
    from spinert.cli.table import aligned

    ran = [row for row in found.rows if row.reason is None]
    lines = [
        f"bundle {found.bundle}, SHA-256 {found.bundle_sha256[:12]}: {found.golden_images} golden image(s) and "
        f"{found.studies} study(ies), compared with {found.reference}",
        *aligned([HEADINGS, *map(_cells, ran)], words=WORDS),
    ]
    lines += [f"did not run: {row.backend} {row.precision}: {row.reason}" for row in found.rows if row.reason]
    lines += [f"left out: {study}" for study in found.left_out]
    return "\n".join(
        [
            *lines,
            "fp32 agrees wherever it ran; other precisions have a gate of their own, see `spinert info`"
            if found.agrees
            else "not all that ran agree",
        ]
    )


def _cells(row: "Row") -> tuple[str, ...]:
    worst = max(row.tensors, key=lambda each: each.relative, default=None)
    tensor = (f"{worst.largest:.2g}", f"{worst.rms:.2g}", f"{worst.relative:.2g}") if worst else ("-",) * 3
    clinical = row.clinical
    corners = _of(clinical.corners_px if clinical else None)
    degrees = _of(clinical.curve_degrees if clinical else None)
    spread = clinical.curve_degrees if clinical else None
    changed = f"{clinical.changed_ends} of {spread.count}" if clinical and spread else "-"
    return row.backend, row.precision, *tensor, *corners, *degrees, changed, _verdict(row)


def _of(spread: "Spread | None") -> tuple[str, str]:
    return (f"{spread.median:.3f}", f"{spread.largest:.3f}") if spread else ("-", "-")


def _verdict(row: "Row") -> str:
    if row.failure:
        return f"failed: {row.failure}"
    if row.precision == "fp32":
        return "agrees" if row.agrees else "differs by more than fp32 may"
    return "finite"
