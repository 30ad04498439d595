"""One labelled film of a dataset, and how its image is read.

A case is called by its place in the dataset (`film 12`, `row 3`), never by its file, whose name may be a patient's:
what is written of an evaluation may be passed on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinert.errors import BadStudy
from spinert.findings import Point
from spinert.image import Image
from spinert.runtime import dicom, picture


@dataclass(frozen=True, eq=False)
class Case:
    """A film and what is known of it; points are (x, y) in pixels of the stored image.

    name        its place in the dataset
    read        decodes the image; raises BadStudy or BadGeometry, without the file's name
    degrees     float64 [3], the AASCE challenge's angles in its order, the major one first; None where not labelled
    corners_px  float64 [17, 4, 2], T1..L5, TL, TR, BL, BR; None where not labelled
    centres_px  level -> centre of the vertebra; empty where not labelled
    fold        of a cross-validation, None where the dataset has none
    """

    name: str
    read: Callable[[], Image]
    degrees: NDArray[np.float64] | None = None
    corners_px: NDArray[np.float64] | None = None
    centres_px: Mapping[str, Point] = field(default_factory=dict)
    fold: int | None = None


def read_image(path: Path, spacing_mm: tuple[float, float] | None = None) -> Image:
    """The radiograph of one DICOM, PNG or JPEG file, read as `spinert infer` reads it.

    A picture without `spacing_mm` (between rows, between columns) is taken with square pixels and no spacing: angles
    are the same, lengths stay in pixels. Raises BadStudy and BadGeometry as `dicom.read` and `picture.read`; no error
    names the file.
    """
    try:
        with path.open("rb") as file:
            is_picture = file.read(max(map(len, picture.SIGNATURES))).startswith(picture.SIGNATURES)
            file.seek(0)
            if not is_picture:
                return dicom.read(file, spacing_mm=spacing_mm)
            if spacing_mm is not None:
                return picture.read(file, spacing_mm=spacing_mm)
            return replace(picture.read(file, spacing_mm=(1.0, 1.0)), spacing_mm=None, spacing_kind="none")
    except OSError as error:
        raise BadStudy(f"cannot be opened: {error.strerror}", "check the file and its permissions") from None
