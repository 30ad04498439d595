"""The panel beside the film: the angles or the named vertebrae, how to read the marks, what made the result."""

import PIL.Image
import PIL.ImageDraw

from spinert.findings import AasceAngles, CobbAngle, Midline, Result, Vertebra
from spinert.image import Image
from spinert.runtime.report.centres import centres_of
from spinert.runtime.report.pen import ALARM, BACKGROUND, MUTED, PLAIN, Colour, font
from spinert.runtime.report.spine import curves_of
from spinert.runtime.report.value import angle_text, interval_text

WIDTH = 440
LEFT, RIGHT = 30, 410
FOOT = 150
"""Height kept for provenance and the disclaimer."""

REGION_NAMES = {
    "proximal_thoracic": "Proximal thoracic",
    "main_thoracic": "Main thoracic",
    "thoracolumbar_lumbar": "Thoracolumbar / lumbar",
}


def legend(image: Image, result: Result, height: int) -> PIL.Image.Image:
    """The panel as RGB, `WIDTH` pixels wide. Notes that do not fit are left to the result document."""
    panel = PIL.Image.new("RGB", (WIDTH, height), BACKGROUND)
    writer = _Writer(PIL.ImageDraw.Draw(panel), bottom=height - FOOT)
    if centres_of(result):
        _centres(writer, result)
    else:
        _curves(writer, result)
        writer.rule()
        _key(writer, result)
    writer.rule()
    for note in _notes(image, result):
        writer.paragraph(note, 16, MUTED)
    for warning in result.warnings:
        writer.paragraph(warning, 16, ALARM)
    _foot(writer, result, height)
    return panel


class _Writer:
    """Writes from top to bottom and stops at `bottom`."""

    def __init__(self, draw: PIL.ImageDraw.ImageDraw, bottom: int) -> None:
        self.draw = draw
        self.y = 34
        self.bottom = bottom

    def text(self, text: str, size: float, colour: Colour, left: int = LEFT) -> None:
        if self.y + size <= self.bottom:
            self.draw.text((left, self.y), text, colour, font(size))
        self.y += round(size * 1.4)

    def paragraph(self, text: str, size: float, colour: Colour, left: int = LEFT) -> None:
        for line in wrapped(text, size, RIGHT - left):
            self.text(line, size, colour, left)
        self.space(8)

    def space(self, height: int) -> None:
        self.y += height

    def rule(self) -> None:
        if self.y + 14 <= self.bottom:
            self.draw.line((LEFT, self.y + 10, RIGHT, self.y + 10), (52, 58, 66), 1)
        self.space(28)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Lines no wider than `width` pixels, broken at spaces; a word that is too long keeps its own line."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font(size).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _curves(writer: _Writer, result: Result) -> None:
    writer.text("Cobb angles", 30, PLAIN)
    writer.space(18)
    curves = curves_of(result)
    for curve, colour in curves:
        _curve(writer, curve, colour)
    vertebrae = any(isinstance(finding, Vertebra) for finding in result.findings)
    stated = [finding for finding in result.findings if isinstance(finding, AasceAngles)]
    if not curves and (vertebrae or not stated):
        writer.text("No curve found", 20, MUTED)
    if not curves and not vertebrae:
        for angles in stated:
            _challenge(writer, angles)


def _centres(writer: _Writer, result: Result) -> None:
    """Which levels were named, how sure the least sure of them is, and which failed a check."""
    centres = centres_of(result)
    first, last = centres[0].level, centres[-1].level
    writer.text("Vertebrae", 30, PLAIN)
    writer.space(18)
    writer.text(first if first == last else f"{first} - {last}", 20, PLAIN)
    least = min(centres, key=lambda centre: centre.confidence)
    writer.text(f"{len(centres)} centres · least sure {least.level}, {least.confidence:.2f}", 17, MUTED)
    writer.space(8)
    writer.text("dot: middle of the vertebral body", 16, MUTED)
    if any(centre.flags for centre in centres):
        writer.text("this colour and ?: failed a check", 16, ALARM)


