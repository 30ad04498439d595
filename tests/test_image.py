import numpy as np

from spinert.image import Image


def film(**fields: object) -> Image:
    return Image(np.zeros((4, 3), np.uint8), "DX", **fields)  # type: ignore[arg-type]


def test_y_goes_with_row_spacing_and_x_with_column_spacing() -> None:
    image = film(spacing_mm=(0.14, 0.20))
    assert np.allclose(image.to_mm(np.array([[10.0, 100.0]])), [[2.0, 14.0]])


def test_millimetres_come_back_as_pixels() -> None:
    image = film(spacing_mm=(0.14, 0.20))
    points = np.array([[10.0, 100.0], [-0.5, 0.25]])
    assert np.allclose(image.to_px(image.to_mm(points)), points)


def test_without_spacing_pixels_are_square() -> None:
    assert film().mm_per_pixel_xy == (1.0, 1.0)


def test_the_right_of_the_image_is_the_side_its_rows_run_to() -> None:
    assert film(orientation=("L", "F")).right_of_image == "left"
    assert film(orientation=("R", "F")).right_of_image == "right"
    assert film().right_of_image is None
