"""Kernels: functions on arrays, compiled once per instruction set and giving the same bits on each.

Images are C-order [rows, columns], heat-maps C-order [n, height, width]; a point is (x, y), (0, 0) the centre of the
top-left pixel or cell. `threads` changes the time a call takes, never its result. The GIL is released while a kernel
runs. `spinert.kernels.reference` is the same in NumPy float64: the specification.

Every function raises TypeError for an array of another dtype, rank, shape or order than stated, and ValueError for a
value out of its range. SPINERT_FORCE_ISA chooses the instruction set; one that cannot run here is refused at import.
"""

from spinert.kernels.angles import angle_matrix, tilt_vectors
from spinert.kernels.clusters import dbscan, kmeans
from spinert.kernels.contrast import clahe, equalize_histogram
from spinert.kernels.heatmaps import peak, soft_argmax
from spinert.kernels.intensity import Scored, Thresholded, standardize_hu, threshold_mask, window_hu, zscore_hu
from spinert.kernels.native import active_isa, compiled_isas, cuda_status, usable_isas
from spinert.kernels.radiograph import PlaneMap, Prepared, prepare_radiograph

__all__ = [
    "PlaneMap",
    "Prepared",
    "Scored",
    "Thresholded",
    "active_isa",
    "angle_matrix",
    "clahe",
    "compiled_isas",
    "cuda_status",
    "dbscan",
    "equalize_histogram",
    "kmeans",
    "peak",
    "prepare_radiograph",
    "soft_argmax",
    "standardize_hu",
    "threshold_mask",
    "tilt_vectors",
    "usable_isas",
    "window_hu",
    "zscore_hu",
]
