"""Kernels: functions on arrays, compiled once per instruction set and giving the same bits on each.

Images are C-order [rows, columns], volumes [slices, rows, columns], heat-maps [n, height, width] or
[n, depth, height, width]; a point is (x, y) or (x, y, z), 0 the centre of the first pixel or cell. `threads` changes
the time a call takes, never its result. The GIL is released while a kernel runs. A kernel runs where its arrays live:
on a CUDA device it is queued on a stream (`spinert.kernels.device`), and `threads` says nothing.
`spinert.kernels.reference` is the same in NumPy float64: the specification.

Every function raises TypeError for an array of another dtype, rank, shape or order than stated, and ValueError for a
value out of its range. SPINERT_FORCE_ISA chooses the instruction set; one that cannot run here is refused at import.
"""

from spinert.kernels.angles import angle_matrices, angle_matrix, challenge_angles, end_vertebrae, tilt_vectors
from spinert.kernels.boxes import iou, neighbour_overlap, neighbour_shift, nms, rotated_iou, rotated_nms
from spinert.kernels.clusters import dbscan, gap_outliers, kmeans
from spinert.kernels.components import (
    ComponentStatistics,
    component_statistics,
    keep_components,
    label_classes,
    label_components,
    select_components,
)
from spinert.kernels.contrast import clahe, equalize_histogram
from spinert.kernels.crops import Affine, box_map, crop_oblique, crop_rotated, oblique_map
from spinert.kernels.curves import Curves, evaluate_polynomial, even_slopes, fit_polynomial, smooth_heat
from spinert.kernels.heatmaps import SoftMoments, mean_above, peak, soft_argmax, soft_moments, top_peaks
from spinert.kernels.intensity import Scored, Thresholded, standardize_hu, threshold_mask, window_hu, zscore_hu
from spinert.kernels.midlines import border_midpoints, mask_midline
from spinert.kernels.native import active_isa, compiled_isas, cuda_status, usable_isas
from spinert.kernels.radiograph import PlaneMap, Prepared, prepare_radiograph
from spinert.kernels.resample import Grid, resample_labels, resample_volume
from spinert.kernels.tiles import TileBlend, gaussian_weights, tile_positions
from spinert.kernels.votes import gaussian_mean, vertebra_votes

__all__ = [
    "Affine",
    "ComponentStatistics",
    "Curves",
    "Grid",
    "PlaneMap",
    "Prepared",
    "Scored",
    "SoftMoments",
    "Thresholded",
    "TileBlend",
    "active_isa",
    "angle_matrices",
    "angle_matrix",
    "border_midpoints",
    "box_map",
    "challenge_angles",
    "clahe",
    "compiled_isas",
    "component_statistics",
    "crop_oblique",
    "crop_rotated",
    "cuda_status",
    "dbscan",
    "end_vertebrae",
    "equalize_histogram",
    "evaluate_polynomial",
    "even_slopes",
    "fit_polynomial",
    "gap_outliers",
    "gaussian_mean",
    "gaussian_weights",
    "iou",
    "keep_components",
    "kmeans",
    "label_classes",
    "label_components",
    "mask_midline",
    "mean_above",
    "neighbour_overlap",
    "neighbour_shift",
    "nms",
    "oblique_map",
    "peak",
    "prepare_radiograph",
    "resample_labels",
    "resample_volume",
    "rotated_iou",
    "rotated_nms",
    "select_components",
    "smooth_heat",
    "soft_argmax",
    "soft_moments",
    "standardize_hu",
    "threshold_mask",
    "tile_positions",
    "tilt_vectors",
    "top_peaks",
    "usable_isas",
    "vertebra_votes",
    "window_hu",
    "zscore_hu",
]
