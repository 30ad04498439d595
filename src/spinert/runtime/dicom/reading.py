"""From bytes to a dataset, whatever the bytes are: recognised by content, bounded, BadStudy and nothing else raised."""

import io
import re
import zlib
from struct import unpack_from
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom import uid as uids
from pydicom.dataset import FileMetaDataset

from spinert.errors import BadStudy
from spinert.runtime.limits import MAX_FILE_BYTES, check_bytes

HEAD_BYTES = 1024
"""How much of a file `is_dicom` wants to see."""

_PREFIX_END = 132


def is_dicom(head: bytes) -> bool:
    """Whether a file that starts with `head` is DICOM, with or without the preamble of PS3.10 7.1."""
    if head[128:_PREFIX_END] == b"DICM":
        return True
    if len(head) < 8:
        return False
    # A bare data set starts with group 0002 or 0008, then an explicit VR or a short implicit length.
    group, number, length = unpack_from("<HHI", head)
    explicit = re.fullmatch(rb"[A-Z]{2}", head[4:6]) is not None
    return (group in (2, 8) and number <= 0x100 and (explicit or length <= 256)) or (
        group in (0x0200, 0x0800) and explicit
    )


def read_dataset(file: BinaryIO, *, tags: list[str] | None = None) -> Dataset:
    """The dataset of a file opened at its start; with `tags` only these and no pixels. Raises BadStudy."""
    check_bytes(file.seek(0, io.SEEK_END))
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not is_dicom(head):
        raise BadStudy("this is no DICOM, PNG or JPEG file", "give a radiograph in one of these formats")
    file.seek(0)
    try:
        deflated = _start_of_deflated(head)
        if deflated is not None:
            file = _inflated(file, deflated)
        dataset = dcmread(file, force=True, stop_before_pixels=tags is not None, specific_tags=tags)
        if deflated is not None:
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    except BadStudy:
        raise
    except Exception as error:  # what pydicom raises on damaged bytes is not bounded; its text may quote the file
        raise BadStudy(
            f"the DICOM file cannot be read ({type(error).__name__}), it is cut off or damaged",
            "copy or export the file again",
        ) from None
    return dataset


def _start_of_deflated(head: bytes) -> int | None:
    """Where the data set starts in a file of Deflated Explicit VR Little Endian, None for every other file."""
    if head[_PREFIX_END : _PREFIX_END + 8] != b"\x02\x00\x00\x00UL\x04\x00":
        return None
    meta_start = _PREFIX_END + 12
    meta_end = meta_start + int(unpack_from("<I", head, meta_start - 4)[0])
    stated = re.search(rb"\x02\x00\x10\x00UI..([0-9.]+)", head[meta_start:meta_end], re.DOTALL)
    return meta_end if stated and stated[1].decode() == uids.DeflatedExplicitVRLittleEndian else None


def _inflated(file: BinaryIO, start: int) -> io.BytesIO:
    """The data set without its file meta information. pydicom would inflate it without a bound."""
    file.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(file.read(), MAX_FILE_BYTES + 1)
    check_bytes(len(content))
    if not inflater.eof:
        raise BadStudy("the deflated DICOM file is cut off", "copy or export the file again")
    return io.BytesIO(content)
