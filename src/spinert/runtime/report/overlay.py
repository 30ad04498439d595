"""The picture of a result: the radiograph with what was measured drawn on it, and a legend beside it.

No text of the picture comes from the patient's record.
"""

import io

import numpy as np
import PIL.Image
import PIL.PngImagePlugin

from spinert.findings import Result
from spinert.image import Image
from spinert.runtime.report.centres import centres_extent, draw_centres, place_centres
from spinert.runtime.report.film import film
from spinert.runtime.report.legend import WIDTH as LEGEND_WIDTH
from spinert.runtime.report.legend import legend
from spinert.runtime.report.pen import BACKGROUND, PLAIN, Pen
from spinert.runtime.report.spine import draw, extent, spine

MARGIN = 16
WIDEST_MARGIN = 420
"""Marks beyond it are cut off: only landmarks far outside any spine reach there."""
LEAST_HEIGHT = 900
MARKER_SIZE = 40.0
OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A"}
"""Of the directions that rows run to, in the letters of DICOM."""


def overlay(image: Image, result: Result) -> PIL.Image.Image:
    """The picture as RGB; the film is about 1400 pixels high, with square pixels and bone bright.

    Where marks need more room than the film has, it is given a dark margin.
    """
    shown = film(image)
    width, height = shown.picture.size
    marks = spine(result, shown)
    centres = place_centres(result, shown)
    least, greatest = centres_extent(centres) if centres.vertebrae else extent(marks)
    left = int(np.clip(MARGIN - least[0], 0, WIDEST_MARGIN))
    right = int(np.clip(greatest[0] + MARGIN - width, 0, WIDEST_MARGIN))
    size = left + width + right, max(height, LEAST_HEIGHT)
    picture = PIL.Image.new("RGB", (size[0] + LEGEND_WIDTH, size[1]), BACKGROUND)
    picture.paste(shown.picture, (left, 0))
    pen = Pen(size, (left, 0.0))
    draw(marks, pen)
    draw_centres(centres, pen)
    if image.orientation is not None:
        towards = image.orientation[0]
        letters = OPPOSITE[towards], towards
        for letter, x in zip(letters, (30.0, width - 31.0), strict=True):
            pen.text(np.array([x, 36.0]), letter, MARKER_SIZE, PLAIN)
    pen.onto(picture)
    picture.paste(legend(image, result, size[1]), (size[0], 0))
    return picture


def png(image: Image, result: Result) -> bytes:
    """The picture as a PNG file; its text chunks say what made it."""
    provenance = result.provenance
    chunks = PIL.PngImagePlugin.PngInfo()
    chunks.add_text("Software", f"spinert {provenance.spinert}")
    chunks.add_text("Source", f"bundle {provenance.bundle} sha256:{provenance.bundle_sha256}")
    chunks.add_text("Disclaimer", result.disclaimer)
    file = io.BytesIO()
    overlay(image, result).save(file, "PNG", pnginfo=chunks, compress_level=2)
    return file.getvalue()
