"""How a radiograph becomes the input of a network, as settings that pipelines share.

window (percentiles, or the maximum) -> resize with proportions in mm kept, pad -> histogram equalisation or CLAHE

Contrast is changed at the size of the network, on 256 grey levels, and on the film alone: its padding stays 0 and has
no say. The papers do not state where their steps lie between reading and resizing.
"""

from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadStudy
from spinert.image import Image

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Tiles = Annotated[int, msgspec.Meta(ge=1, le=256)]


class Preparation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the preparation; the size comes from the network."""

    percentiles: tuple[Percent, Percent] = (1.0, 99.0)
    """Percentiles of the stored values that become 0 and 1."""
    divide_by_maximum: bool = False
    """The stored value 0 becomes 0 instead of the lower percentile (Dubost et al., CSI 2019, LNCS 11963, section 2.1,
    with the percentiles 0 and 100). Of a film on which bone is dark, the upper percentile becomes 0 all the same."""
    contrast: Literal["none", "clahe", "equalize"] = "none"
    """"equalize": Lin et al. (Seg4Reg, the same volume, section 2.1); "clahe": Chen et al. (the same volume)."""
    clip_limit: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """Of CLAHE, and `tiles` (rows, columns): see `kernels.clahe`."""
    tiles: tuple[Tiles, Tiles] = (8, 8)

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if not low < high:
            raise ValueError(f"percentiles are {low:g} and {high:g}, the first must be below the second")
        if self.clip_limit == float("inf"):
            raise ValueError("clip_limit is inf, expected a finite value")


class Frame(NamedTuple):
    """Where the film lies in a network's input: rows `top` to `bottom` and columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


def prepare(image: Image, size: tuple[int, int], preparation: Preparation) -> kernels.Prepared:
    """A radiograph as the input of a network, and the way back to pixels of the stored image.

    size   (height, width) of the input

    Returns pixels float32 [height, width] in 0..1, bone bright, 0 beside the film. Raises BadStudy where the film has
    one grey value between its percentiles, for it shows nothing that a network may be asked about.
    """
    prepared = kernels.prepare_radiograph(
        image.pixels,
        size=size,
        inverted=image.inverted,
        mm_per_pixel_xy=image.mm_per_pixel_xy,
        percentiles=preparation.percentiles,
    )
    low, high = preparation.percentiles
    if prepared.low == prepared.high:
        raise BadStudy(
            f"the film shows nothing: its stored values between the percentiles {low:g} and {high:g} are all "
            f"{prepared.low}",
            "give a radiograph that is exposed",
        )
    if preparation.divide_by_maximum and not image.inverted:
        _restore_black(prepared, film_frame(image, prepared.map))
    if preparation.contrast != "none":
        _change_contrast(prepared, film_frame(image, prepared.map), preparation)
    return prepared


def film_frame(image: Image, plane: kernels.PlaneMap) -> Frame:
    """The part of a network's input that shows the film: the map leads its outer edges to those of the image."""
    rows, columns = image.shape
    edges = plane.to_network(np.array([[-0.5, -0.5], [columns - 0.5, rows - 0.5]]))
    (left, top), (right, bottom) = np.rint(edges + 0.5).astype(int).tolist()
    return Frame(top, bottom, left, right)


def _film(prepared: kernels.Prepared, frame: Frame) -> NDArray[np.float32]:
    return prepared.pixels[frame.top : frame.bottom, frame.left : frame.right]


def _restore_black(prepared: kernels.Prepared, frame: Frame) -> None:
    """From 0 at the lower percentile to 0 at the stored value 0: the window is linear, so this is too."""
    film = _film(prepared, frame)
    film *= np.float32((prepared.high - prepared.low) / prepared.high)
    film += np.float32(prepared.low / prepared.high)


def _change_contrast(prepared: kernels.Prepared, frame: Frame, preparation: Preparation) -> None:
    film = _film(prepared, frame)
    levels = np.rint(film * np.float32(255.0)).astype(np.uint8)
    if preparation.contrast == "equalize":
        changed = kernels.equalize_histogram(levels)
    else:
        changed = kernels.clahe(levels, clip_limit=preparation.clip_limit, tiles=preparation.tiles)
    film[:] = changed * np.float32(1.0 / 255.0)
