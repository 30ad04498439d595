import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from spinert.cli.main import commands
from spinert.runtime import backends, doctor
from spinert.runtime.backends import ort
from spinert.runtime.tensorrt import cache, target
from spinert.runtime.tensorrt import library as libraries
from tests.runtime.tensorrt import engines


def ask(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["doctor", *arguments])
    return done.exit_code, done.stdout


def test_a_working_box_says_so() -> None:
    code, text = ask()
    assert code == 0
    assert "ort (cpu 10): usable" in text
    assert text.endswith("inference is possible\n")


def test_the_facts_are_one_json_document() -> None:
    facts = json.loads(ask("--json")[1])
    assert facts["can_infer"] is True
    assert facts["kernels"]["active"] in facts["kernels"]["usable"]
    assert set(facts["kernels"]["usable"]) <= set(facts["kernels"]["compiled"])


def test_a_box_without_backend_exits_with_6_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in backends.names():
        monkeypatch.setattr(backends.load(name), "missing", lambda: "not installed")
    monkeypatch.setattr(ort, "missing", lambda: 'onnxruntime is not installed: pip install "spinert[cpu]"')
    code, text = ask()
    assert code == 6
    assert 'pip install "spinert[cpu]"' in text
    assert "inference is not possible" in text


def test_kernels_that_cannot_be_loaded_are_a_reason_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> doctor.Kernels:
        raise ImportError("libstdc++.so.6: cannot open shared object file")

    monkeypatch.setattr(doctor, "_kernels", fail)
    code, text = ask()
    assert code == 6
    assert "libstdc++.so.6: cannot open shared object file" in text


def test_both_onnxruntime_packages_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed_version", lambda package: "1.31.1")
    assert "onnxruntime and onnxruntime-gpu are both installed" in ask()[1]


def test_tensorrt_is_told_with_the_engines_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "engines"))
    monkeypatch.setattr(libraries, "installed", lambda: ())
    assert f"none installed; engines in {tmp_path / 'engines'}: none" in ask()[1]
    monkeypatch.setattr(libraries, "installed", lambda: ("tensorrt_rtx",))
    monkeypatch.setattr(libraries, "version", lambda name: "1.7.1")
    path = tmp_path / "a.onnx"
    path.write_bytes(b"a network")
    here = target.Target(library="tensorrt_rtx", version="1.7.1", gpu=target.ANY_GPU)
    engines.publish(engines.sidecar(path, here))
    engines.publish(engines.sidecar(path, msgspec.structs.replace(here, version="1.6.0")))
    monkeypatch.setattr(target, "no_device", lambda: None)
    monkeypatch.setattr(target, "of", lambda library: here)
    (tmp_path / "engines" / "0.json").write_bytes(b"{")
    _, text = ask()
    title = "truth landmarks fp32, batch 1 to 16, tensorrt_rtx"
    assert "TensorRT  tensorrt_rtx 1.7.1; " in text
    assert f"engine    {title} 1.7.1 for RTX GPUs from Ampere on: usable" in text
    assert f"engine    {title} 1.6.0 for RTX GPUs from Ampere on: version was 1.6.0, here it is 1.7.1" in text
    assert "engine    0.json: not a description of an engine" in text


def test_a_missing_codec_names_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoDecoder:
        available_plugins = ()

    monkeypatch.setattr(doctor, "get_decoder", lambda syntax: NoDecoder())
    assert 'JPEG-LS lossless: missing: pip install "spinert[codecs]"' in ask()[1]


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(doctor, "installed_version", absent)
    assert set(doctor.examine().packages.values()) == {None}


def test_doctor_needs_no_inference_library() -> None:
    script = "from spinert.runtime.doctor import examine; examine(); import sys; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
