"""Bytes that no device writes. Whatever they are, reading ends in images or in a SpinertError, never in a traceback."""

import io
import os
import random
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import uid as uids
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder

from spinert.errors import BadStudy, SpinertError
from spinert.image import Image
from spinert.runtime import limits
from spinert.runtime.dicom import image_of, read
from spinert.runtime.dicom.codestream import frame_size
from spinert.runtime.dicom.kind import OtherImage
from spinert.runtime.dicom.pixels import _plugin
from spinert.runtime.files import find_studies, read_study
from tests.dicom_files import altered, compressed, encoded, radiograph, ramp, reread, with_syntax

# pydicom warns of malformed values as it reads them; here that is the point.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def files() -> dict[str, bytes]:
    plain = radiograph()
    return {
        "explicit": encoded(plain),
        "implicit": encoded(with_syntax(plain, uids.ImplicitVRLittleEndian)),
        "big": encoded(with_syntax(plain, uids.ExplicitVRBigEndian)),
        "deflated": encoded(with_syntax(plain, uids.DeflatedExplicitVRLittleEndian)),
        "rle": encoded(compressed(plain, uids.RLELossless, "pydicom")),
        "png": png(ramp()),
        "jpeg": jpeg(ramp(bits=8)),
    }


FILES = files()


def read_bytes(content: bytes, at: Path) -> list[Image]:
    at.write_bytes(content)
    return read_study(at, spacing_mm=(0.15, 0.15))


# --- cut off, empty, foreign


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_off_anywhere_is_refused(kind, tmp_path):
    whole = FILES[kind]
    for length in {*range(0, 600, 37), *range(600, len(whole) - 64, max(1, len(whole) // 40)), len(whole) - 64}:
        with pytest.raises(SpinertError):
            read_bytes(whole[:length], tmp_path / "cut.dcm")


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"P", b"DICM", b"\0" * 128 + b"DICM", b"hello, world" * 100])
def test_what_is_no_image_is_refused_with_its_file_name(content, tmp_path):
    with pytest.raises(BadStudy, match=r"^film\.dcm: "):
        read_bytes(content, tmp_path / "film.dcm")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(tmp_path):
    path = tmp_path / "film.dcm"
    path.write_bytes(FILES["explicit"])
    path.chmod(0)
    with pytest.raises(BadStudy, match="cannot be opened"):
        read_study(path)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_after_a_valid_prefix_are_refused(seed, tmp_path):
    noise = random.Random(seed).randbytes(3000)
    for prefix in (b"\0" * 128 + b"DICM", FILES["explicit"][:400], FILES["png"][:40], FILES["jpeg"][:30], b"PK\3\4"):
        with pytest.raises(SpinertError):
            read_bytes(prefix + noise, tmp_path / "film.dcm")


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_changed_bytes_give_images_or_an_error(kind, changes, tmp_path):
    content = bytearray(FILES[kind])
    for position, value in changes:
        content[position % len(content)] = value
    try:
        images = read_bytes(bytes(content), tmp_path / "film.dcm")
    except SpinertError:
        return
    assert all(isinstance(image, Image) and image.pixels.ndim == 2 for image in images)


# --- headers that lie


@pytest.mark.parametrize("size", [(0, 0), (0, 80), (1, 1), (63, 80), (96, 10)])
def test_images_too_small_to_show_a_spine_are_refused_with_their_size(size):
    dataset = radiograph(np.zeros(size, np.uint16))
    with pytest.raises(BadStudy, match=f"{size[0]} rows x {size[1]} columns"):
        image_of(dataset)


def test_a_header_that_claims_more_pixels_than_the_bound_is_refused_before_decoding():
    with pytest.raises(BadStudy, match="4294836225 pixels, the bound is"):
        image_of(radiograph(Rows=65535, Columns=65535))


def test_a_header_that_claims_more_pixels_than_there_are_is_refused():
    with pytest.raises(BadStudy, match="less than expected"):
        image_of(radiograph(Rows=97))


@pytest.mark.parametrize(
    "attributes",
    [
        {"BitsAllocated": 32},
        {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
        {"BitsStored": 17, "HighBit": 16},
        {"BitsStored": 0, "HighBit": -1},
        {"SamplesPerPixel": 0},
        {"SamplesPerPixel": 2},
        {"SamplesPerPixel": 3},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"PhotometricInterpretation": ""},
        {"PixelRepresentation": 7},
        {"Rows": None},
        {"PixelData": None},
        {"NumberOfFrames": -3},
        {"BitsAllocated": None},
    ],
    ids=str,
)
def test_impossible_pixel_descriptions_are_refused(attributes):
    dataset = altered(radiograph(), **attributes)
    with pytest.raises(BadStudy):
        image_of(dataset)


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImagerPixelSpacing", "RescaleSlope", "NumberOfFrames"])
def test_text_in_place_of_a_number_is_refused_and_not_quoted(keyword):
    dataset = radiograph()
    dataset.add_new(keyword, "LO", "DOE^JANE")
    with pytest.raises(BadStudy) as caught:
        image_of(dataset)
    assert "DOE" not in str(caught.value)


def test_a_colour_photo_in_a_secondary_capture_is_refused():
    colour = np.stack([ramp(bits=8), ramp(bits=8)[::-1], ramp(bits=8)], axis=-1)
    with pytest.raises(BadStudy, match="in colour"):
        image_of(reread(radiograph(colour, "OT")))


@pytest.mark.parametrize("depth", [50, 5000])
def test_deeply_nested_sequences_are_no_crash(depth):
    opened = b"\x54\x00\x20\x02SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    content = FILES["explicit"]
    pixels = content.index(b"\xe0\x7f\x10\x00")
    nested = content[:pixels] + opened * depth + closed * depth + content[pixels:]
    if depth > 1000:
        with pytest.raises(BadStudy, match="RecursionError"):
            read(io.BytesIO(nested))
    else:
        assert read(io.BytesIO(nested)).pixels.shape == ramp().shape


# --- bombs


def test_a_file_above_the_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 1000)
    with pytest.raises(BadStudy, match=f"file has {len(FILES['explicit'])} bytes, the bound is 1000"):
        read_bytes(FILES["explicit"], tmp_path / "film.dcm")


