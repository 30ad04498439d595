"""Synthetic lateral spine radiographs with exactly known corners and centres of C1..L5.

A spine is a chain of 24 quadrilaterals placed from their tilts: cervical lordosis, thoracic kyphosis, lumbar lordosis.
The picture has what hides vertebrae on a real film: arms and shoulders over the upper thorax, two sets of ribs, lungs,
diaphragm, posterior elements, skull, pelvis, metal, uneven exposure, noise. It is no simulation of physics.

Lengths are in millimetres until a film is drawn. Corners are float64 [24, 4, 2] as (x, y) in pixels, TL, TR, BL, BR as
seen in the image; (0, 0) is the centre of the top-left pixel. The body of C1, which has none, is where the dens is.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from spinert.findings import LEVELS

C1_TO_L5 = LEVELS[: LEVELS.index("S1")]
SUBPIXEL_BITS = 4

Facing = Literal["left", "right"]
"""The side of the image that the patient looks to."""

# anterior rim of the upper end-plate lower than the posterior one: positive
_TILT_AT = {"C1": -8.0, "C2": -6.0, "C7": 18.0, "T1": 24.0, "T6": 6.0, "T12": -17.0, "L1": -16.0, "L3": 0.0, "L5": 24.0}
_HEIGHT_AT = {
    "C1": 11.0,
    "C2": 17.0,
    "C3": 14.0,
    "C7": 15.5,
    "T1": 17.0,
    "T6": 20.0,
    "T12": 25.0,
    "L2": 27.5,
    "L5": 28.0,
}
_DEPTH_AT = {"C1": 13.0, "C2": 16.0, "C7": 17.0, "T1": 17.5, "T6": 26.0, "T12": 30.0, "L2": 33.0, "L5": 34.5}
_DISC_AT = {"C1": 2.0, "C2": 4.5, "C7": 5.0, "T1": 4.5, "T6": 4.5, "T12": 6.5, "L2": 9.5, "L5": 10.5}
"""Height of the disc below a vertebra. All four in millimetres or degrees, linear in between; of an adult."""


@dataclass(frozen=True)
class SagittalPhantom:
    """`pixels` uint16 [rows, columns], 12 bit, bone bright; `corners_px` float64 [24, 4, 2]; `spacing_mm` square."""

    pixels: NDArray[np.uint16]
    corners_px: NDArray[np.float64]
    spacing_mm: float
    facing: Facing

    @property
    def centres_px(self) -> NDArray[np.float64]:
        """Of C1..L5, float64 [24, 2]: the mean of the four corners."""
        return self.corners_px.mean(axis=1)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """Whose whole body lies on the film, bool [24]."""
        rows, columns = self.pixels.shape
        inside = (self.corners_px >= 0) & (self.corners_px <= (columns - 1, rows - 1))
        return np.asarray(inside.all(axis=(1, 2)))


def usual_tilts() -> NDArray[np.float64]:
    """Tilts of C1..L5 in degrees, positive where the anterior rim is lower."""
    return _along_the_spine(_TILT_AT)


def random_tilts(rng: np.random.Generator) -> NDArray[np.float64]:
    """The three curves stronger, weaker or reversed, the whole leaning, each vertebra a little its own way."""
    usual = usual_tilts()
    strength = np.interp(np.arange(24), [3, 7, 13, 19, 22], [1.0, *rng.uniform(0.4, 1.6, 3), 1.0])
    strength[:7] *= rng.uniform(-0.6, 1.5)
    strength[7:] = np.clip(strength[7:], 0.2, 1.9)
    bends = np.pad(usual * strength, 2, mode="edge")
    smooth = np.convolve(bends, [0.1, 0.25, 0.3, 0.25, 0.1], mode="valid")  # no kink where two curves meet
    return smooth + rng.normal(0, 4.0) + rng.normal(0, 1.8, 24)


def spine_corners_mm(tilts_deg: NDArray[np.float64], scale: float = 1.0) -> NDArray[np.float64]:
    """Corners float64 [24, 4, 2] in mm of a patient who looks to the right, C1's centre at (0, 0)."""
    heights, depths, discs = (_along_the_spine(table) * scale for table in (_HEIGHT_AT, _DEPTH_AT, _DISC_AT))
    tilts = np.radians(tilts_deg)
    along = np.stack([np.cos(tilts), np.sin(tilts)], axis=-1)
    down = np.stack([-np.sin(tilts), np.cos(tilts)], axis=-1)
    corners = np.empty((24, 4, 2))
    centre = np.zeros(2)
    for v in range(24):
        if v:
            between = (down[v - 1] + down[v]) / np.linalg.norm(down[v - 1] + down[v])
            centre = centre + down[v - 1] * heights[v - 1] / 2 + between * discs[v - 1] + down[v] * heights[v] / 2
        half_along, half_down = along[v] * depths[v] / 2, down[v] * heights[v] / 2
        signs = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
        corners[v] = centre + signs[:, :1] * half_along + signs[:, 1:] * half_down
    return corners


