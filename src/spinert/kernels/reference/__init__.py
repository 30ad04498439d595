"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from spinert.kernels.reference.angles import (
    angle_matrices,
    angle_matrix,
    challenge_angles,
    end_vertebrae,
    tilt_vectors,
)
from spinert.kernels.reference.boxes import (
    iou,
    neighbour_overlap,
    neighbour_shift,
    nms,
    rotated_iou,
    rotated_nms,
)
from spinert.kernels.reference.clusters import dbscan, farthest_points, gap_outliers, kmeans
from spinert.kernels.reference.components import (
    component_statistics,
    keep_components,
    label_classes,
    label_components,
)
from spinert.kernels.reference.contrast import clahe, equalize_histogram
from spinert.kernels.reference.crops import crop_oblique, crop_rotated
from spinert.kernels.reference.curves import evaluate_polynomial, even_slopes, fit_polynomial, smooth_heat
from spinert.kernels.reference.heatmaps import mean_above, peak, soft_argmax, soft_moments, top_peaks
from spinert.kernels.reference.intensity import standardize_hu, threshold_mask, to_hu, window_hu, zscore_hu
from spinert.kernels.reference.midlines import border_midpoints, mask_midline
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights
from spinert.kernels.reference.resample import linear_weights, resample_labels, resample_volume
from spinert.kernels.reference.tiles import blend_tiles
from spinert.kernels.reference.votes import gaussian_mean, vertebra_votes

__all__ = [
    "angle_matrices",
    "angle_matrix",
    "blend_tiles",
    "border_midpoints",
    "challenge_angles",
    "clahe",
    "component_statistics",
    "crop_oblique",
    "crop_rotated",
    "dbscan",
    "end_vertebrae",
    "equalize_histogram",
    "evaluate_polynomial",
    "even_slopes",
    "farthest_points",
    "fit_polynomial",
    "fitted_shape",
    "gap_outliers",
    "gaussian_mean",
    "iou",
    "keep_components",
    "kmeans",
    "label_classes",
    "label_components",
    "linear_weights",
    "mask_midline",
    "mean_above",
    "neighbour_overlap",
    "neighbour_shift",
    "nms",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resample_labels",
    "resample_volume",
    "resize_weights",
    "rotated_iou",
    "rotated_nms",
    "smooth_heat",
    "soft_argmax",
    "soft_moments",
    "standardize_hu",
    "threshold_mask",
    "tilt_vectors",
    "to_hu",
    "top_peaks",
    "vertebra_votes",
    "window_hu",
    "zscore_hu",
]
