"""The kernels in plain NumPy float64: the specification. For tests and benchmarks, never on the way of a study.

Shapes, units and meaning are those of `spinert.kernels`.
"""

from spinert.kernels.reference.angles import angle_matrix, tilt_vectors
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.components import (
    component_statistics,
    keep_components,
    label_classes,
    label_components,
)
from spinert.kernels.reference.heatmaps import peak, soft_argmax
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights

__all__ = [
    "angle_matrix",
    "component_statistics",
    "dbscan",
    "farthest_points",
    "fitted_shape",
    "keep_components",
    "kmeans",
    "label_classes",
    "label_components",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resize_weights",
    "soft_argmax",
    "tilt_vectors",
]
