"""Where on a film the spine lies, before anything is detected: skull and pelvis are cut away.

AspectCrop  shares of the height that grow with the film's proportions (Khanal et al., CSI 2019, section 4, "Cropping")
Projection  mean intensity of each row (Tao, Xu, Wu, CSI 2019, section 3.1, "Spine Region Isolation")
CordRefine  a mask of the cord, its mid-line and fixed proportions (the same, "Spine Region Refinement")
"""

from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadNetwork, BadStudy
from spinert.image import Image
from spinert.runtime.boxes import Positive, Share
from spinert.runtime.film_regions import Region, region_frame, region_within, whole

Size = tuple[Annotated[int, msgspec.Meta(ge=8)], Annotated[int, msgspec.Meta(ge=8)]]


class AspectCrop(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="by", tag="aspect"):
    """`top` and `bottom` of the height are cut from a film of `aspect` = height / width in mm, in proportion from
    others. The paper took them from one film and does not state its aspect."""

    aspect: Positive
    top: Share = 0.18
    bottom: Share = 0.21
    from_aspect: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Films below it show no more than the spine already, as those the paper trained on, and are not cut."""


class Projection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="by", tag="rows"):
    """Upwards and downwards from the darkest row, where the lungs are, the spine's region ends at the first row whose
    mean intensity, 0..1 of the prepared film, exceeds that of a head or a pelvis. The paper determined thresholds by
    statistics of its films and states none."""

    size: Size
    """Of the film whose rows are averaged."""
    head: Share
    pelvis: Share
    smooth_rows: Annotated[int, msgspec.Meta(ge=1)] = 9
    """Rows in a moving average over the means."""
    between: tuple[Share, Share] = (0.25, 0.75)
    """Shares of the height between which the darkest row is looked for."""


class CordRefine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The region around the cord: as high as its mask, `aspect` times as high as wide, on its mid-line."""

    least_score: Share = 0.5
    aspect: Positive = 3.5
    margin: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    """Share of the mask's height that is added above and below."""
    least_pixels: Annotated[int, msgspec.Meta(ge=1)] = 50
    """Smaller pieces of the mask are no cord."""


Isolation = AspectCrop | Projection


class Cord(NamedTuple):
    """The largest piece of a mask, uint8 [h, w], and the way from its cells to the stored image."""

    mask: NDArray[np.uint8]
    map: kernels.PlaneMap

    def covers(self, points_px: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points (x, y) [n, 2] in pixels of the image lie on the mask."""
        cells = np.floor(self.map.to_network(points_px) + 0.5).astype(np.int64)
        rows, columns = self.mask.shape
        inside = ((cells >= 0) & (cells < (columns, rows))).all(axis=1)
        x, y = np.clip(cells, 0, (columns - 1, rows - 1)).T
        return np.asarray(inside & (self.mask[y, x] > 0))


def aspect_crop(image: Image, crop: AspectCrop) -> Region:
    """The rows that are left of a film. Raises BadStudy where none are, as on a film many times as high as wide."""
    rows, _ = image.shape
    height_mm, width_mm = (length * mm for length, mm in zip(image.shape, image.mm_per_pixel_xy[::-1], strict=True))
    aspect = height_mm / width_mm
    region = whole(image)
    if aspect < crop.from_aspect:
        return region
    top, bottom = round(crop.top * aspect / crop.aspect * rows), round(crop.bottom * aspect / crop.aspect * rows)
    if top + bottom >= rows:
        raise BadStudy(
            f"the film is {aspect:.1f} times as high as wide: the crop of {crop.top:g} and {crop.bottom:g} at "
            f"{crop.aspect:g} leaves nothing of it",
            "give a whole film of the spine, or a bundle without this crop",
        )
    return region._replace(top=top, bottom=rows - bottom)


def spine_rows(means: NDArray[np.float64], projection: Projection) -> tuple[int, int]:
    """First and last + 1 of the rows between head and pelvis, from the rows' mean intensities; all where neither shows.

    A moving average near the ends takes the rows there are.
    """
    ones = np.ones(min(projection.smooth_rows, len(means)))
    smooth = np.convolve(means, ones, "same") / np.convolve(np.ones(len(means)), ones, "same")
    low, high = (int(share * (len(means) - 1)) for share in projection.between)
    darkest = low + int(np.argmin(smooth[low : high + 1]))
    above, below = smooth[:darkest] > projection.head, smooth[darkest + 1 :] > projection.pelvis
    top = darkest - int(np.argmax(above[::-1])) if above.any() else 0
    bottom = darkest + 1 + int(np.argmax(below)) if below.any() else len(means)
    return top, bottom


def project(image: Image, region: Region, prepared: kernels.Prepared, projection: Projection) -> Region:
    """The part of `region` whose rows are neither head nor pelvis; `prepared` shows `region`."""
    frame = region_frame(image, region, prepared)
    means = prepared.pixels[frame.top : frame.bottom, frame.left : frame.right].mean(axis=1, dtype=np.float64)
    top, bottom = spine_rows(np.asarray(means), projection)
    (_, low), (_, high) = prepared.map.to_image(
        np.array([[0.0, frame.top + top - 0.5], [0.0, frame.top + bottom - 0.5]])
    )
    return region_within(region, np.array([region.left - 0.5, low]), np.array([region.right - 0.5, high]))


def find_cord(scores: NDArray[np.float64], plane: kernels.PlaneMap, refine: CordRefine) -> Cord:
    """The largest piece of a cord's mask. `scores` [h, w] are 0..1; `plane` leads from their cells to the image.

    Raises BadNetwork for scores that are not finite, BadStudy where there is no cord.
    """
    if not np.isfinite(scores).all():
        raise BadNetwork(
            f"the cord's mask holds {np.count_nonzero(~np.isfinite(scores))} values that are not finite",
            "check the weights of the network and export the bundle again",
        )
    labels, _ = kernels.label_components((scores > refine.least_score).astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel())[1:]
    if not sizes.size or sizes.max() < refine.least_pixels:
        raise BadStudy(
            f"no spine was found: its mask has {int(sizes.max(initial=0))} pixels, expected {refine.least_pixels} or "
            "more",
            "give a frontal radiograph that shows the spine",
        )
    return Cord((labels == 1 + int(np.argmax(sizes))).astype(np.uint8), plane)


def refine_region(region: Region, cord: Cord, refine: CordRefine, mm_per_pixel_xy: tuple[float, float]) -> Region:
    """The part of `region` around the cord, its height locked to `aspect` times its width in mm."""
    midline, _ = kernels.mask_midline(cord.mask)
    rows = np.flatnonzero(np.isfinite(midline))
    line = cord.map.to_image(np.stack([midline[rows], rows.astype(np.float64)], axis=1))
    step = cord.map.step_y
    top, bottom = line[0, 1] - step / 2, line[-1, 1] + step / 2
    height = (bottom - top) * (1 + 2 * refine.margin)
    middle = np.array([line[:, 0].mean(), (top + bottom) / 2])
    width = height * mm_per_pixel_xy[1] / refine.aspect / mm_per_pixel_xy[0]
    half = np.array([width, height]) / 2
    return region_within(region, middle - half, middle + half)
