"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from spinert.kernels.reference.angles import angle_matrix, tilt_vectors
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.contrast import clahe, equalize_histogram
from spinert.kernels.reference.heatmaps import peak, soft_argmax
from spinert.kernels.reference.intensity import standardize_hu, threshold_mask, to_hu, window_hu, zscore_hu
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights

__all__ = [
    "angle_matrix",
    "clahe",
    "dbscan",
    "equalize_histogram",
    "farthest_points",
    "fitted_shape",
    "kmeans",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resize_weights",
    "soft_argmax",
    "standardize_hu",
    "threshold_mask",
    "tilt_vectors",
    "to_hu",
    "window_hu",
    "zscore_hu",
]
