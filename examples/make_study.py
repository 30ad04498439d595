"""Draw examples/study.dcm: a synthetic AP film of a double curve, as a digital radiography device would store it.

    python -m examples.make_study [FILE]

The spine is a phantom (tests/phantoms.py) of known tilts, so the true angles are printed. No patient is behind it.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import uid as uids

from spinert.findings import T1_TO_L5
from tests.dicom_files import radiograph
from tests.phantoms import draw, spine_corners

SIZE = (2400, 1000)
SEED = 12
DETECTOR_BLUR_PX = 1.0
STEP = 4
"""Stored values are multiples of this: smaller differences are noise, which would only swell the file."""
TILTS_DEG = {"T1": 6.0, "T5": 22.0, "T11": -24.0, "L4": 9.0, "L5": 7.0}
"""Tilt of the turning points; between them it runs as half a cosine. T5 to T11 is the main thoracic curve."""


def tilts_deg() -> NDArray[np.float64]:
    """The tilt of every vertebra, T1 to L5."""
    known = [T1_TO_L5.index(level) for level in TILTS_DEG]
    value = list(TILTS_DEG.values())
    tilts = np.empty(len(T1_TO_L5))
    for upper, lower, start, stop in zip(known, known[1:], value, value[1:], strict=False):
        along = (1 - np.cos(np.linspace(0, np.pi, lower - upper + 1))) / 2
        tilts[upper : lower + 1] = start + (stop - start) * along
    return tilts


def main(path: Path) -> None:
    """Write the film and print its true angles."""
    tilts = tilts_deg()
    corners = spine_corners(tilts, (0.0, 0.0), 1900.0)
    corners += np.array([500.0, 250.0]) - (np.median(corners[..., 0]), corners[..., 1].min())
    film = draw(corners, SIZE, np.random.default_rng(SEED)).pixels.astype(np.float32)
    blurred = cv2.GaussianBlur(film, (0, 0), DETECTOR_BLUR_PX)
    pixels = (np.round(blurred / STEP) * STEP).clip(0, 4095).astype(np.uint16)
    low, high = np.percentile(pixels, (0.5, 99.5))
    dataset = radiograph(
        pixels,
        PatientName="SPINERT^PHANTOM",
        PatientID="PHANTOM",
        StudyDescription="Synthetic whole spine AP",
        BodyPartExamined="SPINE",
        ImagerPixelSpacing=[0.175, 0.175],
        PixelSpacing=[0.175, 0.175],
        PixelIntensityRelationship="LOG",
        PixelIntensityRelationshipSign=-1,
        PresentationIntentType="FOR PRESENTATION",
        PresentationLUTShape="IDENTITY",
        RescaleSlope=1,
        RescaleIntercept=0,
        RescaleType="US",
        WindowCenter=round((low + high) / 2),
        WindowWidth=round(high - low),
        BurnedInAnnotation="NO",
        ImageLaterality="U",
        InstanceNumber=1,
        SeriesNumber=1,
    )
    dataset.file_meta.TransferSyntaxUID = uids.DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    for upper, lower in (("T1", "T5"), ("T5", "T11"), ("T11", "L4")):
        print(f"{upper}-{lower}: {abs(TILTS_DEG[upper] - TILTS_DEG[lower]):.1f} degrees")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("study.dcm"))
