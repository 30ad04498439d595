"""Preparation of a radiograph against OpenCV."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

FILM, SIZE = (3000, 1500), (1024, 512)


def rows() -> list[Row]:
    return [
        prepare_row("12 of 16 bits", make_film(np.uint16, 12)),
        prepare_row("16 bits", make_film(np.uint16, 16)),
        prepare_row("8 bits", make_film(np.uint8, 8)),
    ]


def make_film(dtype: type, bits: int) -> NDArray[Any]:
    """A bright, wavy column on a soft background with grain, and black borders: the histogram of a spine film."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: FILM[0], : FILM[1]].astype(np.float32)
    light = 0.15 + 0.6 * np.exp(-(((x - 750) / 300) ** 2)) + 0.2 * np.sin(y / 40) * np.exp(-(((x - 750) / 80) ** 2))
    light += rng.normal(0.0, 0.01, FILM)
    light[:, :150] = light[:, -150:] = 0.0
    return (np.clip(light, 0.0, 1.0) * (2**bits - 1)).astype(dtype)


def opencv_prepare(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Fastest of those tried: one histogram instead of np.percentile, clipping in the stored type, scaling last."""
    levels = int(np.iinfo(pixels.dtype).max) + 1
    cumulated = cv2.calcHist([pixels], [0], None, [levels], [0, levels]).ravel().cumsum()
    low = int(np.searchsorted(cumulated, 0.01 * pixels.size))
    high = int(np.searchsorted(cumulated, 0.99 * pixels.size))
    clipped = cv2.min(cv2.subtract(pixels, low), high - low)
    small = cv2.resize(clipped, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1.0 / (high - low))


def prepare_row(name: str, pixels: NDArray[Any]) -> Row:
    return Row(
        f"prepare_radiograph, {name}",
        f"{FILM[0]}x{FILM[1]} -> {SIZE[0]}x{SIZE[1]}",
        lambda threads: kernels.prepare_radiograph(pixels, size=SIZE, threads=threads).pixels,
        {"OpenCV": lambda: opencv_prepare(pixels)},
        reference.prepare_radiograph(pixels, size=SIZE),
        (1, 2),
    )
