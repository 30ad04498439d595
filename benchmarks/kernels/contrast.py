"""Histogram equalisation and CLAHE of a radiograph against OpenCV."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.kernels.radiograph import FILM, make_film
from benchmarks.kernels.row import Row
from spinert import kernels

CLIP_LIMIT, TILES = 2.0, (8, 8)


def rows() -> list[Row]:
    """The error is against OpenCV: the same grey levels."""
    grey = make_film(np.uint8, 8)
    return [
        Row(
            "equalize_histogram",
            f"{FILM[0]}x{FILM[1]}",
            lambda threads: kernels.equalize_histogram(grey, threads=threads),
            {"OpenCV": lambda: cv2.equalizeHist(grey)},
            cv2.equalizeHist(grey).astype(np.int32),
            (1, 2),
        ),
        clahe_row("8 bits", grey),
        clahe_row("12 of 16 bits", make_film(np.uint16, 12)),
        clahe_row("16 bits", make_film(np.uint16, 16)),
    ]


def clahe_row(name: str, film: NDArray[Any]) -> Row:
    peer = cv2.createCLAHE(CLIP_LIMIT, TILES)
    return Row(
        f"clahe, {name}",
        f"{FILM[0]}x{FILM[1]}",
        lambda threads: kernels.clahe(film, clip_limit=CLIP_LIMIT, tiles=TILES, threads=threads),
        {"OpenCV": lambda: peer.apply(film)},
        peer.apply(film).astype(np.int32),
        (1, 2),
    )
