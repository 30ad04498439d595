"""Vectors along vertebrae, the angles between them, and Cobb angles of whole spines, in float64."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int32]

_Chain = tuple[float, tuple[tuple[int, int], ...]]
"""By how much its turns exceed the threshold in sum, and the end vertebrae of each turn."""


def tilt_vectors(corners: Array) -> Array:
    """[n, 2]."""
    top_left, top_right, bottom_left, bottom_right = corners.transpose(1, 0, 2)
    return np.asarray((top_right + bottom_right) / 2.0 - (top_left + bottom_left) / 2.0)


def angle_matrix(vectors: Array) -> Array:
    """[n, n], degrees."""
    return np.asarray(angle_matrices(vectors[None])[0])


def angle_matrices(vectors: Array) -> Array:
    """[n, m, m], degrees."""
    x, y = vectors[..., 0], vectors[..., 1]
    cross = np.abs(x[:, :, None] * y[:, None] - y[:, :, None] * x[:, None])
    dot = x[:, :, None] * x[:, None] + y[:, :, None] * y[:, None]
    return np.asarray(np.degrees(np.arctan2(cross, dot)))


def challenge_angles(corners: Array, heights: Array) -> tuple[Array, Integers]:
    """([n, 3] degrees, [n, 2] end vertebrae)."""
    found = [_challenge_angles(spine, height) for spine, height in zip(corners, heights, strict=True)]
    degrees = np.array([angles for angles, _ends in found]).reshape(-1, 3)
    return degrees, np.array([ends for _angles, ends in found], np.int32).reshape(-1, 2)


def _challenge_angles(corners: Array, height: float) -> tuple[list[float], tuple[int, int]]:
    x, y = tilt_vectors(corners).T
    length = np.hypot(x, y)
    if not np.isfinite(corners).all() or not length.all() or not 0.0 < height < np.inf:
        return [np.nan] * 3, (-1, -1)
    cosine = (np.outer(x, x) + np.outer(y, y)) / np.outer(length, length)
    angles = np.degrees(np.arccos(np.round(cosine, 8)))
    plates = corners.reshape(-1, 2, 2).mean(axis=1)
    upper = int(angles.max(axis=0).argmax())
    lower = int(angles[:, upper].argmax())
    if not _is_s_shaped(plates):
        return [angles[upper, lower], angles[0, upper], angles[-1, lower]], (upper, lower)
    above = angles[upper, : upper + 1]
    if plates[2 * upper + 1, 1] + plates[2 * lower + 1, 1] < height:
        third = angles[lower, lower:].max()
    else:
        most_turned = int(above.argmax())
        third = angles[most_turned, : most_turned + 1].max()
    return [angles[upper, lower], above.max(), third], (upper, lower)


def _is_s_shaped(plates: Array) -> bool:
    span = plates[0] - plates[-1]
    if not span.all():
        return True
    along = (plates[:-2] - plates[-1]) / span
    aside = along[:, 1] - along[:, 0]
    return bool((aside > 0.0).any() and (aside < 0.0).any())


def end_vertebrae(corners: Array, *, threshold: float = 10.0) -> tuple[Integers, Array, Integers]:
    """([n, m - 1, 3] upper, lower, apex; [n, m - 1] turns; [n] how many)."""
    n, m = corners.shape[:2]
    vertebrae, turns, counts = (
        np.full((n, m - 1, 3), -1, np.int32),
        np.full((n, m - 1), np.nan),
        np.full(n, -1, np.int32),
    )
    for spine, own in enumerate(corners):
        upper, lower = own[:, 1] - own[:, 0], own[:, 3] - own[:, 2]
        if not np.isfinite(own).all() or not upper.any(axis=1).all() or not lower.any(axis=1).all():
            continue
        turn = _turns(upper, lower)
        ends = _alternating_turns(turn, threshold)
        counts[spine] = len(ends)
        for curve, (top, bottom) in enumerate(ends):
            turns[spine, curve] = turn[top, bottom]
            vertebrae[spine, curve] = top, bottom, _apex(own.mean(axis=1), top, bottom, turn[top, bottom] > 0.0)
    return vertebrae, turns, counts


def _turns(upper: Array, lower: Array) -> Array:
    """From the upper end-plate of u to the lower one of l: [u, l], degrees -180..180, to a millionth."""
    count = len(upper)
    angle = angle_matrix(np.concatenate([upper, lower]))[:count, count:]
    cross = upper[:, None, 0] * lower[:, 1] - upper[:, None, 1] * lower[:, 0]
    return np.where(cross < 0.0, -angle, angle).round(6)


def _alternating_turns(turns: Array, threshold: float) -> tuple[tuple[int, int], ...]:
    """The best chain that ends at each vertebra with a turn of each sign, from the top; then the best of all."""
    nothing: _Chain = (0.0, ())
    best: dict[tuple[int, bool], _Chain] = {}
    for lower in range(1, len(turns)):
        for upper in reversed(range(lower)):
            turn = float(turns[upper, lower])
            if abs(turn) < threshold:
                continue
            before, chain = best.get((upper, turn < 0.0), nothing)
            total = before + abs(turn) - threshold
            if (lower, turn > 0.0) not in best or total > best[lower, turn > 0.0][0]:
                best[lower, turn > 0.0] = (total, (*chain, (upper, lower)))
    return max((best[ending] for ending in sorted(best)), key=lambda scored: scored[0], default=nothing)[1]


def _apex(centres: Array, upper: int, lower: int, convex_right: bool) -> int:
    if lower - upper < 2:
        return upper
    chord = centres[lower] - centres[upper]
    beyond = centres[upper + 1 : lower] - centres[upper]
    to_the_left = chord[0] * beyond[:, 1] - chord[1] * beyond[:, 0]
    return upper + 1 + int(np.argmax(-to_the_left if convex_right else to_the_left))
