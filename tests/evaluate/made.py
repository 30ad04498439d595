"""Labelled films of one made spine, laid out as each dataset is, and a bundle that finds that spine exactly."""

from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from spinert import kernels
from spinert.runtime.cobb import aasce_angles
from tests import bundles, dicom_files, phantoms

SIZE_PX = (1000, 400)
FILMS = 10


def spine() -> NDArray[np.float64]:
    """Corners of T1..L5, tilts from +20 to -15: the major angle is 35 degrees."""
    return phantoms.spine_corners(np.linspace(20.0, -15.0, 17), (200.0, 130.0), 750.0)


def angles() -> NDArray[np.float64]:
    return aasce_angles(spine(), SIZE_PX[0])


@cache
def film() -> NDArray[np.uint8]:
    return (phantoms.draw(spine(), SIZE_PX, np.random.default_rng(0)).pixels >> 4).astype(np.uint8)


def perfect_bundle(folder: Path) -> Path:
    plane = kernels.prepare_radiograph(np.zeros(SIZE_PX, np.uint8), size=bundles.SIZE).map
    bundles.write_bundle(folder, bundles.heatmaps_at(plane.to_network(spine())))
    return folder


def aasce_folder(data: Path) -> Path:
    """Ten films of ten persons, two in each fold."""
    (data / "images").mkdir(parents=True)
    names = [f"made-1th-01-Jan-2017-{case} A AP.jpg" for case in range(FILMS)]
    (data / "filenames.csv").write_text("".join(f"{name}\n" for name in names))
    (data / "known_label_errors.json").write_text('{"community": {}, "geometric": {}}')
    np.save(data / "corners_px.npy", np.stack([spine().reshape(68, 2)] * FILMS))
    np.savetxt(data / "angles.csv", np.tile(angles(), (FILMS, 1)), delimiter=",")
    for name in names:
        PIL.Image.fromarray(film()).save(data / "images" / name)
    return data


def csv_folder(data: Path) -> Path:
    """A DICOM file, a picture with spacing and one without; the first two in fold 0. File names name PHANTOM-7141."""
    data.mkdir(parents=True)
    dicom_files.radiograph(film()).save_as(data / "PHANTOM-7141.dcm", enforce_file_format=True)
    PIL.Image.fromarray(film()).save(data / "PHANTOM-7141.png")
    three = ",".join(f"{value:.4f}" for value in angles())
    rows = [f"PHANTOM-7141.dcm,{three},0,", f"PHANTOM-7141.png,{three},0,0.2", f"PHANTOM-7141.png,{three},1,"]
    (data / "angles.csv").write_text("\n".join(["file,angle1,angle2,angle3,fold,spacing_mm", *rows, ""]))
    return data
