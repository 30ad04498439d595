"""A bundle: a folder with `bundle.json`, one ONNX file per network and precision, golden inputs and a model card.

All that a pipeline needs to know of a model is in the folder: tensors, settings, class names, where the weights come
from. Models are data, never code. `load` refuses what it does not know: a newer format, an unknown key, a file whose
SHA-256 differs, a path that leaves the folder.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from spinert import manifest as contents
from spinert.errors import BadBundle
from spinert.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    Ensemble,
    Fusion,
    Manifest,
    Member,
    NetworkSpec,
    Precision,
    Ranked,
    TensorSpec,
    Training,
    Variant,
    check_names,
)

__all__ = [
    "FORMAT_VERSION",
    "MANIFEST",
    "Bundle",
    "Ensemble",
    "Fusion",
    "Manifest",
    "Member",
    "NetworkSpec",
    "Precision",
    "Ranked",
    "TensorSpec",
    "Training",
    "Variant",
    "check_names",
    "load",
    "write",
]


class _Version(msgspec.Struct):
    format_version: int


class Bundle(msgspec.Struct, frozen=True):
    """A folder that was checked. `sha256` is the hash of `bundle.json`, which holds the hash of every other file."""

    folder: Path
    manifest: Manifest
    sha256: str

    @property
    def name(self) -> str:
        return self.manifest.name

    def network_file(self, network: str, precision: Precision) -> Path:
        """Path of a network's ONNX file. Raises BadBundle where the bundle has no such network or precision."""
        spec = self.manifest.networks.get(network)
        if spec is None:
            have = ", ".join(self.manifest.networks)
            raise BadBundle(
                f"bundle {self.name!r} has no network {network!r}, only: {have}", "use a bundle of this pipeline"
            )
        if precision not in spec.files:
            raise BadBundle(
                f"network {network!r} of bundle {self.name!r} has no {precision} file, only: {', '.join(spec.files)}",
                "choose one of these precisions",
            )
        return self.folder / spec.files[precision]

    def model_card(self) -> str:
        """The model card's Markdown text."""
        return (self.folder / self.manifest.model_card).read_text(encoding="utf-8")


def load(folder: Path) -> Bundle:
    """Read and check a bundle folder: format, keys, paths, and the hash of every file.

    Raises BadBundle naming the file, what was found and what was expected.
    """
    manifest_path = folder / MANIFEST
    try:
        document = manifest_path.read_bytes()
    except OSError as error:
        raise BadBundle(
            f"no readable {MANIFEST} in {folder}: {error.strerror}", "name a bundle folder, as `spinert export` writes"
        ) from None
    manifest = _decode(document, manifest_path)
    contents.check(manifest)
    _check_files(manifest, folder)
    for relative, expected in manifest.sha256.items():
        found = _sha256_of(folder / relative) if relative != MANIFEST else _seal(msgspec.json.decode(document))
        if found != expected:
            raise BadBundle(
                f"{relative} of bundle {manifest.name!r} has changed: SHA-256 {found}, {MANIFEST} says {expected}",
                "copy or export the bundle again",
            )
    return Bundle(folder, manifest, hashlib.sha256(document).hexdigest())


def write(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write a new bundle folder, checked as `load` checks it. `manifest.sha256` is filled in here.

    The folder appears whole or not at all: everything is written beside it first. Raises BadBundle when it exists.
    """
    if folder.exists():
        raise BadBundle(f"{folder} exists already", "choose another folder or remove this one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    complete = msgspec.structs.replace(manifest, sha256=hashes)
    hashes[MANIFEST] = _seal(msgspec.to_builtins(complete))
    contents.check(complete)
    partial = folder.with_name(f".{folder.name}.partial")
    _remove(partial)
    try:
        for name, content in files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)
        document = msgspec.json.format(msgspec.json.encode(complete), indent=2)
        (partial / MANIFEST).write_bytes(document + b"\n")
        checked = load(partial)
        partial.rename(folder)
    finally:
        _remove(partial)
    return msgspec.structs.replace(checked, folder=folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _decode(document: bytes, path: Path) -> Manifest:
    try:
        version = msgspec.json.decode(document, type=_Version).format_version
        if version > FORMAT_VERSION:
            raise BadBundle(
                f"{path} has format {version}, this spinert reads up to {FORMAT_VERSION}", "use a newer spinert"
            )
        return msgspec.json.decode(document, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BadBundle(f"{path}: {error}", "correct or export the bundle again") from None


def _check_files(manifest: Manifest, folder: Path) -> None:
    """Every hashed file is there and not a link out of the folder; every file in the folder is hashed."""
    for name in sorted(manifest.sha256):
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadBundle(f"{name!r} of bundle {manifest.name!r} is a link out of its folder", "copy the file in")
        if not path.is_file():
            raise BadBundle(f"bundle {manifest.name!r} lacks its file {name!r}", "copy or export the bundle again")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if strangers := sorted(present - set(manifest.sha256)):
        # an ONNX file may read tensors from files beside it: nothing unhashed may lie there
        raise BadBundle(f"bundle {manifest.name!r} holds files it does not name: {', '.join(strangers)}", "remove them")


def _seal(document: dict[str, Any]) -> str:
    """SHA-256 of the content of `bundle.json`, whatever its layout: a changed setting is as bad as a changed weight."""
    hashes = {name: value for name, value in document["sha256"].items() if name != MANIFEST}
    return hashlib.sha256(msgspec.json.encode({**document, "sha256": hashes})).hexdigest()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
