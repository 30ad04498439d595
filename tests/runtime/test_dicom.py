import io
import re

import numpy as np
import PIL.Image
import pytest
from pydicom import Dataset
from pydicom import uid as uids
from pydicom.encaps import encapsulate

from spinert.errors import BadGeometry, BadStudy
from spinert.runtime import dicom
from spinert.runtime.dicom.kind import OtherImage
from tests.dicom_files import altered, compressed, encoded, radiograph, ramp, reread, with_syntax


def code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


# --- the image and what is kept of its header


@pytest.mark.parametrize("modality", ["DX", "CR", "RF", "OT"])
def test_projection_radiographs_and_secondary_captures_are_taken_with_their_stored_values(modality):
    image = dicom.image_of(reread(radiograph(modality=modality)))
    assert image.modality == modality
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels, ramp())


def test_header_is_kept_where_a_result_needs_it():
    dataset = radiograph(ImageLaterality="U", WindowCenter=["2000", "900"], WindowWidth=["3000", "400"])
    image = dicom.image_of(reread(dataset))
    assert (image.view, image.orientation, image.laterality) == ("AP", ("L", "F"), "U")
    assert image.window == (2000.0, 3000.0)
    assert image.identity.study_uid == dataset.StudyInstanceUID
    assert image.identity.sop_uid == dataset.SOPInstanceUID
    assert image.right_of_image == "left"
    assert image.warnings == ()


def test_no_name_or_patient_id_is_kept():
    image = dicom.image_of(reread(radiograph()))
    assert "PHANTOM" not in repr(image)


def test_text_in_place_of_a_uid_is_not_kept():
    dataset = radiograph()
    with pytest.warns(UserWarning, match="UI"):
        dataset.StudyInstanceUID = "DOE^JANE"
    assert dicom.image_of(dataset).identity.study_uid is None


def test_eight_bit_pixels_stay_eight_bit():
    pixels = ramp(bits=8)
    image = dicom.image_of(reread(radiograph(pixels)))
    assert image.pixels.dtype == np.uint8
    np.testing.assert_array_equal(image.pixels, pixels)


def test_pixels_are_contiguous_and_of_native_byte_order():
    image = dicom.image_of(reread(with_syntax(radiograph(), uids.ExplicitVRBigEndian)))
    assert image.pixels.flags.c_contiguous
    assert image.pixels.dtype.isnative


def test_an_unusable_window_is_left_out_because_it_is_for_pictures_only():
    assert dicom.image_of(radiograph(WindowCenter=100, WindowWidth=0)).window is None
    assert dicom.image_of(radiograph(WindowCenter=100)).window is None


def test_raw_detector_values_are_taken_with_a_warning():
    image = dicom.image_of(radiograph(PresentationIntentType="FOR PROCESSING"))
    assert "FOR PROCESSING" in image.warnings[0]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        # A lumbar film got the levels T1 to L5, a hand three curves, and nobody was told.
        ({"BodyPartExamined": "LSPINE"}, "Body Part Examined (0018,0015) is LSPINE"),
        ({"BodyPartExamined": "HAND"}, "Body Part Examined (0018,0015) is HAND"),
        # The overlay shows the film, and with it a name that was burned in.
        ({"BurnedInAnnotation": "YES"}, "Burned In Annotation (0028,0301) is YES"),
    ],
    ids=str,
)
def test_what_a_reader_of_the_result_must_know_is_a_warning(attributes, said):
    (warning,) = dicom.image_of(radiograph(**attributes)).warnings
    assert warning.startswith(said)


@pytest.mark.parametrize("part", ["SPINE", "WHOLESPINE", "TLSPINE", "CHEST", "SCOLIOSIS", ""])
def test_a_body_part_that_may_hold_the_whole_spine_passes(part):
    assert dicom.image_of(radiograph(BodyPartExamined=part)).warnings == ()


# --- transfer syntaxes


