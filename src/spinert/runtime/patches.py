"""Patches along a spine: where they lie, what a network sees in them, and where its votes are in the image.

A patch is a box that turns with the spine and grows with its vertebrae, so that a network meets every vertebra upright
and of about one size (Chen et al., AASCE 2019, section 2.2: patches of one to three vertebrae along a rough midline).
A place on the spine is a fractional index of the rough vertebrae: 0 is the first one's centre, 1.5 lies between the
second and the third. Everything is in mm of the image plane (pixels where the image has no spacing), so that patches
keep their shape where pixels are not square.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.image import Image

CORNERS = 4

Floats = NDArray[np.float64]


class Frames(NamedTuple):
    """The spine at some places: `centres` [p, 2] and `pitch` [p], the distance of vertebrae there, in mm; `radians` [p]
    turns the x axis of the image to that of the vertebra."""

    centres: Floats
    radians: Floats
    pitch: Floats


class Votes(NamedTuple):
    """What the patches say: `points` float64 [p, slots, 4, 2] in mm, TL, TR, BL, BR of the vertebrae in each patch from
    head to foot; their `covariance` [p, slots, 4, 2, 2] in mm squared; `spread` [p, slots, 4], the root of its trace in
    pitches of the patch."""

    points: Floats
    covariance: Floats
    spread: Floats


def rough_centres(corners: Floats, confidence: Floats, *, least: float) -> Floats:
    """Centres of rough vertebrae, [n, 2]; those of which the maps say next to nothing go on from their neighbours.

    corners     float64 [n, 4, 2] in mm
    confidence  float64 [n]: those below `least` are not believed, unless fewer than two are left
    """
    centres = np.asarray(corners.mean(axis=1), np.float64)
    known = np.flatnonzero(confidence >= least)
    if len(known) < 2:
        return centres
    for v in np.flatnonzero(confidence < least):
        # the two nearest known ones, the line through which leads here: between them, or beyond both at an end
        after = int(np.clip(np.searchsorted(known, v), 1, len(known) - 1))
        a, b = known[after - 1], known[after]
        centres[v] = centres[a] + (centres[b] - centres[a]) * ((v - a) / (b - a))
    return centres


def places(vertebrae: int, *, step: float, beyond: float) -> Floats:
    """Evenly spaced places from `beyond` vertebrae above the first centre to `beyond` below the last."""
    count = int(np.floor((vertebrae - 1 + 2 * beyond) / step + 1e-9)) + 1
    return np.asarray(-beyond + step * np.arange(count), np.float64)


def frames(centres: Floats, at: Floats) -> Frames:
    """The spine at these places.

    centres  float64 [n, 2] in mm, n >= 2: centres of the rough vertebrae from head to foot
    at       float64 [p]: places; beyond either end the spine goes on as it ends

    Direction and pitch are those of the chord between the neighbours of the nearest vertebra, or of the last two.
    """
    last = len(centres) - 1
    inside = np.clip(at, 0, last)
    nearest = np.round(inside).astype(np.int64)
    before, after = np.maximum(nearest - 1, 0), np.minimum(nearest + 1, last)
    chord = centres[after] - centres[before]
    length = np.linalg.norm(chord, axis=1)
    down, pitch = chord / length[:, None], length / (after - before)
    on_line = np.stack([np.interp(inside, np.arange(last + 1), centres[:, axis]) for axis in (0, 1)], axis=1)
    middle = on_line + down * ((at - inside) * pitch)[:, None]
    return Frames(middle, np.arctan2(-down[:, 0], down[:, 1]), pitch)


def patch_maps(spine: Frames, size: tuple[int, int], *, vertebrae: float) -> kernels.Affine:
    """Pixels of the patches to mm: each is `vertebrae` pitches high and (height, width) = `size` in square pixels."""
    height = spine.pitch * vertebrae
    boxes = np.column_stack([spine.centres, height * size[1] / size[0], height, spine.radians])
    return kernels.box_map(boxes, size)


def cut(image: Image, window: tuple[int, int], maps: kernels.Affine, size: tuple[int, int]) -> NDArray[np.float32]:
    """Patches float32 [p, 1, height, width]: grey values of the window's 0..1, bone bright, each patch brought to mean
    0.5 and standard deviation 0.25, because exposure changes along a spine.

    window  the stored values that are 0 and 1, as `kernels.Prepared` has them
    maps    pixels of the patches to mm
    """
    scale = np.array(image.mm_per_pixel_xy)
    in_px = kernels.Affine(maps.matrix / scale[:, None], maps.origin / scale)
    # as many samples as pixels of the image lie in one of the patch, or fine end-plates alias; from three on, samples
    # are interpolated over as much of the film as lies between them, and more of them only cost time
    samples = int(np.clip(np.ceil(np.linalg.norm(in_px.matrix, axis=1).max() - 0.25), 1, 3))
    crops = kernels.crop_rotated(image.pixels[None], in_px, size, samples=samples, outside=float(window[0]))
    low, high = window
    grey = np.clip((crops - np.float32(low)) / np.float32(max(high - low, 1)), 0.0, 1.0)
    if image.inverted:
        grey = 1.0 - grey
    return normalized(grey)


def normalized(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each image of [..., height, width] with mean 0.5 and standard deviation 0.25; an even one is 0.5 everywhere."""
    mean = grey.mean(axis=(-2, -1), keepdims=True)
    spread = np.maximum(grey.std(axis=(-2, -1), keepdims=True), np.float32(1e-3))
    return np.ascontiguousarray((grey - mean) / spread * np.float32(0.25) + np.float32(0.5), np.float32)


def votes(heatmaps: NDArray[np.float32], maps: kernels.Affine, pitch_px: float, stride: float) -> Votes:
    """What the maps of the patches say.

    heatmaps  float32 [p, 4 * slots, h, w], logits; channel 4 k + c is corner c of the k-th vertebra from above
    maps      pixels of the patches to mm;  pitch_px: pixels of a patch from one vertebra to the next
    stride    pixels of a patch for one cell
    """
    patches, channels, height, width = heatmaps.shape
    moments = kernels.soft_moments(np.ascontiguousarray(heatmaps.reshape(-1, height, width)))
    shape = (patches, channels // CORNERS, CORNERS)
    in_patch = (moments.points.astype(np.float64) + 0.5) * stride - 0.5
    points = maps.to_image(in_patch.reshape(patches, channels, 2)).reshape(*shape, 2)
    cells = moments.covariance.astype(np.float64).reshape(*shape, 2, 2) * stride**2
    turn = maps.matrix[:, None, None]
    spread = np.sqrt(np.trace(cells, axis1=-2, axis2=-1)) / pitch_px
    return Votes(points, turn @ cells @ turn.swapaxes(-1, -2), spread)


MIRRORED = (1, 0, 3, 2)
"""Corners of a mirrored vertebra: left and right change places."""


def unmirrored(heatmaps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps of mirrored patches as those of the patches themselves would be, [p, 4 * slots, h, w]."""
    patches, channels, height, width = heatmaps.shape
    flipped = heatmaps.reshape(patches, channels // CORNERS, CORNERS, height, width)[:, :, MIRRORED, :, ::-1]
    return np.ascontiguousarray(flipped).reshape(heatmaps.shape)
