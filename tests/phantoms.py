"""Synthetic AP spine radiographs with exactly known corners.

A spine is a chain of 17 quadrilaterals (T1..L5) placed from their tilts, so every angle is known before a pixel is
drawn. The picture has what confuses a network on a real film: ribs, lungs, mediastinum, diaphragm, pelvis,
pedicles, uneven exposure, noise. It is no simulation of physics.

Corners are float64 [17, 4, 2] as (x, y) in pixels, TL, TR, BL, BR; (0, 0) is the centre of the top-left pixel.
A positive tilt lowers the right-hand side of the image.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

VERTEBRAE = 17
SUBPIXEL_BITS = 4
NO_NECK = np.empty((0, 4, 2))


@dataclass(frozen=True)
class Phantom:
    """`pixels` uint16 [rows, columns], 12 bit, bone bright; `corners_px` float64 [17, 4, 2]."""

    pixels: NDArray[np.uint16]
    corners_px: NDArray[np.float64]


def spine_corners(
    tilts_deg: NDArray[np.float64],
    top_px: tuple[float, float] = (500.0, 120.0),
    length_px: float = 2000.0,
) -> NDArray[np.float64]:
    """Corners of vertebrae with exactly these tilts (any number of them), stacked from `top_px` = (x, y) downwards.

    Heights and widths grow from top to bottom as they do from T1 to L5; gaps are a fifth of the height.
    """
    count = len(tilts_deg)
    heights = np.linspace(0.75, 1.35, count)
    heights *= length_px / (heights.sum() * 1.2)
    widths = heights * np.linspace(1.55, 1.4, count)
    tilts = np.radians(tilts_deg)
    along = np.stack([np.cos(tilts), np.sin(tilts)], axis=-1)
    down = np.stack([-np.sin(tilts), np.cos(tilts)], axis=-1)
    corners = np.empty((count, 4, 2))
    centre = np.asarray(top_px, np.float64)
    for v in range(count):
        if v:
            between = down[v - 1] + down[v]
            gap = 0.1 * (heights[v - 1] + heights[v])
            centre = (
                centre
                + down[v - 1] * heights[v - 1] / 2
                + between / np.linalg.norm(between) * gap
                + down[v] * heights[v] / 2
            )
        half_across, half_down = along[v] * widths[v] / 2, down[v] * heights[v] / 2
        corners[v] = [
            centre - half_across - half_down,
            centre + half_across - half_down,
            centre - half_across + half_down,
            centre + half_across + half_down,
        ]
    return corners


def random_tilts(rng: np.random.Generator, largest_deg: float = 40.0) -> NDArray[np.float64]:
    """Smooth tilts of T1..L5 with one to three alternating curves, as a scoliotic spine has."""
    level = np.linspace(0.0, 1.0, VERTEBRAE)
    wave = np.sin(2 * np.pi * (rng.uniform(0.45, 1.65) * level + rng.uniform()))
    return wave * rng.uniform(0.0, largest_deg) + rng.normal(0, 1.5, VERTEBRAE)


def draw(
    corners_px: NDArray[np.float64],
    size: tuple[int, int],
    rng: np.random.Generator,
    neck_px: NDArray[np.float64] = NO_NECK,
) -> Phantom:
    """A film of `size` = (rows, columns) around these corners; above a neck [n, 4, 2] lies the skull."""
    pixel = size[0] / 1000.0
    centres = corners_px.mean(axis=1)
    film = _body(centres, size, rng)
    film += _ribs(centres, corners_px, size, rng)
    film += _pelvis(centres[-1], corners_px[-1], size)
    if len(neck_px):
        film += _skull(neck_px, size)
    bone = np.zeros(size, np.float32)
    for quad in neck_px:
        bone = np.maximum(bone, _vertebra(quad, size, pixel) * np.float32(0.6))
    strength = np.linspace(0.7, 1.0, len(corners_px)) * rng.uniform(0.8, 1.2, len(corners_px))
    for quad, weight in zip(corners_px, strength, strict=True):
        bone = np.maximum(bone, _vertebra(quad, size, pixel) * np.float32(weight))
    film += cv2.GaussianBlur(bone, (0, 0), 0.8 * pixel) * rng.uniform(0.16, 0.42)
    film = cv2.GaussianBlur(film, (0, 0), 0.5 * pixel)
    film -= film.min()
    film = film / film.max()
    film = film ** rng.uniform(0.7, 1.3) + rng.normal(0, rng.uniform(0.005, 0.02), size).astype(np.float32)
    low, high = rng.uniform(0.02, 0.15), rng.uniform(0.75, 0.98)
    return Phantom(np.clip((low + film * (high - low)) * 4095, 0, 4095).astype(np.uint16), corners_px)


def random_phantom(rng: np.random.Generator, size: tuple[int, int] = (1000, 400)) -> Phantom:
    """A random curve on a film cropped to the spine, as the training films are."""
    rows, columns = size
    for _ in range(50):
        length = rows * rng.uniform(0.78, 0.95)
        corners = spine_corners(random_tilts(rng), (0.0, 0.0), length)
        corners *= rows * rng.uniform(0.78, 0.93) / np.ptp(corners[..., 1])
        corners[..., 0] += columns * rng.uniform(0.42, 0.58) - np.median(corners[..., 0])
        corners[..., 1] += rows * rng.uniform(0.02, 0.06) - corners[..., 1].min()
        inside = (corners > 2).all() and (corners[..., 0] < columns - 3).all() and (corners[..., 1] < rows - 3).all()
        if inside:
            return draw(corners, size, rng)
    raise AssertionError(f"no random spine fits into {size}")


def whole_film(rng: np.random.Generator, size: tuple[int, int] = (1600, 700)) -> Phantom:
    """From the skull to the hips, as a patient stands before the detector; T1..L5 take less than half of its height."""
    rows, columns = size
    tilts = random_tilts(rng, 30.0)
    neck = np.linspace(0.0, 1.0, 7, endpoint=False) * tilts[0]
    corners = spine_corners(np.concatenate([neck, tilts]), (0.0, rows * rng.uniform(0.16, 0.2)), rows * 0.62)
    corners[..., 0] += columns * rng.uniform(0.45, 0.55) - corners[..., 0].mean()
    return draw(corners[7:], size, rng, corners[:7])


def _polygon(mask: NDArray[np.uint8], points: NDArray[np.float64], value: int = 255) -> None:
    fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], value, cv2.LINE_AA, SUBPIXEL_BITS)


def _outline(mask: NDArray[np.uint8], points: NDArray[np.float64], thickness: int, closed: bool = False) -> None:
    fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(mask, [fixed], closed, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def _scaled(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    return mask.astype(np.float32) / 255


def _vertebra(quad: NDArray[np.float64], size: tuple[int, int], pixel: float) -> NDArray[np.float32]:
    """A waisted body with dense end-plates, two pedicles and a spinous process."""
    top_left, top_right, bottom_left, bottom_right = quad
    left, right = (top_left + bottom_left) / 2, (top_right + bottom_right) / 2
    centre = (left + right) / 2
    waist_left, waist_right = left + (centre - left) * 0.12, right + (centre - right) * 0.12
    body = np.zeros(size, np.uint8)
    _polygon(body, np.array([top_left, top_right, waist_right, bottom_right, bottom_left, waist_left]), 150)
    plates = np.zeros(size, np.uint8)
    thickness = max(1, round(2.2 * pixel))
    _outline(plates, np.array([top_left, top_right]), thickness)
    _outline(plates, np.array([bottom_left, bottom_right]), thickness)
    _outline(plates, np.array([top_left, waist_left, bottom_left]), max(1, round(1.4 * pixel)))
    _outline(plates, np.array([top_right, waist_right, bottom_right]), max(1, round(1.4 * pixel)))
    height = float(np.linalg.norm(top_left - bottom_left))
    angle = float(np.degrees(np.arctan2(*(right - left)[::-1])))
    for side in (left, right):
        at = side + (centre - side) * 0.4 - (bottom_left - top_left) * 0.12
        axes = (height * 0.11, height * 0.19)
        cv2.ellipse(plates, (tuple(map(float, at)), tuple(2 * a for a in axes), angle), 190, thickness, cv2.LINE_AA)
    spinous = centre + (bottom_left - top_left) * 0.3
    cv2.ellipse(body, (tuple(map(float, spinous)), (height * 0.22, height * 0.5), angle), 215, -1, cv2.LINE_AA)
    return np.maximum(_scaled(body), _scaled(plates))


def _body(centres: NDArray[np.float64], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Trunk, lungs, heart and abdomen as broad soft shades."""
    rows, columns = size
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    middle = np.interp(y[:, 0], centres[:, 1], centres[:, 0]).astype(np.float32)[:, None]
    spine_height = np.ptp(centres[:, 1])
    trunk = np.exp(-(((x - columns / 2) / (columns * rng.uniform(0.55, 0.9))) ** 4)) * rng.uniform(0.25, 0.45)
    diaphragm = centres[0, 1] + spine_height * rng.uniform(0.52, 0.66)
    dome = diaphragm + (np.abs(x - middle) - columns * 0.25) ** 2 / columns * 0.4
    lung_width = spine_height * 0.16
    aside = np.abs(x - middle) - spine_height * rng.uniform(0.05, 0.075)
    lung = 1 / (1 + np.exp(-aside / (0.012 * spine_height))) / (1 + np.exp((y - dome) / (0.01 * spine_height)))
    lung *= 1 / (1 + np.exp(-(y - centres[0, 1] - lung_width * 0.2) / (0.02 * spine_height)))
    film = trunk - lung * rng.uniform(0.15, 0.35)
    heart = np.exp(
        -(((x - middle - lung_width * 0.6) / (lung_width * 0.7)) ** 2)
        - ((y - diaphragm + lung_width * 0.7) / (lung_width * 0.9)) ** 2
    )
    film += heart * rng.uniform(0.05, 0.18)
    film += 1 / (1 + np.exp(-(y - dome) / (0.05 * spine_height))) * rng.uniform(0.0, 0.25)
    for _ in range(6):
        at_x, at_y = rng.uniform(0, columns), rng.uniform(diaphragm, rows)
        radius = spine_height * rng.uniform(0.02, 0.06)
        film -= np.exp(-(((x - at_x) ** 2 + (y - at_y) ** 2) / radius**2)) * rng.uniform(0.0, 0.12)
    return film.astype(np.float32)