def draw(
    corners_px: NDArray[np.float64],
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    spacing_mm: float,
    facing: Facing = "right",
    metal: bool = False,
) -> SagittalPhantom:
    """A film of `size` = (rows, columns) around corners that may lie outside it."""
    mirrored = corners_px
    if facing == "left":
        mirrored = corners_px[:, [1, 0, 3, 2]].copy()
        mirrored[..., 0] = size[1] - 1 - mirrored[..., 0]
    film = _Drawing(mirrored, size, spacing_mm, rng).film(metal=metal)
    pixels = _exposed(film if facing == "right" else film[:, ::-1], rng)
    return SagittalPhantom(pixels, corners_px, spacing_mm, facing)


def random_phantom(
    rng: np.random.Generator, size: tuple[int, int] = (960, 400), *, whole: bool | None = None
) -> SagittalPhantom:
    """A random patient on a film of the whole spine (`whole`), or of a part of it; by default of a part in one of four.

    A part shows at least six vertebrae, from anywhere along the spine.
    """
    rows, columns = size
    if whole is None:
        whole = bool(rng.uniform() < 0.75)
    corners = spine_corners_mm(random_tilts(rng), rng.uniform(0.8, 1.1))
    turn = np.radians(np.clip(rng.normal(0, 3), -8, 8))
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners -= corners.min(axis=(0, 1))
    extent = corners.max(axis=(0, 1))
    if whole:
        share = rng.uniform(0.72, 0.95)
        mm = max(extent[1] / (rows * share), extent[0] / (columns * 0.9))
        top = rng.uniform(0.2, 0.8) * (rows - extent[1] / mm)
    else:
        first = int(rng.integers(0, 24 - 6 + 1))
        last = int(rng.integers(first + 6, 25)) - 1
        upper, lower = corners[first, :, 1].min(), corners[last, :, 1].max()
        mm = (lower - upper) / (rows * rng.uniform(0.85, 0.97))
        top = (rows - (lower - upper) / mm) / 2 - upper / mm
    seen = (corners[..., 1] / mm + top > 0) & (corners[..., 1] / mm + top < rows)
    middle = float(corners[seen][:, 0].mean()) / mm
    left = columns * rng.uniform(0.42, 0.58) - middle
    corners_px = corners / mm + (left, top)
    facing: Facing = "right" if rng.uniform() < 0.5 else "left"
    if facing == "left":
        corners_px = corners_px[:, [1, 0, 3, 2]].copy()
        corners_px[..., 0] = columns - 1 - corners_px[..., 0]
    return draw(corners_px, size, rng, spacing_mm=mm, facing=facing, metal=bool(rng.uniform() < 0.15))


def _along_the_spine(table: dict[str, float]) -> NDArray[np.float64]:
    return np.interp(np.arange(24), [C1_TO_L5.index(level) for level in table], list(table.values()))


def _exposed(film: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint16]:
    """Gamma, uneven exposure, noise, and the part of 12 bits that the film uses."""
    film = (film - film.min()) / max(float(film.max() - film.min()), 1e-6)
    film = film ** rng.uniform(0.7, 1.4)
    coarse = rng.uniform(0.8, 1.1, (5, 3)).astype(np.float32)
    film = film * cv2.resize(coarse, film.shape[::-1], interpolation=cv2.INTER_CUBIC)
    film = film + rng.normal(0, rng.uniform(0.005, 0.025), film.shape)
    low, high = rng.uniform(0.02, 0.15), rng.uniform(0.7, 0.98)
    return np.clip((low + film * (high - low)) * 4095, 0, 4095).astype(np.uint16)


