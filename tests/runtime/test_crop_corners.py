"""Maps and coordinates of a crop -> corners in its pixels."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.errors import BadNetwork
from spinert.runtime.crop_corners import CornerReading, find_corners
from spinert.runtime.masked_points import MaskedPoints, masked_corners
from tests.runtime.pipelines.coded_films import Answering, maps_at

QUADS = np.array([[[10.0, 12], [50, 9], [12, 40], [52, 38]], [[14, 10], [44, 15], [9, 36], [40, 41.5]]])


def test_soft_argmax_of_maps_with_a_stride() -> None:
    maps = np.stack([maps_at(quad, (48, 64), 2) for quad in QUADS])
    network = Answering((None, 1, 48, 64), {"maps": (None, 4, 24, 32)}, lambda _: [maps])
    found = find_corners(network, np.zeros((2, 1, 48, 64), np.float32), CornerReading())
    assert np.abs(found.corners - QUADS).max() < 0.01
    assert found.confidence is not None
    assert (found.confidence > 0.9).all()


def test_coordinates_are_shares_from_edge_to_edge() -> None:
    answer = np.array([[0, 0, 1, 0, 0, 1, 0.5, 0.5]])
    network = Answering((None, 1, 48, 64), {"points": (None, 8)}, lambda _: [answer])
    found = find_corners(network, np.zeros((1, 1, 48, 64), np.float32), CornerReading())
    assert found.corners[0].tolist() == [[-0.5, -0.5], [63.5, -0.5], [-0.5, 47.5], [31.5, 23.5]]
    assert found.confidence is None


def test_no_crops_have_no_corners() -> None:
    network = Answering((None, 1, 48, 64), {"points": (None, 8)}, lambda _: [])
    assert find_corners(network, np.zeros((0, 1, 48, 64), np.float32), CornerReading()).corners.shape == (0, 4, 2)


def slow_masked(boxes: NDArray[np.float32], points: NDArray[np.float32], stride: int) -> list[list[list[float]]]:
    """Zhong et al.: "the points heatmaps are masked separately by the first channel of the box heatmaps. Each
    coordinate is obtained as the mean position of the pixels whose values are greater than 0.5." """
    found = []
    for box, maps in zip(boxes, points, strict=True):
        corners = []
        for corner in range(4):
            places = [
                (x, y)
                for y in range(maps.shape[1])
                for x in range(maps.shape[2])
                if box[0, y, x] > 0.5 and maps[corner, y, x] > 0.5
            ]
            corners.append([(float(v) + 0.5) * stride - 0.5 for v in np.mean(places, axis=0)])
        found.append(corners)
    return found


def test_masked_points_are_the_mean_of_their_pixels() -> None:
    rng = np.random.default_rng(5)
    boxes, points = rng.random((3, 2, 24, 32)).astype(np.float32), rng.random((3, 5, 24, 32)).astype(np.float32)
    found = masked_corners(boxes, points, (48, 64), MaskedPoints())
    assert np.allclose(found.corners, slow_masked(boxes, points, 2), atol=1e-4)
    assert found.confidence is not None
    assert ((found.confidence > 0.7) & (found.confidence < 0.8)).all()


def test_a_corner_that_no_pixel_shows_has_no_confidence() -> None:
    points = np.stack([np.exp(maps_at(quad, (48, 64), 1, sharp=3.0)) for quad in QUADS]).astype(np.float32)
    points[1, 2] *= 0.4
    found = masked_corners(np.ones((2, 2, 48, 64), np.float32), points, (48, 64), MaskedPoints())
    assert found.confidence is not None
    assert found.confidence[0] > 0.6
    assert found.confidence[1] == 0
    assert np.abs(found.corners - QUADS).max() < 0.6


@pytest.mark.parametrize("broken", [0, 1])
def test_masked_maps_that_are_not_finite_end_in_an_error(broken: int) -> None:
    maps = [np.ones((1, 2, 8, 8), np.float32), np.ones((1, 5, 8, 8), np.float32)]
    maps[broken][0, 0, 3, 3] = np.nan
    with pytest.raises(BadNetwork, match="not finite"):
        masked_corners(maps[0], maps[1], (8, 8), MaskedPoints())
