"""A network that gives the true band round a known curve must lead to the angles of that curve."""

import math
from collections.abc import Callable
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import AasceAngles, Midline
from spinert.image import Image
from spinert.kernels import reference
from spinert.runtime.mask_curve import (
    BROKEN_MIDLINE,
    PIECES_BESIDE,
    PIECES_LEFT_OUT,
    CurveRules,
    Heat,
    curve_angles,
    spine_curve,
)
from spinert.runtime.pipelines import centreline
from spinert.runtime.stopwatch import Stopwatch
from tests import phantoms
from tests.runtime.pipelines.fakes import Answering

Array = NDArray[Any]
Curve = Callable[[Array], Array]

SIZE = (768, 320)
SQUARE = Image(np.random.default_rng(0).integers(0, 4096, (1500, 620)).astype(np.uint16), "DX")
FLAT_PIXELS = Image(SQUARE.pixels[:, :310].copy(), "DX", spacing_mm=(0.2, 0.4), spacing_kind="given")
TOP, BOTTOM = 0.06, 0.94
"""Where the spine begins and ends, in heights of the film."""
DUBOST = {
    "values": "probabilities",
    "curve": {"extraction": "borders", "least_extent_px": [3, 140], "heat": {"coefficient": 0.01, "steps": 65_000}},
}
ZHAO = {
    "values": "logits",
    "curve": {"extraction": "nearest", "least_extent_px": [40, 140], "degree": 7, "end_share": 0.08},
}


def settings(given: Any) -> centreline.Settings:
    return msgspec.convert(given, centreline.Settings)


def waves(largest_deg: float, count: float, phase: float) -> Curve:
    """x in mm over y in mm, both in heights of the film: a spine of so many waves with this tilt at their middle."""
    turn = 2 * math.pi * count
    return lambda t: 0.21 + math.tan(math.radians(largest_deg)) / turn * np.sin(turn * t + phase)


def height_mm(image: Image) -> float:
    return image.shape[0] * image.mm_per_pixel_xy[1]


def at_mm(image: Image, size: tuple[int, int] = SIZE) -> Array:
    """(x, y) of each pixel of the network's input, in heights of the film: [H, W, 2]."""
    plane = kernels.prepare_radiograph(image.pixels, size=size, mm_per_pixel_xy=image.mm_per_pixel_xy).map
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    return plane.to_image(np.stack([x, y], axis=-1)) * image.mm_per_pixel_xy / height_mm(image)


def band(image: Image, curve: Curve, half_width: float) -> Array:
    """Mask [H, W] of what lies within `half_width` of the curve along the rows, in heights of the film."""
    at = at_mm(image)
    inside = np.abs(at[..., 0] - curve(at[..., 1])) <= half_width
    return (inside & (at[..., 1] > TOP) & (at[..., 1] < BOTTOM)).astype(np.float32)


def pipe(image: Image, curve: Curve, half_width: float) -> Array:
    """Mask [H, W] of the same width across the curve, with ends across it, as a spine has."""
    at = at_mm(image)
    t = np.linspace(TOP, BOTTOM, 600)
    outline = np.stack([curve(t), t], axis=-1)
    along = np.gradient(outline, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1) / np.hypot(*along.T)[:, None] * half_width
    mask = np.zeros(SIZE, np.uint8)
    first, step = at[0, 0], at[1, 1] - at[0, 0]
    ring = (np.concatenate([outline + across, (outline - across)[::-1]]) - first) / step
    cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return mask.astype(np.float32)


def run(image: Image, answer: Array, given: Any, **outputs: Array) -> tuple[Midline, AasceAngles]:
    network = Answering({"image": (1, *SIZE)}, {"map": answer, **outputs})
    numbers = settings(given)
    centreline.check({"centreline": network.spec}, numbers)
    midline, angles = centreline.run(image, {"centreline": network}, numbers, Stopwatch())
    assert isinstance(midline, Midline)
    assert isinstance(angles, AasceAngles)
    return midline, angles


