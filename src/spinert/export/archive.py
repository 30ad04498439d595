"""Is a `.pt2` file only data? `torch.export.load` trusts what it reads: it falls back to full unpickling, evaluates
shape expressions, resolves operators by name in all of torch. So the archive is looked through before torch opens it,
and what is not known to be a tensor, text or a plain ATen graph is refused.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import torch

from spinert.errors import ExportFailed

_MEMBER = re.compile(
    r"models/model\.json|archive_(format|version)|byteorder|\.data/\w+|\.format_version|\.storage_alignment"
    r"|data/(weights|constants)/(weight_\d+|tensor_\d+|model\.pt|model_\w+_config\.json)|data/sample_inputs/model\.pt"
)
_TARGET = re.compile(
    r"torch\.ops\.aten\.\w+\.\w+|torch\.sym_(int|max|min)|_operator\.(getitem|add|sub|mul|floordiv|mod|neg|eq|ne|lt|le|gt|ge)"
)
_EXPRESSION = re.compile(
    r"([su\d'\s+\-*/(),<>=]|Symbol|positive|integer|True|False|Integer|Max|Min|Mod|FloorDiv|Eq|Ne|Lt|Le|Gt|Ge)*"
)
"""Shape expressions over the free batch, such as `Symbol('s40', positive=True, integer=True)`."""


def refuse_code(content: bytes, name: str) -> None:
    """Raise ExportFailed naming each part of the archive that is not plain data."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            paths = [path.partition("/")[2] for path in archive.namelist()]
            members = {path: archive.read(full) for path, full in zip(paths, archive.namelist(), strict=True)}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ExportFailed(f"{name} is no .pt2 archive: {error}", "write it with torch.export.save") from error
    suspect = {path for path in paths if not _MEMBER.fullmatch(path) or paths.count(path) > 1}
    for path, member in members.items():
        suspect.update(f"{path}: {part}" if part else path for part in _suspect_parts(path, member))
    if suspect:
        raise ExportFailed(
            f"{name} is refused, for reading it could run code: {', '.join(sorted(suspect))}",
            "save a program of ATen operators and plain tensors with torch.export.save, and no extra files",
        )


def _suspect_parts(path: str, member: bytes) -> Iterator[str]:
    suffix = PurePosixPath(path).suffix
    if suffix == ".pt" and not _loads_as_tensors(member):
        yield ""
    if suffix != ".json":
        return
    try:
        document = json.loads(member)
    except ValueError:
        yield "not JSON"
        return
    for key, value in _entries(document):
        if key == "use_pickle" and value is not False:
            yield "a pickled object"
        elif key == "path_name" and not re.fullmatch(r"(weight|tensor)_\d+", str(value)):
            yield f"path_name {value!r}"
        elif key == "target" and isinstance(value, str) and "." in value and not _TARGET.fullmatch(value):
            yield f"operator {value}"
        elif key == "expr_str" and not _EXPRESSION.fullmatch(str(value)):
            yield f"expression {value!r}"


def _entries(document: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object, however deep."""
    waiting = [document]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            yield from current.items()
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current


def _loads_as_tensors(content: bytes) -> bool:
    try:
        torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception:  # bytes that are no tensors fail anywhere in torch's unpickler
        return False
    return True
