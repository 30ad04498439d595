"""The CUDA kernels and TensorRT engines on a real device, in one command, with bandwidth and compute-sanitizer.

    python -m benchmarks.gpu [--stages NAME,...] [--select EXPRESSION] [--installed] [--out FILE] [--dry-run]

Needs a checkout, g++, CMake, nvcc, and a Python with NumPy, nanobind, pytest and hypothesis; nothing is downloaded. The
native modules are built into a temporary folder, or taken as installed. Each stage is a process of its own and outlives
the failure of another. Prints a table and writes benchmarks/results/DEVICE_DATE.json: device, driver, CUDA, commit, and
what each stage said. --dry-run does all but the launches where there is no GPU: parity runs on the emulated device, and
nothing is written unless --out says where. Exit code 1 where a stage failed.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CHECKERS = ("memcheck", "racecheck", "initcheck", "synccheck")
# under the sanitizers, which are slow: what launches kernels
CHECKED = (
    "heatmaps or argmax or peak or kernels_write or batch_agrees or curves_are_smoothed or slopes_of_several"
    " or midlines_agree or midpoints_agree or number_of_centres or many_vertebrae"
    " or groups_know or border_point or kmeans_is or outliers_agree or overlapping_tiles or first_of_equal_classes"
    " or midlines_agree or midpoints_agree or number_of_centres or many_vertebrae or bits_of_the_cpu or is_rot90"
)
CHECKED = "angles or boxes or heatmaps or argmax or peak or kernels_write"
CHECKED = "heatmaps or argmax or peak or kernels_write or intensity or contrast"

Report = dict[str, Any]


class Setting(NamedTuple):
    """What all stages share."""

    folder: Path  # temporary
    dry_run: bool
    installed: bool
    select: str
    seconds: int  # for one stage

    @property
    def environment(self) -> dict[str, str]:
        """The built package before everything else on the path; of a dry run, the installed one."""
        path = [str(self.folder / "site")] * (not self.installed) + [str(ROOT), os.environ.get("PYTHONPATH", "")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


class StageFailed(Exception):
    """A command of a stage did not end well; the text is the end of what it said."""


class NotHere(Exception):
    """A stage that this machine cannot do, with the reason."""


def run(command: list[str], setting: Setting, *, fails: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, env=setting.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=setting.seconds
    )
    if fails and done.returncode != 0:
        raise StageFailed(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    return done


def stage_machine(setting: Setting) -> Report:
    """Driver, CUDA, commit."""
    report: Report = {"python": sys.version.split()[0]}
    for key, command in {
        "driver": ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
        "cuda": ["nvcc", "--version"],
        "commit": ["git", "-C", str(ROOT), "rev-parse", "HEAD"],
        "changed": ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"],
    }.items():
        try:
            report[key] = run(command, setting).stdout.strip().splitlines()
        except (OSError, StageFailed) as error:
            report[key] = f"not known: {type(error).__name__}"
    return report


def stage_build(setting: Setting) -> Report:
    """The native modules for this machine's device."""
    if setting.dry_run:
        program = "from tests import cuda_emulator; print(cuda_emulator.build())"
        return {"module": Path(run([sys.executable, "-c", program], setting).stdout.strip()).name}
    if setting.installed:
        return {"module": "as installed"}
    build, site = setting.folder / "build", setting.folder / "site"
    options = [f"-DPython_EXECUTABLE={sys.executable}", "-DSPINERT_CUDA_ARCHITECTURES=native"]
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    run(["cmake", "-S", str(ROOT), "-B", str(build), *generator, *options], setting)
    run(["cmake", "--build", str(build), "--parallel", str(os.cpu_count() or 1)], setting)
    modules = [*build.glob("_cpu*.so"), *build.glob("_cuda*.so")]
    if len(modules) != 2:
        raise StageFailed(f"built {[module.name for module in modules]}, expected _cpu and _cuda: is nvcc there?")
    shutil.copytree(ROOT / "src" / "spinert", site / "spinert", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for module in modules:
        shutil.copy(module, site / "spinert" / "kernels")
    return {"modules": [module.name for module in modules]}


def pytest_command(setting: Setting, xml: Path, *options: str) -> list[str]:
    column = "emulated" if setting.dry_run else "cuda and not emulated and not emulator and not absent"
    chosen = " and ".join(f"({part})" for part in (column, setting.select) if part)
    fixed = ["-q", "-p", "no:cacheprovider", f"--junitxml={xml}", "-k", chosen]
    return [sys.executable, "-m", "pytest", "tests/kernels", *fixed, *options]


def counts(xml: Path) -> Report:
    suite = ElementTree.parse(xml).getroot().find("testsuite")
    assert suite is not None
    numbers = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
    failed = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    reasons = sorted({skip.get("message", "") for skip in suite.iter("skipped")})
    return {**numbers, "passed": numbers["tests"] - sum(list(numbers.values())[1:]), "failed": failed, "skips": reasons}


def stage_parity(setting: Setting) -> Report:
    """The tests of the kernels' column `cuda`."""
    xml = setting.folder / "parity.xml"
    done = run(pytest_command(setting, xml), setting, fails=False)
    if not xml.exists():
        raise StageFailed((done.stdout + done.stderr)[-3000:])
    report = counts(xml)
    if done.returncode != 0 or report["passed"] == 0:
        raise StageFailed(f"{report}\n{done.stdout[-3000:]}")
    return report


def stage_interop(setting: Setting) -> Report:
    """Arrays and streams of PyCUDA, CuPy, torch and Numba."""
    if setting.dry_run:
        raise NotHere("a dry run has no device")
    xml = setting.folder / "interop.xml"
    command = [sys.executable, "-m", "pytest", "tests/kernels/test_interop.py", "-q", f"--junitxml={xml}"]
    done = run(command, setting, fails=False)
    report = counts(xml)
    if done.returncode != 0:
        raise StageFailed(f"{report}\n{done.stdout[-3000:]}")
    if report["passed"] == 0:
        raise NotHere("; ".join(report["skips"]))
    return report


def stage_bandwidth(setting: Setting) -> Report:
    """Copy bandwidth, and each kernel's share of it."""
    out = setting.folder / "measured.json"
    command = [sys.executable, "-m", "benchmarks.gpu_measure", str(out)]
    run([*command, *(["--dry-run"] if setting.dry_run else [])], setting)
    report: Report = json.loads(out.read_text(encoding="utf-8"))
    if broken := [f"{kernel['kernel']}: {kernel['failed']}" for kernel in report["kernels"] if "failed" in kernel]:
        return {**report, "state": "failed", "reason": "; ".join(broken)}
    return report


def stage_engines(setting: Setting) -> Report:
    """The default bundle's TensorRT engines: built, compared with onnxruntime, timed. Each precision by itself."""
    rows: dict[str, Report] = {}
    for precision in ("fp32", "fp16", "int8-trt"):
        out = setting.folder / f"engine-{precision}.json"
        command = [sys.executable, "-m", "benchmarks.gpu_engines", str(out), "--precision", precision]
        try:
            run([*command, *(["--dry-run"] if setting.dry_run else [])], setting)
            rows[precision] = json.loads(out.read_text(encoding="utf-8"))
        except (StageFailed, subprocess.TimeoutExpired) as error:
            rows[precision] = {"state": "failed", "reason": str(error)}
    reasons = {name: f"{name}: {row['reason']}" for name, row in rows.items() if row["state"] != "done"}
    if all(row["state"] == "not here" for row in rows.values()):
        raise NotHere("; ".join(reasons.values()))
    if any(row["state"] == "failed" for row in rows.values()):
        return {"precisions": rows, "state": "failed", "reason": "; ".join(reasons.values())}
    return {"precisions": rows}


def stage_checker(checker: str) -> Callable[[Setting], Report]:
    def stage(setting: Setting) -> Report:
        if setting.dry_run:
            raise NotHere("a dry run has no device")
        if shutil.which("compute-sanitizer") is None:
            raise NotHere("compute-sanitizer is not on the PATH")
        xml = setting.folder / f"{checker}.xml"
        # without the tests of many drawn examples: under a sanitizer everything is slow
        tests = pytest_command(setting, xml, "-m", "not hypothesis")
        tool = ["compute-sanitizer", "--tool", checker, "--error-exitcode", "99", "--target-processes", "all"]
        done = run([*tool, *tests], setting, fails=False)
        said = [line for line in done.stdout.splitlines() if "ERROR SUMMARY" in line or "RACECHECK SUMMARY" in line]
        if done.returncode != 0 or not said or counts(xml)["passed"] == 0:
            raise StageFailed(f"{said}: {(done.stdout + done.stderr)[-3000:]}")
        return {**counts(xml), "said": said}

    stage.__doc__ = f"compute-sanitizer's {checker} over the tests that launch kernels."
    return stage


STAGES: dict[str, Callable[[Setting], Report]] = {
    "machine": stage_machine,
    "build": stage_build,
    "parity": stage_parity,
    "interop": stage_interop,
    "bandwidth": stage_bandwidth,
    "engines": stage_engines,
    **{checker: stage_checker(checker) for checker in CHECKERS},
}


def outcome(stage: Callable[[Setting], Report], setting: Setting) -> Report:
    begin = datetime.datetime.now(datetime.UTC)
    try:
        report = {"state": "done", **stage(setting)}
    except NotHere as reason:
        report = {"state": "not here", "reason": str(reason)}
    except Exception as error:  # whatever it is, the other stages go on
        report = {"state": "failed", "reason": f"{type(error).__name__}: {error}"}
    return {**report, "seconds": round((datetime.datetime.now(datetime.UTC) - begin).total_seconds(), 1)}


def print_table(report: Report) -> None:
    for name, of in report["stages"].items():
        said = of.get("reason") or ", ".join(f"{key} {of[key]}" for key in ("passed", "skipped", "said") if key in of)
        print(f"{name:10} {of['state']:9} {of['seconds']:7.1f} s  {said.strip()[:1000]}")
    measured = report["stages"].get("bandwidth", {})
    if "copy_gb_per_s" in measured:
        print(f"\n{measured['device']['name']}: copy {measured['copy_gb_per_s']:.0f} GB/s (read + written)")
        for kernel in (kernel for kernel in measured["kernels"] if "ms" in kernel):
            print(
                f"{kernel['kernel']:24} {kernel['shape']:18} {kernel['ms']:9.4f} ms {kernel['gb_per_s']:8.0f} GB/s "
                f"{100 * kernel['share_of_copy']:5.0f} % of copy"
            )


def print_engines(report: Report) -> None:
    """What the stage `engines` measured, one line for each precision and network."""
    for precision, row in report["stages"].get("engines", {}).get("precisions", {}).items():
        for network, of in row.get("networks", {}).items():
            line = f"{network} {precision:8} built in {of['build_seconds']:.1f} s"
            if "ms_graph" in of:
                line += f"; {of['ms_graph']:.3f} ms with graph, {of['ms_no_graph']:.3f} without"
                line += f", {of['ms_on_device']:.3f} on the device; max |difference| {of['max_abs_difference']}"
            print(line)


def results_file(report: Report, date: datetime.date) -> Path:
    """benchmarks/results/DEVICE_DATE.json; "unknown" where no stage got as far as the device's name."""
    device = report["stages"].get("bandwidth", {}).get("device", {}).get("name", "unknown")
    return RESULTS / f"{re.sub('[^A-Za-z0-9]+', '-', device).strip('-').lower()}_{date.isoformat()}.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", default=",".join(STAGES), metavar="NAME,...", help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=3600, help="that a stage may take; default %(default)s")
    parser.add_argument("--installed", action="store_true", help="build nothing, take the installed package")
    parser.add_argument("--select", default="", metavar="EXPRESSION", help="of the tests, as pytest -k")
    parser.add_argument("--out", type=Path, help="where the results go instead of benchmarks/results")
    parser.add_argument("--dry-run", action="store_true", help="all but the launches, where there is no GPU")
    arguments = parser.parse_args()
    chosen = arguments.stages.split(",")
    if unknown := set(chosen) - set(STAGES):
        parser.error(f"unknown stage {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    date = datetime.datetime.now(datetime.UTC).date()
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder), arguments.dry_run, arguments.installed, arguments.select, arguments.seconds)
        stages = {name: outcome(STAGES[name], setting) for name in chosen}
    report = {"date": date.isoformat(), "dry_run": arguments.dry_run, "stages": stages}
    print_table(report)
    print_engines(report)
    out = arguments.out or (None if arguments.dry_run else results_file(report, date))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(f"\nwrote {out}")
    return int(any(stage["state"] == "failed" for stage in stages.values()))


if __name__ == "__main__":
    sys.exit(main())
