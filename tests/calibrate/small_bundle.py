"""A made network over made films: for testing the way of a calibration, never accuracy.

Two small convolutions look at the film; what they see is added, weakly, to heat-maps of a phantom's true corners, so
that there are findings, and so that they move a little when the convolutions are rounded.
"""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from spinert import bundle as bundles
from spinert.bundle import MANIFEST, Bundle
from tests import dicom_files, phantoms
from tests.bundles import SETTINGS, SIZE, STRIDE, heatmaps_at, write_bundle, write_several
from tests.calibrate.pairs import Net

TILTS = np.interp(np.arange(17), [0, 4, 10, 16], [18.0, 22.0, -23.0, 15.0])
CORNERS = phantoms.spine_corners(TILTS, (48.0, 14.0), 160.0)
CELLS = [SIZE[0] // STRIDE, SIZE[1] // STRIDE]


def network(strength: float = 0.02, *, unbearable: bool = False) -> ModelProto:
    """image -> c1 -> r1 -> c2 -> r2 -> head (1 x 1) -> + the true heat-maps

    strength     of what the convolutions add
    unbearable   c2 takes a large constant off again, so that steps of r1 are coarse beside what is left
    """
    net, rng = Net(), np.random.default_rng(4)

    def conv(source: str, to: str, outputs: int, inputs: int, size: int, stride: int, scale: float) -> str:
        weights = (rng.normal(size=(outputs, inputs, size, size)) * scale).astype(np.float32)
        bias = np.full(outputs, 0.1, np.float32)
        net.constant(f"{to}.w", weights)
        net.constant(f"{to}.b", bias)
        return net.node("Conv", source, f"{to}.w", f"{to}.b", to=to, strides=[stride] * 2, pads=[size // 2] * 4)

    net.node("Relu", conv("image", "c1", 4, 1, 3, 2, 0.5), to="r1")
    net.node("Relu", conv("r1", "c2", 4, 4, 3, 2, 0.3), to="r2")
    if unbearable:
        net.constants["c1.b"] += np.float32(300)
        net.constants["c2.b"] -= net.constants["c2.w"].sum(axis=(1, 2, 3)) * np.float32(300)
    conv("r2", "head", 68, 4, 1, 1, strength)
    net.node("Add", "head", net.constant("answer", heatmaps_at(CORNERS)[None]), to="heatmaps")
    return net.model({"image": ["N", 1, *SIZE]}, {"heatmaps": ["N", 68, *CELLS]})


def small_bundle(folder: Path, model: ModelProto | None = None) -> Bundle:
    """The bundle `truth` for `cobb_landmarks`, with this network in fp32 and golden inputs."""
    plain = write_bundle(folder.with_name(f"{folder.name}-plain"), heatmaps_at(CORNERS), golden=True)
    files = {name: (plain.folder / name).read_bytes() for name in plain.manifest.sha256 if name != MANIFEST}
    files["landmarks.onnx"] = (model or network()).SerializeToString()
    return bundles.write(folder, msgspec.structs.replace(plain.manifest, name="small"), files)


def several(folder: Path) -> Bundle:
    """Small networks `a` and `b` as an ensemble, and `c` that a member of its own calls."""
    maps = dict.fromkeys("abc", heatmaps_at(CORNERS))
    member = {"pipeline": "cobb_landmarks", "networks": {"landmarks": "c"}, "settings": SETTINGS}
    plain = write_several(
        folder.with_name(f"{folder.name}-maps"),
        maps,
        ensembles={"landmarks": {"networks": ["a", "b"]}},
        members={"other": member},
        fusion={"method": "mean"},
    )
    files = {name: (plain.folder / name).read_bytes() for name in plain.manifest.sha256 if name != MANIFEST}
    files |= {
        f"{name}.onnx": network(strength).SerializeToString()
        for name, strength in zip(maps, (0.02, 0.01, 0.03), strict=True)
    }
    return bundles.write(folder, plain.manifest, files)


def film(number: int) -> NDArray[np.uint16]:
    return phantoms.random_phantom(np.random.default_rng(number), (250, 110)).pixels


def films(folder: Path, count: int, first: int = 0) -> Path:
    """A folder of DX objects, each a study of its own, named `film-NUMBER.dcm`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        uids = {
            f"{kind}InstanceUID": f"{dicom_files.ROOT}.{number + 10}.{place}"
            for place, kind in enumerate(("Study", "Series", "SOP"), 1)
        }
        dataset = dicom_files.radiograph(film(number), **uids)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"film-{number:03}.dcm", enforce_file_format=True)
    return folder
