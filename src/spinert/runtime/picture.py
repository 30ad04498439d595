"""A radiograph stored as PNG (8 or 16 bit) or JPEG, which says nothing about size, side or view."""

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from spinert.errors import BadGeometry, BadStudy
from spinert.image import Image
from spinert.runtime.grey import grey_of
from spinert.runtime.limits import check_bytes, check_size, check_spacing

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

_EXIF_ORIENTATION = 0x0112


def read(file: Path | BinaryIO, *, spacing_mm: tuple[float, float]) -> Image:
    """Read a grey PNG or JPEG, bone bright, the patient upright. `spacing_mm` is (between rows, between columns).

    Raises BadGeometry for impossible spacing and for a picture that its EXIF orientation turns (points of a result
    are in the stored pixels, so turning it here would put them elsewhere), BadStudy for colour, transparency, and
    what cannot be decoded.
    """
    check_spacing(spacing_mm)
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return read(opened, spacing_mm=spacing_mm)
    check_bytes(file.seek(0, io.SEEK_END))
    file.seek(0)
    try:
        with PIL.Image.open(file, formats=("PNG", "JPEG")) as picture:
            check_size(picture.height, picture.width)
            picture.load()
            turned = picture.getexif().get(_EXIF_ORIENTATION, 1)
            pixels = _stored_values(picture)
    except BadStudy:
        raise
    except PIL.UnidentifiedImageError:  # its text quotes the path, in which a patient may be named
        raise BadStudy("the picture cannot be decoded: it is cut off or damaged", "save or export it again") from None
    except Exception as error:  # what Pillow raises on damaged bytes is not bounded
        raise BadStudy(f"the picture cannot be decoded: {str(error)[:200]}", "save or export it again") from None
    if turned not in (0, 1):
        raise BadGeometry(
            f"EXIF orientation is {turned}: the picture is shown turned or mirrored from how it is stored (1)",
            "save it upright, without EXIF orientation",
        )
    return Image(pixels=pixels, modality="OT", spacing_mm=spacing_mm, spacing_kind="given")


def _stored_values(picture: PIL.Image.Image) -> NDArray[np.uint8] | NDArray[np.uint16]:
    if picture.mode == "L":
        return np.array(picture)
    if picture.mode.startswith("I;16"):
        return np.array(picture).astype(np.uint16)
    if picture.mode in ("RGB", "P"):
        return grey_of(np.asarray(picture.convert("RGB")))
    if picture.mode in ("LA", "RGBA"):
        if picture.getextrema()[-1] != (255, 255):
            raise BadStudy(f"the picture is partly transparent (mode {picture.mode})", "save it without transparency")
        return grey_of(np.asarray(picture.convert("RGB")))
    raise BadStudy(f"picture mode {picture.mode} is not taken", "save the radiograph as 8 or 16 bit grey PNG")