def test_a_deflated_bomb_is_not_inflated_beyond_the_bound(monkeypatch):
    from spinert.runtime.dicom import reading

    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 2**20)
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 2**20)
    whole = FILES["deflated"]
    start = reading._start_of_deflated(whole)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = whole[:start] + deflater.compress(bytes(8 * 2**20)) + deflater.flush()
    assert len(bomb) < 2**20
    with pytest.raises(BadStudy, match=f"{2**20 + 1} bytes, the bound is {2**20}"):
        read(io.BytesIO(bomb))


@pytest.mark.parametrize(
    ("syntax", "plugin"), [(uids.JPEGLSLossless, "pyjpegls"), (uids.JPEG2000Lossless, "pylibjpeg")]
)
def test_compressed_pixels_of_another_size_than_the_header_are_refused_before_decoding(syntax, plugin):
    pytest.importorskip({"pylibjpeg": "openjpeg", "pyjpegls": "jpeg_ls"}[plugin])
    dataset = compressed(radiograph(), syntax, plugin)
    dataset.Rows = 95
    with pytest.raises(BadStudy, match="header says 95 rows x 80 columns, the compressed pixels 96 x 80"):
        image_of(dataset)


@pytest.mark.parametrize(
    ("syntax", "plugin"), [(uids.JPEGLSLossless, "pyjpegls"), (uids.JPEG2000Lossless, "pylibjpeg")]
)
def test_a_cut_off_codestream_is_refused(syntax, plugin, tmp_path):
    pytest.importorskip({"pylibjpeg": "openjpeg", "pyjpegls": "jpeg_ls"}[plugin])
    whole = encoded(compressed(radiograph(), syntax, plugin))
    for length in range(len(whole) // 3, len(whole) - 64, len(whole) // 10):
        with pytest.raises(BadStudy):
            read_bytes(whole[:length], tmp_path / "cut.dcm")


@pytest.mark.parametrize(
    "syntax", [uids.RLELossless, uids.JPEGLSLossless, uids.JPEG2000Lossless, uids.JPEGBaseline8Bit]
)
def test_gdcm_is_kept_from_what_others_decode_because_it_may_end_the_process(syntax):
    # A JPEG 2000 stream with changed bytes made gdcm throw through its binding: the process aborted.
    decoder = get_decoder(syntax)
    if decoder.available_plugins == ("gdcm",):
        pytest.skip("gdcm is the only codec installed for this syntax")
    assert _plugin(decoder) not in ("", "gdcm")


def test_a_damaged_rle_stream_is_refused():
    # pylibjpeg's decoder panics here, which no `except Exception` catches.
    dataset = compressed(radiograph(), uids.RLELossless, "pydicom")
    whole = get_frame(dataset.PixelData, 0, number_of_frames=1)
    for seed in range(50):
        noise = random.Random(seed)
        frame = bytearray(whole)
        for _ in range(4):
            frame[noise.randrange(64, len(frame))] = noise.randrange(256)
        dataset.PixelData = encapsulate([bytes(frame[: noise.randrange(64, len(frame))])])
        with pytest.raises(BadStudy):
            image_of(dataset)


def test_a_transfer_syntax_of_several_values_is_refused():
    dataset = radiograph()
    dataset.file_meta.add_new("TransferSyntaxUID", "UI", ["1.2.3", "1.2.4"])
    with pytest.raises(BadStudy):
        image_of(dataset)


def test_a_jp2_box_of_no_length_does_not_loop_for_ever():
    signature = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
    with pytest.raises(ValueError, match="JP2 box of 0 bytes"):
        frame_size(signature + b"\x00\x00\x00\x00ftyp" + bytes(100))


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0\x00\x10",
        b"\xff\xd8\x00\x00",
        b"\xff\x4f\xff\x51\x00",
        b"\xff\xd8" + b"\xff" * 50,
    ],
)
def test_a_codestream_that_ends_before_its_size_is_an_error(frame):
    with pytest.raises(ValueError, match=r"codestream|marker"):
        frame_size(frame)


def test_a_codestream_without_a_size_of_its_own_says_nothing():
    assert frame_size(b"\x01\x00\x00\x00" * 16) is None


# --- real files


@pytest.mark.skipif("SPINERT_SHARED" not in os.environ, reason="SPINERT_SHARED names no folder with shared data")
def test_a_real_ct_series_is_refused_as_ct():
    studies = find_studies([Path(os.environ["SPINERT_SHARED"], "data", "ct", "gantry_tilt", "In", "GE")])
    assert len(studies) >= 1
    for study in studies:
        with pytest.raises(OtherImage, match=r"Modality \(0008,0060\) is CT"):
            read_study(study)
