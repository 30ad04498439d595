import io
import os
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from pydicom import uid as uids
from pydicom.dataset import Dataset, FileMetaDataset

from spinert.errors import BadGeometry, BadRequest, BadStudy
from spinert.runtime import archive
from spinert.runtime.dicom.kind import OtherImage
from spinert.runtime.files import StudyFiles, find_studies, read_study
from tests.dicom_files import ROOT, encoded, radiograph, ramp

ONE, OTHER = f"{ROOT}.10", f"{ROOT}.20"


def film(study: str = ONE, **attributes: object) -> bytes:
    return encoded(radiograph(StudyInstanceUID=study, **attributes))


def png() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(ramp()).save(buffer, "PNG")
    return buffer.getvalue()


def folder(at: Path, **contents: bytes) -> Path:
    """A folder with these files; `__` in a name is a dot, `_in_` a subfolder."""
    for name, content in contents.items():
        path = at / name.replace("_in_", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return at


def zipped(at: Path, compression: int = zipfile.ZIP_DEFLATED, **contents: bytes) -> Path:
    with zipfile.ZipFile(at, "w", compression) as opened:
        for name, content in contents.items():
            opened.writestr(name.replace("_in_", "/").replace("__", "."), content)
    return at


def names(studies: list[StudyFiles]) -> list[str]:
    return [study.name for study in studies]


# --- finding


def test_a_file_is_a_study_named_like_it(tmp_path):
    path = folder(tmp_path, spine__dcm=film()) / "spine.dcm"
    assert find_studies([path]) == [StudyFiles("spine", (path,))]


def test_a_uid_as_file_name_has_no_suffix(tmp_path):
    path = tmp_path / "1.2.840.113"
    path.write_bytes(film())
    assert names(find_studies([path])) == ["1.2.840.113"]


def test_a_folder_is_grouped_by_study_and_not_by_patient_or_name(tmp_path):
    folder(tmp_path / "disc", a=film(ONE), b__dcm=film(OTHER), sub_in_c=film(ONE))
    studies = find_studies([tmp_path / "disc"])
    assert names(studies) == ["disc", "b"]
    assert [len(study.files) for study in studies] == [2, 1]


def test_several_studies_of_several_files_are_numbered(tmp_path):
    folder(tmp_path / "disc", a=film(ONE), b=film(ONE), c=film(OTHER), d=film(OTHER))
    assert names(find_studies([tmp_path / "disc"])) == ["disc-1", "disc-2"]


def test_studies_are_grouped_within_one_path_only(tmp_path):
    folder(tmp_path, a__dcm=film(ONE), b__dcm=film(ONE))
    assert names(find_studies([tmp_path / "b.dcm", tmp_path / "a.dcm"])) == ["b", "a"]


def test_pictures_are_studies_of_their_own(tmp_path):
    folder(tmp_path, a__png=png(), b__png=png())
    assert names(find_studies([tmp_path])) == ["a", "b"]


def test_pictures_beside_dicom_are_previews(tmp_path):
    folder(tmp_path, a__dcm=film(), preview__png=png())
    assert names(find_studies([tmp_path])) == ["a"]


def test_what_is_plainly_no_image_is_skipped(tmp_path):
    folder(
        tmp_path,
        a__dcm=film(),
        readme__txt=b"viewer: start.exe",
        empty=b"",
        __DS_Store=film(OTHER),
        start__exe=b"MZ" + bytes(4000),
    )
    zipped(tmp_path / "more.zip", b__dcm=film(OTHER))
    assert names(find_studies([tmp_path])) == ["a"]


def test_a_broken_dcm_in_a_folder_is_a_study_that_fails_while_the_others_go_on(tmp_path):
    folder(tmp_path, a__dcm=film(), b__dcm=b"not DICOM")
    good, broken = find_studies([tmp_path])
    assert len(read_study(good)) == 1
    with pytest.raises(BadStudy, match=r"^b\.dcm: "):
        read_study(broken)


def test_a_dicomdir_is_skipped_in_a_folder_and_refused_by_itself(tmp_path):
    index = Dataset()
    index.FileSetID = "DISC"
    index.DirectoryRecordSequence = []
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = uids.MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.4"
    index["DirectoryRecordSequence"].value.append(Dataset())
    folder(tmp_path / "disc", a=film(), DICOMDIR=encoded(index))
    assert names(find_studies([tmp_path / "disc"])) == ["a"]
    with pytest.raises(OtherImage, match="DICOMDIR is an index"):
        read_study(tmp_path / "disc" / "DICOMDIR")


def test_an_empty_folder_and_one_without_images_are_refused(tmp_path):
    for content in ({}, {"notes__txt": b"nothing here"}):
        with pytest.raises(BadStudy, match="holds no DICOM, PNG or JPEG"):
            find_studies([folder(tmp_path, **content)])


def test_a_folder_that_cannot_be_listed_is_refused_and_not_passed_over(tmp_path, monkeypatch):
    # A second patient's folder without permission was left out without a word.
    folder(tmp_path, a__dcm=film())
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def closed(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(BadStudy, match="folder closed cannot be opened: Permission denied"):
        find_studies([tmp_path])


def test_a_name_from_an_archive_cannot_forge_lines_of_the_table(tmp_path):
    path = tmp_path / "disc.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("film\n  main thoracic  5.0\x1b[2K.dcm", film())
    assert names(find_studies([path])) == ["film_  main thoracic  5.0_[2K"]


def test_a_missing_path_is_a_bad_request(tmp_path):
    with pytest.raises(BadRequest, match=r"nowhere\.dcm"):
        find_studies([tmp_path / "nowhere.dcm"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadRequest):
        find_studies([tmp_path / "pipe"])
    with pytest.raises(BadStudy, match="holds no"):
        find_studies([tmp_path])


# --- reading


def test_a_path_with_one_study_is_read(tmp_path):
    folder(tmp_path, a__dcm=film())
    np.testing.assert_array_equal(read_study(tmp_path)[0].pixels, ramp())


def test_a_path_with_two_studies_is_refused(tmp_path):
    with pytest.raises(BadStudy, match="holds 2 studies"):
        read_study(folder(tmp_path, a__dcm=film(ONE), b__dcm=film(OTHER)))


def test_all_frontal_films_of_a_study_are_read(tmp_path):
    assert len(read_study(folder(tmp_path, a__dcm=film(), b__dcm=film()))) == 2


def test_a_lateral_film_and_a_report_beside_a_frontal_one_are_left_out_with_a_warning(tmp_path):
    report = film(Modality="SR", SOPClassUID=uids.BasicTextSRStorage, PixelData=None, Rows=None, Columns=None)
    images = read_study(folder(tmp_path, a__dcm=film(ViewPosition="LL"), b__dcm=film(), c__dcm=report))
    assert len(images) == 1
    assert "2 other objects" in images[0].warnings[-1]
    assert "lateral" in images[0].warnings[-1]


def test_a_study_of_nothing_but_laterals_is_refused_by_view(tmp_path):
    with pytest.raises(OtherImage, match=r"none of the 2 objects is taken, the first: a\.dcm: lateral view"):
        read_study(folder(tmp_path, a__dcm=film(ViewPosition="LL"), b__dcm=film(ViewPosition="RL")))


def test_a_sound_lateral_film_is_read_beside_a_frontal_one(tmp_path):
    lateral = film(ViewPosition="LL", PatientOrientation=["A", "F"])
    images = read_study(folder(tmp_path, a__dcm=lateral, b__dcm=film()))
    assert [(image.view, image.warnings) for image in images] == [("LL", ()), ("AP", ())]


def test_a_lateral_film_that_cannot_be_used_does_not_stop_the_frontal_one(tmp_path):
    lateral = {"ViewPosition": "LL", "PatientOrientation": ["A", "F"], "ImagerPixelSpacing": [0.15, -1]}
    images = read_study(folder(tmp_path, a__dcm=film(**lateral), b__dcm=film()))
    assert [image.view for image in images] == ["AP"]
    assert "lateral view" in images[0].warnings[-1]


def test_a_damaged_film_beside_a_good_one_is_an_error(tmp_path):
    with pytest.raises(BadStudy, match=r"^b\.dcm: "):
        read_study(folder(tmp_path, a__dcm=film(), b__dcm=film()[:-500]))


def test_a_picture_needs_a_spacing(tmp_path):
    folder(tmp_path, a__png=png())
    with pytest.raises(BadGeometry, match=r"a\.png") as caught:
        read_study(tmp_path)
    assert "--spacing-mm" in caught.value.remedy
    assert read_study(tmp_path, spacing_mm=(0.2, 0.1))[0].spacing_mm == (0.2, 0.1)


def test_content_decides_and_not_the_suffix(tmp_path):
    folder(tmp_path, picture__dcm=png())
    assert read_study(tmp_path / "picture.dcm", spacing_mm=(1.0, 1.0))[0].spacing_kind == "given"


def test_errors_name_the_file_but_no_folder_and_no_patient(tmp_path):
    folder(tmp_path / "DOE_JANE", film__dcm=film(ViewPosition="LL"))
    with pytest.raises(BadStudy) as caught:
        read_study(tmp_path / "DOE_JANE" / "film.dcm")
    assert str(caught.value).startswith("film.dcm: ")
    assert "DOE" not in str(caught.value)
    assert "PHANTOM" not in str(caught.value)


# --- zip archives


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_zip_is_read_like_a_folder_and_leaves_nothing_on_disk(tmp_path, compression):
    path = zipped(tmp_path / "disc.zip", compression, sub_in_a=film(ONE), b__dcm=film(ONE), c__dcm=film(OTHER))
    studies = find_studies([path])
    assert names(studies) == ["c", "disc"] or names(studies) == ["disc", "c"]
    assert sorted(len(read_study(study)) for study in studies) == [1, 2]
    assert list(tmp_path.iterdir()) == [path]


def test_mac_and_hidden_members_and_archives_within_are_skipped(tmp_path):
    inner = zipped(tmp_path / "inner.zip", d__dcm=film(OTHER)).read_bytes()
    path = zipped(tmp_path / "disc.zip", a__dcm=film(), __MACOSX_in_a=film(OTHER), __hidden=film(OTHER), e__zip=inner)
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr("__MACOSX/b.dcm", film(OTHER))
        opened.writestr(".hidden/b.dcm", film(OTHER))
    assert names(find_studies([path])) == ["a"]


def test_an_empty_zip_is_refused(tmp_path):
    with pytest.raises(BadStudy, match=r"empty\.zip holds no"):
        find_studies([zipped(tmp_path / "empty.zip")])


def test_an_encrypted_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "locked.zip", a__dcm=film())
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(BadStudy, match=r"locked\.zip: archive is encrypted"):
        find_studies([path])


def test_a_zip_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(BadStudy, match="3 files, the bound is 2"):
        find_studies([zipped(tmp_path / "many.zip", a=b"", b=b"", c=b"")])


def test_a_zip_that_inflates_too_much_in_all_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_INFLATED_BYTES", 1000)
    with pytest.raises(BadStudy, match="inflates to 1200 bytes, the bound is 1000"):
        find_studies([zipped(tmp_path / "large.zip", a=bytes(600), b=bytes(600))])


def test_a_zip_bomb_is_refused_by_its_ratio_before_it_is_inflated(tmp_path):
    with pytest.raises(BadStudy, match=r"bomb\.zip: .* inflates from .* the bound is 200 times"):
        find_studies([zipped(tmp_path / "bomb.zip", a__dcm=bytes(30 * 2**20))])


def test_a_zip_member_that_inflates_beyond_what_it_states_is_not_followed(tmp_path):
    path = zipped(tmp_path / "liar.zip", a__dcm=film() + bytes(2**20))
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (2000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(BadStudy):
        read_study(path)


def test_a_damaged_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "cut.zip", a__dcm=film())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadStudy, match=r"cut\.zip: the archive cannot be read"):
        find_studies([path])


def test_a_zip_preamble_does_not_make_a_dicom_file_an_archive(tmp_path):
    path = tmp_path / "both.dcm"
    path.write_bytes(b"PK\x03\x04" + film()[4:])
    assert len(read_study(path)) == 1
