"""Connected components against connected-components-3d, SciPy and OpenCV.

Masks are noise of several densities, which is the hardest there is, smooth blobs, and walls around blobs: the thin
shells and the sponge within that a threshold makes of bone.
"""

from collections.abc import Callable
from typing import Any

import cc3d
import cv2
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels

SIDE = 256
FILM = (3000, 1500)
CORNERS = {4: False, 8: True, 6: False, 26: True}


def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    masks = {f"noise {share:.0%}": noise(rng, (SIDE,) * 3, share) for share in (0.1, 0.3, 0.5)}
    masks |= {"blobs": smooth(rng, (SIDE,) * 3, 6.0, 0.1), "bone": bone(rng)}
    film = smooth(rng, FILM, 8.0, 0.2)
    table = [label_row(name, mask, connectivity) for name, mask in masks.items() for connectivity in (6, 26)]
    table += [label_row("film", film, connectivity) for connectivity in (4, 8)]
    table += [classes_row(rng)]
    for name in ("noise 10%", "blobs"):
        table += [statistics_row(name, masks[name], with_values=with_values) for with_values in (False, True)]
        table += [keep_row(name, masks[name])]
    return [*table, film_statistics_row(film)]


def noise(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> NDArray[np.uint8]:
    return (rng.random(shape) < share).astype(np.uint8)


def field(rng: np.random.Generator, shape: tuple[int, ...], width: float) -> NDArray[np.float32]:
    return scipy.ndimage.gaussian_filter(rng.normal(size=shape).astype(np.float32), width)


def smooth(rng: np.random.Generator, shape: tuple[int, ...], width: float, share: float) -> NDArray[np.uint8]:
    hills = field(rng, shape, width)
    return (hills > np.quantile(hills, 1.0 - share)).astype(np.uint8)


def bone(rng: np.random.Generator) -> NDArray[np.uint8]:
    hills, grain = field(rng, (SIDE,) * 3, 12.0), field(rng, (SIDE,) * 3, 1.5)
    within, shell = hills > np.quantile(hills, 0.85), hills > np.quantile(hills, 0.83)
    return ((shell & ~within) | (within & (grain > np.quantile(grain, 0.6)))).astype(np.uint8)


def structure(axes: int, *, corners: bool) -> NDArray[np.bool_]:
    return scipy.ndimage.generate_binary_structure(axes, axes if corners else 1)


def label_row(name: str, mask: NDArray[np.uint8], connectivity: int) -> Row:
    corners = structure(mask.ndim, corners=CORNERS[connectivity])
    peers: dict[str, Callable[[], Any]] = {
        "cc3d": lambda: cc3d.connected_components(mask, connectivity=connectivity),
        "SciPy": lambda: scipy.ndimage.label(mask, corners),
    }
    if mask.ndim == 2:
        peers["OpenCV"] = lambda: cv2.connectedComponents(mask, connectivity=connectivity)[1]
    return Row(
        f"label_components, {name}, {connectivity}",
        "x".join(map(str, mask.shape)),
        lambda threads: kernels.label_components(mask, connectivity=connectivity, threads=threads),
        peers,
        scipy.ndimage.label(mask, corners)[0].astype(np.float64),
        (1, 2),
    )


def classes_row(rng: np.random.Generator) -> Row:
    """Vertebrae: 24 classes in smooth patches. The peer numbers them otherwise."""
    patch = np.digitize(field(rng, (SIDE,) * 3, 8.0), np.linspace(-0.01, 0.01, 24)).astype(np.uint8)
    classes = patch * smooth(rng, (SIDE,) * 3, 6.0, 0.3)
    return Row(
        "label_classes, 24 classes, 26",
        "x".join(map(str, classes.shape)),
        lambda threads: kernels.label_classes(classes, connectivity=26, threads=threads),
        {"cc3d": lambda: cc3d.connected_components(classes, connectivity=26)},
        None,
        (1, 2),
    )


def statistics_row(name: str, mask: NDArray[np.uint8], *, with_values: bool) -> Row:
    """Of the means of HU the peer finds nothing but them; the error is theirs."""
    labels, count = kernels.label_components(mask, connectivity=6)
    unsigned = labels.view(np.uint32)
    if not with_values:
        return Row(
            f"component_statistics, {name}",
            f"{count} of {'x'.join(map(str, mask.shape))}",
            lambda threads: kernels.component_statistics(labels, count, threads=threads),
            {"cc3d": lambda: cc3d.statistics(unsigned)},
            np.bincount(labels.ravel())[1:].astype(np.float64),
            (1, 2),
        )
    stored = np.random.default_rng(0).integers(-1024, 3000, mask.shape, np.int16)
    index = np.arange(1, count + 1)
    return Row(
        f"component_statistics, {name}, HU",
        f"{count} of {'x'.join(map(str, mask.shape))}",
        lambda threads: kernels.component_statistics(labels, count, stored, threads=threads)[::-1],
        {"SciPy": lambda: scipy.ndimage.mean(stored, labels, index)},
        scipy.ndimage.mean(stored, labels, index),
        (1, 2),
    )


def keep_row(name: str, mask: NDArray[np.uint8]) -> Row:
    labels, count = kernels.label_components(mask, connectivity=6)
    keep = np.arange(count) % 2 == 0
    table = np.append(0, np.where(keep, np.cumsum(keep), 0)).astype(np.int32)
    return Row(
        f"keep_components, {name}",
        f"{count} of {'x'.join(map(str, mask.shape))}",
        lambda threads: kernels.keep_components(labels, keep, threads=threads),
        {"NumPy": lambda: np.take(table, labels)},
        table[labels].astype(np.float64),
        (1, 2),
    )


def film_statistics_row(mask: NDArray[np.uint8]) -> Row:
    """From a mask to the sizes of its components, in two calls against one."""
    want = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:, cv2.CC_STAT_AREA]

    def ours(threads: int) -> tuple[Any, ...]:
        labels, count = kernels.label_components(mask, connectivity=8, threads=threads)
        found = kernels.component_statistics(labels, count, threads=threads)
        return np.sort(found.voxels), labels, found

    return Row(
        "label + statistics, film, 8",
        "x".join(map(str, mask.shape)),
        ours,
        {"OpenCV": lambda: cv2.connectedComponentsWithStats(mask, connectivity=8)},
        np.sort(want).astype(np.float64),
        (1, 2),
    )
