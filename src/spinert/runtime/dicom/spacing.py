"""Pixel spacing of a projection radiograph and what it means (PS3.3 10.7.1.3).

Pixel Spacing and Imager Pixel Spacing are (between rows, between columns) in mm. The first is meant for measuring and
may be calibrated; the second is measured at the detector, where a spine appears larger than it is.
"""

import math
from typing import NamedTuple

from pydicom import Dataset

from spinert.errors import BadGeometry
from spinert.image import SpacingKind
from spinert.runtime.dicom.values import label, numbers, word
from spinert.runtime.limits import SAME_WITHIN, agree, check_spacing, implausible

MAGNIFICATION = (1.0, 3.0)
"""The detector lies behind the patient, so nothing appears smaller than it is; 3 is beyond what spot films use."""

_BY_CALIBRATION: dict[str, SpacingKind] = {"FIDUCIAL": "calibrated", "GEOMETRY": "geometry_corrected"}


class Spacing(NamedTuple):
    """`mm` is (between rows, between columns) or None for square pixels of unknown size."""

    mm: tuple[float, float] | None
    kind: SpacingKind
    warnings: tuple[str, ...] = ()


def spacing_of(dataset: Dataset, given_mm: tuple[float, float] | None, *, force: bool) -> Spacing:
    """The header's spacing, or the caller's where the header has none.

    Raises BadGeometry where a value is not finite or not positive, where two attributes contradict each other, where
    the caller contradicts the header (`force`: the caller's value wins, with a warning), and where pixels are not
    square but of unknown size.
    """
    if given_mm is not None:
        check_spacing(given_mm)
    try:
        header = _header_spacing(dataset)
        if given_mm is None:
            return header or _square(dataset)
        _check_given(dataset, given_mm, header)
    except BadGeometry as error:
        if given_mm is None or not force:
            raise
        return Spacing(given_mm, "given", (f"the given spacing is used by force: {error.problem}",))
    return header or Spacing(given_mm, "given")


def _header_spacing(dataset: Dataset) -> Spacing | None:
    pixel, imager = _pair(dataset, "PixelSpacing"), _pair(dataset, "ImagerPixelSpacing")
    scanned = _pair(dataset, "NominalScannedPixelSpacing")
    if pixel and imager and not agree(_ratio(pixel), _ratio(imager)):
        raise BadGeometry(
            f"{label('PixelSpacing')} is {_mm(pixel)} but {label('ImagerPixelSpacing')} is {_mm(imager)}: "
            "they disagree about the shape of a pixel",
            "give the right one with --spacing-mm ROW,COLUMN --force",
        )
    chosen = pixel or imager or scanned
    if chosen is None:
        return None
    aspect = _pair(dataset, "PixelAspectRatio")
    if aspect and not agree(_ratio(aspect), _ratio(chosen)):
        raise BadGeometry(
            f"{label('PixelAspectRatio')} is {aspect[0]:g}:{aspect[1]:g} but the spacing is {_mm(chosen)}",
            "give the right one with --spacing-mm ROW,COLUMN --force",
        )
    spacing = _with_kind(dataset, pixel, imager, chosen)
    if spacing.mm is not None and (why := implausible(spacing.mm)):
        raise BadGeometry(
            f"the header's spacing is {_mm(spacing.mm)}: {why}",
            "give the right one with --spacing-mm ROW,COLUMN --force",
        )
    return spacing


def _with_kind(
    dataset: Dataset,
    pixel: tuple[float, float] | None,
    imager: tuple[float, float] | None,
    chosen: tuple[float, float],
) -> Spacing:
    calibration = word(dataset, "PixelSpacingCalibrationType")
    if pixel and calibration in _BY_CALIBRATION:
        return Spacing(pixel, _BY_CALIBRATION[calibration])
    if pixel and (imager is None or not agree(pixel[0], imager[0])):
        return Spacing(pixel, "unknown")  # corrected in a way that the header does not say, or not at all
    if imager is None:
        return Spacing(chosen, "detector_plane")
    magnification = _magnification(dataset)
    if magnification is None:
        return Spacing(imager, "detector_plane")
    # A spine 10 cm before the detector at 180 cm: factor 1.8 / 1.7 = 1.059, so 0.150 mm at the detector is 0.142 mm.
    return Spacing((imager[0] / magnification, imager[1] / magnification), "geometry_corrected")


def _square(dataset: Dataset) -> Spacing:
    aspect = _pair(dataset, "PixelAspectRatio")
    if aspect and not agree(*aspect):
        # The ratio alone would do for angles, but Image.spacing_mm is in mm and must not hold anything else.
        raise BadGeometry(
            f"pixels are not square ({label('PixelAspectRatio')} is {aspect[0]:g}:{aspect[1]:g}) and have no size",
            "give it with --spacing-mm ROW,COLUMN",
        )
    return Spacing(
        None, "none", ("no pixel spacing: pixels are taken as square (PS3.3 C.7.6.3.1.7), lengths have no unit",)
    )


def _check_given(dataset: Dataset, given_mm: tuple[float, float], header: Spacing | None) -> None:
    remedy = "leave --spacing-mm out, or add --force where the header is wrong"
    if header is not None and header.mm is not None:
        if not (agree(given_mm[0], header.mm[0]) and agree(given_mm[1], header.mm[1])):
            raise BadGeometry(f"given spacing is {_mm(given_mm)}, the header says {_mm(header.mm)}", remedy)
        return
    aspect = _pair(dataset, "PixelAspectRatio")
    if aspect and not agree(_ratio(aspect), _ratio(given_mm)):
        stated = f"{label('PixelAspectRatio')} is {aspect[0]:g}:{aspect[1]:g}"
        raise BadGeometry(f"given spacing is {_mm(given_mm)}, but {stated}", remedy)


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    values = numbers(dataset, keyword, BadGeometry)
    if not values:
        return None
    if len(values) != 2 or not all(math.isfinite(value) and value > 0 for value in values):
        raise BadGeometry(
            f"{label(keyword)} is {chr(92).join(f'{value:g}' for value in values)}, not two finite values above 0",
            "give the right spacing with --spacing-mm ROW,COLUMN --force",
        )
    return values[0], values[1]


def _magnification(dataset: Dataset) -> float | None:
    values = numbers(dataset, "EstimatedRadiographicMagnificationFactor", BadGeometry)
    if not values:
        return None
    least, most = MAGNIFICATION
    if not least * (1 - SAME_WITHIN) <= values[0] <= most:
        raise BadGeometry(
            f"{label('EstimatedRadiographicMagnificationFactor')} is {values[0]:g}, possible are {least:g} to {most:g}",
            "give the right spacing with --spacing-mm ROW,COLUMN --force",
        )
    return values[0]


def _ratio(pair: tuple[float, float]) -> float:
    return pair[0] / pair[1]


def _mm(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g} x {pair[1]:g} mm"
