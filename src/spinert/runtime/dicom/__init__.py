"""One DICOM dataset to one `Image`: a frontal or lateral projection radiograph, or an error that says why not.

DX, CR, RF, digitised film and secondary captures of them are taken. The attributes read here are those of PS3.3
C.7.6.1 (orientation), C.7.6.3 (pixels), C.8.1 and C.8.11 (CR and DX), 10.7 (spacing), C.11.1 and C.11.2 (LUTs).
Neither names nor patient IDs are read.
"""

import math
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset

from spinert.errors import BadStudy
from spinert.image import Identity, Image
from spinert.runtime.dicom import kind, pixels, reading, spacing
from spinert.runtime.dicom.values import fingerprint, label, numbers, uid, word

__all__ = ["image_of", "read"]


def read(file: Path | BinaryIO, *, spacing_mm: tuple[float, float] | None = None, force: bool = False) -> Image:
    """Read one DICOM file, with or without preamble. Arguments and errors are those of `image_of`."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return read(opened, spacing_mm=spacing_mm, force=force)
    return image_of(reading.read_dataset(file), spacing_mm=spacing_mm, force=force)


def image_of(dataset: Dataset, *, spacing_mm: tuple[float, float] | None = None, force: bool = False) -> Image:
    """The radiograph of a dataset.

    `spacing_mm` (between rows, between columns) is used where the header has no spacing and must agree with it where
    it has one. `force` takes the image against its header, with a warning, where a person may decide that the header
    is wrong: the given spacing, the view, the orientation.

    Raises kind.OtherImage (a BadStudy) for an object of another kind or view and for a lateral film that cannot be
    read, BadGeometry for spacing or orientation that is impossible or contradicts itself, BadStudy for pixels that
    cannot be decoded.
    """
    kind.check_radiograph(dataset)
    view = kind.view_of(dataset, force=force)
    try:
        return _image(dataset, view, spacing_mm, force=force)
    except BadStudy as error:
        if view.lateral is None:
            raise
        raise kind.OtherImage(f"lateral view: {view.lateral}; {error.problem}", error.remedy) from None


def _image(dataset: Dataset, view: kind.View, spacing_mm: tuple[float, float] | None, *, force: bool) -> Image:
    orientation, orientation_warnings = (
        (None, ()) if view.warnings else kind.orientation_of(dataset, lateral=view.lateral is not None, force=force)
    )
    size = spacing.spacing_of(dataset, spacing_mm, force=force)
    values = pixels.values_of(dataset)
    return Image(
        pixels=values.pixels,
        modality=word(dataset, "Modality"),
        inverted=values.inverted,
        rescale=values.rescale,
        spacing_mm=size.mm,
        spacing_kind=size.kind,
        orientation=orientation,
        laterality=kind.laterality_of(dataset),
        view=view.position,
        view_stated=view.lateral,
        window=_window(dataset),
        identity=Identity(
            study_uid=uid(dataset, "StudyInstanceUID"),
            series_uid=uid(dataset, "SeriesInstanceUID"),
            sop_uid=uid(dataset, "SOPInstanceUID"),
            patient=fingerprint(dataset, "PatientID"),
        ),
        warnings=(*size.warnings, *view.warnings, *orientation_warnings, *values.warnings, *_cautions(dataset)),
    )


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """The first window (centre, width) in modality values; it is for pictures, so an unusable one is no error."""
    try:
        first = (*numbers(dataset, "WindowCenter")[:1], *numbers(dataset, "WindowWidth")[:1])
    except BadStudy:
        return None
    return (first[0], first[1]) if len(first) == 2 and all(map(math.isfinite, first)) and first[1] > 0 else None


def _cautions(dataset: Dataset) -> tuple[str, ...]:
    """What the header says of the film that spoils no pixel but may spoil the result or its use."""
    found = []
    if word(dataset, "PresentationIntentType") == "FOR PROCESSING":
        found.append("image is FOR PROCESSING: raw detector values, on which the result may be worse")
    if (part := word(dataset, "BodyPartExamined")) in kind.NOT_WHOLE_SPINE:
        found.append(f"{label('BodyPartExamined')} is {part}: not the whole spine, so levels may be wrong")
    if word(dataset, "BurnedInAnnotation") == "YES":
        found.append(f"{label('BurnedInAnnotation')} is YES: a picture of the film may show the patient's name")
    return tuple(found)
