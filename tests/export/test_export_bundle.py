"""The whole way: weights in, a bundle out that the runtime opens and that says what it was compared with."""

import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
pytest.importorskip("onnxruntime", reason='needs pip install "spinert[cpu]"')

from spinert import bundle as bundles  # noqa: E402
from spinert import kernels  # noqa: E402
from spinert.cli.export import export as export_command  # noqa: E402
from spinert.errors import BadRequest, ExportFailed  # noqa: E402
from spinert.export import Exported, export_bundle  # noqa: E402
from spinert.export.recipes import landmarks  # noqa: E402
from spinert.runtime import dicom, golden  # noqa: E402
from spinert.runtime.backends import ort  # noqa: E402
from tests.export.conftest import FACTS, PROGRAM  # noqa: E402

CARD = "# Tiny\n\nResearch use only.\n"
SIZE = (64, 32)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A checkpoint of the real network with random weights and statistics."""
    torch.manual_seed(0)
    network = landmarks.LandmarkNet()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 68, 4, 4), torch.nn.BatchNorm2d(68)).eval()
    example = (torch.zeros(2, 1, *SIZE),)
    traced = torch.export.export(network, example, dynamic_shapes=({0: torch.export.Dim("batch")},))
    path = tmp_path_factory.mktemp("program") / "network.pt2"
    torch.export.save(traced, path)
    return path


@pytest.fixture
def exported(tmp_path, weights, description) -> Exported:
    return export_bundle("landmarks", weights, tmp_path / "bundle", description=description, model_card=CARD, size=SIZE)


def test_golden_inputs_may_come_from_a_study(tmp_path, weights, description):
    study = Path(__file__).parents[2] / "examples" / "study.dcm"
    exported = export_bundle(
        "landmarks",
        weights,
        tmp_path / "bundle",
        description=description,
        model_card=CARD,
        size=SIZE,
        golden_study=study,
    )
    image = golden.read_golden(exported.bundle, "landmarks")["image"]
    with study.open("rb") as file:
        film = dicom.read(file)
    prepared = kernels.prepare_radiograph(film.pixels, size=SIZE, inverted=film.inverted).pixels
    np.testing.assert_allclose(image[0, 0], prepared, atol=0.5 / 255 + 1e-6)


def test_a_recipe_becomes_a_bundle_that_agrees_with_torch(exported, weights):
    bundle = bundles.load(exported.bundle.folder)
    manifest = bundle.manifest
    spec = manifest.networks["landmarks"]
    assert [tensor.shape for tensor in (*spec.inputs, *spec.outputs)] == [(None, 1, 64, 32), (None, 68, 16, 8)]
    assert (manifest.name, manifest.pipeline, manifest.settings) == ("tiny", "cobb_landmarks", FACTS["settings"])
    assert manifest.provenance.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert (manifest.provenance.recipe, manifest.provenance.date) == ("landmarks", "2026-11-20")
    assert bundle.model_card() == CARD

    network = landmarks.network(landmarks.Options()).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))

    def in_torch(arrays):
        with torch.inference_mode():
            return {"heatmaps": network(torch.from_numpy(arrays["image"])).numpy()}

    opened = ort.open_network(bundle.network_file("landmarks", "fp32"), spec, threads=1)
    (difference,) = golden.compare(golden.read_golden(bundle, "landmarks"), in_torch, opened)
    opened.close()
    assert difference.magnitude > 0.1
    assert difference.absolute <= difference.tolerated
    assert spec.golden_max_abs_difference == exported.differences[0].absolute
    assert spec.golden_max_abs_difference <= exported.differences[0].tolerated


def test_two_exports_of_one_program_are_the_same_files(tmp_path, program, program_description):
    first, second = (
        export_bundle(str(program), None, tmp_path / name, description=program_description, model_card=CARD).bundle
        for name in ("first", "second")
    )
    assert first.sha256 == second.sha256


def test_disagreement_names_the_tensor_and_both_values_and_writes_nothing(
    tmp_path, program, program_description, monkeypatch
):
    monkeypatch.setattr(golden, "TOLERANCE", -1.0)
    with pytest.raises(
        ExportFailed, match=r"disagree in 'heatmaps': \S+ against \S+, a difference of \S+ where -\S+ is tolerated"
    ):
        export_bundle(str(program), None, tmp_path / "b", description=program_description, model_card=CARD)
    assert not list(tmp_path.glob("*b*/*"))
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pipeline": "cob_landmarks"}, "no pipeline 'cob_landmarks', only: .*cobb_landmarks"),
        ({"settings": FACTS["settings"] | {"radius": 1}}, "unknown field `radius`"),
        ({"class_names": FACTS["class_names"][:-1]}, r"\[N, 64, H/s, W/s\]"),
    ],
)
def test_a_description_that_does_not_fit_its_pipeline_is_refused(
    tmp_path, program, program_description, change, message
):
    wrong = msgspec.convert(msgspec.to_builtins(program_description) | change, type(program_description))
    with pytest.raises(BadRequest, match=f"do not fit: .*{message}"):
        export_bundle(str(program), None, tmp_path / "b", description=wrong, model_card=CARD)
    assert not (tmp_path / "b").exists()


@pytest.fixture
def app() -> typer.Typer:
    alone = typer.Typer(rich_markup_mode=None)
    alone.command()(export_command)
    return alone


def test_the_command_exports_a_program_and_prints_the_difference(tmp_path, program, app):
    (tmp_path / "facts.json").write_text(json.dumps(FACTS | {"program": PROGRAM}))
    (tmp_path / "card.md").write_text(CARD)
    options = ["-o", tmp_path / "bundle", "--describe", tmp_path / "facts.json", "--model-card", tmp_path / "card.md"]
    run = CliRunner().invoke(app, [str(program), *map(str, options)])
    assert run.exception is None
    bundle = bundles.load(tmp_path / "bundle")
    spec = bundle.manifest.networks["landmarks"]
    assert "landmarks input: image float32 [N, 1, 64, 32]" in run.stdout
    assert f"heatmaps: max |difference| {spec.golden_max_abs_difference:.3g}" in run.stdout
    assert bundle.sha256 in run.stdout
    assert bundle.manifest.provenance.recipe == PROGRAM["recipe"]
    assert bundle.manifest.provenance.weights_sha256 == hashlib.sha256(program.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--size", "big", "--size 'big' is not HEIGHT,WIDTH"), ("--model-card", "absent.md", "cannot read absent.md")],
)
def test_the_command_refuses_options_it_cannot_read(tmp_path, app, option, value, message):
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    (tmp_path / "card.md").write_text(CARD)
    options = {"-o": tmp_path / "b", "--describe": tmp_path / "facts.json", "--model-card": tmp_path / "card.md"}
    arguments = [str(part) for pair in (options | {option: value}).items() for part in pair]
    run = CliRunner().invoke(app, ["landmarks", "weights.pt", *arguments])
    assert isinstance(run.exception, BadRequest)
    assert message in str(run.exception)


def test_the_help_shows_a_description(app):
    text = CliRunner().invoke(app, ["--help"]).stdout
    several = ("networks", "weights", "options", "ensembles", "members", "fusion", "method", "side_ratio")
    assert all(f'"{key}"' in text for key in (*FACTS, "program", *PROGRAM, *several))
