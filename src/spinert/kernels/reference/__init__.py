"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from spinert.kernels.reference.angles import angle_matrix, tilt_vectors
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.heatmaps import mean_above, peak, soft_argmax, soft_moments, top_peaks
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights

__all__ = [
    "angle_matrix",
    "dbscan",
    "farthest_points",
    "fitted_shape",
    "kmeans",
    "mean_above",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resize_weights",
    "soft_argmax",
    "soft_moments",
    "tilt_vectors",
    "top_peaks",
]
