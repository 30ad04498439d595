import io
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spinert.errors import BadRequest
from spinert.findings import CobbAngle, Result, from_json
from spinert.image import Image
from spinert.runtime.report.construction import construct
from spinert.runtime.report.film import HEIGHT, WIDEST, film
from spinert.runtime.report.legend import WIDTH as LEGEND_WIDTH
from spinert.runtime.report.legend import wrapped
from spinert.runtime.report.overlay import WIDEST_MARGIN, overlay, png
from spinert.runtime.report.pen import ALARM, CURVE_COLOURS, PLAIN, dashes, font
from spinert.runtime.report.write import stems, write
from tests import phantoms, results

RAMP = np.tile(np.arange(1000, 1400, dtype=np.uint16), (200, 1))


def shown(image: Image) -> NDArray[np.uint8]:
    return np.asarray(film(image).picture)


def test_bone_is_bright_whether_stored_so_or_inverted() -> None:
    assert shown(Image(RAMP, "DX"))[100, -1] == 255
    assert shown(Image(RAMP, "DX", inverted=True))[100, -1] == 0


def test_the_window_of_the_file_is_applied_in_modality_values() -> None:
    # modality = 2 * stored - 1000, so centre 1400.5 and width 401 span stored values 1100 to 1300
    windowed = shown(Image(RAMP, "DX", rescale=(2.0, -1000.0), window=(1400.5, 401.0)))[100]
    at = windowed.size / RAMP.shape[1]
    assert [windowed[int(v * at)] for v in (50, 95, 310, 390)] == [0, 0, 255, 255]
    assert int(windowed[int(200 * at)]) == pytest.approx(127, abs=2)


def test_a_negative_slope_turns_the_window_round_and_not_the_picture() -> None:
    windowed = shown(Image(RAMP, "DX", rescale=(-1.0, 0.0), window=(-1199.5, 201.0)))[100]
    assert (windowed[0], windowed[-1]) == (0, 255)


