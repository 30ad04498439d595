"""Stored values of one radiograph: decoding, unused bits, sign, padding, modality LUT, polarity.

What comes out is uint8 or uint16, one value for each pixel, not rescaled: the network's window is found from the
values themselves, and `rescale` leads from them to modality values.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom import uid as uids
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import Decoder, get_decoder

from spinert.errors import BadStudy
from spinert.runtime.dicom.codestream import frame_size
from spinert.runtime.dicom.values import element, integer, items, label, numbers, shown, uid, word
from spinert.runtime.grey import grey_of
from spinert.runtime.limits import check_size

Decoded = NDArray[Any]
"""uint8, int8, uint16 or int16 [rows, columns], or uint8 [rows, columns, 3]."""

Stored = NDArray[np.uint8] | NDArray[np.uint16]

_DAMAGED = "copy or export the file again"

_PLUGINS = ("pydicom", "pyjpegls", "pylibjpeg", "pillow", "gdcm")
"""In order of trust on damaged bytes: pylibjpeg's RLE decoder panics, so pydicom's slower one comes first; gdcm may end
the whole process, so it decodes only what nothing else can."""


class Values(NamedTuple):
    """`pixels` uint8 or uint16 [rows, columns]; `inverted` and `rescale` as in `Image`."""

    pixels: Stored
    inverted: bool
    rescale: tuple[float, float]
    warnings: tuple[str, ...]


def values_of(dataset: Dataset) -> Values:
    """Decode the one frame of a radiograph. Raises BadStudy where that cannot be done without a guess."""
    _check_layout(dataset)
    slope, intercept = _rescale(dataset)
    inverted, warnings = _polarity(dataset, slope)
    decoded = _decode(dataset)
    if decoded.ndim == 3:
        return Values(grey_of(decoded), inverted, (slope, intercept), warnings)
    warnings += _unused_bits(dataset)
    padding = _padding(dataset, decoded)
    lut = items(dataset, "ModalityLUTSequence")
    if lut:
        pixels = _looked_up(decoded, lut[0], big_endian=not _transfer_syntax(dataset).is_little_endian)
    else:
        pixels, zero = _unsigned(decoded)
        intercept -= slope * zero
    if padding is not None:
        pixels = _without_padding(pixels, padding, inverted)
    return Values(pixels, inverted, (slope, intercept), warnings)


def _check_layout(dataset: Dataset) -> None:
    rows, columns = integer(dataset, "Rows", 0), integer(dataset, "Columns", 0)
    if "PixelData" not in dataset:
        raise BadStudy("the file has no Pixel Data (7FE0,0010), it is cut off or holds no integer pixels", _DAMAGED)
    check_size(rows, columns)
    allocated, stored = integer(dataset, "BitsAllocated", 0), integer(dataset, "BitsStored", 0)
    high = integer(dataset, "HighBit", stored - 1)
    if allocated not in (8, 16) or not 1 < stored <= allocated or high != stored - 1:
        raise BadStudy(
            f"pixels have {allocated} bits allocated, {stored} stored and high bit {high}; "
            "taken are 8 or 16 allocated, 2 or more stored, the high bit being the highest stored",
            "export the radiograph again as 8 or 16 bit grey",
        )
    samples, kind = integer(dataset, "SamplesPerPixel", 1), word(dataset, "PhotometricInterpretation")
    monochrome = samples == 1 and kind in ("MONOCHROME1", "MONOCHROME2")
    if not monochrome and not (samples == 3 and allocated == 8 and kind.startswith(("RGB", "YBR"))):
        raise BadStudy(
            f"{label('PhotometricInterpretation')} is {shown(kind) or 'missing'} with {samples} samples of "
            f"{allocated} bits",
            "export the radiograph as MONOCHROME1 or MONOCHROME2",
        )


def _rescale(dataset: Dataset) -> tuple[float, float]:
    slope = (*numbers(dataset, "RescaleSlope"), 1.0)[0]
    intercept = (*numbers(dataset, "RescaleIntercept"), 0.0)[0]
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        raise BadStudy(
            f"{label('RescaleSlope')} is {slope:g} and {label('RescaleIntercept')} is {intercept:g}: "
            "both must be finite and the slope not 0",
            "export the radiograph again, its header is damaged",
        )
    # A modality LUT takes the place of the rescale (PS3.3 C.11.1).
    return (1.0, 0.0) if items(dataset, "ModalityLUTSequence") else (slope, intercept)


def _polarity(dataset: Dataset, slope: float) -> tuple[bool, tuple[str, ...]]:
    """Whether a higher stored value is darker.

    MONOCHROME1 and Presentation LUT Shape INVERSE say the same thing, so together they invert once (PS3.3 C.8.11.3).
    Where they disagree either one inverts: known films are MONOCHROME1 with a wrong IDENTITY.
    """
    kind, shape = word(dataset, "PhotometricInterpretation"), word(dataset, "PresentationLUTShape")
    low_is_white = kind == "MONOCHROME1"
    disagree = shape == ("IDENTITY" if low_is_white else "INVERSE")
    warnings = (f"{label('PhotometricInterpretation')} is {kind} but {label('PresentationLUTShape')} is {shape}: "
                "taken as inverted",) if disagree else ()  # fmt: skip
    return (low_is_white or shape == "INVERSE") != (slope < 0), warnings


def _transfer_syntax(dataset: Dataset) -> uids.UID:
    meta = getattr(dataset, "file_meta", None)
    stated = uid(meta, "TransferSyntaxUID") if meta is not None else None
    if stated is not None:
        return uids.UID(stated)
    _, little_endian = dataset.original_encoding
    return uids.ExplicitVRBigEndian if little_endian is False else uids.ExplicitVRLittleEndian


def _decode(dataset: Dataset) -> Decoded:
    """Stored values as pydicom's decoder gives them: sign and unused bits put right, YCbCr made RGB, nothing else."""
    syntax = _transfer_syntax(dataset)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise BadStudy(f"transfer syntax {syntax.name} is not known", "export the radiograph uncompressed") from None
    if not decoder.is_available:
        raise BadStudy(f"no codec is installed for {syntax.name}", 'pip install "spinert[codecs]"')
    try:
        if syntax.is_encapsulated:
            _check_codestream(dataset)
        array, _ = decoder.as_array(dataset, index=0, decoding_plugin=_plugin(decoder))
    except BadStudy:
        raise
    except Exception as error:  # what a codec raises on damaged bytes is not bounded
        reason = str(error).strip().splitlines() or [type(error).__name__]
        lacking = any("gdcm" in plugin for plugin in decoder.missing_dependencies)
        remedy = f'{_DAMAGED}, or pip install "spinert[codecs]"' if lacking else _DAMAGED
        raise BadStudy(f"pixels ({syntax.name}) cannot be decoded: {reason[-1].strip()[:200]}", remedy) from None
    return array


