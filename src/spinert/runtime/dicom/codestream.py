"""Size of a compressed frame as its codestream states it, read before a decoder allocates memory for it.

JPEG and JPEG-LS: ITU-T T.81 B.2.2, T.87 C.2.2 (start of frame). JPEG 2000: ITU-T T.800 A.5.1 (SIZ), I.4 (boxes).
"""

from struct import error as too_short
from struct import unpack_from

_SOI, _SOC_SIZ = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "
_STARTS_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def frame_size(frame: bytes) -> tuple[int, int] | None:
    """(rows, columns), None for a codestream of another kind, such as RLE, that has no size of its own.

    Raises ValueError for a JPEG or JPEG 2000 codestream that is cut off or malformed before its size.
    """
    try:
        if frame.startswith(_JP2_SIGNATURE):
            return _jpeg2000(frame, _codestream_box(frame))
        if frame.startswith(_SOC_SIZ):
            return _jpeg2000(frame, 0)
        if frame.startswith(_SOI):
            return _jpeg(frame)
    except too_short:
        raise ValueError("the codestream ends before it states its size") from None
    return None


def _codestream_box(frame: bytes) -> int:
    offset = 0
    while True:
        length, kind = unpack_from(">I4s", frame, offset)
        if kind == b"jp2c":
            return offset + (16 if length == 1 else 8)
        if length < 8:  # 0 is "to the end", 1 a 64 bit length: neither may stand before the codestream
            raise ValueError(f"JP2 box of {length} bytes")
        offset += length


def _jpeg2000(frame: bytes, offset: int) -> tuple[int, int]:
    if frame[offset : offset + 4] != _SOC_SIZ:
        raise ValueError("no SIZ marker at the start of the JPEG 2000 codestream")
    right, bottom, left, top = unpack_from(">4I", frame, offset + 8)
    return bottom - top, right - left


def _jpeg(frame: bytes) -> tuple[int, int]:
    offset = 2
    while True:
        fill, marker = unpack_from(">BB", frame, offset)
        if fill != 0xFF:
            raise ValueError(f"no marker at byte {offset} of the JPEG codestream")
        if marker == 0xFF:  # fill byte
            offset += 1
        elif marker in _STARTS_OF_FRAME:
            rows, columns = unpack_from(">HH", frame, offset + 5)
            return rows, columns
        elif marker in _STANDALONE:
            offset += 2
        else:
            offset += 2 + unpack_from(">H", frame, offset + 2)[0]
