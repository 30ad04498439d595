"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from spinert.kernels.reference.angles import angle_matrix, tilt_vectors
from spinert.kernels.reference.clusters import dbscan, farthest_points, gap_outliers, kmeans
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.crops import crop_oblique, crop_rotated
from spinert.kernels.reference.curves import evaluate_polynomial, even_slopes, fit_polynomial, smooth_heat
from spinert.kernels.reference.heatmaps import mean_above, peak, soft_argmax, soft_moments, top_peaks
from spinert.kernels.reference.midlines import border_midpoints, mask_midline
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
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.components import (
    component_statistics,
    keep_components,
    label_classes,
    label_components,
)
from spinert.kernels.reference.heatmaps import peak, soft_argmax
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights
from spinert.kernels.reference.tiles import blend_tiles
from spinert.kernels.reference.resample import linear_weights, resample_labels, resample_volume
from spinert.kernels.reference.votes import gaussian_mean, vertebra_votes

__all__ = [
    "angle_matrices",
    "angle_matrix",
    "blend_tiles",
    "border_midpoints",
    "component_statistics",
    "crop_oblique",
    "crop_rotated",
    "dbscan",
    "evaluate_polynomial",
    "even_slopes",
    "challenge_angles",
    "dbscan",
    "end_vertebrae",
    "farthest_points",
    "fit_polynomial",
    "fitted_shape",
    "gap_outliers",
    "gaussian_mean",
    "kmeans",
    "linear_weights",
    "mask_midline",
    "mean_above",
    "iou",
    "kmeans",
    "neighbour_overlap",
    "neighbour_shift",
    "nms",
    "keep_components",
    "kmeans",
    "label_classes",
    "label_components",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resample_labels",
    "resample_volume",
    "resize_weights",
    "smooth_heat",
    "rotated_iou",
    "rotated_nms",
    "soft_argmax",
    "soft_moments",
    "tilt_vectors",
    "top_peaks",
    "vertebra_votes",
]
