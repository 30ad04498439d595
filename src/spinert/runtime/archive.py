"""Zip archives, read in memory and bounded; nothing is extracted to disk and no archive within one is opened."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from spinert.errors import BadStudy, SpinertError
from spinert.runtime.limits import MAX_FILE_BYTES, check_bytes

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""Of an archive with members and of an empty one."""

MAX_MEMBERS = 4096
MAX_INFLATED_BYTES = 4 * MAX_FILE_BYTES
MAX_RATIO = 200
RATIO_FROM_BYTES = 2**20
"""Members below this inflated size may have any ratio: small ones of one colour do."""

_ENCRYPTED = 1


@dataclass(frozen=True)
class Member:
    """A file within a zip archive."""

    archive: Path
    name: str

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.name).parts


def members(path: Path) -> list[Member]:
    """The files of an archive in order of name.

    Raises BadStudy where the archive is damaged, encrypted, or beyond the bounds as its directory states them;
    `inflated` holds the content to what the directory states.
    """
    with opened(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    remedy = "unpack the archive and give the folder"
    if len(infos) > MAX_MEMBERS:
        raise BadStudy(f"archive has {len(infos)} files, the bound is {MAX_MEMBERS}", remedy)
    total = sum(info.file_size for info in infos)
    if total > MAX_INFLATED_BYTES:
        raise BadStudy(f"archive inflates to {total} bytes, the bound is {MAX_INFLATED_BYTES}", remedy)
    for info in infos:
        _check_member(info, remedy)
    return [Member(path, name) for name in sorted({info.filename for info in infos})]


def opened(path: Path) -> ZipFile:
    """The archive, for `inflated`; the caller closes it. Raises BadStudy where it is damaged."""
    with _damage():
        return ZipFile(path)


def inflated(archive: ZipFile, name: str) -> io.BytesIO:
    """The content of one member. Raises BadStudy where it is damaged or not what the directory states."""
    with _damage():
        return io.BytesIO(archive.read(name))  # reads no more than the size that `members` checked


def _check_member(info: ZipInfo, remedy: str) -> None:
    check_bytes(info.file_size)
    if info.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size):
        raise BadStudy(
            f"a file of the archive inflates from {info.compress_size} to {info.file_size} bytes, "
            f"the bound is {MAX_RATIO} times",
            remedy,
        )
    if info.flag_bits & _ENCRYPTED:
        raise BadStudy("archive is encrypted", remedy)


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except SpinertError:
        raise
    except Exception as error:  # what zipfile and its codecs raise on damaged bytes is not bounded
        raise BadStudy(
            f"the archive cannot be read ({type(error).__name__}), it is cut off or damaged",
            "make or copy the archive again",
        ) from None
