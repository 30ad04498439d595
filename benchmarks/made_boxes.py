"""Boxes to measure with."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


def scattered(rng: np.random.Generator, n: int) -> Boxes:
    """Boxes of 30 to 90 pixels all over a film of 3000 x 1500."""
    corner = rng.uniform((0.0, 0.0), (1410.0, 2910.0), (n, 2))
    return np.hstack([corner, corner + rng.uniform(30.0, 90.0, (n, 2))]).astype(np.float32)


def detected(rng: np.random.Generator, n: int) -> Boxes:
    """What a detector says of 17 vertebrae: hundreds of boxes for each."""
    vertebra = rng.integers(0, 17, n)
    centre = np.stack([750.0 + 80.0 * np.sin(vertebra / 4.0), 300.0 + 150.0 * vertebra], axis=1)
    centre += rng.normal(0.0, 20.0, (n, 2))
    half = rng.normal((100.0, 60.0), 10.0, (n, 2))
    return np.hstack([centre - half, centre + half]).astype(np.float32)


def turned(rng: np.random.Generator, boxes: Boxes) -> Boxes:
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2.0, boxes[:, 2:] - boxes[:, :2]
    return np.column_stack([centre, size, rng.normal(0.0, 0.3, len(boxes))]).astype(np.float32)
