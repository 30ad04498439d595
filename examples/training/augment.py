"""Films bent, turned, scaled, mirrored and exposed anew, and their corners with them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

PERCENTILES = (1.0, 99.0)
MIRRORED_CORNERS = [1, 0, 3, 2]

Sample = tuple[NDArray[np.float32], NDArray[np.float64]]
"""Pixels 0..1 at cache size and corners [17, 4, 2] in its pixels."""


def robust_range(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """The window of the runtime's preparation, before the film is warped: percentiles become 0 and 1."""
    low, high = np.percentile(pixels, PERCENTILES)
    return np.clip((pixels.astype(np.float32) - low) / max(high - low, 1.0), 0.0, 1.0)


def _bend(rng: np.random.Generator, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sideways shift of every row and its slope: a new curve for the same spine."""
    y = np.arange(-height, 2 * height, dtype=np.float64)
    shift, slope = np.zeros_like(y), np.zeros_like(y)
    for _ in range(2):
        cycles, phase = rng.uniform(0.4, 1.7), rng.uniform(0, 2 * np.pi)
        steepest = math.tan(math.radians(rng.uniform(0, 9.0)))
        rate = 2 * np.pi * cycles / height
        shift += steepest / rate * np.sin(rate * y + phase)
        slope += steepest * np.cos(rate * y + phase)
    return shift - shift.mean(), slope


def augment(sample: Sample, size: tuple[int, int], rng: np.random.Generator) -> Sample:
    """Bend along the spine, rotate, scale, shift, mirror, then change contrast; corners go the same way.

    A row at height v moves sideways by shift(v) and turns by slope(v) about the spine's centre, so that end-plates
    tilt with the curve as they do in a real one.
    """
    pixels, corners = sample
    rows, columns = size
    height, width = pixels.shape
    centres = corners.mean(axis=1)
    fit = min(rows / height, columns / width)
    scale = fit * rng.uniform(0.72, 1.12)
    angle = math.radians(float(np.clip(rng.normal(0, 5), -15, 15)))
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    move = rng.normal(0, 0.03, 2) * (columns, rows)
    turn = np.array([[cos, -sin], [sin, cos]])
    source_middle, target_middle = np.array([width / 2, height / 2]), np.array([columns / 2, rows / 2]) + move

    shift, slope = _bend(rng, height) if rng.uniform() < 0.6 else (np.zeros(3 * height), np.zeros(3 * height))
    order = np.argsort(centres[:, 1])

    def row_of(values: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(v, np.arange(-height, 2 * height), values)

    def spine_x(v: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(v, centres[order, 1], centres[order, 0])

    # forward for points: v solves v = y - slope(v) (x - spine_x(v)); the slope changes slowly, so this converges
    x, y = corners[..., 0], corners[..., 1]
    v = y.copy()
    for _ in range(20):
        v = y - row_of(slope, v) * (x - spine_x(v))
    bent = np.stack([x + row_of(shift, v), v], axis=-1)
    moved = (bent - source_middle) @ turn.T + target_middle

    # backward for pixels, rows tabulated once
    grid_y, grid_x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    inverse = np.linalg.inv(turn)
    dx, dy = grid_x - np.float32(target_middle[0]), grid_y - np.float32(target_middle[1])
    u = (inverse[0, 0] * dx + inverse[0, 1] * dy + source_middle[0]).astype(np.float32)
    w = (inverse[1, 0] * dx + inverse[1, 1] * dy + source_middle[1]).astype(np.float32)
    index = np.clip(np.round(w).astype(np.int32) + height, 0, 3 * height - 1)
    table_x = spine_x(np.arange(-height, 2 * height, dtype=np.float64)).astype(np.float32)
    from_x = u - shift.astype(np.float32)[index]
    from_y = w + slope.astype(np.float32)[index] * (from_x - table_x[index])
    warped = cv2.remap(pixels, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)

    if rng.uniform() < 0.5:
        warped = warped[:, ::-1]
        moved = moved[:, MIRRORED_CORNERS]
        moved[..., 0] = columns - 1 - moved[..., 0]
    return _contrast(warped, rng), moved


def _contrast(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    rows, columns = pixels.shape
    result = np.power(pixels, math.exp(rng.normal(0, 0.35)), dtype=np.float32)
    result = result * rng.uniform(0.75, 1.05) + rng.uniform(-0.06, 0.08)
    if rng.uniform() < 0.4:
        coarse = rng.uniform(0.7, 1.1, (4, 3)).astype(np.float32)
        result = result * cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if rng.uniform() < 0.3:
        result = cv2.GaussianBlur(result, (0, 0), rng.uniform(0.4, 1.4))
    if rng.uniform() < 0.5:
        result = result + rng.normal(0, rng.uniform(0.0, 0.05), result.shape)
    for _ in range(rng.integers(0, 3)):
        top, left = rng.integers(0, rows), rng.integers(0, columns)
        result[top : top + rng.integers(10, rows // 8), left : left + rng.integers(10, columns // 3)] = rng.uniform()
    if rng.uniform() < 0.02:
        result = 1.0 - result
    return np.clip(result, 0.0, 1.0).astype(np.float32)
