"""Results as files: each appears whole or not at all."""

import os
import re
from collections.abc import Sequence
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
    from spinert.runtime.report.overlay import png

    written = Written(folder / f"{stem}.json", folder / f"{stem}.png")
    picture = png(image, result)
    document = msgspec.json.format(result.to_json(), indent=2) + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(written.picture, picture)
        _put(written.json, document)
    except OSError as error:
        raise BadRequest(
            f"cannot write {Path(error.filename or folder).name!r} into {folder}: {error.strerror}",
            "name a folder that can be written with -o",
        ) from None
    return written


def stems(names: Sequence[str]) -> list[str]:
    """A file name without suffix for each study, in order; a repeated name gets -2, -3, also where case is ignored.

    What a file system may refuse, and what could leave the folder, becomes "_".
    """
    taken: set[str] = set()
    chosen = []
    for name in names:
        plain = re.sub(r"[^\w.+=@ -]", "_", name).strip(" .")[:LONGEST_STEM] or "study"
        stem, number = plain, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.casefold())
        chosen.append(stem)
    return chosen


def _put(path: Path, content: bytes) -> None:
    """Write beside the target, flush to the disk, then rename over it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
