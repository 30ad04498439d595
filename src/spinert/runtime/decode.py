"""Raw network outputs -> meaning."""

import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.errors import BadNetwork


def heatmap_corners(
    heatmaps: NDArray[np.float32], plane: kernels.PlaneMap, stride: float, radius: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corner heat-maps -> corners in the image.

    heatmaps  float32 [4 v, h, w], logits; channel 4 k + c is corner c (TL, TR, BL, BR) of vertebra k
    plane     from the network's input to the image;  stride: input pixels for one cell
    returns   corners float64 [v, 4, 2] as (x, y) in image pixels, and confidence float64 [v] in 0..1, the least of
              each vertebra's corners: the share of a map's probability within `radius` cells of its highest cell
    Raises BadNetwork when a map holds a value that is not finite.
    """
    cells, confidence = kernels.soft_argmax(heatmaps, radius=radius)
    if not np.isfinite(cells).all():
        broken = int(np.count_nonzero(~np.isfinite(cells).all(axis=-1)))
        raise BadNetwork(
            f"{broken} of {len(heatmaps)} heat-maps hold values that are not finite",
            "check the weights of the network and export the bundle again",
        )
    # the centre of cell 0 lies in the middle of its `stride` input pixels: (0 + 0.5) * 4 - 0.5 = 1.5
    network_px = (cells.astype(np.float64) + 0.5) * stride - 0.5
    corners: NDArray[np.float64] = plane.to_image(network_px).reshape(-1, 4, 2)
    return corners, confidence.reshape(-1, 4).min(axis=1).astype(np.float64)
