"""Vertebrae, curves and midline of a result as marks on the film."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.findings import LEVELS, CobbAngle, Midline, Result, Vertebra
from spinert.runtime.report.construction import Construction, construct
from spinert.runtime.report.film import Film
from spinert.runtime.report.pen import ALARM, CURVE_COLOURS, PLAIN, Colour, Pen, text_size

Points = NDArray[np.float64]

OUTLINE = [0, 1, 3, 2, 0]
"""TL, TR, BR, BL, TL: around a vertebra whose corners are TL, TR, BL, BR."""
VALUE_SIZE = 34.0
LABEL_SIZES = (11.0, 20.0)
"""Heights of lettering in pixels of the film: a curve's value, and the least and most for a vertebra's level."""
LABEL_DISTANCE = 10.0
"""Between a vertebra and its level, in pixels of the film."""


class DrawnCurve(NamedTuple):
    """A finding with its colour, its drawing and the place of its value, all in pixels of the film."""

    finding: CobbAngle
    colour: Colour
    drawing: Construction
    value: str
    value_at: Points


class Spine(NamedTuple):
    """What is drawn of a result. `corners` holds [4, 2] for each vertebra whose corners are finite."""

    vertebrae: tuple[Vertebra, ...]
    corners: tuple[Points, ...]
    curves: tuple[DrawnCurve, ...]
    label_size: float
    midlines: tuple[tuple[Midline, Points], ...] = ()
    """Each with its points on the film."""


def curves_of(result: Result) -> list[tuple[CobbAngle, Colour]]:
    """The curves from top to bottom, each with its colour."""
    curves = [finding for finding in result.findings if isinstance(finding, CobbAngle)]
    return [(curve, CURVE_COLOURS[n % len(CURVE_COLOURS)]) for n, curve in enumerate(curves)]


def spine(result: Result, film: Film) -> Spine:
    """Place the marks of a result on the film; what has no finite coordinates has no place."""
    vertebrae = [v for v in result.findings if isinstance(v, Vertebra) and np.isfinite(v.corners_px).all()]
    corners = [film.to_display(np.array(v.corners_px)) for v in vertebrae]
    heights = [float(np.linalg.norm(quad[2:] - quad[:2], axis=1).mean()) for quad in corners]
    label_size = float(np.clip(0.36 * np.median(heights), *LABEL_SIZES)) if heights else LABEL_SIZES[0]
    clearance = text_size("T12", label_size)[0] + 3 * LABEL_DISTANCE
    curves = []
    for curve, colour in curves_of(result):
        if not np.isfinite(curve.line_px).all():
            continue
        line = film.to_display(np.array(curve.line_px))
        within = [quad for v, quad in zip(vertebrae, corners, strict=True) if _is_within(v.level, curve)]
        drawing = construct(line, np.array([*within, line]), curve.degrees, clearance)
        value = f"{curve.degrees:.1f}°" + (" ?" if curve.flags else "")
        curves.append(DrawnCurve(curve, colour, drawing, value, _value_place(drawing, value)))
    midlines = tuple(
        (finding, film.to_display(np.array(finding.points_px)))
        for finding in result.findings
        if isinstance(finding, Midline) and len(finding.points_px) > 1 and np.isfinite(finding.points_px).all()
    )
    return Spine(tuple(vertebrae), tuple(corners), tuple(curves), label_size, midlines)


def extent(spine: Spine) -> tuple[Points, Points]:
    """Least and greatest (x, y) of all marks, in pixels of the film; (0, 0) twice where there are none."""
    points = [*spine.corners, *(path for _, path in spine.midlines)]
    for curve in spine.curves:
        half = np.array(text_size(curve.value, VALUE_SIZE)) / 2 + 6
        points += [curve.drawing.upper, curve.drawing.lower, np.stack([curve.value_at - half, curve.value_at + half])]
        points += [] if curve.drawing.arc is None else [curve.drawing.arc]
    together = np.concatenate(points) if points else np.zeros((1, 2))
    return together.min(axis=0), together.max(axis=0)


def draw(spine: Spine, pen: Pen) -> None:
    """Midline, outlines, end-plate lines and arcs, corners, levels, values; the later over the earlier."""
    for midline, path in spine.midlines:
        if midline.flags:
            pen.dashed(path, ALARM, 2.2)
        else:
            pen.line(path, PLAIN, 2.2)
    for vertebra, quad in zip(spine.vertebrae, spine.corners, strict=True):
        _draw_outline(vertebra, quad, spine.curves, pen)
    for curve in spine.curves:
        stroke = pen.dashed if curve.finding.flags else pen.line
        paths = [curve.drawing.upper, curve.drawing.lower]
        for path in paths if curve.drawing.arc is None else [*paths, curve.drawing.arc]:
            stroke(path, curve.colour, 3.0)
    for vertebra, quad in zip(spine.vertebrae, spine.corners, strict=True):
        colour = ALARM if vertebra.flags else PLAIN
        for corner in quad:
            pen.dot(corner, 3.6, (0, 0, 0))
            pen.dot(corner, 2.6, colour)
        _draw_level(vertebra, quad, spine, pen)
    for curve in spine.curves:
        pen.text(curve.value_at, curve.value, VALUE_SIZE, curve.colour)


def _draw_outline(vertebra: Vertebra, quad: Points, curves: Sequence[DrawnCurve], pen: Pen) -> None:
    outline = quad[OUTLINE]
    for curve in curves:
        if curve.finding.apex == vertebra.level:
            pen.area(outline, curve.colour, 0.28)
    if vertebra.flags:
        pen.dashed(outline, ALARM, 2.2)
    else:
        pen.line(outline, PLAIN, 1.2)


def _draw_level(vertebra: Vertebra, quad: Points, spine: Spine, pen: Pen) -> None:
    """The level beside its vertebra, if it is told, on the convex side, where the vertebrae fan out."""
    if vertebra.level is None:
        return
    sign, colour = -1.0, PLAIN
    for curve in reversed(spine.curves):
        if _is_within(vertebra.level, curve.finding):
            sign = 1.0 if curve.drawing.outward[0] > 0 else -1.0
        if vertebra.level in (curve.finding.upper, curve.finding.apex, curve.finding.lower):
            colour = curve.colour
    left, right = quad[[0, 2]].mean(axis=0), quad[[1, 3]].mean(axis=0)
    across = (right - left) / max(float(np.linalg.norm(right - left)), 1e-9)
    edge = right if sign > 0 else left
    half_width = text_size(vertebra.level, spine.label_size)[0] / 2
    at = edge + across * sign * (half_width + LABEL_DISTANCE)
    pen.text(at, vertebra.level, spine.label_size, ALARM if vertebra.flags else colour)


def _value_place(drawing: Construction, value: str) -> Points:
    half_width, half_height = np.array(text_size(value, VALUE_SIZE)) / 2
    reach = half_width * abs(drawing.outward[0]) + half_height * abs(drawing.outward[1])
    place: Points = drawing.label + drawing.outward * (reach + 14.0)
    return place


def _is_within(level: str | None, curve: CobbAngle) -> bool:
    if level is None:
        return False
    return LEVELS.index(curve.upper) <= LEVELS.index(level) <= LEVELS.index(curve.lower)
