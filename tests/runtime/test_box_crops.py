"""Crops show what lies in their box, and lead back to where it lies."""

from typing import Any

import numpy as np
import pytest

from spinert import kernels
from spinert.bundle import TensorSpec
from spinert.runtime.box_crops import RegionReading, align_regions, call_in_parts, crop_boxes, enlarged
from spinert.runtime.region_head import deltas_fit

Y, X = np.mgrid[0:200, 0:160].astype(np.float64)


def test_a_crop_of_a_ramp_holds_the_places_that_it_maps_to() -> None:
    """The film's values are its columns, then its rows, in pixels of the stored image."""
    plane = kernels.PlaneMap(4.0, 2.0, 11.0, -7.0)
    film_map = kernels.PlaneMap(2.0, 1.0, 10.0, -7.5)
    places = film_map.to_image(np.stack([X, Y], axis=-1))
    boxes = np.array([[30.0, 40.0, 20.0, 12.0, 0.3], [35.0, 50.0, 16.0, 10.0, 0.0]])
    for axis in (0, 1):
        film = kernels.Prepared(places[..., axis].astype(np.float32), film_map, np.zeros(2, np.int32))
        crops, maps = crop_boxes(film, plane, boxes, (24, 32))
        v, u = np.mgrid[0:24, 0:32].astype(np.float64)
        told = maps.to_image(np.stack([u, v], axis=-1).reshape(1, -1, 2))
        assert np.allclose(crops[:, 0].reshape(2, -1), told[..., axis], atol=1e-2)
    # the middle of the crop is the middle of the box
    assert np.allclose(maps.to_image(np.array([[[15.5, 11.5]]]))[:, 0], plane.to_image(boxes[:, :2]))


def test_a_box_grows_on_either_side() -> None:
    assert enlarged(np.array([[5.0, 6, 10, 4, 0.3]]), (0.5, 0.25)).tolist() == [[5, 6, 20, 6, 0.3]]


def test_a_region_is_read_from_the_level_of_its_size() -> None:
    levels = [np.full((1, 256 >> n, 128 >> n), n, np.float32) for n in range(4)]
    sides = np.array([10.0, 55.9, 56.0, 111.9, 112.0, 224.0, 1000.0])
    boxes = np.array([[64.0, 128.0, 2 * side, side / 2, 0.0] for side in sides])
    boxes[:, 2:4] = np.stack([sides * 0.5, sides * 2], axis=1)
    reading = RegionReading(canonical_side=224.0, canonical_level=4.0)
    # strides of 4, 8, 16, 32 pixels of an input of 1024 x 512
    regions, maps = align_regions(levels, boxes, (7, 7), (1024, 512), reading)
    assert regions[:, 0, 3, 3].tolist() == [0, 0, 0, 0, 1, 2, 3]
    assert np.allclose(maps.to_image(np.full((7, 1, 2), 3.0))[:, 0], boxes[:, :2])


@pytest.mark.parametrize(("most", "batches"), [(None, [5]), (2, [2, 2, 1]), (9, [5])])
def test_calls_in_parts_give_what_one_call_gives(most: int | None, batches: list[int]) -> None:
    class Twice:
        inputs = outputs = (TensorSpec("x", "float32", (None, 1, 2, 2)),)
        backend = provider = "test"
        seen: list[int] = []  # noqa: RUF012
        kept = np.empty((9, 1, 2, 2), np.float32)

        def __call__(self, arrays: Any) -> Any:
            """In arrays that the next call overwrites."""
            count = len(arrays["x"])
            self.seen.append(count)
            self.kept[:count] = 2 * arrays["x"]
            return {"x": self.kept[:count]}

        def close(self) -> None:
            pass

    network = Twice()
    network.seen = []
    crops = np.arange(20, dtype=np.float32).reshape(5, 1, 2, 2)
    assert np.array_equal(call_in_parts(network, crops, most)["x"], 2 * crops)
    assert network.seen == batches


@pytest.mark.parametrize(
    ("scores", "deltas", "values", "fit"),
    [
        (2, (4,), 4, True),
        (2, (8,), 4, True),
        (18, (68,), 4, True),
        (18, (17, 4), 4, True),
        (1, (5,), 5, True),
        (2, (5,), 4, False),
        (18, (16, 4), 4, False),
        (18, (17, 5), 4, False),
        (2, (), 4, False),
    ],
)
def test_deltas_are_shared_or_there_for_each_class(scores: int, deltas: Any, values: int, fit: bool) -> None:
    assert deltas_fit(scores, deltas, values) is fit
