"""Where on a film the spine lies: numbers by hand, and slow references written from the papers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadNetwork, BadStudy
from spinert.image import Image
from spinert.runtime.film_regions import Region, prepare_region, region_frame, region_within, whole
from spinert.runtime.preparation import Preparation
from spinert.runtime.spine_isolation import (
    AspectCrop,
    CordRefine,
    Projection,
    aspect_crop,
    find_cord,
    project,
    refine_region,
    spine_rows,
)

PLAIN = Preparation(percentiles=(0.0, 100.0))
SAME = kernels.PlaneMap(1.0, 1.0, 0.0, 0.0)


def film(rows: int, columns: int, spacing: tuple[float, float] | None = None) -> Image:
    pixels = np.random.default_rng(0).integers(0, 999, (rows, columns)).astype(np.uint16)
    return Image(pixels, "DX", spacing_mm=spacing, spacing_kind="given" if spacing else "none")


@pytest.mark.parametrize(
    ("rows", "columns", "spacing", "crop", "kept"),
    [
        # 0.18 and 0.21 of the height at the film's own aspect
        (1000, 500, None, AspectCrop(aspect=2.0), (180, 790)),
        # 1.5 times as long for its width: 0.27 and 0.315
        (1500, 500, None, AspectCrop(aspect=2.0), (405, 1028)),
        # the same in mm with rows half as high: half of the shares
        (1000, 500, (0.5, 1.0), AspectCrop(aspect=2.0), (90, 895)),
        (1000, 500, None, AspectCrop(aspect=2.0, from_aspect=2.5), (0, 1000)),
    ],
)
def test_shares_of_the_height_grow_with_the_aspect(
    rows: int, columns: int, spacing: tuple[float, float] | None, crop: AspectCrop, kept: tuple[int, int]
) -> None:
    assert aspect_crop(film(rows, columns, spacing), crop) == Region(*kept, 0, columns)


def test_a_crop_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(BadStudy, match=r"6.0 times as high as wide"):
        aspect_crop(film(600, 100), AspectCrop(aspect=2.0))


def slow_rows(means: list[float], projection: Projection) -> tuple[int, int]:
    count, reach = len(means), projection.smooth_rows // 2
    smooth = [float(np.mean(means[max(0, n - reach) : n + reach + 1])) for n in range(count)]
    low, high = (int(share * (count - 1)) for share in projection.between)
    darkest = min(range(low, high + 1), key=lambda n: smooth[n])
    top = darkest
    while top > 0 and smooth[top - 1] <= projection.head:
        top -= 1
    bottom = darkest
    while bottom < count - 1 and smooth[bottom + 1] <= projection.pelvis:
        bottom += 1
    return top, bottom + 1


@pytest.mark.parametrize("seed", range(6))
def test_rows_between_head_and_pelvis_are_those_of_the_slow_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.arange(120)
    means = 0.3 + 0.4 / (1 + np.exp((rows - 20) / 3)) + 0.5 / (1 + np.exp((95 - rows) / 3)) + rng.normal(0, 0.02, 120)
    projection = Projection(size=(120, 60), head=0.5, pelvis=0.6, smooth_rows=5)
    found = spine_rows(means, projection)
    assert found == slow_rows(means.tolist(), projection)
    assert 10 < found[0] < 40 < 80 < found[1] < 110


def test_a_film_without_head_and_pelvis_keeps_all_rows() -> None:
    assert spine_rows(np.full(50, 0.3), Projection(size=(50, 50), head=0.5, pelvis=0.5)) == (0, 50)


def test_the_projection_leads_to_rows_of_the_image() -> None:
    pixels = np.full((400, 100), 100, np.uint16)
    pixels[:60], pixels[329:] = 1000, 900
    pixels[200, 3] = 0
    image = Image(pixels, "DX")
    region = Region(20, 400, 0, 100)
    prepared = prepare_region(image, region, (95, 64), PLAIN)
    projection = Projection(size=(95, 64), head=0.5, pelvis=0.5, smooth_rows=1)
    # a row of the input is 4 of the film
    assert project(image, region, prepared, projection) == Region(60, 328, 0, 100)


def test_the_largest_piece_of_a_mask_is_the_cord() -> None:
    scores = np.zeros((60, 40))
    scores[5:55, 18:23] = 0.8
    scores[2:9, 30:36] = 0.9
    cord = find_cord(scores, kernels.PlaneMap(2.0, 2.0, 10.0, 20.0), CordRefine())
    assert np.argwhere(cord.mask).min(axis=0).tolist() == [5, 18]
    at = np.array([[10 + 2 * 20, 20 + 2 * 30], [10 + 2 * 32, 20 + 2 * 5], [1000, 1000], [-50, 40.0]])
    assert cord.covers(at).tolist() == [True, False, False, False]


def test_a_mask_that_shows_nothing_or_is_not_finite_is_refused() -> None:
    with pytest.raises(BadStudy, match="its mask has 0 pixels, expected 50 or more"):
        find_cord(np.zeros((20, 20)), SAME, CordRefine())
    with pytest.raises(BadNetwork, match="400 values"):
        find_cord(np.full((20, 20), np.nan), SAME, CordRefine())


def test_the_refined_region_is_locked_to_its_aspect_on_the_mid_line() -> None:
    mask = np.zeros((1000, 900))
    mask[100:800, 390:411] = 1.0
    refine = CordRefine(margin=0.0)
    cord = find_cord(mask, SAME, refine)
    region = refine_region(Region(0, 1000, 0, 900), cord, refine, (1.0, 1.0))
    assert (region.top, region.bottom) == (100, 800)
    assert region.shape[1] == pytest.approx(700 / 3.5, abs=2)
    assert (region.left + region.right) / 2 == pytest.approx(400.5, abs=1)
    # pixels twice as wide as high
    assert refine_region(Region(0, 1000, 0, 900), cord, refine, (2.0, 1.0)).shape[1] == pytest.approx(100, abs=2)


def test_a_region_never_leaves_the_one_around_it() -> None:
    outer = Region(10, 50, 20, 80)
    assert region_within(outer, np.array([-5.0, -5.0]), np.array([500.0, 500.0])) == outer
    beyond = region_within(outer, np.array([300.0, 300.0]), np.array([400.0, 400.0]))
    assert beyond == Region(49, 50, 79, 80)
    assert region_within(outer, np.array([29.5, 19.5]), np.array([39.5, 29.5])) == Region(20, 30, 30, 40)


def spot(rows: int, columns: int, at: tuple[int, int]) -> NDArray[np.uint16]:
    pixels = np.zeros((rows, columns), np.uint16)
    pixels[at[1], at[0]] = 1000
    return pixels


def test_a_spot_of_a_region_is_found_again_in_the_image() -> None:
    image = Image(spot(300, 200, (77, 144)), "DX", spacing_mm=(0.5, 1.0), spacing_kind="given")
    region = Region(100, 200, 50, 150)
    prepared = prepare_region(image, region, (160, 300), PLAIN)
    weight = prepared.pixels / prepared.pixels.sum()
    y, x = np.mgrid[0:160, 0:300]
    seen = np.array([(weight * x).sum(), (weight * y).sum()])
    assert np.allclose(prepared.map.to_image(seen), [77, 144], atol=0.02)
    frame = region_frame(image, region, prepared)
    assert (frame.bottom - frame.top, frame.right - frame.left) == (150, 300)
    assert whole(image) == Region(0, 300, 0, 200)
