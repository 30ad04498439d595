"""What the reader of a result must know of its findings, one sentence each."""

from collections.abc import Sequence

from spinert.findings import AasceAngles, Finding, Midline, Vertebra, VertebraCentre
from spinert.runtime.landmark_findings import LEVEL_UNKNOWN


def not_seen(findings: Sequence[Finding], class_names: Sequence[str]) -> list[str]:
    """Which levels a labelling network knows but did not see, the film ending before them."""
    seen = {finding.level for finding in findings if isinstance(finding, VertebraCentre)}
    missing = [level for level in class_names if level not in seen]
    return [f"levels that the film does not show clearly: {', '.join(missing)}"] if seen and missing else []


def flagged(findings: Sequence[Finding]) -> list[str]:
    """One sentence for levels that are not told, one that names everything that is flagged for itself, and why.

    Flags of angles repeat those of their vertebrae; they are told where there are no vertebrae.
    """
    vertebrae = [finding for finding in findings if isinstance(finding, Vertebra | VertebraCentre)]
    unnamed = sum(v.level is None for v in vertebrae)
    warnings = []
    if unnamed:
        warnings.append(
            f"{unnamed} vertebrae were found, not those that the bundle names: their levels are not told, and no curve "
            "is measured between them"
        )
    told = [
        f"{v.level or f'vertebra {number} from the top'} ({', '.join(reasons)})"
        for number, v in enumerate(vertebrae, 1)
        if (reasons := [flag for flag in v.flags if flag != LEVEL_UNKNOWN])
    ]
    if not vertebrae:
        names = {Midline: "midline", AasceAngles: "AASCE challenge's angles"}
        told = [
            f"{name} ({', '.join(finding.flags)})"
            for finding in findings
            if (name := names.get(type(finding))) is not None and finding.flags
        ]
    if told:
        warnings.append(f"not to be relied on without a look at the picture: {'; '.join(told)}")
    return warnings
