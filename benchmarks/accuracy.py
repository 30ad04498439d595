"""Accuracy of a bundle on real radiographs that it was not trained on, through DICOM and the command line.

    python -m benchmarks.accuracy --data DIR [--fold 0] [--bundle cobb] [-o build/accuracy]

`DIR` holds the films of the AASCE 2019 challenge (see examples/aasce.py). The films of one case-wise fold, those with
known label errors left out, are each written as a DX file of one study; one `spinert infer FOLDER --json` examines all.
The films carry no pixel spacing, so pixels are taken as square. `--fold` must be the fold that the bundle's training
held out. Writes films.csv, summary.json and two plots to `-o`; the films themselves stay in a temporary folder.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pydicom.uid import generate_uid

from benchmarks import metrics, plots
from benchmarks.host import SPINERT, host_line
from examples.aasce import Film, read_films
from spinert.findings import AasceAngles, Provenance, Result, Vertebra, from_json
from tests.dicom_files import radiograph

Summary = dict[str, float]


@dataclass(frozen=True)
class Examined:
    """One film: angles float64 [3] in degrees as labelled and found; `error_px` is the mean distance of its corners.

    A film without a result has `failed`, found angles of 0 and no corner error (nan).
    """

    row: int
    height_px: int
    labelled: NDArray[np.float64]
    found: NDArray[np.float64]
    error_px: float
    flags: tuple[str, ...]
    failed: bool


def write_dicom(pixels: NDArray[np.uint8], path: Path) -> str:
    """Write grey values [rows, columns] as a DX study of their own; return the SOP instance UID.

    The challenge says nothing of spacing or side, so neither does the file.
    """
    sop_uid = generate_uid(prefix=None)
    dataset = radiograph(
        pixels,
        SOPInstanceUID=sop_uid,
        StudyInstanceUID=generate_uid(prefix=None),
        SeriesInstanceUID=generate_uid(prefix=None),
        PresentationIntentType="FOR PRESENTATION",
        ImagerPixelSpacing=None,
        PatientOrientation=None,
        PatientName=None,
        PatientID=None,
    )
    dataset.file_meta.MediaStorageSOPInstanceUID = sop_uid
    dataset.save_as(path, enforce_file_format=True)
    return str(sop_uid)


def infer_folder(folder: Path, bundle: str) -> dict[str, Result]:
    """Results of all films of a folder by SOP instance UID, from one run of the command line."""
    command = [*SPINERT, "infer", str(folder), "--bundle", bundle, "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    results = [from_json(line) for line in run.stdout.splitlines()]
    if not results:
        raise SystemExit(f"spinert infer gave no result, exit code {run.returncode}:\n{run.stderr[-2000:]}")
    sys.stderr.write(run.stderr)
    return {result.study.sop_uid or "": result for result in results}


def examined(film: Film, labelled: NDArray[np.float64], height_px: int, result: Result | None) -> Examined:
    """Set a film's result against its labels."""
    findings = result.findings if result else ()
    angles = next((finding for finding in findings if isinstance(finding, AasceAngles)), None)
    if angles is None:
        return Examined(film.row, height_px, labelled, np.zeros(3), float("nan"), (), failed=True)
    vertebrae = [finding for finding in findings if isinstance(finding, Vertebra)]
    corners = np.array([vertebra.corners_px for vertebra in vertebrae])
    flags = tuple(f"{vertebra.level}:{flag}" for vertebra in vertebrae for flag in vertebra.flags)
    error_px = float(metrics.corner_errors(corners[None], film.corners_px[None])[0])
    return Examined(film.row, height_px, labelled, np.array(angles.degrees), error_px, flags, failed=False)


def summary_of(films: Sequence[Examined]) -> Summary:
    """Scores over these films: percent, degrees and pixels as the names say. Failed films count, see `metrics`."""
    found, labelled = np.stack([film.found for film in films]), np.stack([film.labelled for film in films])
    error_px = np.array([film.error_px for film in films])
    share = 100 * error_px / np.array([film.height_px for film in films])
    read = ~np.isnan(error_px)
    agreement = metrics.limits_of_agreement(found[:, 0], labelled[:, 0])
    summary = {
        "films": float(len(films)),
        "failed": float(sum(film.failed for film in films)),
        "flagged_percent": 100 * float(np.mean([bool(film.flags) for film in films])),
        "smape_percent": metrics.smape_percent(found, labelled),
    }
    for name, values in (
        ("mae_degrees", metrics.mean_absolute_error(found, labelled)),
        ("pearson_r", metrics.pearson_r(found, labelled)),
    ):
        summary |= {f"{name}_{angle}": float(value) for angle, value in enumerate(values, start=1)}
    return summary | {
        "major_bias_degrees": agreement.bias,
        "major_lower_limit_degrees": agreement.lower,
        "major_upper_limit_degrees": agreement.upper,
        "corner_error_px": float(error_px[read].mean()) if read.any() else float("nan"),
        "corner_error_percent_of_height": float(share[read].mean()) if read.any() else float("nan"),
    }


