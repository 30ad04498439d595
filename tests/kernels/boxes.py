"""Boxes as detectors leave them, for the tests of what is done with them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
Kept = tuple[NDArray[np.int32], NDArray[np.int32]]

# lanes of 8 and 16, blocks of 64, tiles of 128, and primes
COUNTS = (0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 127, 128, 131, 257)
# few places, so that boxes coincide, touch, are empty, and overlap by exactly a half
LATTICE = st.integers(0, 150).flatmap(
    lambda n: arrays(np.float32, (n, 4), elements=st.integers(0, 6).map(float), fill=st.nothing())
)
SCORES = arrays(np.float32, 150, elements=st.integers(-3, 3).map(float), fill=st.nothing())


def boxes_at(*corners: tuple[float, float, float, float]) -> Boxes:
    return np.array(corners, np.float32).reshape(-1, 4)


def scattered(n: int, seed: int = 0) -> Boxes:
    """Heaps of boxes that overlap much, and boxes elsewhere; some are empty, some lie twice."""
    rng = np.random.default_rng((seed, n))
    centre = rng.uniform(0.0, 300.0, (8, 2))[rng.integers(0, 8, n)] + rng.normal(0.0, 5.0, (n, 2))
    centre = np.where(rng.random((n, 1)) < 0.7, centre, rng.uniform(-50.0, 350.0, (n, 2)))
    half = rng.uniform(-1.0, 30.0, (n, 2))
    boxes = np.hstack([centre - half, centre + half]).astype(np.float32)
    boxes[: n // 8] = boxes[n - n // 8 :]
    return boxes


def turned(n: int, seed: int = 0) -> Boxes:
    boxes = scattered(n, seed)
    angles = np.random.default_rng((seed, n)).normal(0.0, 2.0, n)
    size = boxes[:, 2:] - boxes[:, :2]
    return np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2.0, size, angles]).astype(np.float32)


def some_scores(n: int) -> NDArray[np.float32]:
    """Of few values, so that many are equal."""
    return np.random.default_rng(n).integers(-20, 20, n).astype(np.float32)


def assert_same(got: Kept, want: Kept) -> None:
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])


def column(n: int, seed: int = 0) -> Boxes:
    """Vertebrae from top to bottom with some astray, some double, in a random order."""
    rng = np.random.default_rng((seed, n))
    x = rng.normal(0.0, 4.0, n) + rng.choice([0.0, 0.0, 0.0, 40.0], n)
    y = np.cumsum(rng.choice([4.0, 20.0, 24.0, 45.0], n))
    half = rng.uniform(8.0, 20.0, (n, 2))
    centre = np.stack([x, y], axis=1)
    return rng.permutation(np.hstack([centre - half, centre + half]).astype(np.float32))


STACK = boxes_at((0, 0, 30, 20), (1, 24, 31, 44), (2, 48, 32, 68), (3, 72, 33, 92))
