"""Antialiased marks over a picture: colours, lettering and lines.

Points are (x, y) in pixels of the film; `origin` is where the film's top-left corner lies on the picture. Everything
is drawn `SUPERSAMPLING` times too large on a transparent layer and averaged down once at the end.
"""

from collections.abc import Iterator

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray

SUPERSAMPLING = 3

Colour = tuple[int, int, int]
Points = NDArray[np.float64]

# after Okabe and Ito, "Color Universal Design" (2008): told apart with every common colour vision
CURVE_COLOURS: tuple[Colour, ...] = ((86, 180, 233), (240, 228, 66), (219, 132, 180), (0, 190, 140), (230, 159, 0))
ALARM: Colour = (240, 100, 30)
"""Vermilion, kept for what a person must look at."""
PLAIN: Colour = (235, 238, 241)
MUTED: Colour = (156, 164, 174)
BACKGROUND: Colour = (16, 19, 23)
RIM = (0, 0, 0, 150)
TEXT_RIM = 2.2


def font(size: float) -> PIL.ImageFont.FreeTypeFont:
    """The font that comes with Pillow; it has the degree sign and the middle dot, but no dashes or arrows."""
    found = PIL.ImageFont.load_default(size)
    assert isinstance(found, PIL.ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return found


def text_size(text: str, size: float) -> tuple[float, float]:
    """Width and height of the ink of one line."""
    left, top, right, bottom = font(size).getbbox(text)
    return right - left, bottom - top


def dashes(path: Points, length: float = 9.0, gap: float = 6.0) -> Iterator[Points]:
    """Pieces of a path [n, 2], each `length` long and `gap` apart."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    for start in np.arange(0.0, travelled[-1], length + gap):
        end = min(start + length, travelled[-1])
        inside = travelled[(travelled > start) & (travelled < end)]
        at = np.concatenate([[start], inside, [end]])
        yield np.stack([np.interp(at, travelled, path[:, 0]), np.interp(at, travelled, path[:, 1])], axis=-1)


class Pen:
    """Marks over a picture of `size` = (width, height)."""

    def __init__(self, size: tuple[int, int], origin: tuple[float, float]) -> None:
        self._layer = PIL.Image.new("RGBA", (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING))
        self._draw = PIL.ImageDraw.Draw(self._layer)
        self._origin = np.asarray(origin)

    def line(self, path: Points, colour: Colour, width: float) -> None:
        """A stroke with a faint dark rim."""
        points = self._at(path)
        self._draw.line(points, RIM, round((width + 1.8) * SUPERSAMPLING), joint="curve")
        self._draw.line(points, (*colour, 255), round(width * SUPERSAMPLING), joint="curve")

    def dashed(self, path: Points, colour: Colour, width: float) -> None:
        for piece in dashes(path):
            self.line(piece, colour, width)

    def area(self, outline: Points, colour: Colour, opacity: float) -> None:
        self._draw.polygon(self._at(outline), (*colour, round(255 * opacity)))

    def dot(self, centre: Points, radius: float, colour: Colour) -> None:
        ((x, y),) = self._at(centre[None])
        self._draw.circle((x, y), radius * SUPERSAMPLING, (*colour, 255))

    def text(self, centre: Points, text: str, size: float, colour: Colour) -> None:
        """One line, centred, with a dark rim so that it reads on bone and on lung."""
        ((x, y),) = self._at(centre[None])
        self._draw.text(
            (x, y),
            text,
            (*colour, 255),
            font(size * SUPERSAMPLING),
            anchor="mm",
            stroke_width=round(TEXT_RIM * SUPERSAMPLING),
            stroke_fill=RIM,
        )

    def onto(self, picture: PIL.Image.Image) -> None:
        """Lay the marks over an RGB picture of the same size."""
        marks = self._layer.reduce(SUPERSAMPLING)
        picture.paste(marks, (0, 0), marks)

    def _at(self, points: Points) -> list[tuple[float, float]]:
        large = (points + self._origin + 0.5) * SUPERSAMPLING - 0.5
        return [(float(x), float(y)) for x, y in large]
