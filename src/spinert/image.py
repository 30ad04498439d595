"""An image with its geometry: the sole owner of axis order, spacing and orientation.

A projection radiograph is [rows, columns] of stored values; a point is (x, y) = (column, row) in pixels, (0, 0) the
centre of the top-left pixel. `spacing_mm` is (between rows, between columns) as in DICOM Pixel Spacing (PS3.3
10.7.1.3), so y goes with the first value and x with the second.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinert.findings import Side

LATERAL_VIEWS = ("LL", "RL", "LAT", "LATERAL", "LATERALLY", "ML", "LM", "SAGITTAL")
"""Terms of View Position (PS3.3 C.8.1.1, C.8.11.3), and what makers write instead, of a film taken from the side."""

SpacingKind = Literal["calibrated", "geometry_corrected", "detector_plane", "unknown", "given", "none"]
"""Where `spacing_mm` comes from (PS3.3 10.7.1): fiducial calibration, corrected for magnification, at the detector,
a header that does not say, the caller, or nowhere (pixels are square, lengths have no unit)."""


@dataclass(frozen=True)
class Identity:
    """UIDs of where the image came from; never a name or a patient ID.

    `patient` is a keyed hash of the Patient ID, None where there is none: it tells two patients apart within this
    process and is worth nothing outside of it.
    """

    study_uid: str | None = None
    series_uid: str | None = None
    sop_uid: str | None = None
    patient: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Image:
    """A decoded radiograph.

    pixels       uint8 or uint16 [rows, columns], stored values, C order
    inverted     True when a higher stored value is darker (MONOCHROME1, inverse LUT shape, negative slope):
                 bone is then dark in `pixels`
    rescale      (slope, intercept) of the modality LUT; slope is finite and not 0
    spacing_mm   (row, column) or None; `spacing_kind` says where it comes from
    orientation  (row direction, column direction) of Patient Orientation (0020,0020): ("L" or "R", "F"), on a lateral
                 film ("A" or "P", "F"), or None
    laterality   "L", "R", "B", "U" or None;  view: View Position (0018,5101), such as "AP", or None
    view_stated  the header's words that make `view` a lateral one, or None
    window       (centre, width) in modality values, for pictures only, or None
    warnings     what a reader of any result must know about this image
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    modality: str
    inverted: bool = False
    rescale: tuple[float, float] = (1.0, 0.0)
    spacing_mm: tuple[float, float] | None = None
    spacing_kind: SpacingKind = "none"
    orientation: tuple[str, str] | None = None
    laterality: str | None = None
    view: str | None = None
    view_stated: str | None = None
    window: tuple[float, float] | None = None
    identity: Identity = field(default_factory=Identity)
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns

    @property
    def may_be_frontal(self) -> bool:
        """AP or PA, or a view that the image does not state."""
        return self.view in (None, "AP", "PA")

    @property
    def mm_per_pixel_xy(self) -> tuple[float, float]:
        """Spacing in the order of a point, (x, y); (1, 1) where there is none: square pixels (PS3.3 C.7.6.3.1.7)."""
        if self.spacing_mm is None:
            return 1.0, 1.0
        row, column = self.spacing_mm
        return column, row

    def to_mm(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """(x, y) pixels [..., 2] -> (x, y) mm [..., 2] in the image plane; pixels where there is no spacing."""
        return np.asarray(points_px * np.array(self.mm_per_pixel_xy))

    def to_px(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of `to_mm`."""
        return np.asarray(points_mm / np.array(self.mm_per_pixel_xy))

    @property
    def is_lateral(self) -> bool:
        """Whether the image says that it was taken from the side."""
        return self.view in LATERAL_VIEWS

    @property
    def right_of_image(self) -> Side | None:
        """The patient's side that the right edge of the image shows, None where it shows none or does not say which."""
        if self.orientation is None or self.orientation[0] not in ("L", "R"):
            return None
        return {"L": "left", "R": "right"}[self.orientation[0]]  # type: ignore[return-value]
