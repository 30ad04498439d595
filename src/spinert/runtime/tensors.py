"""Shapes of a network's tensors, for the pipelines that check and feed them."""

from collections.abc import Callable

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadBundle


def plane_size(spec: TensorSpec) -> tuple[int, int]:
    """Height and width of a tensor whose last two axes are fixed, as the checks of the pipelines have found."""
    height, width = spec.shape[-2:]
    assert height is not None
    assert width is not None
    return height, width


def check_heatmaps(spec: NetworkSpec, name: str, expected: str, fits: Callable[[int], bool]) -> None:
    """Raises BadBundle unless the network takes one grey image and gives maps of it, as many as `fits` says.

    `expected` says in words how many these are. The maps cover the image, each cell a square of its pixels.
    """
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, 1, int(height), int(width)), (None, int(maps), int(h), int(w))] if height * w == width * h:
            if fits(maps):
                return
    raise BadBundle(
        f"network {name!r} has tensors {[list(tensor.shape) for tensor in (*spec.inputs, *spec.outputs)]}, expected "
        f"[N, 1, H, W] -> [N, {expected}, H/s, W/s]",
        "export the bundle again",
    )