def write_csv(films: Sequence[Examined], path: Path) -> None:
    """One line for each film; `row` is its place in the challenge's tables."""
    smape = metrics.smape_of_films(np.stack([f.found for f in films]), np.stack([f.labelled for f in films]))
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        angles = [f"{side}_{angle}" for side in ("labelled", "found") for angle in (1, 2, 3)]
        table.writerow(["row", "height_px", *angles, "smape_percent", "corner_error_px", "failed", "flags"])
        for film, term in zip(films, smape, strict=True):
            numbers = [f"{value:.3f}" for value in (*film.labelled, *film.found, term, film.error_px)]
            table.writerow([film.row, film.height_px, *numbers, int(film.failed), " ".join(film.flags)])


def table_of(columns: dict[str, Summary]) -> str:
    """One column for each group of films."""
    names = list(next(iter(columns.values())))
    lines = [f"{'':32}" + "".join(f"{title:>18}" for title in columns)]
    lines += [f"{name:32}" + "".join(f"{column[name]:18.4g}" for column in columns.values()) for name in names]
    return "\n".join(lines)


def examine_fold(data: Path, fold: int, bundle: str) -> tuple[list[Examined], Provenance]:
    """All films of the fold through one run of the command line."""
    films = [film for film in read_films(data) if film.fold == fold]
    angles = np.loadtxt(data / "angles.csv", delimiter=",", ndmin=2)
    with tempfile.TemporaryDirectory() as folder:
        heights, uids = [], []
        for film in films:
            with PIL.Image.open(film.path) as picture:
                pixels = np.asarray(picture.convert("L"))
            heights.append(pixels.shape[0])
            uids.append(write_dicom(pixels, Path(folder) / f"film{film.row:03}.dcm"))
        results = infer_folder(Path(folder), bundle)
    compared = [
        examined(film, angles[film.row], height, results.get(uid))
        for film, height, uid in zip(films, heights, uids, strict=True)
    ]
    return compared, next(iter(results.values())).provenance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the AASCE films")
    parser.add_argument("--fold", type=int, default=0, help="the fold that the bundle was trained without")
    parser.add_argument("--bundle", default="cobb", help="name or folder of the bundle")
    parser.add_argument("-o", "--out", type=Path, default=Path("build/accuracy"), help="folder of the tables and plots")
    arguments = parser.parse_args()

    films, provenance = examine_fold(arguments.data, arguments.fold, arguments.bundle)
    relied_on = [film for film in films if not film.flags and not film.failed]
    columns = {"all films": summary_of(films)}
    if len(relied_on) > 1:
        columns["without warning"] = summary_of(relied_on)

    arguments.out.mkdir(parents=True, exist_ok=True)
    write_csv(films, arguments.out / "films.csv")
    facts = {"fold": arguments.fold, "bundle": provenance.bundle, "bundle_sha256": provenance.bundle_sha256}
    summary = msgspec.json.encode({"host": host_line(), **facts, **columns})  # a nan becomes null
    (arguments.out / "summary.json").write_bytes(msgspec.json.format(summary, indent=2) + b"\n")
    found, labelled = np.stack([film.found for film in films]), np.stack([film.labelled for film in films])
    flagged = np.array([film.failed or bool(film.flags) for film in films])
    plots.predicted_against_true(found, labelled, flagged, arguments.out / "predicted_against_true.png")
    plots.bland_altman(found[:, 0], labelled[:, 0], flagged, arguments.out / "bland_altman.png")
    print(host_line())
    print(
        f"bundle {provenance.bundle} {provenance.bundle_sha256[:12]}, {provenance.precision} on {provenance.backend} "
        f"{provenance.provider}; AASCE films of fold {arguments.fold}"
    )
    print(table_of(columns))
    print(f"tables and plots: {arguments.out}")


if __name__ == "__main__":
    main()
