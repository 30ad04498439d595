"""The instruction set that was asked for is the one that runs, and its unit shares nothing with the others."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spinert import kernels
from spinert.kernels import _cpu

CPU = Path(__file__).parents[2] / "src" / "spinert" / "kernels" / "cpu"
FAMILIES = sorted(path.stem for path in CPU.glob("*.cc") if path.with_suffix(".inl").exists())
FLAGS = {
    "base": [],
    "avx2": ["-mavx2", "-mfma", "-mf16c"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
}


def run_forced(name: str) -> subprocess.CompletedProcess[str]:
    program = "from spinert import kernels; print(kernels.active_isa())"
    environment = {**os.environ, "SPINERT_FORCE_ISA": name}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", kernels.usable_isas())
def test_the_forced_isa_runs(name: str) -> None:
    done = run_forced(name)
    assert (done.stdout.strip(), done.returncode) == (name, 0), done.stderr


@pytest.mark.parametrize("name", ["neon", "", "AVX2"])
def test_an_unknown_isa_is_refused_with_the_list(name: str) -> None:
    done = run_forced(name)
    assert done.returncode != 0
    assert f"SPINERT_FORCE_ISA is {name!r}" in done.stderr
    assert all(isa in done.stderr for isa in kernels.compiled_isas())


def test_an_isa_that_this_processor_lacks_is_refused() -> None:
    lacking = [isa for isa in kernels.compiled_isas() if isa not in kernels.usable_isas()]
    if not lacking:
        pytest.skip("this processor runs every instruction set of the build")
    assert all("this processor can run" in run_forced(isa).stderr for isa in lacking)


def test_the_hook_refuses_an_unknown_isa() -> None:
    before = kernels.active_isa()
    with pytest.raises(ValueError, match="neon"):
        _cpu.force_isa("neon")
    assert kernels.active_isa() == before


def test_usable_isas_are_compiled_ones_and_base_is_always_there() -> None:
    assert set(kernels.usable_isas()) <= set(kernels.compiled_isas())
    assert kernels.usable_isas()[-1] == kernels.compiled_isas()[-1] == "base"


def test_cuda_status_is_one_line_that_says_why_or_how_many() -> None:
    status = kernels.cuda_status()
    assert "\n" not in status
    assert status.startswith("not usable: ") or status[0].isdigit()


@pytest.mark.skipif(not (shutil.which("g++") and shutil.which("nm")), reason="needs g++ and nm")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the other instruction sets are of x86-64")
@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_isa_unit_exports_its_table_only(family: str, name: str, tmp_path: Path) -> None:
    """A weak symbol could be the AVX copy of an inline function that the linker keeps for every processor."""
    unit = tmp_path / "isa.o"
    options = [
        "-std=c++17",
        "-O1",
        "-fPIC",
        "-ffp-contract=off",
        "-fno-trapping-math",
        "-fno-math-errno",
        "-Wno-psabi",
        *FLAGS[name],
    ]
    options += [f"-DSPINERT_FAMILY={family}", f"-DSPINERT_ISA={name}"]
    subprocess.run(["g++", *options, "-c", str(CPU / "isa.cc"), "-o", str(unit)], check=True)
    listing = subprocess.run(["nm", "-C", str(unit)], capture_output=True, text=True, check=True).stdout
    symbols = [line[17:].split(" ", 1) for line in listing.splitlines()]  # after an address of 16 digits, or blanks
    defined = [symbol for kind, symbol in symbols if kind.isupper() and kind != "U"]
    weak = [symbol for kind, symbol in symbols if kind in "VvWwu"]
    needed = {symbol for kind, symbol in symbols if kind == "U"}
    assert defined == [f"spinert::{family}::{name}"]
    assert weak == []
    assert needed <= {"memcpy", "memmove", "memset", "_GLOBAL_OFFSET_TABLE_"}


def test_every_family_is_built() -> None:
    cmake = (CPU.parents[3] / "CMakeLists.txt").read_text(encoding="utf-8")
    listed = cmake.partition("set(FAMILIES")[2].partition(")")[0].split()
    assert listed == FAMILIES
