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
from spinert.kernels.reference.clusters import dbscan, farthest_points, kmeans
from spinert.kernels.reference.heatmaps import peak, soft_argmax
from spinert.kernels.reference.radiograph import fitted_shape, percentile_values, prepare_radiograph, resize_weights

__all__ = [
    "angle_matrices",
    "angle_matrix",
    "challenge_angles",
    "dbscan",
    "end_vertebrae",
    "farthest_points",
    "fitted_shape",
    "iou",
    "kmeans",
    "neighbour_overlap",
    "neighbour_shift",
    "nms",
    "peak",
    "percentile_values",
    "prepare_radiograph",
    "resize_weights",
    "rotated_iou",
    "rotated_nms",
    "soft_argmax",
    "tilt_vectors",
]
