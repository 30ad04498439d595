"""The decoded film that whole-path benchmarks run on: synthetic, 2400 x 1000, uint16 with 12 bits, a double curve."""

import numpy as np

from spinert.image import Image
from tests import phantoms

ROWS, COLUMNS = 2400, 1000
SPACING_MM = (0.15, 0.15)


def film() -> Image:
    """The same pixels on every call."""
    tilts = 22.0 * np.sin(np.linspace(0.0, 2.5 * np.pi, phantoms.VERTEBRAE))
    corners = phantoms.spine_corners(tilts, (420.0, 130.0), 2050.0)
    phantom = phantoms.draw(corners, (ROWS, COLUMNS), np.random.default_rng(0))
    return Image(phantom.pixels, "DX", spacing_mm=SPACING_MM, spacing_kind="detector_plane", orientation=("L", "F"))