def by_equation_1(image: Image, curve: Curve, midline: Midline, heat_samples: int = 0) -> tuple[float, float, float]:
    """Section 2.3 of Dubost et al., word for word, on the curve itself: 19 points, regions, an arctangent of slopes."""
    y = np.array(midline.points_px)[::4, 1] * image.mm_per_pixel_xy[1] / height_mm(image)
    assert len(y) == 19
    t = np.linspace(y[0], y[-1], heat_samples or 40_001)
    x = reference.smooth_heat(curve(t), coefficient=0.01, steps=65_000) if heat_samples else curve(t)
    slope = np.interp(y, t, np.gradient(x, t))

    def phi(region: Array) -> float:
        most, least = region.max(), region.min()
        return abs(math.degrees(math.atan((most - least) / (1 + most * least))))

    first, last = sorted((int(slope.argmax()), int(slope.argmin())))
    return phi(slope), phi(slope[: first + 1]), phi(slope[last:])


CURVES = [waves(20.0, 0.7, 0.4), waves(15.0, 1.2, 2.0), waves(28.0, 1.0, -0.5), waves(3.0, 1.5, 1.0)]
IMAGES = pytest.mark.parametrize("image", [SQUARE, FLAT_PIXELS], ids=["square", "not square"])


@IMAGES
@pytest.mark.parametrize("curve", CURVES)
def test_a_true_band_gives_the_angles_of_the_curve_that_heat_smooths(image: Image, curve: Curve) -> None:
    thin = band(image, curve, 0.01)
    midline, angles = run(image, thin[None], DUBOST)
    truth = by_equation_1(image, curve, midline, heat_samples=int(thin.any(axis=1).sum()))
    np.testing.assert_allclose(angles.degrees, truth, atol=0.5)
    assert midline.flags == angles.flags == ()


@IMAGES
@pytest.mark.parametrize("curve", CURVES[:3])
@pytest.mark.parametrize("extraction", ["borders", "nearest"])
def test_a_true_spine_and_a_polynomial_give_the_angles_of_the_curve(
    image: Image, curve: Curve, extraction: str
) -> None:
    spine = pipe(image, curve, 0.04)
    numbers = {**ZHAO, "curve": {**ZHAO["curve"], "extraction": extraction}}
    midline, angles = run(image, np.stack([-8 * spine, 8 * spine - 4]), numbers)
    # most of it is the ends of the polynomial, whose borders are known to a pixel
    np.testing.assert_allclose(angles.degrees, by_equation_1(image, curve, midline), atol=1.1)
    assert np.abs(angles.degrees[0] - by_equation_1(image, curve, midline)[0]) < 0.8


def by_the_text(mask: Array, degree: int, heat_steps: int) -> Array:
    """x of rows: midpoints by searching all of the other border, their polynomial by NumPy, Euler steps one by one."""
    rows = np.flatnonzero(mask.any(axis=1))
    left = [np.array([np.flatnonzero(mask[r])[0], r], float) for r in rows]
    right = [np.array([np.flatnonzero(mask[r])[-1], r], float) for r in rows]
    points = []
    for own, others in ((left, right), (right, left)):
        points += [(p + min(others, key=lambda q, p=p: (q - p) @ (q - p))) / 2 for p in own]
    xs, ys = np.array(points).T
    x = np.polynomial.Polynomial.fit(ys, xs, degree)(np.clip(rows, ys.min(), ys.max()))
    for _ in range(heat_steps):
        x[1:-1] += 0.01 * (x[:-2] - 2 * x[1:-1] + x[2:])
    return x


def test_the_steps_of_a_curve_equal_their_text() -> None:
    mask = pipe(SQUARE, CURVES[0], 0.03)[::4, ::4] > 0
    rules = CurveRules(extraction="nearest", degree=5, heat=Heat(steps=400))
    found = spine_curve(mask.astype(np.uint8), rules)
    # of partners equally near, the text does not say which: a few midpoints differ by a fraction of a pixel
    np.testing.assert_allclose(found.x, by_the_text(mask, 5, 400), atol=0.05)


