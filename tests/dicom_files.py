"""Radiographs of known pixels as the DICOM objects devices make of them: DX, CR, RF, secondary capture, compressed.

Every function returns a new dataset; attributes are set or, with None, left out by keyword.
"""

import copy
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom import uid as uids
from pydicom.dataset import FileMetaDataset

ROOT = "2.25.1300271"

STORAGE = {
    "DX": uids.DigitalXRayImageStorageForPresentation,
    "CR": uids.ComputedRadiographyImageStorage,
    "RF": uids.XRayRadiofluoroscopicImageStorage,
    "OT": uids.SecondaryCaptureImageStorage,
    "CT": uids.CTImageStorage,
    "MR": uids.MRImageStorage,
}


def ramp(rows: int = 96, columns: int = 80, bits: int = 12) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Every pixel differs from its neighbours, the whole range of `bits` occurs."""
    values = np.arange(rows * columns).reshape(rows, columns) * 977 % (1 << bits)
    values[0, :2] = 0, (1 << bits) - 1
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def radiograph(pixels: NDArray[Any] | None = None, modality: str = "DX", **attributes: Any) -> Dataset:
    """A complete AP radiograph, explicit VR little endian, of uint8, int8, uint16 or int16 [rows, columns(, 3)]."""
    pixels = ramp() if pixels is None else pixels
    wide = pixels.dtype.itemsize * 8
    dataset = Dataset()
    dataset.SOPClassUID = STORAGE[modality]
    dataset.SOPInstanceUID = f"{ROOT}.3"
    dataset.StudyInstanceUID = f"{ROOT}.1"
    dataset.SeriesInstanceUID = f"{ROOT}.2"
    dataset.Modality = modality
    dataset.PatientName = "SPINERT^PHANTOM"
    dataset.PatientID = "PHANTOM-7141"
    dataset.ViewPosition = "AP"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImagerPixelSpacing = [0.15, 0.15]
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    dataset.BitsAllocated = wide
    dataset.BitsStored = 12 if wide == 16 else 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if wide == 8 else "OW"
    return altered(dataset, **attributes)


def altered(dataset: Dataset, **attributes: Any) -> Dataset:
    """The same with these attributes set; None leaves one out."""
    changed = copy.deepcopy(dataset)
    for keyword, value in attributes.items():
        if value is None:
            if keyword in changed:
                delattr(changed, keyword)
        else:
            setattr(changed, keyword, value)
    return changed


def compressed(dataset: Dataset, syntax: uids.UID, plugin: str) -> Dataset:
    """The same with its pixels compressed without loss by one of pydicom's encoders."""
    changed = copy.deepcopy(dataset)
    changed.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
    return changed


def with_syntax(dataset: Dataset, syntax: uids.UID) -> Dataset:
    """The same in another uncompressed transfer syntax; for big endian the bytes of the pixels are swapped."""
    changed = copy.deepcopy(dataset)
    if not syntax.is_little_endian:
        changed.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
    changed.file_meta.TransferSyntaxUID = syntax
    return changed


def encoded(dataset: Dataset) -> bytes:
    """The bytes of a Part 10 file."""
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def reread(dataset: Dataset) -> Dataset:
    """Written and read again, as a device and then a reader see it."""
    return dcmread(io.BytesIO(encoded(dataset)))
