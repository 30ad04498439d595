"""Where patches lie, what is cut, and that votes find their way back."""

import cv2
import numpy as np
import pytest

from spinert.image import Image
from spinert.runtime import patches
from tests import phantoms

SIZE = (128, 96)


@pytest.fixture
def centres() -> np.ndarray:
    return phantoms.spine_corners(phantoms.random_tilts(np.random.default_rng(2), 30.0)).mean(axis=1)


@pytest.mark.parametrize(("step", "beyond", "count"), [(0.5, 1.25, 38), (1.0, 0.0, 17), (0.25, 0.5, 69)])
def test_places_go_from_above_the_first_to_below_the_last(step: float, beyond: float, count: int) -> None:
    at = patches.places(17, step=step, beyond=beyond)
    assert len(at) == count
    assert at[0] == -beyond
    assert 16 + beyond - step < at[-1] <= 16 + beyond
    np.testing.assert_allclose(np.diff(at), step)


def test_frames_follow_the_spine_and_go_on_beyond_it(centres: np.ndarray) -> None:
    spine = patches.frames(centres, np.array([-1.0, 0.0, 4.5, 16.0, 17.5]))
    top, bottom = centres[1] - centres[0], centres[16] - centres[15]
    expected = [centres[0] - top, centres[0], (centres[4] + centres[5]) / 2, centres[16], centres[16] + 1.5 * bottom]
    np.testing.assert_allclose(spine.centres, expected, atol=1e-9)
    np.testing.assert_allclose(spine.pitch[[0, 1]], np.linalg.norm(top))
    down = centres[5] - centres[3]  # 4.5 is rounded to the even neighbour
    np.testing.assert_allclose(spine.pitch[2], np.linalg.norm(down) / 2)
    across = np.stack([np.cos(spine.radians), np.sin(spine.radians)], axis=1)
    np.testing.assert_allclose(across[2] @ down, 0, atol=1e-9)
    assert (across[:, 0] > 0).all()


def test_a_patch_is_so_many_vertebrae_high_and_its_middle_is_the_place(centres: np.ndarray) -> None:
    spine = patches.frames(centres, np.array([3.0, 9.25]))
    maps = patches.patch_maps(spine, SIZE, vertebrae=3.6)
    np.testing.assert_allclose(np.linalg.norm(maps.matrix, axis=1), (3.6 * spine.pitch / SIZE[0])[:, None] * [1, 1])
    middle = (np.array(SIZE[::-1]) - 1) / 2
    np.testing.assert_allclose(maps.to_image(np.tile(middle, (2, 1, 1)))[:, 0], spine.centres)


@pytest.mark.parametrize("inverted", [False, True])
def test_patches_show_the_bodies_upright_as_opencv_cuts_them(centres: np.ndarray, inverted: bool) -> None:
    rng = np.random.default_rng(0)
    film = cv2.GaussianBlur(rng.uniform(0, 4000, (2300, 1000)).astype(np.float32), (0, 0), 25)
    film = ((film - film.min()) / np.ptp(film) * 4000).astype(np.uint16)
    image = Image(film, "DX", inverted=inverted)
    maps = patches.patch_maps(patches.frames(centres, np.array([2.0, 8.5, 14.0])), SIZE, vertebrae=3.6)
    cut = patches.cut(image, (500, 3500), maps, SIZE)
    assert cut.shape == (3, 1, *SIZE)
    for k in range(3):
        affine = np.column_stack([maps.matrix[k], maps.origin[k]])
        grey = cv2.warpAffine(
            film.astype(np.float32), affine, SIZE[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        grey = np.clip((grey - 500) / 3000, 0, 1)
        grey = 1 - grey if inverted else grey
        np.testing.assert_allclose(cut[k, 0], (grey - grey.mean()) / grey.std() * 0.25 + 0.5, atol=0.05)


def test_an_even_patch_is_no_division_by_zero(centres: np.ndarray) -> None:
    image = Image(np.zeros((2300, 1000), np.uint8), "DX")
    maps = patches.patch_maps(patches.frames(centres, np.array([5.0])), SIZE, vertebrae=3.6)
    np.testing.assert_array_equal(patches.cut(image, (0, 0), maps, SIZE), np.float32(0.5))


def gaussians(points: np.ndarray, sigma: tuple[float, float]) -> np.ndarray:
    at = (points.reshape(-1, 2) + 0.5) / 4 - 0.5
    y, x = np.mgrid[0 : SIZE[0] // 4, 0 : SIZE[1] // 4]
    logits = -(((x - at[:, :1, None]) / sigma[0]) ** 2 + ((y - at[:, 1:, None]) / sigma[1]) ** 2) / 2
    return logits.reshape(len(points), -1, *x.shape).astype(np.float32)


def test_votes_lie_where_the_maps_say_and_turn_with_their_patch(centres: np.ndarray) -> None:
    maps = patches.patch_maps(patches.frames(centres, np.array([2.0, 8.5])), SIZE, vertebrae=3.6)
    rng = np.random.default_rng(1)
    points = rng.uniform((30, 40), (66, 88), (2, 12, 2))
    found = patches.votes(gaussians(points, (0.8, 1.6)), maps, SIZE[0] / 3.6, 4.0)
    assert found.points.shape == (2, 3, 4, 2)
    np.testing.assert_allclose(found.points.reshape(2, 12, 2), maps.to_image(points), atol=0.05)
    own = np.diag([(0.8 * 4) ** 2, (1.6 * 4) ** 2])
    for k in range(2):
        expected = maps.matrix[k] @ own @ maps.matrix[k].T
        np.testing.assert_allclose(found.covariance[k, 1, 2], expected, rtol=0.03, atol=0.5)
    np.testing.assert_allclose(found.spread, np.hypot(0.8, 1.6) * 4 / (SIZE[0] / 3.6), rtol=0.02)


def test_mirrored_maps_become_those_of_the_patch() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform((20, 20), (76, 108), (1, 12, 2))
    in_mirror = points.reshape(1, 3, 4, 2)[:, :, patches.MIRRORED].copy()
    in_mirror[..., 0] = SIZE[1] - 1 - in_mirror[..., 0]
    np.testing.assert_allclose(
        patches.unmirrored(gaussians(in_mirror.reshape(1, 12, 2), (1.0, 1.0))), gaussians(points, (1.0, 1.0)), atol=2e-3
    )


def test_rough_centres_that_are_not_believed_go_on_from_their_neighbours(centres: np.ndarray) -> None:
    corners = np.repeat(centres[:, None], 4, axis=1)
    wrong = corners.copy()
    wrong[[0, 7, 16]] = 0.0
    confidence = np.ones(17)
    confidence[[0, 7, 16]] = 0.0
    found = patches.rough_centres(wrong, confidence, least=0.02)
    expected = centres.copy()
    expected[0] = 2 * centres[1] - centres[2]
    expected[7] = (centres[6] + centres[8]) / 2
    expected[16] = 2 * centres[15] - centres[14]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(patches.rough_centres(corners, np.zeros(17), least=0.02), centres)
