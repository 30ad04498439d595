"""What a bundle may say of ensembles, members and fusion, and what it is told when a name leads nowhere."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from spinert import bundle as bundles
from spinert.bundle import Manifest, TensorSpec
from spinert.errors import BadBundle
from tests.bundles import SETTINGS, write_several

ANSWER = np.zeros((68, 48, 24), np.float32)
MEMBER = {"pipeline": "cobb_landmarks", "networks": {"landmarks": "b"}, "settings": SETTINGS}
MEAN = {"method": "mean"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Networks `a`, `b` and `landmarks`, none of them combined."""
    answers = dict.fromkeys(("landmarks", "a", "b"), ANSWER)
    return write_several(tmp_path_factory.mktemp("bundle") / "truth", answers).manifest


def changed(manifest: Manifest, **fields: Any) -> Manifest:
    """As it would be read from JSON with these fields."""
    return msgspec.convert({**msgspec.to_builtins(manifest), **fields}, Manifest)


def ensemble(*networks: str, **fields: Any) -> dict[str, Any]:
    return {"ensembles": {"both": {"networks": networks, **fields}}}


def test_ensembles_members_and_fusion_are_loaded_as_they_were_written(tmp_path: Path) -> None:
    answers = dict.fromkeys(("landmarks", "a", "b"), ANSWER)
    member = {**MEMBER, "networks": {"landmarks": "both"}}
    fields = {**ensemble("a", "b", weights=[2.0, 1.0]), "members": {"other": member}, "fusion": MEAN}
    written = write_several(tmp_path / "truth", answers, **fields)
    loaded = bundles.load(written.folder).manifest
    assert loaded == written.manifest
    assert loaded.ensembles["both"].networks == ("a", "b")
    assert loaded.members["other"].networks == {"landmarks": "both"}


def test_a_bundle_without_them_has_none_of_their_keys(manifest: Manifest) -> None:
    # an older reader refuses keys that it does not know
    assert {"ensembles", "members", "fusion"} & set(json.loads(msgspec.json.encode(manifest))) == set()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (ensemble("a", "c"), r"ensemble 'both' of bundle 'truth' names 'c', .* only the networks: landmarks, a, b"),
        ({"ensembles": {"a": {"networks": ["b", "landmarks"]}}}, "ensemble 'a' .* has the name of a network"),
        (ensemble("a"), "is of 'a', expected two or more"),
        (ensemble("a", "a"), "is of 'a', 'a', expected two or more different ones"),
        (ensemble(), "is of no network"),
        (ensemble("a", "b", weights=[1.0]), "has 1 weights for 2 networks"),
        ({"members": {"other": MEMBER}}, "has `members` and no `fusion`"),
        ({"fusion": MEAN}, "has `fusion` and no `members`"),
        ({"members": {"truth": MEMBER}, "fusion": MEAN}, "has the bundle's own name"),
        (
            {"members": {"other": {**MEMBER, "networks": {"landmarks": "c"}}}, "fusion": MEAN},
            "member 'other' of bundle 'truth' names 'c', the bundle has only: landmarks, a, b",
        ),
        (
            {"members": {"other": MEMBER}, "fusion": {**MEAN, "weights": [1.0, 2.0, 3.0]}},
            "the fusion of bundle 'truth' has 3 weights for 2 members",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(
    manifest: Manifest, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadBundle, match=message):
        bundles.check_names(changed(manifest, **fields))


@pytest.mark.parametrize(
    "wrong",
    [
        ensemble("a", "b", weights=[1.0, 0.0]),
        ensemble("a", "b", weights=[1.0, -1.0]),
        ensemble("a", "b", combine="median"),
        ensemble("a", "b", colour="red"),
        {"fusion": {"method": "mean", "side_ratio": 2.0}},
        {"fusion": {"method": "vote", "side_ratio": 2.0, "weights": [1.0, 1.0]}},
        {"fusion": {"method": "vote"}},
        {"fusion": {"method": "vote", "side_ratio": 0.5}},
        {"fusion": {"method": "median"}},
        {"members": {"other": {**MEMBER, "colour": "red"}}},
    ],
)
def test_values_and_keys_that_mean_nothing_are_refused(manifest: Manifest, wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        changed(manifest, **wrong)


@pytest.mark.parametrize("which", ["inputs", "outputs"])
def test_networks_with_other_tensors_make_no_ensemble(manifest: Manifest, which: str) -> None:
    other = msgspec.structs.replace(manifest.networks["b"], **{which: (TensorSpec("odd", "float32", (None, 1, 8, 8)),)})
    networks = {**manifest.networks, "b": other}
    both = msgspec.structs.replace(changed(manifest, **ensemble("a", "b")), networks=networks)
    with pytest.raises(
        BadBundle, match=rf"the {which} of 'a' and 'b' in ensemble 'both' .* odd float32 \[N, 1, 8, 8\]"
    ):
        bundles.check_names(both)


def test_whole_numbers_have_no_mean(manifest: Manifest) -> None:
    outputs = (TensorSpec("classes", "int64", (None, 4)),)
    networks = {name: msgspec.structs.replace(spec, outputs=outputs) for name, spec in manifest.networks.items()}
    both = msgspec.structs.replace(changed(manifest, **ensemble("a", "b")), networks=networks)
    with pytest.raises(BadBundle, match=r"would average classes int64 \[N, 4\]"):
        bundles.check_names(both)


def test_a_bundle_on_disk_that_names_a_missing_network_is_refused(tmp_path: Path) -> None:
    folder = write_several(tmp_path / "truth", {"landmarks": ANSWER, "a": ANSWER}).folder
    path = folder / bundles.MANIFEST
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "ensembles": {"both": {"networks": ["a", "gone"]}}}))
    with pytest.raises(BadBundle, match="ensemble 'both' of bundle 'truth' names 'gone'"):
        bundles.load(folder)
