"""One labelled film of a dataset, and how its image is read.

A case is called by its place in the dataset (`film 12`, `row 3`), never by its file, whose name may be a patient's:
what is written of an evaluation may be passed on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinert.errors import SpinertError
from spinert.findings import Point
from spinert.image import Image
from spinert.runtime import picture
from spinert.runtime.files import read_study


@dataclass(frozen=True, eq=False)
class Case:
    """A film and what is known of it; points are (x, y) in pixels of the stored image.

    name        its place in the dataset
    read        decodes the images of the film's study; raises as `read_study`
    degrees     float64 [3], the AASCE challenge's angles in its order, the major one first; None where not labelled
    corners_px  float64 [17, 4, 2], T1..L5, TL, TR, BL, BR; None where not labelled
    centres_px  level -> centre of the vertebra; empty where not labelled
    fold        of a cross-validation, None where the dataset has none
    """

    name: str
    read: Callable[[], Sequence[Image]]
    degrees: NDArray[np.float64] | None = None
    corners_px: NDArray[np.float64] | None = None
    centres_px: Mapping[str, Point] = field(default_factory=dict)
    fold: int | None = None


def read_images(path: Path, spacing_mm: tuple[float, float] | None = None) -> Sequence[Image]:
    """The images of one DICOM, PNG or JPEG file (or one study's folder), as `spinert infer` reads them.

    A picture without `spacing_mm` (between rows, between columns) is taken with square pixels and no spacing: angles
    are the same, lengths stay in pixels. Raises as `read_study`, without the file's name.
    """
    try:
        if spacing_mm is None and _is_picture(path):
            images = read_study(path, spacing_mm=(1.0, 1.0))
            return [replace(image, spacing_mm=None, spacing_kind="none") for image in images]
        return read_study(path, spacing_mm=spacing_mm)
    except SpinertError as error:
        raise type(error)(error.problem.replace(f"{path.name}: ", "", 1), error.remedy) from None


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(max(map(len, picture.SIGNATURES))).startswith(picture.SIGNATURES)
    except OSError:
        return False  # reading it says why
