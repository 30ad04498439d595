"""The films that a network is trained on: real ones of the folds that are not held out, and synthetic ones."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.training.task import Film
from spinert import kernels
from spinert.evaluate.datasets.aasce import read_films
from spinert.runtime.preparation import Preparation
from tests import phantoms

SYNTHETIC = 60


def real(data: Path, fold: int, height: int, preparation: Preparation) -> list[Film]:
    """All films but those of the held-out fold, and those whose labels are known to be wrong."""
    films = [film for film in read_films(data) if film.fold != fold]
    grey = (np.asarray(cv2.imread(str(film.path), cv2.IMREAD_GRAYSCALE), np.uint8) for film in films)
    return [prepared(pixels, film.corners_px, height, preparation) for pixels, film in zip(grey, films, strict=True)]


def synthetic(count: int, height: int, preparation: Preparation) -> list[Film]:
    """Phantoms, the same ones each time."""
    rng = np.random.default_rng(0)
    drawn = [phantoms.random_phantom(rng) for _ in range(count)]
    return [prepared(each.pixels, each.corners_px, height, preparation) for each in drawn]


def prepared(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    corners_px: NDArray[np.float64],
    height: int,
    preparation: Preparation,
) -> Film:
    """A film `height` pixels high, windowed and with its contrast changed as the pipeline's `preparation` says.

    The runtime changes contrast at the size of the network. Both changes are of ranks within the film or its tiles, of
    which it matters little how many pixels they have.
    """
    if preparation.divide_by_maximum:
        low, high = 0.0, float(pixels.max())
    else:
        low, high = np.percentile(pixels, preparation.percentiles)
    window = np.clip((pixels.astype(np.float32) - low) / max(high - low, 1.0), 0.0, 1.0)
    scale = height / pixels.shape[0]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.round(cv2.resize(window, None, fx=scale, fy=scale, interpolation=how) * 255).astype(np.uint8)
    if preparation.contrast == "equalize":
        small = kernels.equalize_histogram(small)
    elif preparation.contrast == "clahe":
        small = kernels.clahe(small, clip_limit=preparation.clip_limit, tiles=preparation.tiles)
    factor = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]])
    return small, (corners_px + 0.5) * factor - 0.5
