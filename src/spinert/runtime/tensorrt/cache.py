"""The cache of engines: a folder of the user, with `KEY.json` and the plan it names for each engine.

An engine is published under a lock, whole or not at all: its plan and then its description are written beside their
places, flushed and renamed. Reading needs no lock. SPINERT_CACHE names another folder.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from spinert.errors import BuildFailed, NoEngine
from spinert.runtime.tensorrt.identity import FORMAT, Sidecar, encode

VARIABLE = "SPINERT_CACHE"
BOX = "box"
LOCK = "lock"
PARTIAL = ".partial"


class Entry(NamedTuple):
    """A description in the cache, or why it cannot be read."""

    path: Path
    sidecar: Sidecar | None
    problem: str | None


def folder() -> Path:
    """Where engines lie. It may not be there yet. Raises NoEngine where the user has no home folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():  # the specification says that a relative one is to be ignored
        return Path(base) / "spinert" / "engines"
    try:
        return Path.home() / ".cache" / "spinert" / "engines"
    except RuntimeError:
        raise NoEngine(
            "this user has no home folder, where engines would be kept", f"name a folder in {VARIABLE}"
        ) from None


def box() -> str | None:
    """The name of this cache, None before the first engine is built in it."""
    try:
        return (folder() / BOX).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def entries() -> list[Entry]:
    """All descriptions, sorted by name; those that cannot be read with the reason."""
    return [_read(path) for path in sorted(folder().glob("*.json"))]


def find(key: str) -> Entry | None:
    """The description of this key, None where there is none."""
    path = folder() / f"{key}.json"
    return _read(path) if path.exists() else None


def read(name: str) -> bytes:
    """A file of the cache that is no engine; nothing where it is not there."""
    try:
        return (folder() / name).read_bytes()
    except OSError:
        return b""


def damage(sidecar: Sidecar) -> str | None:
    """What is wrong with the plan of an engine, None where it is as it was built."""
    return _content(sidecar)[1]


def plan(sidecar: Sidecar) -> bytes:
    """The plan of an engine; ValueError with the reason where it is gone or its bytes have changed."""
    content, problem = _content(sidecar)
    if problem is not None:
        raise ValueError(problem)
    return content


def kernels(sidecar: Sidecar) -> bytes:
    """What was compiled for an engine; nothing where there is none, or it has changed: it is compiled again then."""
    content = b"" if sidecar.kernels is None else read(sidecar.kernels)
    return content if hashlib.sha256(content).hexdigest() == sidecar.kernels_sha256 else b""


@contextmanager
def locked(waiting: Callable[[], None] | None = None) -> Iterator[str]:
    """Be the only one who builds; yields the name of the box. `waiting` is called before another builder is waited for.

    Raises BuildFailed where the folder cannot be made or written to.
    """
    import fcntl  # not everywhere, and needed for building alone

    with writing():
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(folder() / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with writing():  # a file system may have no locks
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is not None:
                    waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            for left in folder().glob(f"*{PARTIAL}"):  # by a builder that was killed
                left.unlink()
            name = box()
            if name is None:
                name = secrets.token_hex(16)
                write(BOX, name.encode())
        yield name
    finally:
        os.close(file)


def publish(sidecar: Sidecar, content: bytes | None, compiled: bytes = b"") -> None:
    """Write an engine, or the description alone where its plan lies there already. Only while `locked`."""
    before = find(sidecar.identity.key)
    with writing():
        if sidecar.kernels is not None:
            write(sidecar.kernels, compiled)
        if content is not None:
            write(sidecar.plan, content)
        write(f"{sidecar.identity.key}.json", encode(sidecar))
        if before is not None and before.sidecar is not None:
            _release(before.sidecar)


def withdraw(sidecar: Sidecar) -> None:
    """Remove an engine, its description first. Only while `locked`."""
    with writing():
        (folder() / f"{sidecar.identity.key}.json").unlink(missing_ok=True)
        _release(sidecar)


def _release(sidecar: Sidecar) -> None:
    """Remove the files of a description that is gone, but those that another one names."""
    needed = {name for entry in entries() if entry.sidecar for name in _files(entry.sidecar)}
    for name in set(_files(sidecar)) - needed:
        (folder() / name).unlink(missing_ok=True)


def _files(sidecar: Sidecar) -> tuple[str, ...]:
    return (sidecar.plan,) if sidecar.kernels is None else (sidecar.plan, sidecar.kernels)


def write(name: str, content: bytes) -> None:
    """A file of the cache, whole or not at all."""
    place = folder() / name
    partial = folder() / f"{name}{PARTIAL}"
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(place)
    finally:
        partial.unlink(missing_ok=True)
    parent = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(parent)  # the name is on the disk too
    finally:
        os.close(parent)


@contextmanager
def writing() -> Iterator[None]:
    """Errors of the disk as BuildFailed that names the folder."""
    try:
        yield
    except OSError as error:
        why = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EROFS: "it is read-only"}
        reason = why.get(error.errno or 0, error.strerror or type(error).__name__)
        raise BuildFailed(
            f"engines cannot be written to {folder()}: {reason}",
            f"make room or let it be written to, or name another folder in {VARIABLE}",
        ) from None


def _read(path: Path) -> Entry:
    try:
        sidecar = msgspec.json.decode(path.read_bytes(), type=Sidecar)
    except OSError as error:
        return Entry(path, None, error.strerror or type(error).__name__)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Entry(path, None, f"not a description of an engine of this spinert: {error}")
    if sidecar.format != FORMAT:
        return Entry(path, None, f"format {sidecar.format}, this spinert reads {FORMAT}")
    if sidecar.identity.key != path.stem:
        return Entry(path, None, f"it describes the engine {sidecar.identity.key[:12]}, not the one it is named after")
    return Entry(path, sidecar, None)


def _content(sidecar: Sidecar) -> tuple[bytes, str | None]:
    try:
        content = (folder() / sidecar.plan).read_bytes()
    except OSError as error:
        return b"", f"its plan {sidecar.plan} cannot be read: {error.strerror}"
    if len(content) != sidecar.plan_bytes:
        return b"", f"its plan has {len(content)} bytes, it was built with {sidecar.plan_bytes}"
    if (found := hashlib.sha256(content).hexdigest()) != sidecar.plan_sha256:
        return b"", f"its plan has SHA-256 {found[:12]}, it was built with {sidecar.plan_sha256[:12]}"
    return content, None
