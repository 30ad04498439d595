import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from spinert import bundle as bundles
from spinert.errors import BadBundle
from tests.bundles import write_bundle


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "truth"
    write_bundle(folder, np.zeros((68, 48, 24), np.float32))
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "truth"))


def change(folder: Path, **fields: object) -> None:
    """Rewrite fields of bundle.json; a value of ... removes the field."""
    path = folder / bundles.MANIFEST
    document = json.loads(path.read_text())
    document.update(fields)
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not ...}))


def test_what_was_written_is_loaded_again(folder: Path) -> None:
    loaded = bundles.load(folder)
    assert loaded.name == "truth"
    assert loaded.network_file("landmarks", "fp32").name == "landmarks.onnx"
    assert loaded.model_card() == "# truth\n"


def test_a_changed_byte_is_refused_with_both_hashes(folder: Path) -> None:
    path = folder / "landmarks.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadBundle, match=r"landmarks.onnx .* has changed: SHA-256 [0-9a-f]{64}, .* says [0-9a-f]{64}"):
        bundles.load(folder)


def test_a_changed_setting_is_refused(folder: Path) -> None:
    # One byte, 10.0 to 90.0, made a spine with a curve of 46 degrees one with "no curve found".
    path = folder / bundles.MANIFEST
    path.write_text(path.read_text().replace('"least_cobb_degrees": 10.0', '"least_cobb_degrees": 90.0'))
    with pytest.raises(BadBundle, match=r"bundle\.json of bundle 'truth' has changed"):
        bundles.load(folder)


def test_the_layout_of_the_manifest_is_free(folder: Path) -> None:
    change(folder)
    assert bundles.load(folder).name == "truth"


def test_a_newer_format_is_refused_by_its_number(folder: Path) -> None:
    change(folder, format_version=2, something_new=1)
    with pytest.raises(BadBundle, match="has format 2, this spinert reads up to 1"):
        bundles.load(folder)


def test_an_unknown_key_is_refused_by_name(folder: Path) -> None:
    change(folder, colour="red")
    with pytest.raises(BadBundle, match="unknown field `colour`"):
        bundles.load(folder)


def test_a_missing_key_is_refused_by_name(folder: Path) -> None:
    change(folder, pipeline=...)
    with pytest.raises(BadBundle, match="missing required field `pipeline`"):
        bundles.load(folder)


@pytest.mark.parametrize("path", ["../landmarks.onnx", "/etc/hostname", "a/../../landmarks.onnx", "..\\landmarks.onnx"])
def test_a_path_out_of_the_folder_is_refused(folder: Path, path: str) -> None:
    shutil.copy(folder / "landmarks.onnx", folder.parent)
    document = json.loads((folder / bundles.MANIFEST).read_text())
    document["networks"]["landmarks"]["files"]["fp32"] = path
    document["sha256"][path] = document["sha256"]["landmarks.onnx"]
    change(folder, **document)
    with pytest.raises(BadBundle, match="leaves its folder"):
        bundles.load(folder)


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "landmarks.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "landmarks.onnx").symlink_to(folder.parent / "elsewhere.onnx")
    with pytest.raises(BadBundle, match="link out of its folder"):
        bundles.load(folder)


def test_a_missing_file_is_refused_by_name(folder: Path) -> None:
    (folder / "MODEL_CARD.md").unlink()
    with pytest.raises(BadBundle, match=r"lacks its file 'MODEL_CARD.md'"):
        bundles.load(folder)


def test_a_file_without_hash_is_refused(folder: Path) -> None:
    change(folder, sha256={"landmarks.onnx": "0" * 64})
    with pytest.raises(BadBundle, match=r"no SHA-256 for: MODEL_CARD.md"):
        bundles.load(folder)


def test_a_stranger_in_the_folder_is_refused(folder: Path) -> None:
    (folder / "weights.data").write_bytes(b"external")
    with pytest.raises(BadBundle, match=r"weights.data"):
        bundles.load(folder)


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"format_version": "1"}', b"\xff\xfe\x00"])
def test_a_malformed_manifest_is_refused(folder: Path, document: bytes) -> None:
    (folder / bundles.MANIFEST).write_bytes(document)
    with pytest.raises(BadBundle, match=r"bundle.json"):
        bundles.load(folder)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=r"no readable bundle\.json"):
        bundles.load(tmp_path)


def test_an_unknown_precision_names_those_there_are(folder: Path) -> None:
    with pytest.raises(BadBundle, match="has no fp16 file, only: fp32"):
        bundles.load(folder).network_file("landmarks", "fp16")


def test_writing_over_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(BadBundle, match="exists already"):
        write_bundle(folder, np.zeros((68, 48, 24), np.float32))


def test_a_write_that_fails_leaves_nothing(original: Path, tmp_path: Path) -> None:
    manifest = bundles.load(original).manifest
    with pytest.raises(BadBundle, match="no SHA-256 for"):
        bundles.write(tmp_path / "half", manifest, {"MODEL_CARD.md": b"# half\n"})
    assert list(tmp_path.iterdir()) == []