def test_an_angle_beyond_a_right_one_is_not_folded_back() -> None:
    tilts = np.array([0.0, 50.0, 10.0, -55.0, -50.0])
    assert curve_angles(tilts).degrees == (105.0, 50.0, 5.0)
    assert curve_angles(tilts).ends == ((1, 3), (0, 1), (3, 4))


def test_a_straight_spine_has_no_angle() -> None:
    _, angles = run(SQUARE, band(SQUARE, lambda t: 0.2 + 0 * t, 0.02)[None], DUBOST)
    assert angles.degrees == (0.0, 0.0, 0.0)


def test_the_map_is_found_by_its_name_among_several_outputs() -> None:
    thin = band(SQUARE, CURVES[0], 0.01)[None]
    whole = np.zeros_like(thin)
    named = run(SQUARE, thin, {**DUBOST, "output": "map"}, mask=whole)
    assert named == run(SQUARE, thin, DUBOST)


def flags_of(mask: Array, **curve: Any) -> tuple[str, ...]:
    midline, angles = run(SQUARE, mask[None], {**DUBOST, "curve": {**DUBOST["curve"], **curve}})
    assert midline.flags == angles.flags
    return midline.flags


def test_what_is_wrong_with_a_curve_is_flagged() -> None:
    thin = band(SQUARE, CURVES[0], 0.01)
    gap = thin.copy()
    gap[380:390] = 0
    assert flags_of(gap) == (BROKEN_MIDLINE,)
    assert flags_of(gap, pieces="largest") == (PIECES_LEFT_OUT, centreline.SHORT_MIDLINE)
    two = np.maximum(thin, np.roll(thin, 60, axis=1))
    assert flags_of(two) == (PIECES_BESIDE,)
    assert flags_of(two, pieces="largest") == (PIECES_LEFT_OUT,)
    half = thin.copy()
    half[360:] = 0
    assert flags_of(half) == (centreline.SHORT_MIDLINE,)
    long = band(SQUARE, CURVES[0], 0.01)
    long[:60] = long[60]
    assert flags_of(long) == (centreline.TOUCHES_EDGE,)
    assert flags_of(np.roll(thin, -int(np.flatnonzero(thin.any(axis=0))[0]), axis=1)) == (centreline.TOUCHES_EDGE,)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros(SIZE), "no spine was found: nothing of its map is above the threshold; .* at least 3 x 140"),
        (np.pad(np.ones((60, 30)), ((9, 699), (5, 285))), "the largest of 1 pieces is 30 x 60, 1800 pixels"),
    ],
)
def test_a_film_without_a_spine_is_refused_with_what_was_found(mask: Array, said: str) -> None:
    with pytest.raises(BadStudy, match=said):
        run(SQUARE, mask[None], DUBOST)


def test_fewer_rows_than_points_are_no_spine() -> None:
    low = np.zeros(SIZE)
    low[300:310, 100:200] = 1
    with pytest.raises(BadStudy, match="covers 10 rows, slopes are measured at 19 points"):
        run(SQUARE, low[None], {**DUBOST, "curve": {**DUBOST["curve"], "least_extent_px": [1, 1]}})


def test_an_all_black_film_is_refused_before_the_network_is_asked() -> None:
    black = Image(np.zeros((1500, 620), np.uint16), "DX")
    with pytest.raises(BadStudy, match="the film shows nothing"):
        run(black, band(SQUARE, CURVES[0], 0.01)[None], DUBOST)


