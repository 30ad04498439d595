"""A film as the input of a network: window, contrast, and the way back."""

from typing import Any

import msgspec
import numpy as np
import pytest

from spinert import kernels
from spinert.errors import BadStudy
from spinert.image import Image
from spinert.runtime.preparation import Frame, Preparation, film_frame, prepare

SIZE = (96, 64)
RNG = np.random.default_rng(5)
FILM = Image(RNG.integers(300, 3000, (180, 100)).astype(np.uint16), "DX")


def padding(pixels: np.ndarray[Any, Any], frame: Frame) -> np.ndarray[Any, Any]:
    outside = np.ones(pixels.shape, bool)
    outside[frame.top : frame.bottom, frame.left : frame.right] = False
    return pixels[outside]


def test_without_more_it_is_the_radiograph_kernel() -> None:
    expected = kernels.prepare_radiograph(FILM.pixels, size=SIZE, percentiles=(2.0, 98.0))
    found = prepare(FILM, SIZE, Preparation(percentiles=(2.0, 98.0)))
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.map == expected.map


@pytest.mark.parametrize("spacing", [None, (0.3, 0.15), (0.1, 0.4)])
def test_the_frame_is_where_the_film_lies(spacing: tuple[float, float] | None) -> None:
    bright = Image(np.where(np.indices((180, 100)).sum(0) < 30, 4, 5).astype(np.uint8), "DX", spacing_mm=spacing)
    prepared = prepare(bright, SIZE, Preparation(percentiles=(0.0, 100.0), divide_by_maximum=True))
    shown = prepared.pixels > 0
    frame = film_frame(bright, prepared.map)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    assert frame == (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)


def test_division_by_the_maximum_keeps_stored_zero_at_zero() -> None:
    found = prepare(FILM, (180, 100), Preparation(percentiles=(0.0, 100.0), divide_by_maximum=True))
    np.testing.assert_allclose(found.pixels, FILM.pixels / FILM.pixels.max(), atol=1e-6)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("contrast", ["clahe", "equalize"])
def test_contrast_is_changed_on_the_film_alone(contrast: Any, inverted: bool) -> None:
    film = Image(FILM.pixels, "DX", inverted=inverted)
    plain = prepare(film, SIZE, Preparation())
    settings = Preparation(contrast=contrast, clip_limit=3.0, tiles=(4, 2))
    found = prepare(film, SIZE, settings)
    frame = film_frame(film, plain.map)
    levels = np.rint(plain.pixels[frame.top : frame.bottom, frame.left : frame.right] * 255).astype(np.uint8)
    expected = (
        kernels.equalize_histogram(levels)
        if contrast == "equalize"
        else kernels.clahe(levels, clip_limit=3.0, tiles=(4, 2))
    )
    np.testing.assert_allclose(
        found.pixels[frame.top : frame.bottom, frame.left : frame.right], expected / 255.0, atol=1e-6
    )
    outside = padding(found.pixels, frame)
    assert outside.size
    assert not outside.any()


@pytest.mark.parametrize("value", [0, 65535])
def test_a_film_that_shows_nothing_is_refused(value: int) -> None:
    with pytest.raises(BadStudy, match=f"shows nothing: .* are all {value}"):
        prepare(Image(np.full((90, 60), value, np.uint16), "DX"), SIZE, Preparation())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"percentiles": [60, 40]}, "first must be below the second"),
        ({"percentiles": [0, 101]}, "percentiles"),
        ({"contrast": "gamma"}, "contrast"),
        ({"clip_limit": -1}, "clip_limit"),
        ({"clip_limit": float("inf")}, "clip_limit"),
        ({"tiles": [0, 8]}, "tiles"),
        ({"tile": 8}, "tile"),
    ],
)
def test_a_setting_out_of_range_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        msgspec.convert(settings, Preparation)
