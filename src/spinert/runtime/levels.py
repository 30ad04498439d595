"""Which vertebra is which: found vertebrae are counted against the maps of a network that sees the whole spine."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels

CORNERS = 4


class Counted(NamedTuple):
    """`first` is the index in the maps' levels of the first found vertebra, below 0 where it lies above them all.

    `margin` is by how much this count is likelier than the next best one, in natural logarithm for each vertebra.
    """

    first: int
    margin: float


def rows_of(along: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of each found vertebra when the first one is 0 and those that a gap leaves out are counted too.

    along  float64 [v], ascending: places of the vertebrae on the rough spine, 1 from one to the next
    """
    steps = np.maximum(np.round(np.diff(along)), 1).astype(np.int64)
    return np.concatenate([np.zeros(min(len(along), 1), np.int64), np.cumsum(steps)])


def count_levels(
    corners_px: NDArray[np.float64],
    rows: NDArray[np.int64],
    heatmaps: NDArray[np.float32],
    plane: kernels.PlaneMap,
    stride: float,
) -> Counted:
    """The count under which the maps hold the found corners likeliest, all vertebrae together.

    One map alone often has two peaks a vertebra apart, and its mean lies between them; a spine is counted from one end,
    so that all its vertebrae are off together or none is.

    corners_px  float64 [v, 4, 2] in pixels of the image, from head to foot;  rows: as of `rows_of`
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
    return _best(scores, rows) if len(rows) else Counted(0, 0.0)


def _best(scores: NDArray[np.float64], rows: NDArray[np.int64]) -> Counted:
    vertebrae, levels = scores.shape
    totals = {}
    for first in range(-int(rows[-1]), levels):
        level = rows + first
        named = (level >= 0) & (level < levels)
        totals[first] = float(scores[named, level[named]].sum())
    ranked = sorted(totals, key=lambda first: -totals[first])
    best = ranked[0]
    margin = (totals[best] - totals[ranked[1]]) / vertebrae if len(ranked) > 1 else np.inf
    return Counted(best, margin)