@pytest.mark.parametrize(
    "syntax",
    [
        uids.ImplicitVRLittleEndian,
        uids.ExplicitVRLittleEndian,
        uids.ExplicitVRBigEndian,
        uids.DeflatedExplicitVRLittleEndian,
    ],
    ids=lambda syntax: syntax.keyword,
)
def test_every_uncompressed_syntax_gives_the_same_pixels(syntax):
    image = dicom.read(io.BytesIO(encoded(with_syntax(radiograph(), syntax))))
    np.testing.assert_array_equal(image.pixels, ramp())


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize(
    ("syntax", "plugin"),
    [
        (uids.RLELossless, "pydicom"),
        (uids.RLELossless, "pylibjpeg"),
        (uids.JPEGLSLossless, "pyjpegls"),
        (uids.JPEG2000Lossless, "pylibjpeg"),
    ],
    ids=lambda value: getattr(value, "keyword", value),
)
def test_lossless_compression_gives_the_same_pixels(syntax, plugin, bits):
    module = {"pylibjpeg": "openjpeg", "pyjpegls": "jpeg_ls"}.get(plugin, plugin)
    pytest.importorskip(module, reason=f"{plugin} is of the codecs extra, which is not installed")
    dataset = compressed(radiograph(ramp(bits=bits)), syntax, plugin)
    image = dicom.read(io.BytesIO(encoded(dataset)))
    np.testing.assert_array_equal(image.pixels, ramp(bits=bits))


