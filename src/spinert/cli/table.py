"""A result as text for a person: ASCII only, so it prints everywhere."""

from collections.abc import Sequence
from pathlib import Path

from spinert.findings import AasceAngles, CobbAngle, Result, VertebraCentre

HEADINGS = ("curve", "degrees", "upper", "apex", "lower", "side", "not to be relied on")
WORDS = tuple(heading for heading in HEADINGS if heading != "degrees")


def table(study: str, result: Result, written: Sequence[Path]) -> str:
    """Name, angles or named vertebrae, warnings, where the files lie, disclaimer."""
    lines = [study]
    curves = [finding for finding in result.findings if isinstance(finding, CobbAngle)]
    centres = [finding for finding in result.findings if isinstance(finding, VertebraCentre)]
    if curves or not centres:
        rows = aligned([HEADINGS, *map(_row, curves)], words=WORDS) if curves else ["no curve found"]
        lines += [f"  {line}" for line in rows]
    if centres:
        lines += [f"  {line}" for line in _centres(centres)]
    for finding in result.findings:
        if isinstance(finding, AasceAngles):
            flags = f"  (not to be relied on: {', '.join(finding.flags)})" if finding.flags else ""
            lines.append("  AASCE challenge's angles: " + ", ".join(f"{d:.1f}" for d in finding.degrees) + flags)
    lines += [f"  warning: {warning}" for warning in result.warnings]
    lines += [f"  written: {path}" for path in written]
    return "\n".join([*lines, f"  {result.disclaimer}"])


def _row(curve: CobbAngle) -> tuple[str, ...]:
    name = curve.name.replace("_", " ")
    side = curve.side or "not stated"
    return name, f"{curve.degrees:.1f}", curve.upper, curve.apex, curve.lower, side, ", ".join(curve.flags)


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
