"""Write AASCE films as DICOM studies, to calibrate the default bundle on and to prove it on.

    python -m examples.make_aasce_studies --data DIR --out studies --fold 0 --count 64
    spinert calibrate BUNDLE --data studies/calibration --held-out studies/held-out --precision int8-cpu -o BUNDLE2

`studies/held-out` receives the films of the fold, `studies/calibration` an even choice of the others, so that no
person is in both. The films are for research and stay on this machine.
"""

import argparse
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pydicom.uid import generate_uid

from spinert.evaluate.datasets.aasce import read_films
from tests.dicom_files import radiograph


def write_dicom(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write grey values [rows, columns] as a DX study of their own.

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the AASCE films")
    parser.add_argument("--out", type=Path, required=True, help="folder for the studies")
    parser.add_argument("--fold", type=int, default=0, help="the fold that training held out")
    parser.add_argument("--count", type=int, default=64, help="studies to calibrate on")
    arguments = parser.parse_args()

    films = read_films(arguments.data)
    others = [film for film in films if film.fold != arguments.fold]
    chosen = [others[place] for place in np.linspace(0, len(others) - 1, arguments.count).astype(int)]
    groups = {"calibration": chosen, "held-out": [film for film in films if film.fold == arguments.fold]}
    for name, group in groups.items():
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for film in group:
            with PIL.Image.open(film.path) as picture:
                write_dicom(np.asarray(picture.convert("L")), folder / f"film{film.row:03}.dcm")
        print(f"{len(group)} studies in {folder}")


if __name__ == "__main__":
    main()
