"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from spinert.kernels.reference.angles import angle_matrix, tilt_vectors
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.crops import crop_oblique, crop_rotated
from spinert.kernels.reference.curves import evaluate_polynomial, even_slopes, fit_polynomial, smooth_heat
from spinert.kernels.reference.heatmaps import peak, soft_argmax
from spinert.kernels.reference.midlines import border_midpoints, mask_midline
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights
from spinert.kernels.reference.resample import linear_weights, resample_labels, resample_volume
from spinert.kernels.reference.votes import gaussian_mean, vertebra_votes

__all__ = [
    "angle_matrix",
    "border_midpoints",
    "crop_oblique",
    "crop_rotated",
    "dbscan",
    "evaluate_polynomial",
    "even_slopes",
    "farthest_points",
    "fit_polynomial",
    "fitted_shape",
    "gaussian_mean",
    "kmeans",
    "linear_weights",
    "mask_midline",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resample_labels",
    "resample_volume",
    "resize_weights",
    "smooth_heat",
    "soft_argmax",
    "tilt_vectors",
    "vertebra_votes",
]
