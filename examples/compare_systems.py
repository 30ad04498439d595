"""Train every published system that is not trained yet, and set all of them beside the default bundle in one table.

    python -m examples.compare_systems --data DIR --out runs    (repeat the command to resume)

DIR holds the films of the AASCE 2019 challenge, which are for research only. Each system of examples/systems is
trained narrower than in its paper, on all folds but one, exported, and evaluated on the films of that fold as
`spinert evaluate` does: on one thread, with fp32. R10, which names vertebrae, is trained by `examples.train_labels` on
the same films. `runs/table.md` is the table, `runs/evaluation` holds everything behind it. Training all takes some four
hours of one core.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from examples import train_labels
from examples.training import system
from spinert import export
from spinert.cli.progress import stages
from spinert.evaluate import Evaluated, datasets, evaluate, report
from spinert.export.description import Description

SYSTEMS = Path(__file__).parent / "systems"
DEFAULT = "cobb"
LABELS = "r10_coronal"
HEADING = (
    "system",
    "SMAPE, %",
    "mean absolute error of angle 1, 2, 3",
    "vertebrae identified, %",
    "films without a result",
    "ms, one core",
    "MB",
    "the paper, on other data",
)


def table(found: Sequence[Evaluated], results: Mapping[str, str]) -> str:
    """Markdown, a row for each bundle in this order; `results` says by name what the papers state."""
    rows = [HEADING, ("---",) * len(HEADING)]
    for each in found:
        scores = each.all_films
        angles = scores.angles
        centres = scores.centres
        rows.append(
            (
                each.bundle,
                "n/a" if angles is None else f"{angles.smape_percent:.2f}",
                "n/a" if angles is None else ", ".join(f"{degrees:.1f}" for degrees in angles.mae_degrees),
                "n/a" if centres is None else f"{centres.identification_percent:.0f}",
                f"{scores.failed} of {scores.films}",
                f"{scores.latency_ms['total']:.0f}" if "total" in scores.latency_ms else "n/a",
                f"{each.megabytes:.1f}",
                results.get(each.bundle, ""),
            )
        )
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def train(name: str, out: Path, data: Path, fold: int) -> None:
    """In a process of its own, which goes on where an earlier one was stopped."""
    what = ["train_labels", "coronal"] if name == LABELS else ["train_system", str(SYSTEMS / f"{name}.json")]
    shared = ["--data", str(data), "--out", str(out), "--fold", str(fold)]
    subprocess.run([sys.executable, "-m", f"examples.{what[0]}", *what[1:], *shared], check=True)


def exported(run: Path) -> Path:
    """The bundle of a trained system, made where it is missing."""
    described, bundle = run / "bundle.json", run / "bundle"
    if not bundle.exists():
        description = msgspec.json.decode(described.read_bytes(), type=Description)
        export.export_networks(description, run, bundle, model_card=(run / "card.md").read_text(encoding="utf-8"))
    return bundle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", help="names in examples/systems, by default all")
    parser.add_argument("--data", type=Path, required=True, help="folder of the AASCE films")
    parser.add_argument("--out", type=Path, required=True, help="folder of the trainings, a folder for each system")
    parser.add_argument("--fold", type=int, default=0, help="the fold that is held out and evaluated")
    arguments = parser.parse_args()

    results = {path.stem: system.read(path).result for path in sorted(SYSTEMS.glob("*.json"))}
    results[LABELS] = train_labels.RESULTS["coronal"]
    if unknown := sorted(set(arguments.systems) - set(results)):
        parser.error(f"no system {', '.join(unknown)}, only: {', '.join(results)}")
    chosen = arguments.systems or list(results)
    for name in chosen:
        if not (arguments.out / name / "bundle.json").exists():
            train(name, arguments.out / name, arguments.data, arguments.fold)
    bundles = [*(str(exported(arguments.out / name)) for name in chosen), DEFAULT]

    cases = datasets.read("aasce", arguments.data, arguments.fold)
    with stages() as progress:
        done = [evaluate(bundle, cases, precision="fp32", backend="ort", progress=progress) for bundle in bundles]
    report.write(done, arguments.out / "evaluation", dataset="aasce", fold=arguments.fold)
    text = table([each.scores for each in done], results)
    system.write(text, arguments.out / "table.md")
    print(text, end="")


if __name__ == "__main__":
    main()
