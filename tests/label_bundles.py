"""A tiny bundle of the labelling pipeline whose network answers with true centres, whatever the picture.

For testing paths and geometry, never accuracy: maps and coordinates are the network's own initializers.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spinert.bundle import FORMAT_VERSION, Bundle, Manifest, NetworkSpec, TensorSpec, Training, write
from tests.phantoms_sagittal import C1_TO_L5

SIZE = (256, 128)
SETTINGS = {
    "temperature": 0.02,
    "confidence_radius_cells": 3,
    "least_confidence": 0.3,
    "farthest_from_peak_px": 6.0,
}


def maps_at(centres: NDArray[np.float64], shown: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[1 + n, H, W]: the background, then a Gaussian of peak one at each of these input pixels (x, y) that is shown."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    squared = (x - centres[:, :1, None]) ** 2 + (y - centres[:, 1:, None]) ** 2
    maps = np.exp(-squared / 8) * shown[:, None, None]
    return np.concatenate([1 - maps.max(axis=0, keepdims=True), maps]).astype(np.float32)


def write_bundle(
    folder: Path, centres: NDArray[np.float64], shown: NDArray[np.bool_], views: tuple[str, ...], **networks: str
) -> Bundle:
    """A bundle `labels-truth`; `networks` renames its network, as in `labels="other"`."""
    answers = {"maps": maps_at(centres, shown), "coordinates": centres.astype(np.float32)}
    nodes = [
        helper.make_node("ReduceMax", ["image", "axes"], ["level"], keepdims=1),
        helper.make_node("Mul", ["level", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "maps_answer"], ["maps"]),
        helper.make_node("Squeeze", ["nothing", "last"], ["flat"]),
        helper.make_node("Add", ["flat", "coordinates_answer"], ["coordinates"]),
    ]
    graph = helper.make_graph(
        nodes,
        "truth",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, *SIZE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *a.shape]) for name, a in answers.items()],
        [
            numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes"),
            numpy_helper.from_array(np.array([3], np.int64), "last"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
            *(numpy_helper.from_array(answer[None], f"{name}_answer") for name, answer in answers.items()),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    spec = NetworkSpec(
        inputs=(TensorSpec("image", "float32", (None, 1, *SIZE)),),
        outputs=tuple(TensorSpec(name, "float32", (None, *answer.shape)) for name, answer in answers.items()),
        files={"fp32": "labels.onnx"},
        opset=20,
    )
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name="labels-truth",
        pipeline="vertebra_labels",
        networks={networks.get("labels", "labels"): spec},
        settings={**SETTINGS, "views": list(views)},
        class_names=C1_TO_L5,
        provenance=Training(
            recipe="none", data="a phantom", split="none", date="2026-01-01", spinert="0.1.0", weights_sha256="0" * 64
        ),
        model_card="MODEL_CARD.md",
        sha256={},
    )
    return write(folder, manifest, {"labels.onnx": model.SerializeToString(), "MODEL_CARD.md": b"# truth\n"})
