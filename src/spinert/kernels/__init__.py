"""Kernels: functions on arrays, compiled once per instruction set and giving the same bits on each.

Images are C-order [rows, columns], heat-maps C-order [n, height, width]; a point is (x, y), (0, 0) the centre of the
top-left pixel or cell. `threads` changes the time a call takes, never its result. The GIL is released while a kernel
runs. A kernel runs where its arrays live: on a CUDA device it is queued on a stream (`spinert.kernels.device`), and
`threads` says nothing. `spinert.kernels.reference` is the same in NumPy float64: the specification.
Images are C-order [rows, columns], heat-maps C-order [n, height, width] or [n, depth, height, width]; a point is (x, y)
or (x, y, z), 0 the centre of the first pixel or cell. `threads` changes the time a call takes, never its result. The
GIL is released while a kernel runs. A kernel runs where its arrays live: on a CUDA device it is queued on a stream
(`spinert.kernels.device`), and `threads` says nothing. `spinert.kernels.reference` is the same in NumPy float64: the
specification.
Images are C-order [rows, columns], volumes [slices, rows, columns], heat-maps [n, height, width]; a point is (x, y) or
(x, y, z), (0, 0) the centre of the top-left pixel or cell. `threads` changes the time a call takes, never its result.
The GIL is released while a kernel runs. `spinert.kernels.reference` is the same in NumPy float64: the specification.

Every function raises TypeError for an array of another dtype, rank, shape or order than stated, and ValueError for a
value out of its range. SPINERT_FORCE_ISA chooses the instruction set; one that cannot run here is refused at import.
"""

from spinert.kernels.angles import angle_matrix, tilt_vectors
from spinert.kernels.clusters import dbscan, gap_outliers, kmeans
from spinert.kernels.clusters import dbscan, kmeans
from spinert.kernels.crops import Affine, box_map, crop_oblique, crop_rotated, oblique_map
from spinert.kernels.curves import Curves, evaluate_polynomial, even_slopes, fit_polynomial, smooth_heat
from spinert.kernels.heatmaps import SoftMoments, mean_above, peak, soft_argmax, soft_moments, top_peaks
from spinert.kernels.midlines import border_midpoints, mask_midline
from spinert.kernels.angles import angle_matrices, angle_matrix, challenge_angles, end_vertebrae, tilt_vectors
from spinert.kernels.boxes import iou, neighbour_overlap, neighbour_shift, nms, rotated_iou, rotated_nms
from spinert.kernels.clusters import dbscan, kmeans
from spinert.kernels.components import (
    ComponentStatistics,
    component_statistics,
    keep_components,
    label_classes,
    label_components,
    select_components,
)
from spinert.kernels.heatmaps import peak, soft_argmax
from spinert.kernels.native import active_isa, compiled_isas, cuda_status, usable_isas
from spinert.kernels.radiograph import PlaneMap, Prepared, prepare_radiograph
from spinert.kernels.tiles import TileBlend, gaussian_weights, tile_positions
from spinert.kernels.resample import Grid, resample_labels, resample_volume
from spinert.kernels.votes import gaussian_mean, vertebra_votes

__all__ = [
    "Affine",
    "Curves",
    "ComponentStatistics",
    "Grid",
    "PlaneMap",
    "Prepared",
    "SoftMoments",
    "TileBlend",
    "active_isa",
    "angle_matrices",
    "angle_matrix",
    "border_midpoints",
    "box_map",
    "compiled_isas",
    "component_statistics",
    "crop_oblique",
    "crop_rotated",
    "cuda_status",
    "dbscan",
    "evaluate_polynomial",
    "even_slopes",
    "fit_polynomial",
    "gap_outliers",
    "gaussian_mean",
    "gaussian_weights",
    "kmeans",
    "mask_midline",
    "mean_above",
    "oblique_map",
    "peak",
    "prepare_radiograph",
    "resample_labels",
    "resample_volume",
    "smooth_heat",
    "challenge_angles",
    "compiled_isas",
    "cuda_status",
    "dbscan",
    "end_vertebrae",
    "iou",
    "kmeans",
    "neighbour_overlap",
    "neighbour_shift",
    "nms",
    "peak",
    "prepare_radiograph",
    "rotated_iou",
    "rotated_nms",
    "keep_components",
    "kmeans",
    "label_classes",
    "label_components",
    "peak",
    "prepare_radiograph",
    "select_components",
    "soft_argmax",
    "soft_moments",
    "tile_positions",
    "tilt_vectors",
    "top_peaks",
    "usable_isas",
    "vertebra_votes",
]
