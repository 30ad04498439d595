"""A result as text for a person: ASCII only, so it prints everywhere."""

from collections.abc import Sequence
from pathlib import Path

from spinert.findings import AasceAngles, CobbAngle, Midline, Result, Vertebra, VertebraCentre
from spinert.runtime.report.value import angle_text

HEADINGS = ("curve", "degrees", "upper", "apex", "lower", "side", "not to be relied on")
WITH_INTERVAL = "degrees [95 %]"
WORDS = tuple(heading for heading in HEADINGS if heading != "degrees")


def table(study: str, result: Result, written: Sequence[Path]) -> str:
    """Name, angles or named vertebrae, warnings, where the files lie, disclaimer."""
    lines = [study]
    curves = [finding for finding in result.findings if isinstance(finding, CobbAngle)]
    centres = [finding for finding in result.findings if isinstance(finding, VertebraCentre)]
    if curves:
        known = any(curve.degrees_95 for curve in curves)
        headings = tuple(WITH_INTERVAL if known and each == "degrees" else each for each in HEADINGS)
        lines += [f"  {line}" for line in aligned([headings, *map(_row, curves)], words=WORDS)]
    elif _looked_for_curves(result):
        lines.append("  no curve found")
    if centres:
        lines += [f"  {line}" for line in _centres(centres)]
    for finding in result.findings:
        if isinstance(finding, Midline) and finding.flags:
            lines.append(f"  midline not to be relied on: {', '.join(finding.flags)}")
        if isinstance(finding, AasceAngles):
            flags = f"  (not to be relied on: {', '.join(finding.flags)})" if finding.flags else ""
            bracketed = " [95 %]" if finding.degrees_95 else ""
            lines.append(f"  AASCE challenge's angles{bracketed}: {_aasce(finding)}{flags}")
    lines += [f"  warning: {warning}" for warning in result.warnings]
    lines += [f"  written: {path}" for path in written]
    return "\n".join([*lines, f"  {result.disclaimer}"])


def _looked_for_curves(result: Result) -> bool:
    """Curves lie between vertebrae; a pipeline that finds none states other angles, names centres, or nothing."""
    return any(isinstance(finding, Vertebra) for finding in result.findings) or not any(
        isinstance(finding, AasceAngles | VertebraCentre) for finding in result.findings
    )


def _aasce(angles: AasceAngles) -> str:
    intervals = angles.degrees_95 or (None, None, None)
    return ", ".join(map(angle_text, angles.degrees, intervals))


def _row(curve: CobbAngle) -> tuple[str, ...]:
    name = curve.name.replace("_", " ")
    side = curve.side or "not stated"
    degrees = angle_text(curve.degrees, curve.degrees_95)
    return name, degrees, curve.upper, curve.apex, curve.lower, side, ", ".join(curve.flags)


def _centres(centres: Sequence[VertebraCentre]) -> list[str]:
    """Level, place and confidence of each, in millimetres where the image has a spacing."""
    unit = "px" if any(centre.centre_mm is None for centre in centres) else "mm"
    headings = ("level", f"x {unit}", f"y {unit}", "confidence", "not to be relied on")
    rows = []
    for centre in centres:
        x, y = centre.centre_px if centre.centre_mm is None or unit == "px" else centre.centre_mm
        rows.append((centre.level, f"{x:.1f}", f"{y:.1f}", f"{centre.confidence:.2f}", ", ".join(centre.flags)))
    return aligned([headings, *rows], words=("level", "not to be relied on"))


def aligned(rows: Sequence[tuple[str, ...]], *, words: Sequence[str]) -> list[str]:
    """Columns as wide as their widest entry, headings first; one that is empty in every row below is left out.

    words   headings of the columns that start at the left; numbers end at the right
    """
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    padded = []
    for column in columns:
        width = max(map(len, column))
        padded.append([entry.ljust(width) if column[0] in words else entry.rjust(width) for entry in column])
    return ["  ".join(line).rstrip() for line in zip(*padded, strict=True)]
