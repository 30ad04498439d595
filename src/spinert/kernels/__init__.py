"""Kernels: functions on arrays, compiled once per instruction set and giving the same bits on each.

Images are C-order [rows, columns], volumes [slices, rows, columns], heat-maps [n, height, width]; a point is (x, y) or
(x, y, z), (0, 0) the centre of the top-left pixel or cell. `threads` changes the time a call takes, never its result.
The GIL is released while a kernel runs. `spinert.kernels.reference` is the same in NumPy float64: the specification.

Every function raises TypeError for an array of another dtype, rank, shape or order than stated, and ValueError for a
value out of its range. SPINERT_FORCE_ISA chooses the instruction set; one that cannot run here is refused at import.
"""

from spinert.kernels.angles import angle_matrix, tilt_vectors
from spinert.kernels.clusters import dbscan, kmeans
from spinert.kernels.crops import Affine, box_map, crop_oblique, crop_rotated, oblique_map
from spinert.kernels.curves import Curves, evaluate_polynomial, even_slopes, fit_polynomial, smooth_heat
from spinert.kernels.heatmaps import peak, soft_argmax
from spinert.kernels.midlines import border_midpoints, mask_midline
from spinert.kernels.native import active_isa, compiled_isas, cuda_status, usable_isas
from spinert.kernels.radiograph import PlaneMap, Prepared, prepare_radiograph
from spinert.kernels.resample import Grid, resample_labels, resample_volume
from spinert.kernels.votes import gaussian_mean, vertebra_votes

__all__ = [
    "Affine",
    "Curves",
    "Grid",
    "PlaneMap",
    "Prepared",
    "active_isa",
    "angle_matrix",
    "border_midpoints",
    "box_map",
    "compiled_isas",
    "crop_oblique",
    "crop_rotated",
    "cuda_status",
    "dbscan",
    "evaluate_polynomial",
    "even_slopes",
    "fit_polynomial",
    "gaussian_mean",
    "kmeans",
    "mask_midline",
    "oblique_map",
    "peak",
    "prepare_radiograph",
    "resample_labels",
    "resample_volume",
    "smooth_heat",
    "soft_argmax",
    "tilt_vectors",
    "usable_isas",
    "vertebra_votes",
]
