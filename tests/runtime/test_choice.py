"""Which backend and file a bundle is run with, and what is said of what did not run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from spinert.bundle import Bundle, Precision, Ranked
from spinert.errors import BadRequest, DeviceError, NoBackend, NoEngine
from spinert.runtime import backends, choice
from spinert.runtime.choice import Choice, candidates, open_networks
from spinert.runtime.infer import find_bundle
from tests import bundles


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """fp32, fp16 and int8-cpu, of which OpenVINO with int8-cpu was measured fastest. All are one file here."""
    written = bundles.write_bundle(tmp_path / "truth", np.zeros((68, 48, 24), np.float32))
    spec = written.manifest.networks["landmarks"]
    files = dict.fromkeys(("fp32", "fp16", "int8-cpu"), spec.files["fp32"])
    manifest = msgspec.structs.replace(
        written.manifest,
        networks={"landmarks": msgspec.structs.replace(spec, files=files)},
        cpu=(Ranked(backend="openvino", precision="int8-cpu", milliseconds=1.0, speedup=3.0),),
    )
    return msgspec.structs.replace(written, manifest=manifest)


@pytest.fixture
def with_int8(bundle: Bundle) -> Bundle:
    """Also int8-trt, each file with the name of its precision."""
    spec = bundle.manifest.networks["landmarks"]
    files: dict[Precision, str] = {each: f"{each}.onnx" for each in choice.PRECISIONS}
    networks = {"landmarks": msgspec.structs.replace(spec, files=files)}
    return msgspec.structs.replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, networks=networks))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Backends `ort`, `openvino` and `trt`, the reason why each is missing, and what opening one does."""
    have: dict[str, Any] = {"ort": None, "openvino": None, "trt": "no CUDA device"}
    scores: dict[str, dict[str, int]] = {"ort": {"cpu": 10}, "openvino": {"cpu": 5}, "trt": {"cuda": 30}}

    def open_network(name: str, path: Path) -> SimpleNamespace:
        if f"{name} fails" in have:
            raise DeviceError(have[f"{name} fails"], "free its memory")
        if f"{name} breaks" in have:
            raise NoBackend(have[f"{name} breaks"], "install it")
        if f"{name} engine" in have and have.get(f"{name} has", "none") not in path.name:
            raise NoEngine(have[f"{name} engine"], "build it")
        return SimpleNamespace(backend=name, path=path, close=lambda: None)

    def load(name: str) -> SimpleNamespace:
        return SimpleNamespace(
            SCORE=scores[name],
            missing=lambda: have[name],
            open_network=lambda path, spec, *, threads: open_network(name, path),
        )

    monkeypatch.setattr(backends, "names", lambda: tuple(scores))
    monkeypatch.setattr(backends, "load", load)
    return have


def chosen(bundle: Bundle, **asked: Any) -> tuple[Choice, tuple[str, ...]]:
    opened = open_networks(bundle, ("landmarks",), threads=1, **asked)
    return opened.choice, opened.warnings


def test_the_record_of_the_bundle_is_followed(bundle: Bundle, machine: dict[str, Any]) -> None:
    assert chosen(bundle) == (Choice("openvino", "cpu", "int8-cpu"), ())


def test_the_next_is_taken_and_named_where_the_fastest_is_not_installed(
    bundle: Bundle, machine: dict[str, Any]
) -> None:
    machine["openvino"] = 'not installed: pip install "spinert[openvino]"'
    choice, warnings = chosen(bundle)
    assert choice == Choice("ort", "cpu", "fp32")
    assert warnings == (
        "openvino with int8-cpu, measured fastest on a CPU, did not run: "
        'not installed: pip install "spinert[openvino]"',
    )


def test_a_proof_that_rests_on_other_instructions_is_passed_over_unless_asked_for(
    bundle: Bundle, machine: dict[str, Any]
) -> None:
    record = (msgspec.structs.replace(bundle.manifest.cpu[0], instructions=("avx9000",)),)
    elsewhere = msgspec.structs.replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, cpu=record))
    choice, warnings = chosen(elsewhere)
    assert choice == Choice("ort", "cpu", "fp32")
    assert "it was proven on a processor with avx9000, which this one lacks" in warnings[0]
    assert chosen(elsewhere, backend="openvino", precision="int8-cpu")[0].precision == "int8-cpu"


def test_an_int8_file_goes_to_another_library_only_by_name(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine["openvino"] = "not installed"
    with pytest.raises(NoBackend, match=r"as asked \(int8-cpu\)"):
        chosen(bundle, precision="int8-cpu")
    assert chosen(bundle, backend="ort", precision="int8-cpu")[0] == Choice("ort", "cpu", "int8-cpu")


def test_without_a_record_fp32_runs(bundle: Bundle, machine: dict[str, Any]) -> None:
    plain = msgspec.structs.replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, cpu=()))
    assert chosen(plain) == (Choice("ort", "cpu", "fp32"), ())


