"""Which studies lie in files, folders and zip archives, and reading one of them.

A file is what its content says, not its name. Studies of DICOM are grouped by Study Instance UID within one path; a
picture is a study of its own. In a folder or archive that holds DICOM, pictures are taken for previews and left out,
and so is everything that is neither; zip archives are opened only where named themselves.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal
from zipfile import ZipFile

from pydicom import uid as uids

from spinert.errors import BadGeometry, BadRequest, BadStudy, SpinertError
from spinert.image import Image
from spinert.runtime import archive, dicom, picture
from spinert.runtime.archive import Member
from spinert.runtime.dicom.kind import OtherImage
from spinert.runtime.dicom.reading import HEAD_BYTES, is_dicom, read_dataset
from spinert.runtime.dicom.values import uid

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
SUFFIXES = (*DICOM_SUFFIXES, ".png", ".jpg", ".jpeg", ".zip")

File = Path | Member


@dataclass(frozen=True)
class StudyFiles:
    """The files of one study. `name` is what to call it to the user and in output files; it may occur twice."""

    name: str
    files: tuple[File, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files lie on the disk; one in an archive lies where the archive does."""
        return tuple(file if isinstance(file, Path) else file.archive for file in self.files)


def find_studies(paths: Sequence[Path]) -> list[StudyFiles]:
    """The studies in these files, folders and zip archives, in the order of the paths, then of the file names.

    Only headers are read. A file that turns out to be unreadable is a study of its own, so that reading it raises and
    the others go on. Raises BadRequest for a path that does not exist, BadStudy for a folder or archive that holds
    nothing to read and for an archive beyond the bounds.
    """
    return [study for path in paths for study in _studies_in(path)]


def read_study(
    source: StudyFiles | Path, *, spacing_mm: tuple[float, float] | None = None, force: bool = False
) -> list[Image]:
    """The frontal and lateral radiographs of one study, at least one. A path must hold exactly one study.

    Objects of another kind or view beside a radiograph are left out with a warning; a damaged file is an error.
    Arguments and errors are those of `dicom.image_of` and `picture.read`; a picture without spacing is BadGeometry.
    """
    study = source if isinstance(source, StudyFiles) else only_study(source)
    images: list[Image] = []
    others: list[OtherImage] = []
    for file, open_file in _openers(study.files):
        try:
            with _naming(file), open_file() as stream:
                images.append(_read(stream, spacing_mm, force=force))
        except OtherImage as error:
            others.append(error)
    if not images and len(others) > 1:
        raise OtherImage(
            f"none of the {len(others)} objects is taken, the first: {others[0].problem}", others[0].remedy
        )
    if not images:
        raise others[0]
    if others:
        left_out = f"{len(others)} other objects of this study were left out, the first: {others[0].problem}"
        images = [replace(image, warnings=(*image.warnings, left_out)) for image in images]
    return images


def naming(study: StudyFiles) -> AbstractContextManager[None]:
    """Within it, every error names the file of a study that has only one."""
    return _naming(study.files[0]) if len(study.files) == 1 else nullcontext()


def _read(stream: BinaryIO, spacing_mm: tuple[float, float] | None, *, force: bool) -> Image:
    if not _is_picture(stream.read(HEAD_BYTES)):
        return dicom.read(stream, spacing_mm=spacing_mm, force=force)
    if spacing_mm is None:
        raise BadGeometry("a picture does not say how large its pixels are", "give it with --spacing-mm ROW,COLUMN")
    return picture.read(stream, spacing_mm=spacing_mm)


def only_study(path: Path) -> StudyFiles:
    """The study that lies in a path. Errors are those of `find_studies`, and BadStudy where there are more."""
    studies = find_studies([path])
    if len(studies) > 1:
        raise BadStudy(f"{path.name} holds {len(studies)} studies, one is wanted", "name the file of one of them")
    return studies[0]


def _studies_in(path: Path) -> list[StudyFiles]:
    if path.is_dir():
        files: list[File] = list(_walk(path))
    elif not path.is_file():
        raise BadRequest(f"there is no file or folder {path.name}", "correct the path")
    elif _is_archive(path):
        with _naming(path):
            files = [member for member in archive.members(path) if not any(map(_is_hidden, member.parts))]
    else:
        return [StudyFiles(_stem(path.name), (path,))]
    studies = _named(_grouped(files), _stem(path.resolve().name))
    if not studies:
        raise BadStudy(f"{path.name or path} holds no DICOM, PNG or JPEG file", "name a folder or file with one")
    return studies


