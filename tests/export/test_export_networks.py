"""Several networks from one description: recipes and programs, an ensemble, a member, and what is refused."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
pytest.importorskip("onnxruntime", reason='needs pip install "spinert[cpu]"')

from spinert import bundle as bundles  # noqa: E402
from spinert.cli.export import export as export_command  # noqa: E402
from spinert.errors import BadRequest, ExportFailed  # noqa: E402
from spinert.export import Exported, export_networks, read_description  # noqa: E402
from spinert.export.recipes import landmarks  # noqa: E402
from spinert.runtime import golden  # noqa: E402
from tests.export.conftest import FACTS  # noqa: E402

STUDY = Path(__file__).parents[2] / "examples" / "study.dcm"
CARD = "# Several\n\nResearch use only.\n"
SIZE = (64, 32)
OPTIONS: dict[str, Any] = {"size": SIZE, "widths": (4, 4, 4, 8, 8), "top_down": 8}
NETWORKS: dict[str, Any] = {
    "first": {"recipe": "landmarks", "weights": "first.pt", "options": OPTIONS},
    "second": {"recipe": "landmarks", "weights": "weights/second.pt", "options": OPTIONS},
    "third": {"recipe": "tests", "weights": "third.pt2", "inputs": ["image"], "outputs": ["heatmaps"]},
}
ENSEMBLE = {"landmarks": {"networks": ["first", "second"], "weights": [2.0, 1.0]}}
PROGRAM = NETWORKS["third"]
MEMBER = {"pipeline": "cobb_landmarks", "networks": {"landmarks": "third"}, "settings": FACTS["settings"]}
FUSED = {"ensembles": ENSEMBLE, "members": {"other": MEMBER}, "fusion": {"method": "mean"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of two networks of one recipe, and a program."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "weights").mkdir()
    torch.manual_seed(0)
    for name in ("first.pt", "weights/second.pt"):
        torch.save(landmarks.network(landmarks.Options(**OPTIONS)).state_dict(), folder / name)
    program = torch.nn.Conv2d(1, 68, 4, 4).eval()
    example = (torch.zeros(2, 1, *SIZE),)
    traced = torch.export.export(program, example, dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(traced, folder / "third.pt2")
    return folder


def described(folder: Path, **fields: Any) -> Path:
    path = folder / "system.json"
    path.write_text(json.dumps(FACTS | {"networks": NETWORKS} | FUSED | fields))
    return path


def export(folder: Path, output: Path, *, golden_study: Path | None = None, **fields: Any) -> Exported:
    description = read_description(described(folder, **fields))
    return export_networks(description, folder, output, model_card=CARD, golden_study=golden_study)


@pytest.fixture(scope="module")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(folder, tmp_path_factory.mktemp("bundle") / "several", golden_study=STUDY)


def test_every_network_goes_by_its_name_in_the_description(exported: Exported) -> None:
    manifest = bundles.load(exported.bundle.folder).manifest
    assert list(manifest.networks) == ["first", "second", "third"]
    assert manifest.networks["first"].inputs[0].shape == (None, 1, *SIZE)
    assert manifest.ensembles["landmarks"].networks == ("first", "second")
    assert manifest.members["other"].networks == {"landmarks": "third"}


def test_every_network_was_compared_with_torch(exported: Exported) -> None:
    assert [each.tensor for each in exported.differences] == [f"{name} heatmaps" for name in NETWORKS]
    specs = exported.bundle.manifest.networks
    for name, difference in zip(NETWORKS, exported.differences, strict=True):
        assert specs[name].golden_max_abs_difference == difference.absolute <= difference.tolerated


def test_the_study_gave_golden_inputs_to_every_network(exported: Exported) -> None:
    made = [golden.read_golden(exported.bundle, name)["image"] for name in NETWORKS]
    # all three look at the same film, which is none of the random blocks
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[2])
    blocks = golden.make_golden(exported.bundle.manifest.networks["first"].inputs)["image"]
    assert np.abs(made[0] - blocks).max() > 0.2


def test_the_provenance_is_of_all_weights_in_order(exported: Exported, folder: Path) -> None:
    each = [hashlib.sha256((folder / NETWORKS[name]["weights"]).read_bytes()).hexdigest() for name in NETWORKS]
    made = exported.bundle.manifest.provenance
    assert made.recipe == "landmarks + landmarks + tests"
    assert made.weights_sha256 == hashlib.sha256("".join(each).encode()).hexdigest()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"networks": {}}, "names no `networks`"),
        (
            {"networks": NETWORKS | {"first": {"recipe": "landmarks", "weights": "gone.pt"}}},
            "network 'first' has its weights in 'gone.pt', but no such file",
        ),
        ({"networks": NETWORKS | {"first": {"recipe": "landmark", "weights": "first.pt"}}}, "no recipe 'landmark'"),
        (
            {"networks": NETWORKS | {"first": NETWORKS["first"] | {"inputs": ["image"]}}},
            "but recipe 'landmarks' says that itself",
        ),
        (
            {"networks": NETWORKS | {"third": NETWORKS["third"] | {"inputs": []}}},
            "network 'third' is a program, which has names of `inputs`",
        ),
        ({"networks": NETWORKS | {"../first": NETWORKS["first"]}}, r"network '\.\./first' cannot be the name"),
        (
            {"networks": NETWORKS | {"first": NETWORKS["first"] | {"options": {"depth": 9}}}},
            "options of recipe 'landmarks': .*`depth`",
        ),
        ({"ensembles": {"landmarks": {"networks": ["first", "fourth"]}}}, "do not fit: .*names 'fourth'"),
        ({"fusion": None}, "do not fit: .*has `members` and no `fusion`"),
        (
            {"networks": {"third": PROGRAM}, "ensembles": {}},
            "do not fit: pipeline 'cobb_landmarks' needs landmarks, bundle 'tiny' has third",
        ),
        (
            {
                "networks": {"landmarks": PROGRAM},
                "ensembles": {},
                "members": {"other": MEMBER | {"networks": {}, "settings": {"radius": 1}}},
            },
            "do not fit: settings of member 'other': .*`(radius|confidence_radius_cells)`",
        ),
    ],
)
def test_a_description_that_leads_nowhere_is_refused(
    folder: Path, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        export(folder, tmp_path / "b", **fields)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_could_run_code_are_refused(folder: Path, tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), folder / "code.pt")
    networks = NETWORKS | {"second": NETWORKS["second"] | {"weights": "code.pt"}}
    with pytest.raises(ExportFailed, match=r"code\.pt is refused"):
        export(folder, tmp_path / "b", networks=networks)
    assert list(tmp_path.iterdir()) == []


def test_disagreement_names_the_network(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "TOLERANCE", -1.0)
    with pytest.raises(ExportFailed, match="network 'landmarks': onnxruntime and torch disagree in 'heatmaps'"):
        export(folder, tmp_path / "b", networks={"landmarks": PROGRAM}, ensembles={}, members={}, fusion=None)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def app() -> typer.Typer:
    alone = typer.Typer(rich_markup_mode=None)
    alone.command()(export_command)
    return alone


def test_the_command_exports_a_description_by_itself(folder: Path, tmp_path: Path, app: typer.Typer) -> None:
    (tmp_path / "card.md").write_text(CARD)
    options = ["-o", tmp_path / "bundle", "--model-card", tmp_path / "card.md"]
    source = described(folder, networks={"landmarks": PROGRAM, "third": PROGRAM}, ensembles={})
    run = CliRunner().invoke(app, [str(source), *map(str, options)])
    assert run.exception is None, run.output
    assert bundles.load(tmp_path / "bundle").name == "tiny"
    assert "torch against onnxruntime, third heatmaps: max |difference|" in run.stdout


@pytest.mark.parametrize("given", [["weights.pt"], ["--describe", "d.json"], ["--size", "64,32"]])
def test_a_description_takes_no_facts_besides(folder: Path, tmp_path: Path, app: typer.Typer, given: list[str]) -> None:
    options = ["-o", str(tmp_path / "b"), "--model-card", "card.md"]
    run = CliRunner().invoke(app, [str(described(folder)), *given, *options])
    assert isinstance(run.exception, BadRequest)
    assert "but says that itself" in str(run.exception)


def test_the_command_names_what_a_description_lacks(folder: Path, app: typer.Typer) -> None:
    run = CliRunner().invoke(app, [str(described(folder))])
    assert isinstance(run.exception, BadRequest)
    assert "a new bundle needs --output, --model-card" in str(run.exception)


def test_one_recipe_takes_no_description_of_several(folder: Path, tmp_path: Path, app: typer.Typer) -> None:
    (tmp_path / "card.md").write_text(CARD)
    options = ["-o", tmp_path / "b", "--describe", described(folder), "--model-card", tmp_path / "card.md"]
    run = CliRunner().invoke(app, ["landmarks", str(folder / "first.pt"), *map(str, options)])
    assert isinstance(run.exception, BadRequest)
    assert "the description names its networks" in str(run.exception)