def test_maps_that_are_not_finite_are_the_networks_fault() -> None:
    broken = band(SQUARE, CURVES[0], 0.01)
    broken[5, 5] = np.nan
    with pytest.raises(BadNetwork, match="holds 1 values that are not finite"):
        run(SQUARE, broken[None], DUBOST)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"values": "percent"}, "values"),
        ({"slope_points": 1}, "slope_points"),
        ({"least_height": 2}, "least_height"),
        ({"curve": {"extraction": "nearest"}}, "needs the degree"),
        ({"curve": {"extraction": "borders", "threshold": 0}}, "threshold"),
        ({"curve": {"extraction": "borders", "least_extent_px": [0, 140]}}, "least_extent_px"),
        ({"curve": {"extraction": "borders", "degree": 10}}, "degree"),
        ({"curve": {"extraction": "borders", "end_share": 0.5}}, "end_share"),
        ({"curve": {"extraction": "borders", "heat": {"coefficient": 0.6}}}, "coefficient"),
        ({"correction": {"side_px": 60, "long_px": 2, "short_px": 4}}, "not flat"),
        ({"correction": {"side_px": 60, "long_px": 8, "short_px": 2, "canny_low": 0.5}}, "above canny_high"),
    ],
)
def test_a_setting_out_of_range_is_named(change: Any, named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        settings({**DUBOST, **change})


@pytest.mark.parametrize(
    ("answers", "change", "said"),
    [
        ({"map": np.zeros((3, *SIZE))}, {}, r"expected \[N, 1, H, W\] -> one map"),
        ({"map": np.zeros((1, 768, 160))}, {}, "expected"),
        ({"map": np.zeros((1, *SIZE)), "mask": np.zeros((1, *SIZE))}, {}, "or its name"),
        ({"map": np.zeros((1, *SIZE))}, {"output": "mask"}, "output mask"),
        ({"map": np.zeros((1, *SIZE))}, {"class_names": ["T1"]}, "names no vertebrae"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(answers: dict[str, Array], change: Any, said: str) -> None:
    network = Answering({"image": (1, *SIZE)}, answers)
    with pytest.raises(BadBundle, match=said):
        centreline.check({"centreline": network.spec}, settings({**DUBOST, **change}))


CORRECTED = {
    **ZHAO,
    "correction": {"side_px": 44, "long_px": 8, "short_px": 1.5, "within_degrees": 40},
}


def test_the_direction_of_end_vertebrae_is_read_from_their_edges() -> None:
    tilts = np.interp(np.arange(17), [0, 3, 5, 10, 12, 16], [4.0, 22.0, 22.0, -20.0, -20.0, -3.0])
    corners = phantoms.spine_corners(tilts, (560.0, 130.0), 1700.0)
    film = Image(phantoms.draw(corners, (2000, 900), np.random.default_rng(3)).pixels, "DX")
    plane = kernels.prepare_radiograph(film.pixels, size=SIZE).map
    spine = np.zeros(SIZE, np.uint8)
    ring = np.concatenate([corners[:, [0, 2]].reshape(-1, 2), corners[:, [1, 3]].reshape(-1, 2)[::-1]])
    cv2.fillPoly(spine, [np.round(plane.to_network(ring) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    answer = np.stack([-8.0 * spine, 8.0 * spine - 4])
    _, angles = run(film, answer, CORRECTED)
    assert angles.flags == ()
    # whole degrees are asked for; three vertebrae at each end have the same tilt
    np.testing.assert_allclose(angles.degrees[0], 42.0, atol=2.0)


def test_where_there_is_no_edge_the_curve_stands_and_says_so() -> None:
    """The film is even where the spine is said to be, and dark in one far corner."""
    pixels = np.full((1500, 620), 900, np.uint16)
    pixels[:300, 500:] = 3
    spine = pipe(SQUARE, CURVES[0], 0.04)
    answer = np.stack([-8 * spine, 8 * spine - 4])
    midline, angles = run(Image(pixels, "DX"), answer, CORRECTED)
    assert angles.degrees == run(SQUARE, answer, ZHAO)[1].degrees
    assert midline.flags == ()
    assert angles.flags == (centreline.NO_VERTEBRA_EDGES,)
