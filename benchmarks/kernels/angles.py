"""Angles against NumPy: one film, a batch, and a whole data set."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

HEIGHT_PX = 3000.0


def rows() -> list[Row]:
    made = [spines(n) for n in (1, 64, 4096)]
    return [*map(matrices_row, made), *map(challenge_row, made), *map(end_vertebrae_row, made)]


def spines(n: int) -> NDArray[np.float64]:
    """Corners [n, 17, 4, 2] of spines that wave from side to side."""
    rng = np.random.default_rng(0)
    tilt = np.radians(
        rng.uniform(5.0, 30.0, (n, 1)) * np.sin(np.linspace(0.0, 6.0, 17) + rng.uniform(0.0, 6.0, (n, 1)))
    )
    along, down = np.stack([np.cos(tilt), np.sin(tilt)], axis=-1), np.stack([-np.sin(tilt), np.cos(tilt)], axis=-1)
    centre = 150.0 + 150.0 * np.arange(17.0)[:, None] * (0.0, 1.0) + (500.0, 0.0)
    corners = np.stack([centre + x * 100.0 * along + y * 60.0 * down for y in (-1, 1) for x in (-1, 1)], axis=2)
    return np.ascontiguousarray(corners + rng.normal(0.0, 2.0, corners.shape))


def shape(corners: NDArray[np.float64]) -> str:
    return f"{len(corners)} spine{'s' if len(corners) > 1 else ''}"


def threads_of(corners: NDArray[np.float64]) -> tuple[int, ...]:
    return (1, 2) if len(corners) > 1000 else (1,)


def matrices_row(corners: NDArray[np.float64]) -> Row:
    vectors = kernels.tilt_vectors(corners.reshape(-1, 4, 2)).reshape(-1, 17, 2)
    return Row(
        "angle_matrices",
        shape(corners),
        lambda threads: kernels.angle_matrices(vectors, threads=threads),
        {"NumPy": lambda: reference.angle_matrices(vectors)},
        reference.angle_matrices(vectors),
        threads_of(corners),
    )


def challenge_row(corners: NDArray[np.float64]) -> Row:
    heights = np.full(len(corners), HEIGHT_PX)
    return Row(
        "challenge_angles",
        shape(corners),
        lambda threads: kernels.challenge_angles(corners, heights, threads=threads),
        {"NumPy": lambda: numpy_challenge(corners, heights)},
        reference.challenge_angles(corners, heights)[0],
        threads_of(corners),
    )


def numpy_challenge(corners: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rule over all spines at once: no loop of Python's."""
    spine = np.arange(len(corners))
    vectors = (corners[:, :, 1] + corners[:, :, 3] - corners[:, :, 0] - corners[:, :, 2]) / 2.0
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    angles = np.degrees(np.arccos(np.round(vectors @ vectors.transpose(0, 2, 1), 8)))
    upper = angles.max(axis=1).argmax(axis=1)
    lower = angles[spine, upper].argmax(axis=1)
    plates = corners.reshape(len(corners), 34, 2, 2).mean(axis=2)
    along = (plates[:, :-2] - plates[:, -1:]) / (plates[:, :1] - plates[:, -1:])
    aside = along[..., 1] - along[..., 0]
    s_shaped = (aside > 0.0).any(axis=1) & (aside < 0.0).any(axis=1)
    place = np.arange(17)
    above = np.where(place <= upper[:, None], angles[spine, upper], -1.0)
    turned = above.argmax(axis=1)
    below = np.where(place >= lower[:, None], angles[spine, lower], -1.0).max(axis=1)
    farther_up = np.where(place <= turned[:, None], angles[spine, turned], -1.0).max(axis=1)
    upper_half = plates[spine, 2 * upper + 1, 1] + plates[spine, 2 * lower + 1, 1] < heights
    second = np.where(s_shaped, above.max(axis=1), angles[:, 0][spine, upper])
    third = np.where(s_shaped, np.where(upper_half, below, farther_up), angles[:, 16][spine, lower])
    return np.stack([angles[spine, upper, lower], second, third], axis=1)


def end_vertebrae_row(corners: NDArray[np.float64]) -> Row:
    """The peer is the rule in Python over angles of NumPy."""
    return Row(
        "end_vertebrae",
        shape(corners),
        lambda threads: kernels.end_vertebrae(corners, threads=threads),
        {"Python": lambda: reference.end_vertebrae(corners)},
        reference.end_vertebrae(corners)[0],
        threads_of(corners),
    )
