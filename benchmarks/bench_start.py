"""From process start to JSON on the example film, and where the time goes.

    python -m benchmarks.bench_start [FILE] [--bundle cobb] [--rounds 9] [--smoke]

Each round starts fresh processes in turn: an interpreter that prints a line; `spinert infer FILE --json`; the same
under `python -X importtime`, which names every import of the run, late ones too; and one that opens the bundle with a
clock around it and then examines the film twice. Milliseconds, medians over the rounds; file caches are warm. The whole
ends when the JSON line arrives; the process then takes some more time to exit. A late import counts among the imports
and in the stage that needs it, so the remainder is a little too small.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.host import SPINERT, host_line

LEAST_SHARE = 0.01
"""Packages below this share of the whole are summed up as others."""

CLOCKED = """
import json, sys, time
from pathlib import Path
from spinert.runtime import files, infer, pipelines
from spinert.runtime.backends import ort
ort.library()
pipelines.load("clustered_landmarks")
started = time.perf_counter()
model = infer.load(sys.argv[2])
session = time.perf_counter() - started
films = []
for _ in range(2):
    started = time.perf_counter()
    (study,) = files.find_studies([Path(sys.argv[1])])
    model.infer_files(study).result.to_json()
    films.append(time.perf_counter() - started)
print(json.dumps({"session": 1e3 * session, "again": 1e3 * films[1]}))
"""
"""Everything is imported before the clock starts: imports have a row of their own."""
WHOLE, EXIT = "process start to JSON", "JSON to exit"


class Run(NamedTuple):
    """One process: milliseconds to its first line and from there to its end, that line, and its standard error."""

    to_line_ms: float
    to_exit_ms: float
    line: str
    errors: str


def run(command: Sequence[str]) -> Run:
    """Start a process and wait for its first line and for its end."""
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            printed = time.perf_counter()
        ended = time.perf_counter()
        errors.seek(0)
        told = errors.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with exit code {process.returncode}:\n{told[-2000:]}")
    return Run(1e3 * (printed - started), 1e3 * (ended - printed), line, told)


def import_ms(importtime: str) -> dict[str, float]:
    """Milliseconds by top-level package from `python -X importtime`, without what a bare interpreter imports too.

    A line reads `import time: self [us] | cumulative | name`; the interpreter's own imports end with `site`.
    """
    spent: Counter[str] = Counter()
    for line in importtime.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) != 3 or not fields[0].strip().isdigit():
            continue
        name = fields[2].strip()
        package = name.partition(".")[0]
        spent["standard library" if package in sys.stdlib_module_names else package] += int(fields[0])
        if name == "site":
            spent.clear()
    return {package: microseconds / 1e3 for package, microseconds in spent.items()}


def one_round(file: str, bundle: str) -> tuple[dict[str, float], ...]:
    """Milliseconds of the steps, of the film's stages as the result tells them, and of the imports by package."""
    arguments = ["infer", file, "--bundle", bundle, "--json"]
    bare = run([sys.executable, "-c", "print(flush=True)"])
    whole = run([*SPINERT, *arguments])
    imports = import_ms(run([SPINERT[0], "-X", "importtime", *SPINERT[1:], *arguments]).errors)
    clocked = json.loads(run([sys.executable, "-c", CLOCKED, file, bundle]).line)
    steps = {WHOLE: whole.to_line_ms, EXIT: whole.to_exit_ms, "bare": bare.to_line_ms, "imports": sum(imports.values())}
    return {**steps, **clocked}, json.loads(whole.line)["timings_ms"], imports


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Median of each name over the rounds."""
    return {name: statistics.median(each.get(name, 0.0) for each in rounds) for name in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="examples/study.dcm", help="a DICOM file of one study")
    parser.add_argument("--bundle", default="cobb", help="name or folder of the bundle")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--smoke", action="store_true", help="one round")
    arguments = parser.parse_args()

    rounds = [one_round(arguments.file, arguments.bundle) for _ in range(1 if arguments.smoke else arguments.rounds)]
    steps, stages, packages = (medians([each[part] for each in rounds]) for part in range(3))
    whole, imports, session = steps[WHOLE], steps["imports"], steps["session"]
    large = {name: ms for name, ms in packages.items() if ms >= LEAST_SHARE * whole}
    rows = [(WHOLE, whole), ("bare interpreter", steps["bare"]), ("imports", imports)]
    rows += [(f"  {name}", ms) for name, ms in sorted(large.items(), key=lambda item: -item[1])]
    rows += [("  others", imports - sum(large.values())), ("bundle and session", session)]
    rows += [(f"film: {stage}", ms) for stage, ms in stages.items()]
    rows.append(("remainder", whole - steps["bare"] - imports - session - sum(stages.values())))

    print(host_line("pydicom", "typer"))
    print(f"{'step':26}{'ms':>9}{'share':>8}")
    for name, ms in rows:
        print(f"{name:26}{ms:9.1f}{100 * ms / whole:7.0f}%")
    print(f"{EXIT} {steps[EXIT]:.1f} ms; the same film again in the same process {steps['again']:.1f} ms")
    least, most = (edge(each[0][WHOLE] for each in rounds) for edge in (min, max))
    print(f"{WHOLE} {least:.0f} to {most:.0f} ms in {len(rounds)} rounds")


if __name__ == "__main__":
    main()
