"""Whether a dataset is a frontal or lateral radiograph, and which way up: modality, SOP class, view, orientation."""

import re
from typing import NamedTuple

from pydicom import Dataset
from pydicom import uid as uids

from spinert.errors import BadGeometry, BadStudy
from spinert.image import LATERAL_VIEWS
from spinert.runtime.dicom.values import element, integer, items, label, shown, uid, word, words

MODALITIES = ("CR", "DX", "RF", "RG", "OT", "SC")
"""Computed, digital, fluoroscopic and film radiography, and what secondary captures call themselves."""

STORAGE = (
    uids.ComputedRadiographyImageStorage,
    uids.DigitalXRayImageStorageForPresentation,
    uids.DigitalXRayImageStorageForProcessing,
    uids.XRayRadiofluoroscopicImageStorage,
    uids.SecondaryCaptureImageStorage,
    uids.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    uids.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    uids.MultiFrameTrueColorSecondaryCaptureImageStorage,
)

# Defined terms of View Position (PS3.3 C.8.1.1, C.8.11.3) and what makers write instead.
NOT_FRONTAL = {
    **dict.fromkeys(LATERAL_VIEWS, "lateral"),
    **dict.fromkeys(("LLD", "RLD", "DECUBITUS"), "lateral decubitus"),
    **dict.fromkeys(("LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "MLO", "OBL", "OBLIQUE"), "oblique"),
}

_LIMBS = ("HIP", "LEG", "KNEE", "ANKLE", "FOOT", "TOE", "SHOULDER", "ARM", "ELBOW", "WRIST", "HAND", "FINGER")
_PARTS_OF_SPINE = ("CSPINE", "TSPINE", "LSPINE", "LSSPINE", "SSPINE", "COCCYX")
NOT_WHOLE_SPINE = (*_PARTS_OF_SPINE, "PELVIS", "SKULL", "HEAD", "NECK", *_LIMBS)
"""Terms of Body Part Examined (PS3.16 Annex L) on whose films T1 to L5 are not all to be seen."""

LATERAL_VIEW_CODES = ("399067008", "399173006", "399198007", "399260004", "399352003")
"""SNOMED CT, CID 4010: lateral, left, right, medial-lateral, lateral-medial."""

REMEDY_FOR_VIEW = "give the AP or PA radiograph, or --force where the header is wrong"
_TAKEN = f"give a frontal radiograph ({', '.join(MODALITIES)})"


class OtherImage(BadStudy):
    """A sound DICOM object that is no frontal or lateral radiograph: of another modality or view, a run, no image.

    Also a lateral film whose header cannot be used, which is no reason to refuse the frontal one beside it.
    """


def check_radiograph(dataset: Dataset) -> None:
    """Raises OtherImage, naming what the dataset is instead, unless it is one single projection radiograph."""
    storage = uids.UID(uid(dataset, "SOPClassUID") or "")
    if storage == uids.MediaStorageDirectoryStorage or element(dataset, "DirectoryRecordSequence") is not None:
        raise OtherImage("DICOMDIR is an index of files, not an image", "give the folder it lies in")
    modality = word(dataset, "Modality")
    if modality not in MODALITIES:
        found = f"{label('Modality')} is {shown(modality)}" if modality else f"{label('Modality')} is missing"
        raise OtherImage(f"{found}, taken are {', '.join(MODALITIES)}", _TAKEN)
    # Private classes pass: their number says nothing about the kind of object.
    if storage and not storage.is_private and storage not in STORAGE:
        raise OtherImage(f"SOP class is {storage.name}, which is no projection radiograph", _TAKEN)
    frames = integer(dataset, "NumberOfFrames", 1)
    if frames > 1:
        raise OtherImage(
            f"{label('NumberOfFrames')} is {frames}: a run, not one radiograph",
            "export the frame to be measured as a single image",
        )
    # pydicom takes the rescale of functional groups for absent (pydicom#2353), so those objects are not read at all.
    if items(dataset, "SharedFunctionalGroupsSequence") or items(dataset, "PerFrameFunctionalGroupsSequence"):
        raise OtherImage("an enhanced multi-frame object is not read", "export the image as a plain DX or CR object")


class View(NamedTuple):
    """View Position or None; the header's words that make it a lateral one, or None; warnings."""

    position: str | None
    lateral: str | None
    warnings: tuple[str, ...]


def view_of(dataset: Dataset, *, force: bool) -> View:
    """The view, "LATERAL" where something else than View Position says so.

    Whether a lateral film is wanted, the pipeline knows. Raises OtherImage for a decubitus or oblique view, and for a
    lateral one where another part of the header says frontal. `force` takes such an image as frontal, with a warning.
    """
    position = word(dataset, "ViewPosition")
    named = _views_named(dataset, position)
    if not named:
        return View(shown(position) or None, None, ())
    found, view = next((one for one in named if one[1] != "lateral"), named[0])
    frontal = _frontal_named(dataset, position)
    if view == "lateral" and frontal is None:
        return View(position if position in LATERAL_VIEWS else "LATERAL", found, ())
    said = f"{view} view: {found}" + (f", yet {frontal}" if frontal and view == "lateral" else "")
    if not force:
        raise OtherImage(said, REMEDY_FOR_VIEW)
    return View(None, None, (f"taken as frontal by force though the header says {said}",))


def _frontal_named(dataset: Dataset, position: str) -> str | None:
    """What the header says of a frontal view, None where nothing does."""
    if position in ("AP", "PA"):
        return f"{label('ViewPosition')} is {position}"
    directions = words(dataset, "PatientOrientation")
    if len(directions) == 2 and directions[0][:1] in ("L", "R"):
        return f"{label('PatientOrientation')} row is {shown(directions[0])}"
    return None


def _views_named(dataset: Dataset, position: str) -> list[tuple[str, str]]:
    """Every statement of the header that the view is not frontal, as (statement, view)."""
    found = [
        (f"{label('ViewPosition')} is {shown(position)}", NOT_FRONTAL[part])
        for part in re.split(r"[^A-Z]+", position)
        if part in NOT_FRONTAL
    ]
    for item in items(dataset, "ViewCodeSequence"):
        code, meaning = word(item, "CodeValue"), word(item, "CodeMeaning")
        named = [NOT_FRONTAL[part] for part in re.split(r"[^A-Z]+", meaning) if part in NOT_FRONTAL]
        if named or code in LATERAL_VIEW_CODES:
            found.append((f"{label('ViewCodeSequence')} is {shown(code)}", named[0] if named else "lateral"))
    row = next(iter(words(dataset, "PatientOrientation")), "")
    if row[:1] in ("A", "P"):
        found.append((f"{label('PatientOrientation')} row is {shown(row)}", "lateral"))
    return found


def orientation_of(dataset: Dataset, *, lateral: bool, force: bool) -> tuple[tuple[str, str] | None, tuple[str, ...]]:
    """((row, column) direction or None, warnings): ("L", "F") or ("R", "F"), of a `lateral` film ("A" or "P", "F").

    Of several letters the first is the main direction (PS3.3 C.7.6.1.1.1): "LP" is a patient turned a little and
    taken as "L". Without a usable value no side is known, which is a warning and not an error. Raises BadGeometry
    for an image that lies on its side or upside down; `force` takes it as upright, its sides unknown.
    """
    directions = words(dataset, "PatientOrientation")
    if not any(directions):
        return None, ()
    stated = f"{label('PatientOrientation')} is {chr(92).join(map(shown, directions))}"
    if len(directions) != 2 or not all(re.fullmatch("[LRAPHF]{1,3}", one) for one in directions):
        return None, (f"{stated}, which is malformed: no side is stated",)
    row, column = directions[0][0], directions[1][0]
    rows = "AP" if lateral else "LR"
    if row in rows and column == "F":
        return (row, column), ()
    if not force:
        raise BadGeometry(
            f"{stated}: rows must run to {' or '.join(rows)} and columns to F (feet)",
            "turn the radiograph upright in the workstation, or --force where the header is wrong",
        )
    return None, (f"taken as upright by force though {stated}: no side is stated",)


def laterality_of(dataset: Dataset) -> str | None:
    """Image Laterality, else Laterality of the series: "L", "R", "B", "U" or None."""
    value = word(dataset, "ImageLaterality") or word(dataset, "Laterality")
    return value if value in ("L", "R", "B", "U") else None
