"""Three angles that a network states directly, from a radiograph, the mask of its spine, or both.

image     one projection radiograph of the spine, stored values [rows, columns]
networks  "regression": float32 [N, 1, h, w] in 0..1, bone bright, and/or a mask [N, c, h, w] in 0..1, as two inputs or
          as channels of one, the image first -> angles float32 [N, 3]; other outputs, such as a mask, may stand beside
          "segmentation", where the settings have the regression see a mask: float32 [N, 1, H, W] -> maps [N, c, H, W]
findings  AasceAngles (degrees)

prepare -> segmentation -> mask resized -> regression -> scale -> negative and small angles to 0.

Three systems of the AASCE 2019 challenge (CSI 2019, LNCS 11963) take these steps: Lin et al. (Seg4Reg: the mask alone,
histogram equalisation, angles under 4 degrees to 0), Wang S. et al. (SCG-Net: image and two boundaries), Wang J. et al.
(one network for mask and angles). Nothing in the image shows where such an angle was measured.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec
from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import AasceAngles, Finding
from spinert.image import Image
from spinert.runtime.network import Network
from spinert.runtime.preparation import Preparation, film_frame, prepare
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.tensors import plane_size

ACCEPTS = "one AP or PA projection radiograph of the spine"
NETWORKS = ("regression",)
OPTIONAL = ("segmentation",)

NEGATIVE_ANGLE = "negative_angle_set_to_zero"
IMPLAUSIBLE_ANGLES = "implausible_angles"
"""Above 180 degrees, or the first, the greatest by the challenge's rule, is far below another."""

Map = NDArray[np.float32]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers of the pipeline; it names no vertebrae, so `class_names` are empty."""

    class_names: tuple[str, ...] = ()
    preparation: Preparation = Preparation()
    regress_on: Literal["image", "mask", "image+mask"]
    mask_values: Literal["softmax", "argmax", "sigmoid", "as_given"] = "softmax"
    """What becomes of the maps: probabilities of classes, 1 for the likeliest class and 0 for all others, a probability
    for each map by itself, or nothing, where the network ends in probabilities. Softmax and argmax have background as
    the first class."""
    least_mask_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.005
    """Share of the film that a mask must cover for it to show a spine; of maps without background, any of them."""
    scale: Annotated[float, msgspec.Meta(gt=0, le=360)] = 1.0
    """Degrees for 1 of the network's output."""
    zero_below_degrees: Annotated[float, msgspec.Meta(ge=0, le=45)] = 0.0
    """Smaller angles become 0: 4 in Lin et al., section 3.2, where the labels have many near 0."""
    most_excess_degrees: Annotated[float, msgspec.Meta(ge=0, le=180)] = 5.0
    """How far another angle may exceed the first before all are flagged."""


def check(networks: Mapping[str, NetworkSpec], settings: Settings) -> None:
    """Tensors fit each other and the settings, and there is a segmentation exactly where a mask is asked for."""
    if settings.class_names:
        raise BadBundle(
            f"class_names are {list(settings.class_names)}, but the pipeline 'direct_angles' names no vertebrae",
            "export the bundle again without class_names",
        )
    asks = settings.regress_on != "image"
    if asks != ("segmentation" in networks):
        raise BadBundle(
            f"regress_on is {settings.regress_on!r}, and the bundle has {'no' if asks else 'a'} network 'segmentation'",
            "export the bundle again with both or neither",
        )
    regression = networks["regression"]
    outputs = [tensor for tensor in regression.outputs if tensor.shape == (None, 3)]
    maps = _check_segmentation(networks["segmentation"], regression, settings) if asks else 0
    want = {"image": [[1]], "mask": [[maps]], "image+mask": [[1, maps], [1 + maps]]}[settings.regress_on]
    given = [tensor.shape[1] if len(tensor.shape) == 4 else None for tensor in regression.inputs]
    sizes = {tensor.shape[2:] for tensor in regression.inputs}
    if given not in want or len(sizes) != 1 or any(None in size for size in sizes) or len(outputs) != 1:
        raise BadBundle(
            f"network 'regression' has tensors {_text(regression)}, expected inputs with "
            f"{' or '.join(' and '.join(map(str, each)) for each in want)} channels of one size and angles [N, 3]",
            "export the bundle again",
        )


def accepts(image: Image) -> bool:
    """AP or PA, or a view that the image does not state."""
    return image.may_be_frontal


def run(image: Image, networks: Mapping[str, Network], settings: Settings, stopwatch: Stopwatch) -> list[Finding]:
    """One radiograph -> the challenge's three angles.

    Raises BadStudy where the film shows nothing or its mask shows no spine, BadNetwork for values that are not finite.
    """
    regression = networks["regression"]
    size = plane_size(regression.inputs[0])
    channels: list[Map] = []
    if settings.regress_on != "mask":
        with stopwatch.stage("prepare"):
            channels.append(prepare(image, size, settings.preparation).pixels[None])
    if settings.regress_on != "image":
        channels.append(_mask(image, networks["segmentation"], size, settings, stopwatch))
    if len(regression.inputs) == 1:
        channels = [np.concatenate(channels)]
    fed = {
        source.name: np.ascontiguousarray(each[None]) for source, each in zip(regression.inputs, channels, strict=True)
    }
    with stopwatch.stage("network"):
        answers = regression(fed)
    (target,) = [tensor.name for tensor in regression.outputs if tensor.shape == (None, 3)]
    with stopwatch.stage("geometry"):
        return [_angles(answers[target][0], settings)]