def _curve(writer: _Writer, curve: CobbAngle, colour: Colour) -> None:
    top = writer.y
    if top + 60 <= writer.bottom:
        writer.draw.text((RIGHT, top + 12), f"{curve.degrees:.1f}°", colour, font(34), anchor="rm")
    writer.text(REGION_NAMES[curve.name], 20, PLAIN, LEFT + 18)
    side = f" · convex {curve.side}" if curve.side else ""
    writer.text(f"{curve.upper} - {curve.lower} · apex {curve.apex}{side}", 17, MUTED, LEFT + 18)
    if curve.degrees_95:
        writer.text(f"95 %: {interval_text(curve.degrees_95)}", 17, MUTED, LEFT + 18)
    if curve.flags:
        writer.paragraph(f"not to be relied on: {', '.join(curve.flags).replace('_', ' ')}", 16, ALARM, LEFT + 18)
    if writer.y <= writer.bottom:
        writer.draw.rounded_rectangle((LEFT, top, LEFT + 6, writer.y - 4), 3, colour)
    writer.space(18)


def _challenge(writer: _Writer, angles: AasceAngles) -> None:
    """The angles of a pipeline that finds no vertebrae, which are measured between no two places of the film."""
    writer.text("The AASCE challenge's three angles", 20, PLAIN)
    for degrees, interval in zip(angles.degrees, angles.degrees_95 or (None, None, None), strict=True):
        writer.text(angle_text(degrees, interval, "°"), 28, ALARM if angles.flags else PLAIN, LEFT + 18)
    if angles.degrees_95:
        writer.text("in brackets: where it lies with 95 % probability", 16, MUTED, LEFT + 18)
    if angles.flags:
        writer.paragraph(f"not to be relied on: {', '.join(angles.flags).replace('_', ' ')}", 16, ALARM, LEFT + 18)
    writer.space(18)


def _key(writer: _Writer, result: Result) -> None:
    """One row for each kind of mark that is on the film."""
    rows: list[tuple[str, Colour]] = []
    vertebrae = [finding for finding in result.findings if isinstance(finding, Vertebra)]
    if any(not vertebra.flags for vertebra in vertebrae):
        rows.append(("vertebra with its four corners", PLAIN))
    if any(vertebra.flags for vertebra in vertebrae):
        rows.append(("vertebra that failed a check", ALARM))
    for label, colour in rows:
        y = writer.y + 10
        writer.draw.rectangle((LEFT, y - 7, LEFT + 20, y + 7), outline=colour)
        for x, corner_y in ((LEFT, y - 7), (LEFT + 20, y - 7), (LEFT, y + 7), (LEFT + 20, y + 7)):
            writer.draw.circle((x, corner_y), 3, colour)
        writer.text(label, 16, MUTED, LEFT + 36)
        writer.space(6)
    for midline in (finding for finding in result.findings if isinstance(finding, Midline)):
        colour, label = (ALARM, "middle of the spine, not to be relied on") if midline.flags else (PLAIN, "")
        if writer.y + 20 <= writer.bottom:
            writer.draw.line((LEFT, writer.y + 10, LEFT + 20, writer.y + 10), colour, 2)
        writer.text(label or "middle of the spine", 16, MUTED, LEFT + 36)
        writer.space(6)
    if curves_of(result):
        writer.text("filled: apex; lines: end-plates of the angle", 16, MUTED)
    if any(curve.flags for curve, _ in curves_of(result)):
        writer.text("dashed and ?: not to be relied on", 16, ALARM)


def _notes(image: Image, result: Result) -> list[str]:
    sides = "R and L: the patient's right and left."
    if image.is_lateral:
        sides = "A and P: front and back." if image.orientation else "The image does not say where the front is."
    elif image.right_of_image is None:
        sides = "The image does not say which side is the patient's right."
    if result.study.spacing_mm is None:
        return [sides]
    row, column = result.study.spacing_mm
    kind = result.study.spacing_kind.replace("_", " ")
    return [sides, f"Pixel spacing {row:g} x {column:g} mm (kind: {kind})."]


def _foot(writer: _Writer, result: Result, height: int) -> None:
    provenance = result.provenance
    made_by = f"spinert {provenance.spinert} · {provenance.backend} · {provenance.precision}"
    top = height - FOOT + 20
    writer.draw.text((LEFT, top), made_by, MUTED, font(15))
    bundle = f"bundle {provenance.bundle} · {provenance.bundle_sha256[:12]}"
    writer.draw.text((LEFT, top + 22), bundle, MUTED, font(15))
    writer.draw.rounded_rectangle((LEFT, top + 54, RIGHT, top + 100), 6, outline=ALARM, width=2)
    middle = ((LEFT + RIGHT) // 2, top + 77)
    writer.draw.text(middle, result.disclaimer.upper(), ALARM, font(14.5), anchor="mm")