def _unused_bits(dataset: Dataset) -> tuple[str, ...]:
    """A warning where bits above Bits Stored are set in unsigned pixels that are not compressed.

    An overlay was once kept there (PS3.5 8.1.1), or Bits Stored is too small and the values that are left have wrapped.
    """
    syntax, stored = _transfer_syntax(dataset), integer(dataset, "BitsStored", 0)
    if syntax.is_encapsulated or integer(dataset, "PixelRepresentation", 0):
        return ()
    wide = "u1" if integer(dataset, "BitsAllocated", 0) == 8 else "<u2" if syntax.is_little_endian else ">u2"
    highest = np.frombuffer(dataset.PixelData, wide, integer(dataset, "Rows", 0) * integer(dataset, "Columns", 0)).max()
    if highest < 1 << stored:
        return ()
    return (f"{label('BitsStored')} is {stored} but pixels go up to {highest}: taken without the bits above",)


def _plugin(decoder: Decoder) -> str:
    available = decoder.available_plugins
    if "gdcm" in available and uids.JPEGExtended12Bit == decoder.UID:
        return "gdcm"  # Pillow takes this syntax too, but fails on its 12 bits
    return next((plugin for plugin in _PLUGINS if plugin in available), "")


def _check_codestream(dataset: Dataset) -> None:
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    size = frame_size(frame)
    rows, columns = integer(dataset, "Rows", 0), integer(dataset, "Columns", 0)
    if size is not None and size != (rows, columns):
        raise BadStudy(
            f"header says {rows} rows x {columns} columns, the compressed pixels {size[0]} x {size[1]}", _DAMAGED
        )


def _unsigned(decoded: Decoded) -> tuple[Stored, int]:
    """(unsigned values, what was added): signed values are moved up by half the range of their type."""
    half = 0 if decoded.dtype.kind == "u" else 1 << (8 * decoded.dtype.itemsize - 1)
    moved = decoded.astype(np.int32) + half if half else decoded
    if decoded.dtype.itemsize == 1:
        return moved.astype(np.uint8, copy=False), half
    return moved.astype(np.uint16, copy=False), half


def _padding(dataset: Dataset, decoded: Decoded) -> NDArray[np.bool_] | None:
    """Which pixels are padding: Pixel Padding Value, up to its Range Limit where there is one (PS3.3 C.7.5.1.1.2)."""
    value = numbers(dataset, "PixelPaddingValue")
    if not value:
        return None
    bounds = (value[0], *numbers(dataset, "PixelPaddingRangeLimit")[:1])
    padding = (decoded >= min(bounds)) & (decoded <= max(bounds))
    if padding.all():
        raise BadStudy(f"every pixel is padding ({label('PixelPaddingValue')} {value[0]:g})", "give another image")
    return padding if padding.any() else None


def _without_padding(pixels: Stored, padding: NDArray[np.bool_], inverted: bool) -> Stored:
    """Padding becomes the most air-like of the film's own values, so that it cannot widen the window."""
    film = pixels[~padding]
    return np.where(padding, film.max() if inverted else film.min(), pixels)


def _looked_up(decoded: Decoded, lut: Dataset, *, big_endian: bool) -> Stored:
    """Values after the modality LUT (PS3.3 C.11.1.1); values outside the table take its first or last entry."""
    descriptor = numbers(lut, "LUTDescriptor")
    data = element(lut, "LUTData")
    if len(descriptor) != 3 or data is None or descriptor[0] < 0 or not 1 <= descriptor[2] <= 16:
        raise BadStudy(f"{label('ModalityLUTSequence')} has no valid table", "export the radiograph again")
    count, first = int(descriptor[0]) or 1 << 16, int(descriptor[1])
    if isinstance(data, bytes):
        wide = len(data) >= 2 * count
        table = np.frombuffer(
            data[: len(data) // 2 * 2 if wide else None], (">u2" if big_endian else "<u2") if wide else np.uint8
        )
    else:
        table = np.atleast_1d(np.asarray(data, np.int64))
    if len(table) < count or table.min() < 0 or table.max() > 0xFFFF:
        raise BadStudy(
            f"{label('ModalityLUTSequence')} has {len(table)} entries, its descriptor says {count}", "export it again"
        )
    entry = np.clip(decoded.astype(np.int32) - first, 0, count - 1)
    return table[:count].astype(np.uint16)[entry]