def _angles(answer: NDArray[np.float32], settings: Settings) -> AasceAngles:
    """Three numbers of the network -> degrees, and what is wrong with them."""
    if not np.isfinite(answer).all():
        raise BadNetwork(
            f"the network gives the angles {answer.tolist()}",
            "check the weights of the network and export the bundle again",
        )
    degrees = answer.astype(np.float64) * settings.scale
    flags = []
    if (degrees < 0).any():
        flags.append(NEGATIVE_ANGLE)
    degrees = np.where(degrees < settings.zero_below_degrees, 0.0, np.maximum(degrees, 0.0))
    if (degrees > 180.0).any() or (degrees[1:] > degrees[0] + settings.most_excess_degrees).any():
        flags.append(IMPLAUSIBLE_ANGLES)
    first, second, third = np.round(degrees, 3).tolist()
    return AasceAngles(degrees=(first, second, third), flags=tuple(flags))


def _mask(image: Image, segmentation: Network, size: tuple[int, int], settings: Settings, stopwatch: Stopwatch) -> Map:
    """The mask as the regression takes it, float32 [c, *size] in 0..1."""
    (source,), (target,) = segmentation.inputs, segmentation.outputs
    with stopwatch.stage("prepare"):
        prepared = prepare(image, plane_size(source), settings.preparation)
    with stopwatch.stage("segmentation"):
        answer = segmentation({source.name: prepared.pixels[None, None]})[target.name][0]
    with stopwatch.stage("mask"):
        mask = _values(answer, settings.mask_values)
        frame = film_frame(image, prepared.map)
        stride = prepared.pixels.shape[0] / mask.shape[1]
        film = (frame.bottom - frame.top) * (frame.right - frame.left) / stride**2
        covered = float(np.count_nonzero(_spine(mask, settings.mask_values) > 0.5)) / film
        if covered < settings.least_mask_share:
            raise BadStudy(
                f"no spine was found: its mask covers {covered:.2%} of the film, at least "
                f"{settings.least_mask_share:.2%} expected",
                "give a frontal radiograph that shows the spine",
            )
        return _resized(mask, size)


def _spine(mask: Map, values: str) -> Map:
    """How surely each cell belongs to the spine [h, w]: all but background, or the surest of maps without one."""
    return np.asarray(1.0 - mask[0] if values in ("softmax", "argmax") else mask.max(axis=0), np.float32)


def _values(answer: Map, values: Literal["softmax", "argmax", "sigmoid", "as_given"]) -> Map:
    """Maps [c, h, w] of a network as values 0..1, float32 of the same shape."""
    if not np.isfinite(answer).all():
        raise BadNetwork(
            f"the mask holds {np.count_nonzero(~np.isfinite(answer))} values that are not finite",
            "check the weights of the network and export the bundle again",
        )
    if values == "as_given":
        return np.array(answer, np.float32)
    if values == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(answer, -60.0, 60.0))), np.float32)
    if values == "argmax":
        return np.asarray(answer.argmax(axis=0) == np.arange(len(answer))[:, None, None], np.float32)
    odds = np.exp(answer - answer.max(axis=0))
    return np.asarray(odds / odds.sum(axis=0), np.float32)


def _resized(mask: Map, size: tuple[int, int]) -> Map:
    """Maps [c, h, w] averaged over, or interpolated to, the cells of another size of the same proportions."""
    rows, columns = mask.shape[1:]
    if (rows, columns) == size:
        return mask
    whole = np.array([[(columns - 1) / 2, (rows - 1) / 2, columns, rows, 0.0]])
    samples = min(64, max(1, -(-rows // size[0])))
    maps = kernels.box_map(whole, size)
    return np.asarray(kernels.crop_rotated(np.ascontiguousarray(mask), maps, size, samples=samples)[0])


def _check_segmentation(spec: NetworkSpec, regression: NetworkSpec, settings: Settings) -> int:
    """How many maps it gives."""
    least = 2 if settings.mask_values in ("softmax", "argmax") else 1
    height, width = regression.inputs[0].shape[-2:]
    match [tensor.shape for tensor in (*spec.inputs, *spec.outputs)]:
        case [(None, 1, int(rows), int(columns)), (None, int(maps), int(h), int(w))] if maps >= least:
            if rows * w == columns * h and height and width and rows * width == columns * height:
                return maps
    raise BadBundle(
        f"network 'segmentation' has tensors {_text(spec)}, expected [N, 1, H, W] -> [N, {least} or more, H/s, W/s] "
        f"in the proportions of the regression, which takes {height} x {width}",
        "export the bundle again",
    )


def _text(spec: NetworkSpec) -> str:
    return ", ".join(str(tensor) for tensor in (*spec.inputs, *spec.outputs))