def _named(studies: list[list[File]], whole: str) -> list[StudyFiles]:
    """A study of one file is called like the file, one of several like the folder, numbered where there are more."""
    several = [study for study in studies if len(study) > 1]
    names = {id(study): f"{whole}-{number}" for number, study in enumerate(several, 1)}
    if len(several) == 1:
        names = {id(several[0]): whole}
    return [StudyFiles(names.get(id(study)) or _stem(_base(study[0])), tuple(study)) for study in studies]


def _grouped(files: Iterable[File]) -> list[list[File]]:
    by_study: dict[str, list[File]] = {}
    pictures: list[list[File]] = []
    for file, open_file in _openers(files):
        kind, study = _look(file, open_file)
        if kind == "picture":
            pictures.append([file])
        elif kind == "dicom":
            by_study.setdefault(study or f"file {file}", []).append(file)
    return list(by_study.values()) or pictures


def _look(file: File, open_file: Callable[[], BinaryIO]) -> tuple[Literal["dicom", "picture", "other"], str | None]:
    """What a file is and its Study Instance UID. What cannot be opened or read counts as DICOM without one."""
    try:
        with open_file() as stream:
            head = stream.read(HEAD_BYTES)
            if _is_picture(head):
                return "picture", None
            if not is_dicom(head):
                return ("dicom" if _base(file).lower().endswith(DICOM_SUFFIXES) else "other"), None
            dataset = read_dataset(stream, tags=["StudyInstanceUID"])
            if uid(dataset.file_meta, "MediaStorageSOPClassUID") == uids.MediaStorageDirectoryStorage:
                return "other", None
            return "dicom", uid(dataset, "StudyInstanceUID")
    except BadStudy:
        return "dicom", None


def _is_picture(head: bytes) -> bool:
    return head.startswith(picture.SIGNATURES)


def _is_archive(path: Path) -> bool:
    try:
        with _open(path) as stream:
            head = stream.read(HEAD_BYTES)
    except BadStudy:
        return False  # reading it as a study will say why
    # A preamble may make a DICOM file look like anything else.
    return head.startswith(archive.SIGNATURES) and not is_dicom(head)


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder in order of name, without hidden ones; links to folders are not followed."""
    for parent, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(names):
            path = Path(parent, name)
            if not _is_hidden(name) and path.is_file():
                yield path


def _refuse_folder(error: OSError) -> None:
    """What cannot be listed must not look like a folder without studies."""
    name = Path(error.filename).name
    raise BadStudy(f"folder {name} cannot be opened: {error.strerror}", "check its permissions") from None


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _openers(files: Iterable[File]) -> Iterator[tuple[File, Callable[[], BinaryIO]]]:
    """Each file with a function that opens it; an archive is opened once for all its members."""
    with ExitStack() as stack:
        archives: dict[Path, ZipFile] = {}
        for file in files:
            if isinstance(file, Path):
                yield file, partial(_open, file)
                continue
            if file.archive not in archives:
                with _naming(file.archive):
                    archives[file.archive] = stack.enter_context(archive.opened(file.archive))
            yield file, partial(archive.inflated, archives[file.archive], file.name)


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise BadStudy(f"cannot be opened: {error.strerror}", "check the file and its permissions") from None


@contextmanager
def _naming(file: File) -> Iterator[None]:
    """Puts the file's name before the problem of an error; the folders above it stay out."""
    try:
        yield
    except SpinertError as error:
        raise type(error)(f"{_base(file)}: {error.problem}", error.remedy) from None


def _base(file: File) -> str:
    return _printable(PurePosixPath(file.name).name)


def _printable(name: str) -> str:
    """A name from an archive may hold line ends and terminal codes, which would forge lines of the table."""
    return "".join(letter if letter.isprintable() else "_" for letter in name)


def _stem(name: str) -> str:
    """Without the suffix of a known format only: a name such as 1.2.840.113 has no suffix."""
    name = _printable(name)
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]
