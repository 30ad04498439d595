"""A tiny bundle whose network answers with a phantom's true corners: for testing paths and geometry, never accuracy.

The network ignores the picture: its output is its own initializer, one sharp heat-map for each corner.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spinert.bundle import FORMAT_VERSION, Bundle, Manifest, NetworkSpec, Precision, TensorSpec, Training, write
from spinert.findings import T1_TO_L5
from spinert.runtime.golden import encode_golden, make_golden

SIZE = (192, 96)
STRIDE = 4
SETTINGS = {
    "confidence_radius_cells": 3,
    "least_confidence": 0.5,
    "least_cobb_degrees": 10.0,
}


def heatmaps_at(corners_network_px: NDArray[np.float64], size: tuple[int, int] = SIZE) -> NDArray[np.float32]:
    """Logits [68, h, w] of Gaussians one cell wide at these input pixels (x, y); their soft-argmax is exact."""
    cells = (corners_network_px.reshape(-1, 2) + 0.5) / STRIDE - 0.5
    y, x = np.mgrid[0 : size[0] // STRIDE, 0 : size[1] // STRIDE]
    squared = (x - cells[:, :1, None]) ** 2 + (y - cells[:, 1:, None]) ** 2
    return (-squared / 2).astype(np.float32)


def onnx_file(heatmaps: NDArray[np.float32], size: tuple[int, int] = SIZE) -> bytes:
    """image [N, 1, H, W] -> heatmaps [N, 68, h, w], the same for every image."""
    nodes = [
        helper.make_node("ReduceMax", ["image", "axes"], ["level"], keepdims=1),
        helper.make_node("Mul", ["level", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "answer"], ["heatmaps"]),
    ]
    graph = helper.make_graph(
        nodes,
        "truth",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, *size])],
        [helper.make_tensor_value_info("heatmaps", TensorProto.FLOAT, ["N", *heatmaps.shape])],
        [
            numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
            numpy_helper.from_array(heatmaps[None], "answer"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def write_several(folder: Path, answers: Mapping[str, NDArray[np.float32]], **fields: object) -> Bundle:
    """A bundle `truth` of several networks that answer with these heat-maps, each with golden inputs.

    fields   of the manifest, as JSON would have them: ensembles, members, fusion
    """
    plain = write_bundle(folder.with_name(f"{folder.name}-plain"), next(iter(answers.values())), golden=True)
    golden = (plain.folder / "landmarks.golden.npz").read_bytes()
    spec = plain.manifest.networks["landmarks"]
    files, networks = {"MODEL_CARD.md": b"# truth\n"}, {}
    for name, answer in answers.items():
        files |= {f"{name}.onnx": onnx_file(answer), f"{name}.golden.npz": golden}
        networks[name] = msgspec.structs.replace(spec, files={"fp32": f"{name}.onnx"}, golden=f"{name}.golden.npz")
    document = {**msgspec.to_builtins(plain.manifest), "networks": msgspec.to_builtins(networks), **fields}
    return write(folder, msgspec.convert(document, Manifest), files)


def write_bundle(
    folder: Path,
    heatmaps: NDArray[np.float32],
    size: tuple[int, int] = SIZE,
    *,
    others: Mapping[Precision, NDArray[np.float32]] | None = None,
    golden: bool = False,
) -> Bundle:
    """A bundle `truth` for the pipeline `cobb_landmarks`; `others` are what its other precisions answer with."""
    answers: dict[Precision, NDArray[np.float32]] = {"fp32": heatmaps, **(others or {})}
    inputs = (TensorSpec("image", "float32", (None, 1, *size)),)
    names = {each: "landmarks.onnx" if each == "fp32" else f"landmarks.{each}.onnx" for each in answers}
    files = {names[each]: onnx_file(answer, size) for each, answer in answers.items()} | {"MODEL_CARD.md": b"# truth\n"}
    if golden:
        files["landmarks.golden.npz"] = encode_golden(make_golden(inputs))
    spec = NetworkSpec(
        inputs=inputs,
        outputs=(TensorSpec("heatmaps", "float32", (None, *heatmaps.shape)),),
        files=names,
        opset=20,
        golden="landmarks.golden.npz" if golden else None,
    )
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name="truth",
        pipeline="cobb_landmarks",
        networks={"landmarks": spec},
        settings=SETTINGS,
        class_names=T1_TO_L5,
        provenance=Training(
            recipe="none", data="a phantom", split="none", date="2026-01-01", spinert="0.1.0", weights_sha256="0" * 64
        ),
        model_card="MODEL_CARD.md",
        sha256={},
    )
    return write(folder, manifest, files)
