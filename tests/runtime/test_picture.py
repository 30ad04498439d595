import io
import zlib

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest

from spinert.errors import BadGeometry, BadStudy
from spinert.runtime import picture
from tests.dicom_files import ramp

SPACING = (0.2, 0.1)


def saved(image: PIL.Image.Image, form: str = "PNG", **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_grey_png_keeps_its_stored_values(bits):
    pixels = ramp(bits=bits)
    image = picture.read(saved(PIL.Image.fromarray(pixels)), spacing_mm=SPACING)
    assert image.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(image.pixels, pixels)


def test_picture_has_the_given_spacing_and_no_side():
    image = picture.read(saved(PIL.Image.fromarray(ramp())), spacing_mm=SPACING)
    assert (image.spacing_mm, image.spacing_kind) == (SPACING, "given")
    assert image.right_of_image is None
    assert not image.inverted


def test_jpeg_is_read_from_a_path(tmp_path):
    smooth = np.linspace(0, 255, 96 * 80).reshape(96, 80).astype(np.uint8)
    path = tmp_path / "film.jpg"
    PIL.Image.fromarray(smooth).save(path, quality=95)
    image = picture.read(path, spacing_mm=SPACING)
    assert np.abs(image.pixels.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_grey_shades_stored_as_colour_are_taken_as_grey(mode):
    pixels = ramp(bits=8)
    image = picture.read(saved(PIL.Image.fromarray(pixels).convert(mode)), spacing_mm=SPACING)
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_colour_photo_is_refused(form):
    colour = np.stack([ramp(bits=8), ramp(bits=8)[::-1], ramp(bits=8)], axis=-1)
    with pytest.raises(BadStudy, match="in colour"):
        picture.read(saved(PIL.Image.fromarray(colour), form), spacing_mm=SPACING)


def test_transparency_is_refused():
    layered = np.dstack([*[ramp(bits=8)] * 3, ramp(bits=8)])
    with pytest.raises(BadStudy, match="transparent"):
        picture.read(saved(PIL.Image.fromarray(layered, "RGBA")), spacing_mm=SPACING)


def test_black_and_white_is_refused():
    with pytest.raises(BadStudy, match="mode 1"):
        picture.read(saved(PIL.Image.fromarray(ramp(bits=8) > 100)), spacing_mm=SPACING)


def test_a_picture_turned_by_exif_is_refused_because_points_are_in_stored_pixels():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(BadGeometry, match="EXIF orientation is 6"):
        picture.read(saved(PIL.Image.fromarray(ramp(bits=8)), "JPEG", exif=exif), spacing_mm=SPACING)


@pytest.mark.parametrize("spacing", [(0.0, 0.1), (0.1, float("nan"))])
def test_impossible_spacing_is_refused(spacing):
    with pytest.raises(BadGeometry):
        picture.read(saved(PIL.Image.fromarray(ramp())), spacing_mm=spacing)


def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_decoded():
    png = bytearray(saved(PIL.Image.fromarray(ramp(bits=8))).getvalue())
    png[16:24] = (20_000).to_bytes(4, "big") + (4_200).to_bytes(4, "big")
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    with pytest.raises(BadStudy, match="84000000 pixels"):
        picture.read(io.BytesIO(png), spacing_mm=SPACING)


def test_a_decompression_bomb_is_refused():
    png = bytearray(saved(PIL.Image.fromarray(ramp(bits=8))).getvalue())
    png[16:24] = (2**30).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    with pytest.raises(BadStudy, match="cannot be decoded"):
        picture.read(io.BytesIO(png), spacing_mm=SPACING)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_cut_off_picture_is_refused(form):
    whole = saved(PIL.Image.fromarray(ramp(bits=8)), form).getvalue()
    for length in (1, 20, len(whole) // 2, len(whole) - 60):
        with pytest.raises(BadStudy):
            picture.read(io.BytesIO(whole[:length]), spacing_mm=SPACING)


def test_another_picture_format_is_refused():
    with pytest.raises(BadStudy):
        picture.read(saved(PIL.Image.fromarray(ramp(bits=8)), "TIFF"), spacing_mm=SPACING)


def test_a_picture_that_is_none_is_refused_without_its_path(tmp_path):
    path = tmp_path / "PHANTOM-7141.png"
    path.write_bytes(picture.SIGNATURES[0])
    with pytest.raises(BadStudy, match="cut off or damaged") as caught:
        picture.read(path, spacing_mm=SPACING)
    assert "7141" not in str(caught.value)