def _ribs(
    centres: NDArray[np.float64], corners: NDArray[np.float64], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    rows, _ = size
    mask = np.zeros(size, np.uint8)
    reach = np.ptp(centres[:, 1]) * rng.uniform(0.24, 0.34)
    fraction = np.linspace(0, 1, 24)
    for v in range(min(12, len(centres))):
        for side, sign in ((0, -1.0), (1, 1.0)):
            root = (corners[v, side] + corners[v, side + 2]) / 2
            length = reach * (0.55 + 0.45 * np.sin(np.pi * (v + 2) / 14))
            path = np.stack(
                [
                    root[0] + sign * length * np.sin(fraction * 1.7),
                    root[1] + length * (0.55 * fraction**1.6 - 0.12 * np.sin(np.pi * fraction)),
                ],
                axis=-1,
            )
            _outline(mask, path, max(2, round(rows * 0.008)))
    return cv2.GaussianBlur(_scaled(mask), (0, 0), rows * 0.0012) * np.float32(rng.uniform(0.05, 0.14))


def _pelvis(centre: NDArray[np.float64], last: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    rows, _ = size
    mask = np.zeros(size, np.uint8)
    width = float(np.linalg.norm(last[1] - last[0]))
    for sign in (-1.0, 1.0):
        at = (float(centre[0] + sign * width * 1.6), float(centre[1] + width * 1.5))
        cv2.ellipse(mask, (at, (width * 1.5, width * 2.2), sign * 25.0), 200, -1, cv2.LINE_AA)
    sacrum = np.array([[-0.7, 0.75], [0.7, 0.75], [0.3, 2.3], [-0.3, 2.3]]) * width + centre
    _polygon(mask, sacrum, 255)
    return cv2.GaussianBlur(_scaled(mask), (0, 0), rows * 0.004) * np.float32(0.16)


def _skull(neck: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """A bright dome with a jaw in front of the upper neck."""
    rows, _ = size
    mask = np.zeros(size, np.uint8)
    x, y = (float(value) for value in neck[0].mean(axis=0))
    width = float(np.linalg.norm(neck[0, 1] - neck[0, 0]))
    cv2.ellipse(mask, ((x, y - width * 2.2), (width * 4.6, width * 5.6), 0.0), 230, -1, cv2.LINE_AA)
    cv2.ellipse(mask, ((x, y + width * 0.2), (width * 3.0, width * 2.0), 0.0), 150, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(_scaled(mask), (0, 0), rows * 0.004) * np.float32(0.3)
