"""Parts of a film: which rows and columns are looked at, and the way back from them to the stored image."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.image import Image
from spinert.runtime.preparation import Frame, Preparation, film_frame, prepare


class Region(NamedTuple):
    """Rows `top` up to but not including `bottom`, columns `left` up to but not including `right`."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.bottom - self.top, self.right - self.left


def whole(image: Image) -> Region:
    """All of the film."""
    rows, columns = image.shape
    return Region(0, rows, 0, columns)


def region_within(outer: Region, low: NDArray[np.float64], high: NDArray[np.float64]) -> Region:
    """The pixels between two points (x, y) in pixels of the image, cut to `outer`, of at least one row and column."""
    left, top = np.clip(np.floor(low + 0.5), (outer.left, outer.top), (outer.right - 1, outer.bottom - 1)).astype(int)
    right, bottom = np.clip(np.ceil(high + 0.5), (left + 1, top + 1), (outer.right, outer.bottom)).astype(int)
    return Region(int(top), int(bottom), int(left), int(right))


def prepare_region(image: Image, region: Region, size: tuple[int, int], preparation: Preparation) -> kernels.Prepared:
    """A part of a film as input of a network, as `prepare` makes it; its map leads to the whole image.

    The window is that of the part alone: what was cut away has no say in its contrast.
    """
    prepared = prepare(_part(image, region), size, preparation)
    step_x, step_y, origin_x, origin_y = prepared.map
    return prepared._replace(map=kernels.PlaneMap(step_x, step_y, origin_x + region.left, origin_y + region.top))


def region_frame(image: Image, region: Region, prepared: kernels.Prepared) -> Frame:
    """Where the part of the film lies in a network's input, beside which there is padding."""
    step_x, step_y, origin_x, origin_y = prepared.map
    plane = kernels.PlaneMap(step_x, step_y, origin_x - region.left, origin_y - region.top)
    return film_frame(_part(image, region), plane)


def _part(image: Image, region: Region) -> Image:
    return replace(image, pixels=image.pixels[region.top : region.bottom, region.left : region.right].copy())
