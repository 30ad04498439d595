"""Results as files: each appears whole or not at all."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from spinert.errors import BadRequest
from spinert.findings import Result
from spinert.image import Image

LONGEST_STEM = 120


class Written(NamedTuple):
    """Where the result document and the picture lie."""

    json: Path
    picture: Path


def write(image: Image, result: Result, folder: Path, stem: str) -> Written:
    """Write `<stem>.json` (indented) and `<stem>.png` into `folder`, made where it is missing; older files give way.

    The document comes last, so where it lies its picture does too. Raises BadRequest where the folder cannot be
    written.
    """
    from spinert.runtime.report.overlay import png  # Pillow's drawing, which results without a picture do without

    written = _written(folder, stem)
    picture = png(image, result)
    document = msgspec.json.format(result.to_json(), indent=2) + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put({written.picture: picture, written.json: document})
    except OSError as error:
        raise BadRequest(
            f"cannot write {Path(error.filename or folder).name!r} into {folder}: {error.strerror}",
            "name a folder that can be written with -o",
        ) from None
    return written


def check_inputs_stay(inputs: Iterable[Path], folder: Path, stems: Iterable[str]) -> None:
    """Raises BadRequest where `write` would put a result in the place of an input, under whatever name or link."""
    kept = {_place(path) for path in inputs}
    for path in (path for stem in stems for path in _written(folder, stem)):
        if path.exists() and _place(path) in kept:
            raise BadRequest(f"{path.name!r} in {folder} is an input and would be overwritten", "name another with -o")


def stems(names: Sequence[str]) -> list[str]:
    """A file name without suffix for each study, in order; a repeated name gets -2, -3, also where case is ignored.

    What a file system may refuse, and what could leave the folder, becomes "_"; a stem has at most `LONGEST_STEM`
    bytes and room for a number.
    """
    taken: set[str] = set()
    chosen = []
    for name in names:
        plain = re.sub(r"[^\w.+=@ -]", "_", name).strip(" .").encode()[:LONGEST_STEM].decode(errors="ignore") or "study"
        stem, number = plain, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.casefold())
        chosen.append(stem)
    return chosen


def _written(folder: Path, stem: str) -> Written:
    return Written(folder / f"{stem}.json", folder / f"{stem}.png")


def _place(path: Path) -> tuple[int, int]:
    """What is the same for two names of one file, also where case is ignored."""
    found = path.stat()
    return found.st_dev, found.st_ino


def put(contents: Mapping[Path, bytes]) -> None:
    """Write all files beside their targets, flush them to the disk, then rename each over its target in order.

    Raises OSError; none of the targets is half-written then.
    """
    partials = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in contents}
    try:
        for path, content in contents.items():
            with partials[path].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, partial in partials.items():
            partial.replace(path)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
