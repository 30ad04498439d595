"""Which vertebra is which: found vertebrae are counted against the maps of a network that sees the whole spine."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels

CORNERS = 4


_SINGLE, _FEWEST_SINGLES = 0.35, 3
"""A step is that of neighbours where the rough spine says one, give or take this; so many of them tell a distance."""
_GAP_COST = 30.0
"""Of a step of one level more or less than the places say, in natural logarithm; it grows with the square. A gap of one
and a half costs the same either way, so that there the maps decide; no maps turn a step of one into two."""


class Counted(NamedTuple):
    """`levels` int64 [v] are indices into the maps' levels, below 0 or beyond the last one outside of them.

    `margin` is by how much this count is likelier than all levels together one up or down, in natural logarithm for
    each vertebra.
    """

    levels: NDArray[np.int64]
    margin: float


def gaps_of(centres: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many levels further each found vertebra is than the one before, float64 [v - 1], not rounded.

    A rough spine knows the distance of vertebrae badly where it is most needed, beside a gap; found vertebrae that
    follow each other know it better.

    centres  float64 [v, 2] in mm, from head to foot;  along: their places on the rough spine, 1 from one to the next
    """
    step, rough = np.linalg.norm(np.diff(centres, axis=0), axis=1), np.diff(along)
    single = np.abs(rough - 1.0) < _SINGLE
    if single.sum() < _FEWEST_SINGLES:
        return rough
    middle = np.cumsum(step) - step / 2
    return np.asarray(step / np.interp(middle, middle[single], step[single]))


def count_levels(
    corners_px: NDArray[np.float64],
    gaps: NDArray[np.float64],
    heatmaps: NDArray[np.float32],
    plane: kernels.PlaneMap,
    stride: float,
) -> Counted:
    """The count under which the maps hold the found corners likeliest, all vertebrae together.

    One map alone often has two peaks a vertebra apart, and its mean lies between them; a spine is counted from one end,
    so that all its vertebrae are off together or none is.

    corners_px  float64 [v, 4, 2] in pixels of the image, from head to foot;  gaps: as of `gaps_of`
    heatmaps    float32 [4 * levels, h, w], logits;  plane: from the network's input to the image
    stride      input pixels for one cell
    """
    levels = len(heatmaps) // CORNERS
    _, height, width = heatmaps.shape
    cells = (plane.to_network(corners_px) + 0.5) / stride - 0.5
    x = np.clip(cells[..., 0], 0, width - 1.001)
    y = np.clip(cells[..., 1], 0, height - 1.001)
    flat = heatmaps.reshape(levels, CORNERS, -1)
    peak = flat.max(axis=-1)
    total = peak + np.log(np.exp(flat - peak[..., None]).sum(axis=-1))
    # log of probability times cells, so that a map that says nothing counts nothing
    surprise = np.log(height * width) - total
    left, top = x.astype(np.int64), y.astype(np.int64)
    scores = np.empty((len(corners_px), levels))
    for v in range(len(corners_px)):
        value = np.zeros((levels, CORNERS))
        for right in (0, 1):
            for below in (0, 1):
                share = np.abs(1 - right - (x[v] - left[v])) * np.abs(1 - below - (y[v] - top[v]))
                at = (top[v] + below) * width + left[v] + right
                value += flat[:, np.arange(CORNERS), at] * share
        scores[v] = (value + surprise).mean(axis=1)
    if not len(scores):
        return Counted(np.empty(0, np.int64), 0.0)
    chosen = _likeliest(scores, gaps)
    return Counted(chosen, _margin(scores, chosen))


def _likeliest(scores: NDArray[np.float64], gaps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Ascending levels [v] of the highest total of scores [v, levels] and costs of gaps [v - 1].

    Outside of the maps the score is 0; not all vertebrae may lie above or below them.
    """
    vertebrae, levels = scores.shape
    beyond = vertebrae + int(np.ceil(gaps.sum()))
    padded = np.pad(scores, ((0, 0), (beyond, beyond)))
    steps = np.arange(padded.shape[1])
    step = steps[None, :] - steps[:, None]  # from the level of the one before, in rows, to that of this one
    total, before = np.where(steps < beyond + levels, padded[0], -np.inf), np.zeros(padded.shape, np.int64)
    for v in range(1, vertebrae):
        reached = np.where(step >= 1, total[:, None] - _GAP_COST * (step - gaps[v - 1]) ** 2, -np.inf)
        before[v] = reached.argmax(axis=0)
        total = reached.max(axis=0) + padded[v]
    chosen = np.empty(vertebrae, np.int64)
    chosen[-1] = beyond + total[beyond:].argmax()
    for v in range(vertebrae - 1, 0, -1):
        chosen[v - 1] = before[v, chosen[v]]
    return np.asarray(chosen - beyond)


def _margin(scores: NDArray[np.float64], chosen: NDArray[np.int64]) -> float:
    vertebrae, levels = scores.shape
    totals: list[float] = []
    for shift in (0, -1, 1):
        named = (chosen + shift >= 0) & (chosen + shift < levels)
        totals.append(float(scores[named, chosen[named] + shift].sum()))
    return (totals[0] - max(totals[1:])) / float(vertebrae)