@pytest.mark.parametrize("window", [None, (9000.0, 10.0), (-500.0, 1.0)])
def test_without_a_window_that_meets_the_picture_its_own_range_is_shown(window: tuple[float, float] | None) -> None:
    row = shown(Image(RAMP, "DX", window=window))[100]
    assert (row[0], row[-1]) == (0, 255)
    assert int(row[row.size // 2]) == pytest.approx(127, abs=3)


def test_a_uniform_picture_is_shown_without_dividing_by_zero() -> None:
    assert set(shown(Image(np.full((80, 80), 7, np.uint8), "DX")).ravel()) == {0}


@pytest.mark.parametrize(
    ("shape", "spacing", "size"),
    [
        ((2000, 1000), (0.15, 0.15), (700, HEIGHT)),
        ((1000, 1000), (0.2, 0.1), (700, HEIGHT)),
        ((64, 64), None, (HEIGHT, HEIGHT)),
        ((100, 1000), (1.0, 1.0), (WIDEST, 190)),
        ((64, 60000), (1.0, 1.0), (WIDEST, 2)),
    ],
)
def test_the_film_has_square_pixels_at_the_size_of_a_screen(
    shape: tuple[int, int], spacing: tuple[float, float] | None, size: tuple[int, int]
) -> None:
    assert film(Image(np.zeros(shape, np.uint8), "DX", spacing_mm=spacing)).picture.size == size


def test_corners_of_the_image_are_corners_of_the_film() -> None:
    at = film(Image(np.zeros((500, 250), np.uint8), "DX")).to_display(np.array([[-0.5, -0.5], [249.5, 499.5]]))
    np.testing.assert_allclose(at, [[-0.5, -0.5], [699.5, 1399.5]])


def bent_spine(degrees: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of one curve that bulges to the left, and its two end-plate lines."""
    corners = phantoms.spine_corners(np.linspace(degrees / 2, -degrees / 2, 9))
    return corners, np.concatenate([corners[0, :2], corners[-1, 2:]])


@pytest.mark.parametrize("degrees", [10.0, 45.0, 89.9, 90.1, 130.0])
def test_the_arc_spans_the_angle_between_the_end_plate_lines(degrees: float) -> None:
    corners, line = bent_spine(degrees)
    drawing = construct(line, corners, degrees, 30.0)
    assert drawing.arc is not None
    chords = np.diff(drawing.arc, axis=0)
    headings = np.degrees(np.unwrap(np.arctan2(chords[:, 1], chords[:, 0])))
    assert abs(headings[-1] - headings[0]) == pytest.approx(degrees * 59 / 60, abs=1e-6)  # 60 chords: first to last


@pytest.mark.parametrize("degrees", [10.0, 45.0, 100.0])
def test_the_arc_lies_on_the_convex_side_outside_every_vertebra(degrees: float) -> None:
    corners, line = bent_spine(degrees)
    drawing = construct(line, corners, degrees, 30.0)
    assert drawing.arc is not None
    distances = np.linalg.norm(drawing.arc[:, None] - corners.reshape(-1, 2), axis=-1)
    assert distances.min() >= 30.0 - 1e-6
    assert drawing.label[0] < corners[..., 0].min()
    mirrored = construct(line[[1, 0, 3, 2]] * [-1, 1], corners * [-1, 1], degrees, 30.0)
    assert mirrored.label[0] > (-corners[..., 0]).max()


def test_the_drawn_lines_contain_the_end_plates() -> None:
    corners, line = bent_spine(60.0)
    drawing = construct(line, corners, 60.0, 30.0)
    for drawn, plate in ((drawing.upper, line[:2]), (drawing.lower, line[2:])):
        along = (drawn[1] - drawn[0]) / np.linalg.norm(drawn[1] - drawn[0])
        across = np.array([-along[1], along[0]])
        np.testing.assert_allclose((plate - drawn[0]) @ across, 0.0, atol=1e-6)
        assert ((plate - drawn[0]) @ along > 0).all()
        assert ((drawn[1] - plate) @ along > 0).all()


def test_lines_that_show_another_angle_than_the_finding_get_no_arc() -> None:
    corners, line = bent_spine(40.0)
    assert construct(line, corners, 25.0, 30.0).arc is None
    parallel = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 50.0], [10.0, 50.0]])
    assert construct(parallel, parallel[None], 0.0, 30.0).arc is None


def test_dashes_cover_a_path_with_gaps() -> None:
    pieces = list(dashes(np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 20.0]]), length=8.0, gap=4.0))
    assert [piece[0].tolist() for piece in pieces] == [[0, 0], [10, 2], [10, 14]]
    assert sum(np.linalg.norm(np.diff(piece, axis=0), axis=1).sum() for piece in pieces) == pytest.approx(22.0)


@pytest.fixture(scope="module")
def examined() -> tuple[Image, Result]:
    return results.examined()


def has_colour(picture: PIL.Image.Image, colour: tuple[int, int, int], tolerance: int = 12) -> NDArray[np.bool_]:
    return (np.abs(np.asarray(picture).astype(int) - colour).max(axis=-1)) <= tolerance


def drawn_part(picture: PIL.Image.Image) -> PIL.Image.Image:
    return picture.crop((0, 0, picture.width - LEGEND_WIDTH, picture.height))


def test_each_curve_has_its_colour_on_film_and_legend(examined: tuple[Image, Result]) -> None:
    picture = overlay(*examined)
    legend = picture.crop((picture.width - LEGEND_WIDTH, 0, picture.width, picture.height))
    for colour in CURVE_COLOURS[:2]:
        assert has_colour(drawn_part(picture), colour).sum() > 1000
        assert has_colour(legend, colour).sum() > 200
    assert has_colour(drawn_part(picture), CURVE_COLOURS[2]).sum() == 0


def test_corner_dots_lie_on_the_corners(examined: tuple[Image, Result]) -> None:
    image, result = examined
    _, _, corners = results.double_curve()
    picture = np.asarray(overlay(image, result)).astype(int)
    assert picture.shape[1] == film(image).picture.width + LEGEND_WIDTH, "no margin was needed"
    at = np.round(film(image).to_display(corners[[2, 8]].reshape(-1, 2))).astype(int)
    np.testing.assert_allclose(picture[at[:, 1], at[:, 0]], [PLAIN] * 8, atol=12)


def test_flagged_vertebrae_stand_out(examined: tuple[Image, Result]) -> None:
    image, result = examined
    flagged = tuple(
        msgspec.structs.replace(finding, flags=("low_confidence",)) if finding == result.findings[7] else finding
        for finding in result.findings
    )
    assert has_colour(drawn_part(overlay(image, result)), ALARM).sum() == 0
    assert has_colour(drawn_part(overlay(image, msgspec.structs.replace(result, findings=flagged))), ALARM).sum() > 50


def test_a_flagged_curve_is_drawn_with_gaps(examined: tuple[Image, Result]) -> None:
    image, result = examined
    findings = tuple(
        msgspec.structs.replace(finding, flags=("uncertain_vertebra",)) if isinstance(finding, CobbAngle) else finding
        for finding in result.findings
    )
    whole = has_colour(drawn_part(overlay(image, result)), CURVE_COLOURS[0]).sum()
    dashed = drawn_part(overlay(image, msgspec.structs.replace(result, findings=findings)))
    assert has_colour(dashed, CURVE_COLOURS[0]).sum() < 0.85 * whole


def test_side_letters_follow_the_orientation_and_are_left_out_without_one(examined: tuple[Image, Result]) -> None:
    image, result = examined
    bare = msgspec.structs.replace(result, findings=())

    def marks(orientation: tuple[str, str] | None) -> NDArray[np.bool_]:
        return has_colour(overlay(replace(image, orientation=orientation), bare).crop((0, 0, 60, 70)), PLAIN)

    right_on_left, left_on_left, none = marks(("L", "F")), marks(("R", "F")), marks(None)
    assert none.sum() == 0
    assert left_on_left.sum() > 50
    assert right_on_left.sum() > left_on_left.sum()  # an R has more ink than an L


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e7])
def test_impossible_landmarks_leave_a_picture_of_bounded_size(examined: tuple[Image, Result], value: float) -> None:
    image, result = examined
    _, (curve, _), _ = results.double_curve()
    corners = np.array(results.double_curve()[2])
    corners[3, 0] = value
    line = tuple((x + (value if n == 1 else 0.0), y) for n, (x, y) in enumerate(curve.line_px))
    findings = (*results.vertebrae(corners), msgspec.structs.replace(curve, line_px=line))
    picture = overlay(image, msgspec.structs.replace(result, findings=findings))
    assert picture.width <= film(image).picture.width + 2 * WIDEST_MARGIN + LEGEND_WIDTH


@pytest.mark.parametrize("shape", [(64, 64), (64, 900), (3000, 64)])
def test_films_of_any_shape_have_a_picture(shape: tuple[int, int]) -> None:
    image = Image(np.zeros(shape, np.uint8), "CR")
    picture = overlay(image, results.result(image, [], ("a warning " * 60,)))
    assert picture.width > LEGEND_WIDTH
    assert picture.height >= 900


def test_the_picture_file_says_what_made_it_and_names_no_study(examined: tuple[Image, Result]) -> None:
    with PIL.Image.open(io.BytesIO(png(*examined))) as picture:
        picture.load()
        text = picture.text
    assert text["Software"] == "spinert 0.1.0"
    assert text["Source"] == f"bundle cobb sha256:{results.PROVENANCE.bundle_sha256}"
    assert text["Disclaimer"] == "research use only: not for clinical use"
    assert "2.25" not in "".join(text.values())


def test_lines_of_the_legend_fit_their_width() -> None:
    text = "not to be relied on without a look at the picture: T1 (corners_cross, low_confidence), L4 (low_confidence)"
    lines = wrapped(text, 16, 380)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(font(16).getlength(line) <= 380 for line in lines)


def test_document_and_picture_are_written_into_a_new_folder(examined: tuple[Image, Result], tmp_path: Path) -> None:
    written = write(*examined, tmp_path / "a/b", "film")
    assert written == (tmp_path / "a/b/film.json", tmp_path / "a/b/film.png")
    assert from_json(written.json.read_bytes()) == examined[1]


def test_an_older_result_gives_way(examined: tuple[Image, Result], tmp_path: Path) -> None:
    (tmp_path / "film.json").write_text("old")
    assert from_json(write(*examined, tmp_path, "film").json.read_bytes()) == examined[1]


def test_nothing_half_written_is_left_when_the_disk_is_full(
    examined: tuple[Image, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadRequest, match="No space left on device"):
        write(*examined, tmp_path, "film")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_between_the_two_files_leaves_the_old_pair(
    examined: tuple[Image, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The new picture had already taken its place, beside the angles of the older film.
    def full_at_the_second(_: int) -> None:
        if len(list(tmp_path.glob(".*.partial"))) == 2:
            raise OSError(28, "No space left on device")

    for suffix in ("json", "png"):
        (tmp_path / f"film.{suffix}").write_text("old")
    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(BadRequest, match="No space left on device"):
        write(*examined, tmp_path, "film")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"film.json": "old", "film.png": "old"}


def test_a_repeated_stem_gets_a_number_also_where_case_is_ignored() -> None:
    assert stems(["film", "Film", "film-2", "film"]) == ["film", "Film-2", "film-2-2", "film-3"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a:b*c", "a_b_c"),
        ("", "study"),
        ("...", "study"),
        ("x" * 500, "x" * 120),
        ("\u6f22" * 83, "\u6f22" * 40),  # 249 bytes: with what is appended the file system refused it
    ],
)
def test_a_stem_cannot_leave_the_folder_or_be_refused(name: str, stem: str) -> None:
    assert stems([name]) == [stem]