def test_an_engine_on_a_gpu_comes_first(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine["trt"] = None
    assert chosen(bundle) == (Choice("trt", "cuda", "fp16"), ())


def test_a_missing_engine_is_told_with_its_command(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine |= {"trt": None, "trt engine": "no engine was built"}
    choice, warnings = chosen(bundle)
    assert choice == Choice("openvino", "cpu", "int8-cpu")
    assert warnings[0] == (
        f"trt did not run with fp16: no engine was built; spinert build {bundle.folder} --precision fp16"
    )


def test_fp16_runs_without_a_word_of_int8_which_is_built_only_where_it_is_asked_for(
    with_int8: Bundle, machine: dict[str, Any]
) -> None:
    machine |= {"trt": None, "trt engine": "no engine was built", "trt has": "fp16"}
    assert chosen(with_int8) == (Choice("trt", "cuda", "fp16"), ())
    machine["trt has"] = "fp32"
    choice, (warning,) = chosen(with_int8)
    assert choice == Choice("trt", "cuda", "fp32")
    assert warning.startswith("trt did not run with fp16: no engine was built; ")


def test_of_several_missing_engines_the_one_that_is_built_unasked_is_told(
    with_int8: Bundle, machine: dict[str, Any]
) -> None:
    machine |= {"trt": None, "trt engine": "no engine was built"}
    _, warnings = chosen(with_int8)
    assert warnings == (
        f"trt did not run with fp16: no engine was built; spinert build {with_int8.folder} --precision fp16",
    )
    with pytest.raises(NoEngine) as caught:
        chosen(with_int8, precision="int8-trt", backend="trt")
    assert caught.value.remedy == f"spinert build {with_int8.folder} --precision fp16 --precision int8-trt"


def test_a_backend_that_cannot_be_loaded_is_told_and_the_next_one_runs(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine |= {"trt": None, "trt breaks": "libnvinfer.so.11: cannot open"}
    choice, warnings = chosen(bundle)
    assert choice == Choice("openvino", "cpu", "int8-cpu")
    assert warnings == ("trt did not run: libnvinfer.so.11: cannot open; install it",)
    with pytest.raises(NoBackend, match="cannot open"):
        chosen(bundle, require_gpu=True)


def test_a_device_that_fails_is_told_and_the_next_one_runs_unless_it_was_asked_for(
    bundle: Bundle, machine: dict[str, Any]
) -> None:
    machine |= {"trt": None, "trt fails": "out of memory"}
    assert chosen(bundle) == (
        Choice("openvino", "cpu", "int8-cpu"),
        ("trt did not run: out of memory; free its memory",),
    )
    for asked in ({"backend": "trt"}, {"require_gpu": True}):
        with pytest.raises(DeviceError, match="out of memory"):
            chosen(bundle, **asked)


def test_a_bundle_that_spinert_brings_is_called_by_its_name_and_another_by_its_folder(bundle: Bundle) -> None:
    assert choice.build_command(find_bundle("cobb"), "fp32") == "spinert build cobb --precision fp32"
    spaced = msgspec.structs.replace(bundle, folder=bundle.folder / "two words")
    assert choice.build_command(spaced, "fp16") == f"spinert build '{spaced.folder}' --precision fp16"


@pytest.mark.parametrize("asked", [{"backend": "trt"}, {"require_gpu": True}])
def test_a_missing_engine_that_was_asked_for_is_an_error(
    bundle: Bundle, machine: dict[str, Any], asked: dict[str, Any]
) -> None:
    machine |= {"trt": None, "trt engine": "no engine was built"}
    with pytest.raises(NoEngine, match="no engine was built") as caught:
        chosen(bundle, **asked)
    assert caught.value.remedy == f"spinert build {bundle.folder} --precision fp16"


def test_a_gpu_that_is_required_is_never_replaced(bundle: Bundle, machine: dict[str, Any]) -> None:
    with pytest.raises(NoBackend, match=r"as asked \(on a GPU\) here: trt: no CUDA device"):
        chosen(bundle, require_gpu=True)


def test_a_backend_that_was_asked_for_is_never_replaced(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine["openvino"] = "not installed"
    with pytest.raises(NoBackend, match=r"as asked \(openvino\) here: openvino: not installed"):
        chosen(bundle, backend="openvino")


def test_a_precision_runs_on_any_backend_when_asked_for(bundle: Bundle, machine: dict[str, Any]) -> None:
    assert chosen(bundle, backend="ort", precision="int8-cpu")[0] == Choice("ort", "cpu", "int8-cpu")
    assert chosen(bundle, precision="fp16")[0].precision == "fp16"


def test_a_gpu_is_not_offered_the_file_of_a_cpu(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine |= {"trt": None, "trt engine": "no engine was built"}
    choice, warnings = chosen(bundle, precision="int8-cpu")
    assert (choice, warnings) == (Choice("openvino", "cpu", "int8-cpu"), ())


def test_names_that_do_not_exist_are_refused_with_those_that_do(bundle: Bundle, machine: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="no backend 'cuda', only: ort, openvino, trt"):
        chosen(bundle, backend="cuda")
    with pytest.raises(BadRequest, match="no precision 'int4', only: fp32, fp16, int8-cpu, int8-trt"):
        chosen(bundle, precision="int4")
    with pytest.raises(BadRequest, match="has no int8-trt files, only: fp32, fp16, int8-cpu") as caught:
        chosen(bundle, precision="int8-trt")
    assert "spinert calibrate --precision int8-trt" in caught.value.remedy


def test_every_reason_is_told_where_nothing_runs(bundle: Bundle, machine: dict[str, Any]) -> None:
    machine |= {"ort": "ort was taken away", "openvino": "openvino was taken away"}
    with pytest.raises(NoBackend, match="ort was taken away") as caught:
        chosen(bundle)
    assert "openvino: openvino was taken away" in caught.value.problem
    assert 'pip install "spinert[cpu]"' in caught.value.remedy


def test_a_record_of_an_unknown_backend_is_passed_over(bundle: Bundle, machine: dict[str, Any]) -> None:
    record = (Ranked(backend="abacus", precision="int8-cpu", milliseconds=1.0, speedup=9.0), *bundle.manifest.cpu)
    manifest = msgspec.structs.replace(bundle.manifest, cpu=record)
    assert candidates(manifest)[-2:] == (Choice("ort", "cpu", "fp32"), Choice("openvino", "cpu", "fp32"))
    assert choice.PRECISIONS == ("fp32", "fp16", "int8-cpu", "int8-trt")