def test_a_lossy_jpeg_is_read_to_within_its_loss():
    smooth = np.linspace(0, 255, 96 * 80).reshape(96, 80).astype(np.uint8)
    codestream = io.BytesIO()
    PIL.Image.fromarray(smooth).save(codestream, "JPEG", quality=95)
    dataset = radiograph(smooth)
    dataset.file_meta.TransferSyntaxUID = uids.JPEGBaseline8Bit
    dataset.PixelData = encapsulate([codestream.getvalue()])
    image = dicom.read(io.BytesIO(encoded(dataset)))
    assert np.abs(image.pixels.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize(
    "syntax", [uids.ImplicitVRLittleEndian, uids.ExplicitVRLittleEndian], ids=lambda syntax: syntax.keyword
)
def test_a_bare_data_set_without_preamble_is_read(syntax):
    dataset = radiograph()
    del dataset.file_meta
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    np.testing.assert_array_equal(dicom.read(buffer).pixels, ramp())


def test_a_dataset_made_in_memory_needs_no_file_meta():
    dataset = radiograph()
    del dataset.file_meta
    np.testing.assert_array_equal(dicom.image_of(dataset).pixels, ramp())


def test_a_missing_codec_is_named_with_the_command_that_brings_it(monkeypatch):
    dataset = reread(compressed(radiograph(), uids.RLELossless, "pydicom"))
    from pydicom.pixels.decoders import RLELosslessDecoder

    monkeypatch.setattr(RLELosslessDecoder, "_available", {})
    with pytest.raises(BadStudy) as caught:
        dicom.image_of(dataset)
    assert "RLE Lossless" in caught.value.problem
    assert caught.value.remedy == 'pip install "spinert[codecs]"'


def test_a_video_syntax_is_refused_by_name():
    dataset = radiograph()
    dataset.file_meta.TransferSyntaxUID = uids.MPEG2MPML
    with pytest.raises(BadStudy, match="MPEG2"):
        dicom.image_of(dataset)


# --- stored values


def test_signed_pixels_are_moved_up_and_the_intercept_follows():
    signed = ramp().astype(np.int16) - 2048
    image = dicom.image_of(reread(radiograph(signed, RescaleSlope=2, RescaleIntercept=100)))
    slope, intercept = image.rescale
    np.testing.assert_array_equal(slope * image.pixels + intercept, 2.0 * signed + 100)


def test_overlay_bits_above_the_stored_ones_are_masked():
    overlaid = ramp() | np.uint16(0xF000)
    np.testing.assert_array_equal(dicom.image_of(reread(radiograph(overlaid))).pixels, ramp())


def test_values_beyond_bits_stored_are_a_warning():
    # Bits Stored 10 on a film of 12 bits folded its values over: 34 degrees for a curve of 46, and nothing was said.
    image = dicom.image_of(reread(radiograph(BitsStored=10, HighBit=9)))
    assert image.warnings == ("Bits Stored (0028,0101) is 10 but pixels go up to 4095: taken without the bits above",)


def test_a_modality_lut_of_a_negative_length_is_refused():
    item = lut_item([1, 2, 3], 0, 16)
    with pytest.warns(UserWarning, match="US"):
        item.add_new("LUTDescriptor", "SS", [-32768, 0, 16])
    with pytest.raises(BadStudy, match="no valid table"):
        dicom.image_of(radiograph(ModalityLUTSequence=[item]))


def test_pixels_that_do_not_end_at_bit_zero_are_refused():
    with pytest.raises(BadStudy, match="high bit 15"):
        dicom.image_of(radiograph(HighBit=15))


@pytest.mark.parametrize(
    ("photometric", "shape", "slope", "inverted", "warned"),
    [
        ("MONOCHROME2", None, None, False, False),
        ("MONOCHROME1", None, None, True, False),
        ("MONOCHROME2", "IDENTITY", 1, False, False),
        ("MONOCHROME1", "INVERSE", 1, True, False),  # one inversion said twice, not two
        ("MONOCHROME2", "INVERSE", 1, True, True),
        ("MONOCHROME1", "IDENTITY", 1, True, True),
        ("MONOCHROME2", None, -1, True, False),
        ("MONOCHROME1", "INVERSE", -1, False, False),
    ],
)
def test_polarity_is_composed_of_photometric_lut_shape_and_slope(photometric, shape, slope, inverted, warned):
    dataset = radiograph(PhotometricInterpretation=photometric, PresentationLUTShape=shape, RescaleSlope=slope)
    image = dicom.image_of(reread(dataset))
    assert image.inverted is inverted
    assert bool(image.warnings) is warned
    np.testing.assert_array_equal(image.pixels, ramp())


@pytest.mark.parametrize("slope", [0, "nan", "inf"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
def test_a_rescale_that_gives_no_numbers_is_refused(slope):
    with pytest.raises(BadStudy, match=r"Rescale Slope \(0028,1053\) is"):
        dicom.image_of(radiograph(RescaleSlope=slope))


def lut_item(entries: list[int], first: int, bits: int) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", entries)
    return item


def test_a_modality_lut_gives_new_stored_values_and_replaces_the_rescale():
    pixels = np.minimum(ramp(), 300)
    item = lut_item([1000 - v for v in range(256)], first=10, bits=12)  # 12 bits: a depth that is no NumPy type
    image = dicom.image_of(reread(radiograph(pixels, ModalityLUTSequence=[item])))
    np.testing.assert_array_equal(image.pixels, 1000 - np.clip(pixels.astype(int) - 10, 0, 255))
    assert image.rescale == (1.0, 0.0)


def test_a_modality_lut_in_bytes_is_read_in_either_byte_order():
    entries = np.arange(4096)[::-1]
    for syntax, order in ((uids.ExplicitVRLittleEndian, "<u2"), (uids.ExplicitVRBigEndian, ">u2")):
        item = lut_item([0] * 4096, 0, 16)
        item.add_new("LUTData", "OW", entries.astype(order).tobytes())
        image = dicom.image_of(reread(with_syntax(radiograph(ModalityLUTSequence=[item]), syntax)))
        np.testing.assert_array_equal(image.pixels, entries[ramp()])


def test_a_modality_lut_shorter_than_it_says_is_refused():
    item = lut_item([1, 2, 3], 0, 16)
    item.LUTDescriptor = [4096, 0, 16]
    with pytest.raises(BadStudy, match="3 entries, its descriptor says 4096"):
        dicom.image_of(radiograph(ModalityLUTSequence=[item]))


@pytest.mark.parametrize(("photometric", "air"), [("MONOCHROME2", 500), ("MONOCHROME1", 3000)])
def test_padding_takes_the_most_air_like_value_of_the_film(photometric, air):
    pixels = np.clip(ramp(), 500, 3000)
    pixels[:20], pixels[20] = 0, 1
    dataset = radiograph(pixels, PhotometricInterpretation=photometric)
    dataset.add_new("PixelPaddingValue", "US", 0)
    dataset.add_new("PixelPaddingRangeLimit", "US", 1)
    image = dicom.image_of(reread(dataset))
    assert (image.pixels[:21] == air).all()
    np.testing.assert_array_equal(image.pixels[21:], pixels[21:])


def test_signed_padding_is_found_before_the_shift():
    pixels = np.clip(ramp().astype(np.int16) - 2048, -1500, 1500)
    pixels[:20] = -2000
    dataset = radiograph(pixels)
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    image = dicom.image_of(reread(dataset))
    assert image.pixels.min() == -1500 + 32768


def test_a_film_of_padding_only_is_refused():
    dataset = radiograph(np.zeros((96, 80), np.uint16))
    dataset.add_new("PixelPaddingValue", "US", 0)
    with pytest.raises(BadStudy, match="every pixel is padding"):
        dicom.image_of(dataset)


def test_a_grey_image_stored_as_rgb_is_taken_as_grey():
    grey = ramp(bits=8)
    image = dicom.image_of(reread(radiograph(np.stack([grey] * 3, axis=-1), "OT")))
    np.testing.assert_array_equal(image.pixels, grey)


# --- spacing (PS3.3 10.7.1)


@pytest.mark.parametrize(
    ("attributes", "spacing", "kind"),
    [
        ({"PixelSpacing": [0.14, 0.2]}, (0.14, 0.2), "unknown"),
        ({"ImagerPixelSpacing": [0.14, 0.2]}, (0.14, 0.2), "detector_plane"),
        ({"NominalScannedPixelSpacing": [0.17, 0.17]}, (0.17, 0.17), "detector_plane"),
        ({"PixelSpacing": [0.15, 0.15], "ImagerPixelSpacing": [0.15, 0.15]}, (0.15, 0.15), "detector_plane"),
        ({"PixelSpacing": [0.14, 0.14], "ImagerPixelSpacing": [0.15, 0.15]}, (0.14, 0.14), "unknown"),
        (
            {"PixelSpacing": [0.14, 0.14], "PixelSpacingCalibrationType": "FIDUCIAL", "ImagerPixelSpacing": [0.2, 0.2]},
            (0.14, 0.14),
            "calibrated",
        ),
        (
            {"PixelSpacing": [0.14, 0.14], "PixelSpacingCalibrationType": "GEOMETRY"},
            (0.14, 0.14),
            "geometry_corrected",
        ),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "EstimatedRadiographicMagnificationFactor": 1.25},
            (0.12, 0.24),
            "geometry_corrected",
        ),
        ({"PixelAspectRatio": [1, 1]}, None, "none"),
        ({}, None, "none"),
    ],
)  # fmt: skip
def test_spacing_is_row_then_column_with_its_kind(attributes, spacing, kind):
    image = dicom.image_of(reread(radiograph(**{"ImagerPixelSpacing": None, **attributes})))
    assert image.spacing_mm == pytest.approx(spacing) if spacing else image.spacing_mm is None
    assert image.spacing_kind == kind


def test_missing_spacing_is_a_warning_because_angles_stay_right():
    image = dicom.image_of(radiograph(ImagerPixelSpacing=None))
    assert "square" in image.warnings[0]
    assert image.mm_per_pixel_xy == (1.0, 1.0)


def test_non_square_pixels_of_unknown_size_are_refused():
    with pytest.raises(BadGeometry, match="2:1") as caught:
        dicom.image_of(radiograph(ImagerPixelSpacing=None, PixelAspectRatio=[2, 1]))
    assert "--spacing-mm" in caught.value.remedy


def test_given_spacing_fills_a_missing_one():
    image = dicom.image_of(radiograph(ImagerPixelSpacing=None), spacing_mm=(0.2, 0.1))
    assert (image.spacing_mm, image.spacing_kind, image.warnings) == ((0.2, 0.1), "given", ())


def test_given_spacing_that_agrees_with_the_header_changes_nothing():
    image = dicom.image_of(radiograph(), spacing_mm=(0.1501, 0.1499))
    assert (image.spacing_mm, image.spacing_kind) == ((0.15, 0.15), "detector_plane")


def test_given_spacing_against_the_header_names_both_values_and_force_takes_it():
    with pytest.raises(BadGeometry, match=r"0\.2 x 0\.2 mm.*0\.15 x 0\.15 mm"):
        dicom.image_of(radiograph(), spacing_mm=(0.2, 0.2))
    image = dicom.image_of(radiograph(), spacing_mm=(0.2, 0.2), force=True)
    assert (image.spacing_mm, image.spacing_kind) == ((0.2, 0.2), "given")
    assert "by force" in image.warnings[0]


def test_given_spacing_against_the_aspect_ratio_is_refused():
    with pytest.raises(BadGeometry, match="2:1"):
        dicom.image_of(radiograph(ImagerPixelSpacing=None, PixelAspectRatio=[2, 1]), spacing_mm=(0.1, 0.1))


@pytest.mark.parametrize(
    "attributes",
    [
        {"PixelSpacing": [0.14, 0.2], "ImagerPixelSpacing": [0.15, 0.15]},
        {"ImagerPixelSpacing": [0.15, 0.15], "PixelAspectRatio": [2, 1]},
        {"ImagerPixelSpacing": [0, 0.15]},
        {"ImagerPixelSpacing": [-0.15, 0.15]},
        {"ImagerPixelSpacing": ["nan", "0.15"]},
        {"ImagerPixelSpacing": 0.15},
        {"EstimatedRadiographicMagnificationFactor": 0},
        {"EstimatedRadiographicMagnificationFactor": 0.95},  # the inverse: smaller than it is, which no film can show
        {"EstimatedRadiographicMagnificationFactor": 105},  # per cent
        {"ImagerPixelSpacing": [150, 150]},  # micrometres
        {"ImagerPixelSpacing": [0.00015, 0.00015]},  # metres
        {"ImagerPixelSpacing": [0.15, 1.5]},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
def test_impossible_and_contradictory_spacing_is_refused_and_a_person_may_decide(attributes):
    dataset = radiograph(**attributes)
    with pytest.raises(BadGeometry) as caught:
        dicom.image_of(dataset)
    assert "--spacing-mm" in caught.value.remedy
    with pytest.raises(BadGeometry):
        dicom.image_of(dataset, force=True)
    with pytest.raises(BadGeometry):
        dicom.image_of(dataset, spacing_mm=(0.15, 0.15))
    assert dicom.image_of(dataset, spacing_mm=(0.15, 0.15), force=True).spacing_mm == (0.15, 0.15)


@pytest.mark.parametrize("given", [(0.0, 0.1), (0.1, -1.0), (float("nan"), 0.1), (float("inf"), 0.1)])
def test_impossible_given_spacing_is_refused_even_by_force(given):
    with pytest.raises(BadGeometry, match="finite and above 0"):
        dicom.image_of(radiograph(), spacing_mm=given, force=True)


@pytest.mark.parametrize("given", [(1.0, 5.0), (96.0, 96.0), (0.00015, 0.00015)])
def test_implausible_given_spacing_is_refused_even_by_force(given):
    # `--spacing-mm 1,5`, one and a half with a decimal comma, made pixels five times as wide as high.
    with pytest.raises(BadGeometry, match="given spacing is"):
        dicom.image_of(radiograph(), spacing_mm=given, force=True)


# --- view and orientation


@pytest.mark.parametrize("orientation", [["L", "F"], ["R", "F"], ["LP", "F"], ["LA", "FP"], ["RPH", "FA"]])
def test_upright_frontal_films_are_taken_by_the_main_direction(orientation):
    image = dicom.image_of(radiograph(PatientOrientation=orientation))
    assert image.orientation == (orientation[0][0], "F")


@pytest.mark.parametrize("orientation", [["L", "H"], ["F", "L"], ["H", "R"], ["L", "L"], ["FL", "R"]])
def test_films_that_lie_or_stand_on_their_head_are_refused_and_forced_without_a_side(orientation):
    dataset = radiograph(PatientOrientation=orientation)
    with pytest.raises(BadGeometry, match=r"Patient Orientation \(0020,0020\) is"):
        dicom.image_of(dataset)
    forced = dicom.image_of(dataset, force=True)
    assert forced.orientation is None
    assert "no side" in forced.warnings[0]


@pytest.mark.parametrize("keyword", ["Modality", "PhotometricInterpretation", "ViewPosition"])
def test_text_in_place_of_a_code_is_not_quoted(keyword):
    # Errors and warnings go into documents; a name typed into the wrong field went with them.
    with pytest.warns(UserWarning, match="CS"):
        dataset = radiograph(**{keyword: "LAT DOE^JANE"})
    with pytest.raises(BadStudy) as caught:
        dicom.image_of(dataset)
    assert "DOE" not in str(caught.value)


def test_missing_orientation_states_no_side():
    image = dicom.image_of(radiograph(PatientOrientation=None))
    assert image.orientation is None
    assert image.right_of_image is None
    assert image.warnings == ()


@pytest.mark.parametrize("orientation", ["L", ["L", ""], ["X", "F"], ["L", "F", "F"]])
def test_malformed_orientation_states_no_side_with_a_warning(orientation):
    image = dicom.image_of(radiograph(PatientOrientation=orientation))
    assert image.orientation is None
    assert "malformed" in image.warnings[0]


@pytest.mark.parametrize(
    ("attributes", "view"),
    [
        ({"ViewPosition": "LL"}, "lateral view"),
        ({"ViewPosition": "RL"}, "lateral view"),
        ({"ViewPosition": "LATERAL"}, "lateral view"),
        ({"ViewPosition": "LAT STAND"}, "lateral view"),
        ({"ViewPosition": "LLD"}, "lateral decubitus view"),
        ({"ViewPosition": "RLO"}, "oblique view"),
        ({"PatientOrientation": ["A", "F"]}, "lateral view"),
        ({"PatientOrientation": ["PL", "F"]}, "lateral view"),
        ({"ViewCodeSequence": [code("399173006", "left lateral")]}, "lateral view"),
        ({"ViewCodeSequence": [code("399067008", "seitlich")]}, "lateral view"),
        ({"ViewCodeSequence": [code("399135007", "left anterior oblique")]}, "oblique view"),
    ],
    ids=str,
)
def test_views_that_the_header_does_not_agree_on_are_refused_by_name_and_forced_without_a_side(attributes, view):
    # a lateral view is stated here beside a frontal one: View Position AP, or rows that run to the left
    dataset = radiograph(**attributes)
    with pytest.raises(OtherImage, match=view):
        dicom.image_of(dataset)
    forced = dicom.image_of(dataset, force=True)
    assert forced.view is None
    assert forced.orientation is None
    assert view in forced.warnings[0]


@pytest.mark.parametrize(
    ("attributes", "view", "stated"),
    [
        ({"ViewPosition": "LL"}, "LL", r"View Position \(0018,5101\) is LL"),
        ({"ViewPosition": "RL"}, "RL", r"View Position .* is RL"),
        ({"ViewPosition": "LATERAL"}, "LATERAL", r"View Position .* is LATERAL"),
        ({"ViewPosition": "LAT STAND"}, "LATERAL", r"View Position .* is LAT STAND"),
        ({"ViewPosition": None}, "LATERAL", r"Patient Orientation \(0020,0020\) row is A"),
        (
            {"ViewPosition": None, "PatientOrientation": None, "ViewCodeSequence": [code("399173006", "left lateral")]},
            "LATERAL",
            r"View Code Sequence .* is 399173006",
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("force", [False, True])
def test_a_lateral_film_is_read_with_its_view_and_what_states_it(attributes, view, stated, force):
    image = dicom.image_of(radiograph(**{"PatientOrientation": ["A", "F"], **attributes}), force=force)
    assert (image.view, image.is_lateral, image.right_of_image) == (view, True, None)
    assert re.fullmatch(stated, image.view_stated)
    assert image.warnings == ()


@pytest.mark.parametrize("orientation", [["A", "F"], ["P", "F"], ["AL", "FA"]])
def test_upright_lateral_films_keep_the_direction_of_their_rows(orientation):
    image = dicom.image_of(radiograph(ViewPosition="LL", PatientOrientation=orientation))
    assert image.orientation == (orientation[0][0], "F")


@pytest.mark.parametrize("orientation", [["A", "H"], ["F", "P"], ["H", "A"]])
def test_lateral_films_that_lie_or_stand_on_their_head_are_refused(orientation):
    with pytest.raises(OtherImage, match=r"lateral view: .* rows must run to A or P"):
        dicom.image_of(radiograph(ViewPosition="LL", PatientOrientation=orientation))


@pytest.mark.parametrize("position", ["LLD", "RLO"])
def test_no_orientation_makes_a_decubitus_or_oblique_film_a_lateral_one(position):
    with pytest.raises(OtherImage, match=r"decubitus|oblique"):
        dicom.image_of(radiograph(ViewPosition=position, PatientOrientation=["A", "F"]))


@pytest.mark.parametrize("position", ["AP", "PA", "", "W033", "FRONTAL", "BILATERAL AP"])
def test_other_view_positions_pass(position):
    assert dicom.image_of(radiograph(ViewPosition=position)).view == (position or None)


def test_a_frontal_view_code_passes():
    dataset = radiograph(ViewCodeSequence=[code("399348003", "antero-posterior")])
    assert dicom.image_of(dataset).warnings == ()


# --- what is no projection radiograph


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_other_modalities_are_refused_by_name_even_by_force(modality):
    with pytest.raises(OtherImage, match=f"is {modality}, taken are CR, DX"):
        dicom.image_of(radiograph(modality=modality), force=True)


def test_a_missing_modality_is_refused():
    with pytest.raises(OtherImage, match="missing"):
        dicom.image_of(radiograph(Modality=None))


def test_a_ct_that_calls_itself_dx_is_refused_by_its_class():
    with pytest.raises(OtherImage, match="CT Image Storage"):
        dicom.image_of(altered(radiograph(modality="CT"), Modality="DX"))


def test_a_private_storage_class_passes():
    assert dicom.image_of(radiograph(SOPClassUID="1.3.12.2.1107.5.9.1")).modality == "DX"


def test_a_fluoroscopy_run_is_refused_with_its_frames():
    with pytest.raises(OtherImage, match=r"Number of Frames \(0028,0008\) is 12"):
        dicom.image_of(radiograph(modality="RF", NumberOfFrames=12))


def test_functional_groups_are_refused_because_their_rescale_would_be_lost():
    # pydicom#2353: the rescale of an enhanced object lies in its functional groups and is read as absent.
    with pytest.raises(OtherImage, match="enhanced"):
        dicom.image_of(radiograph(SharedFunctionalGroupsSequence=[Dataset()]))


def test_a_report_is_refused_as_another_object():
    dataset = radiograph(Modality="SR", SOPClassUID=uids.BasicTextSRStorage, PixelData=None, Rows=None, Columns=None)
    with pytest.raises(OtherImage, match="is SR"):
        dicom.image_of(dataset)