class _Drawing:
    """One film of a patient who looks to the right. Masks are float32 [rows, columns]."""

    def __init__(
        self, corners_px: NDArray[np.float64], size: tuple[int, int], spacing_mm: float, rng: np.random.Generator
    ) -> None:
        self.corners, self.size, self.rng = corners_px, size, rng
        self.mm = 1 / spacing_mm  # pixels for a millimetre
        self.centres = corners_px.mean(axis=1)
        self.y, self.x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
        # of every row the middle of the spine, continued straight beyond its ends
        self.middle = np.interp(self.y[:, 0], self.centres[:, 1], self.centres[:, 0]).astype(np.float32)[:, None]

    def film(self, *, metal: bool) -> NDArray[np.float32]:
        film = self._trunk() + self._lungs_and_below() + self._ribs() + self._skull_and_pelvis() + self._arms()
        film += self._vertebrae() * np.float32(self.rng.uniform(0.22, 0.5))
        if metal:
            film += self._metal()
        return cv2.GaussianBlur(film, (0, 0), max(0.6 * self.mm, 0.3))

    def _trunk(self) -> NDArray[np.float32]:
        """Soft tissue: narrow at the neck, wide at thorax and abdomen, most of it before the spine."""
        at = self.centres[[0, 6, 9, 14, 19, 23], 1]
        front = (
            np.interp(self.y[:, 0], at, [50, 60, 110, 160, 150, 130])[:, None] * self.mm * self.rng.uniform(0.8, 1.2)
        )
        back = np.interp(self.y[:, 0], at, [60, 65, 80, 65, 70, 90])[:, None] * self.mm * self.rng.uniform(0.8, 1.2)
        soft = 6 * self.mm
        inside = (
            1 / (1 + np.exp((self.x - self.middle - front) / soft)) / (1 + np.exp((self.middle - back - self.x) / soft))
        )
        return (inside * self.rng.uniform(0.35, 0.5)).astype(np.float32)

    def _lungs_and_below(self) -> NDArray[np.float32]:
        rng, mm = self.rng, self.mm
        apex, base = self.centres[7], self.centres[16 + int(rng.integers(0, 2))]
        dome = base[1] - ((self.x - self.middle - 60 * mm) / (60 * mm)) ** 2 * -25 * mm - 20 * mm
        lung = 1 / (1 + np.exp((self.y - dome) / (5 * mm))) / (1 + np.exp((apex[1] - self.y) / (8 * mm)))
        ahead = self.x - self.middle
        lung *= 1 / (1 + np.exp((np.abs(ahead - 40 * mm) - 75 * mm) / (8 * mm)))
        film = -lung * rng.uniform(0.12, 0.3)
        heart = np.exp(-(((ahead - 85 * mm) / (38 * mm)) ** 2) - ((self.y - base[1] + 70 * mm) / (50 * mm)) ** 2)
        film += heart * rng.uniform(0.05, 0.2)
        film += 1 / (1 + np.exp(-(self.y - dome) / (12 * mm))) * rng.uniform(0.05, 0.25)
        airway = self.centres[3:9] + np.array([rng.uniform(22, 32) * mm, 0])
        film -= cv2.GaussianBlur(self._line(airway, 13 * mm), (0, 0), 2 * mm) * np.float32(rng.uniform(0.05, 0.15))
        for _ in range(7):
            at_x, at_y = rng.uniform(0, self.size[1]), rng.uniform(base[1], max(base[1] + 1, self.size[0]))
            radius = rng.uniform(10, 28) * mm
            film -= np.exp(-(((self.x - at_x) ** 2 + (self.y - at_y) ** 2) / radius**2)) * rng.uniform(0.0, 0.12)
        return film.astype(np.float32)

    def _ribs(self) -> NDArray[np.float32]:
        """Both sides, which a film never superimposes exactly: from behind the body forward and down."""
        ribs = np.zeros(self.size, np.float32)
        fraction = np.linspace(0, 1, 20)
        for side in range(2):
            shift = self.rng.normal(0, 5, 2) * self.mm + (-6 * side * self.mm, 0)
            for v in range(7, 19):
                root = (self.corners[v, 0] * 0.8 + self.corners[v, 2] * 0.2) + shift
                length = (95 + 70 * np.sin(np.pi * (v - 5) / 14)) * self.mm * (0.55 if v >= 17 else 1.0)
                back = -22 * self.mm * np.sin(np.pi * np.minimum(fraction * 2.2, 1.0))
                path = root + np.stack([back + length * fraction**1.3, length * 0.62 * fraction**0.9], axis=-1)
                ribs = np.maximum(ribs, self._line(path, 5.5 * self.mm) * self.rng.uniform(0.6, 1.0))
        return cv2.GaussianBlur(ribs, (0, 0), 1.0 * self.mm) * np.float32(self.rng.uniform(0.06, 0.16))

    def _skull_and_pelvis(self) -> NDArray[np.float32]:
        mm, rng = self.mm, self.rng
        mask = np.zeros(self.size, np.float32)
        atlas, last = self.centres[0], self.corners[23]
        mask = np.maximum(mask, self._ellipse(atlas + np.array([15, -85]) * mm, (95 * mm, 75 * mm), 0) * 0.7)
        jaw = atlas + np.array([[20, -15], [30, 30], [80, 50]]) * mm
        mask = np.maximum(mask, self._line(jaw, 16 * mm) * 0.7)
        along, down = last[1] - last[0], last[2] - last[0]
        turn = np.radians(rng.uniform(8, 20))
        rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        along_s, down_s = rotate @ along, rotate @ down
        top = last[2:].mean(axis=0) + down * 0.32
        sacrum = [
            top - along_s * 0.5,
            top + along_s * 0.5,
            top - along_s * 0.75 + down_s * 3.2,
            top - along_s + down_s * 3.3,
        ]
        mask = np.maximum(mask, self._area(np.array(sacrum)) * 0.9)
        for _ in range(2):
            hip = top + np.array([rng.normal(35, 6) * mm, rng.normal(95, 5) * mm])
            mask = np.maximum(mask, self._ellipse(hip, (23 * mm, 23 * mm), 0) * 0.8)
            wing = top + np.array([rng.normal(5, 5) * mm, rng.normal(20, 6) * mm])
            mask = np.maximum(mask, self._ellipse(wing, (58 * mm, 42 * mm), rng.uniform(-30, 0)) * 0.55)
        return cv2.GaussianBlur(mask, (0, 0), 2.0 * mm) * np.float32(rng.uniform(0.12, 0.25))

    def _arms(self) -> NDArray[np.float32]:
        """Shoulders over the upper thorax: why C7 to T4 are the hardest levels of a lateral film."""
        mm, rng = self.mm, self.rng
        mask = np.zeros(self.size, np.float32)
        for _ in range(2):
            shoulder = self.centres[8] + rng.normal(0, 12, 2) * mm + (10 * mm, 0)
            mask = np.maximum(mask, self._ellipse(shoulder, (45 * mm, 42 * mm), 0))
            hand = shoulder + np.array([rng.uniform(80, 150) * mm, rng.uniform(-20, 80) * mm])
            mask = np.maximum(mask, self._line(np.stack([shoulder, hand]), 28 * mm) * 0.8)
        return cv2.GaussianBlur(mask, (0, 0), 7 * mm) * np.float32(rng.uniform(0.08, 0.3))

    def _vertebrae(self) -> NDArray[np.float32]:
        """Waisted bodies with dense rims, pedicles, facets and spinous processes."""
        solid, rims = np.zeros(self.size, np.float32), np.zeros(self.size, np.float32)
        fade = np.linspace(0.8, 1.0, 24) * self.rng.uniform(0.75, 1.2, 24)
        for v, (quad, weight) in enumerate(zip(self.corners, fade, strict=True)):
            if v == 0:
                self._atlas(quad, solid, rims)
                continue
            top_left, top_right, bottom_left, bottom_right = quad
            middle = quad.mean(axis=0)
            waist = 0.1
            front, back = (top_right + bottom_right) / 2, (top_left + bottom_left) / 2
            outline = np.array(
                [
                    top_left,
                    top_right,
                    front + (middle - front) * waist,
                    bottom_right,
                    bottom_left,
                    back + (middle - back) * waist,
                ]
            )
            np.maximum(solid, self._area(outline) * np.float32(0.62 * weight), out=solid)
            np.maximum(
                rims, self._line(np.concatenate([outline, outline[:1]]), 1.8 * self.mm) * np.float32(weight), out=rims
            )
            self._behind(v, quad, weight, solid, rims)
        return np.maximum(solid, rims)

    def _behind(
        self, v: int, quad: NDArray[np.float64], weight: float, solid: NDArray[np.float32], rims: NDArray[np.float32]
    ) -> None:
        top_left, top_right, bottom_left, _ = quad
        along, down = top_right - top_left, bottom_left - top_left
        angle = float(np.degrees(np.arctan2(along[1], along[0])))
        height = float(np.linalg.norm(down))
        pedicle = top_left + down * 0.32 - along * 0.13
        np.maximum(
            solid, self._ellipse(pedicle, (height * 0.3, height * 0.2), angle) * np.float32(0.6 * weight), out=solid
        )
        facet = top_left + down * 0.75 - along * 0.35
        np.maximum(
            rims, self._ellipse(facet, (height * 0.17, height * 0.45), angle + 15) * np.float32(0.5 * weight), out=rims
        )
        # long and steep in the thorax, short and level in neck and loins
        steep, reach = (0.55, 0.95) if v < 7 else (1.35, 0.95) if v < 18 else (0.7, 0.85)
        root, tip = facet - along * 0.1, facet - along * reach + down * steep * 0.8
        np.maximum(solid, self._line(np.stack([root, tip]), height * 0.42) * np.float32(0.4 * weight), out=solid)

    def _atlas(self, quad: NDArray[np.float64], solid: NDArray[np.float32], rims: NDArray[np.float32]) -> None:
        """A ring seen from the side: front arch, the dens behind it, back arch."""
        along, middle = quad[1] - quad[0], quad.mean(axis=0)
        height = float(np.linalg.norm(quad[2] - quad[0]))
        np.maximum(solid, self._ellipse(middle, (height * 0.33, height * 0.75), 0) * np.float32(0.6), out=solid)
        np.maximum(
            rims, self._ellipse(middle + along * 0.6, (height * 0.25, height * 0.45), 0) * np.float32(0.8), out=rims
        )
        np.maximum(
            rims, self._ellipse(middle - along * 2.1, (height * 0.55, height * 0.4), 0) * np.float32(0.7), out=rims
        )

    def _metal(self) -> NDArray[np.float32]:
        """A rod behind some vertebrae and a screw into each."""
        first = int(self.rng.integers(9, 19))
        last = int(self.rng.integers(first + 2, 24))
        mask = np.zeros(self.size, np.float32)
        quads = self.corners[first : last + 1]
        behind = (quads[:, 0] + quads[:, 2]) / 2 - (quads[:, 1] - quads[:, 0]) * 0.75
        mask = np.maximum(mask, self._line(behind, 5.5 * self.mm))
        for quad, head in zip(quads, behind, strict=True):
            mask = np.maximum(
                mask, self._line(np.stack([head, quad[0] * 0.3 + quad[1] * 0.5 + quad[2] * 0.2]), 5 * self.mm)
            )
        return mask * np.float32(self.rng.uniform(0.5, 0.9))

    def _area(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        mask = np.zeros(self.size, np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255

    def _line(self, points: NDArray[np.float64], thickness_px: float) -> NDArray[np.float32]:
        mask = np.zeros(self.size, np.uint8)
        thickness = max(1, round(float(thickness_px)))
        cv2.polylines(mask, [self._fixed(points)], False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255

    def _ellipse(
        self, centre: NDArray[np.float64], half_axes: tuple[float, float], angle: float
    ) -> NDArray[np.float32]:
        mask = np.zeros(self.size, np.uint8)
        box = ((float(centre[0]), float(centre[1])), (2 * half_axes[0], 2 * half_axes[1]), angle)
        cv2.ellipse(mask, box, 255, -1, cv2.LINE_AA)
        return mask.astype(np.float32) / 255

    @staticmethod
    def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
        return np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
