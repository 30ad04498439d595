"""A result as text for a person: ASCII only, so it prints everywhere."""

from collections.abc import Sequence
from pathlib import Path

from spinert.findings import AasceAngles, CobbAngle, Result

HEADINGS = ("curve", "degrees", "upper", "apex", "lower", "side", "not to be relied on")


def table(study: str, result: Result, written: Sequence[Path]) -> str:
    """Name, angles, warnings, where the files lie, disclaimer."""
    lines = [study]
    curves = [finding for finding in result.findings if isinstance(finding, CobbAngle)]
    lines += [f"  {line}" for line in _aligned([HEADINGS, *map(_row, curves)])] if curves else ["  no curve found"]
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


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their widest entry; one that is empty in every row below the headings is left out."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    padded = []
    for column in columns:
        width = max(map(len, column))
        numeric = column[0] == "degrees"
        padded.append([entry.rjust(width) if numeric else entry.ljust(width) for entry in column])
    return ["  ".join(line).rstrip() for line in zip(*padded, strict=True)]
