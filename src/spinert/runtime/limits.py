"""Bounds on what is taken in: sides and pixels of an image, bytes of a file, spacing.

They stop hostile and damaged input before memory is spent on it. The largest full-spine films are about
9000 x 4300 pixels; 0.1 mm is the finest spacing in use for them.
"""

import math

from spinert.errors import BadGeometry, BadStudy

MIN_SIDE_PX = 64
MAX_PIXELS = 80_000_000
MAX_FILE_BYTES = 512 * 2**20

SPACING_MM = (0.01, 10.0)
"""Of a film of the spine: outside lie lengths in metres or micrometres, and dots per inch."""
MOST_ASPECT = 3.0
"""Of the longer to the shorter side of a pixel; film scanners went to 2. `1,5` may be meant as one and a half."""

SAME_WITHIN = 0.01
"""Relative difference up to which two statements of one length or ratio agree: headers round."""


def check_size(rows: int, columns: int) -> None:
    """Raises BadStudy for an image too small to show a spine or too large to be a radiograph."""
    if min(rows, columns) < MIN_SIDE_PX:
        raise BadStudy(
            f"image has {rows} rows x {columns} columns, a radiograph has at least {MIN_SIDE_PX} of each",
            "give the full image, not a thumbnail or an empty one",
        )
    if rows * columns > MAX_PIXELS:
        raise BadStudy(
            f"image has {rows} rows x {columns} columns = {rows * columns} pixels, the bound is {MAX_PIXELS}",
            "export the radiograph at a lower resolution",
        )


def check_bytes(size: int) -> None:
    """Raises BadStudy for a file, or the inflated content of one, above `MAX_FILE_BYTES`."""
    if size > MAX_FILE_BYTES:
        raise BadStudy(f"file has {size} bytes, the bound is {MAX_FILE_BYTES}", "give a single radiograph in one file")


def check_spacing(spacing_mm: tuple[float, float]) -> None:
    """`spacing_mm` is (between rows, between columns). Raises BadGeometry unless both can be those of a radiograph."""
    if not all(math.isfinite(value) and value > 0 for value in spacing_mm):
        raise BadGeometry(
            f"given spacing is {spacing_mm[0]} x {spacing_mm[1]} mm, both must be finite and above 0",
            "give the distance between rows and between columns in mm, such as --spacing-mm 0.15,0.15",
        )
    if why := implausible(spacing_mm):
        raise BadGeometry(
            f"given spacing is {spacing_mm[0]:g} x {spacing_mm[1]:g} mm: {why}",
            "give it as ROW,COLUMN in mm with decimal points, such as --spacing-mm 0.15,0.15",
        )


def implausible(spacing_mm: tuple[float, float]) -> str | None:
    """Why two positive lengths are no pixel spacing of a radiograph, None where they may be."""
    least, most = sorted(spacing_mm)
    if least < SPACING_MM[0] or most > SPACING_MM[1]:
        return f"a radiograph has {SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm"
    return f"no pixel is more than {MOST_ASPECT:g} times as long as wide" if most > MOST_ASPECT * least else None


def agree(one: float, other: float) -> bool:
    """Whether two positive values are the same within `SAME_WITHIN`."""
    return abs(one - other) <= SAME_WITHIN * max(one, other)
