"""What an export asks for, checked before torch is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spinert.errors import BadRequest, ExportFailed
from spinert.export import Description, export_bundle, read_description, recipes


def export(tmp_path: Path, description: Description, **changes: object) -> None:
    arguments: dict[str, object] = {
        "source": "landmarks",
        "weights": tmp_path / "weights.pt",
        "folder": tmp_path / "bundle",
        "description": description,
        "model_card": "# Card",
    }
    export_bundle(**(arguments | changes))  # type: ignore[arg-type]


def test_recipes_are_the_modules_of_their_folder() -> None:
    here = Path(recipes.__file__).parent
    assert recipes.names() == tuple(sorted(path.stem for path in here.glob("*.py") if path.stem != "__init__"))
    assert "landmarks" in recipes.names()


def test_an_unknown_recipe_lists_those_there_are(tmp_path: Path, description: Description) -> None:
    with pytest.raises(BadRequest, match=r"'landmark'.*only:.*landmarks"):
        export(tmp_path, description, source="landmark")


def test_an_output_folder_that_exists_is_refused(tmp_path: Path, description: Description) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(BadRequest, match="bundle exists already"):
        export(tmp_path, description)


def test_a_blank_model_card_is_refused(tmp_path: Path, description: Description) -> None:
    with pytest.raises(BadRequest, match="model card is empty"):
        export(tmp_path, description, model_card=" \n")


def test_a_recipe_needs_weights(tmp_path: Path, description: Description) -> None:
    with pytest.raises(BadRequest, match="without weights"):
        export(tmp_path, description, weights=None)


@pytest.mark.parametrize("given", [{"weights": Path("w.pt")}, {"weights": None, "size": (64, 64)}])
def test_a_program_carries_its_own_weights_and_size(
    tmp_path: Path, program_description: Description, given: dict[str, object]
) -> None:
    with pytest.raises(BadRequest, match="a program carries its own"):
        export(tmp_path, program_description, source="network.pt2", **given)


def test_names_of_tensors_belong_to_programs_only(
    tmp_path: Path, description: Description, program_description: Description
) -> None:
    with pytest.raises(BadRequest, match="lacks `program`"):
        export(tmp_path, description, source="network.pt2", weights=None)
    with pytest.raises(BadRequest, match="is a recipe, which says that itself"):
        export(tmp_path, program_description)


def test_neither_torch_nor_onnx_is_imported_before_an_export() -> None:
    code = "import sys, spinert.cli.export, spinert.export; sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("package", ["torch", "onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, description: Description, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExportFailed) as caught:
        export(tmp_path, description)
    extra = "cpu" if package == "onnxruntime" else "export"
    assert package in str(caught.value)
    assert f'pip install "spinert[{extra}]"' in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": "none"}, "unknown field `licence`"),
        ({"date": "yesterday"}, r"RFC3339.*\$\.date"),
        ({"class_names": "T1"}, r"array.*\$\.class_names"),
        ({"program": {"network": "landmarks"}}, r"missing required field `recipe`.*\$\.program"),
    ],
)
def test_a_wrong_description_names_the_key(
    tmp_path: Path, facts: dict[str, object], change: dict[str, object], message: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(facts | change))
    with pytest.raises(BadRequest, match=message):
        read_description(path)


def test_a_description_that_is_not_there_or_not_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"cannot read .*absent\.json"):
        read_description(tmp_path / "absent.json")
    (tmp_path / "not.json").write_text("name: tiny")
    with pytest.raises(BadRequest, match="malformed"):
        read_description(tmp_path / "not.json")
