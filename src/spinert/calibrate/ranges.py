"""What values the activations of a network take on real studies: ranges, largest magnitudes, reach of each channel.

Everything is streamed: one study's activations are in memory at a time, and only histograms or extremes are kept.
"""

import contextlib
import io
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from spinert.errors import BadNetwork, CalibrationFailed
from spinert.runtime.backends import ort
from spinert.runtime.network import Arrays

Method = Literal["minmax", "entropy", "percentile"]
Ranges = dict[str, tuple[float, float]]

PERCENTILE = 99.999
"""Of `percentile`: half of the rest is cut at either end. Text and metal on a film are rare and very bright."""
BINS = 4096


def collect(model: onnx.ModelProto, inputs: Iterable[Arrays], method: Method, *, threads: int = 1) -> Ranges:
    """The range of every activation, (lowest, highest) as a float pair, by onnxruntime's calibrator of this method."""
    ort.library()
    from onnxruntime.quantization import calibrate

    inferred = onnx.shape_inference.infer_shapes(model)
    with tempfile.TemporaryDirectory(prefix="spinert-calibrate-") as scratch:
        path = Path(scratch) / "model.onnx"
        onnx.save(inferred, path)
        augmented = Path(scratch) / "augmented.onnx"
        options: dict[str, Any] = {"symmetric": False}
        if method == "percentile":
            options |= {"percentile": PERCENTILE, "num_bins": BINS}
        calibrator = calibrate.create_calibrator(
            path,
            augmented_model_path=str(augmented),
            calibrate_method=calibrate.CalibrationMethod[{"minmax": "MinMax"}.get(method, method.capitalize())],
            extra_options=options,
        )
        calibrator.infer_session = ort.open_session(augmented.read_bytes(), "the watched graph", threads=threads)
        for arrays in inputs:
            with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
                try:
                    calibrator.collect_data(_One(arrays))
                except (ValueError, MemoryError) as error:  # a histogram that would have to grow a million times
                    raise CalibrationFailed(
                        f"the {method} ranges cannot be collected: {error}", "choose --method minmax"
                    ) from None
        with contextlib.redirect_stdout(io.StringIO()):
            found = calibrator.compute_data()
    return {name: _range(name, values.range_value) for name, values in found.items()}


def _range(name: str, pair: Any) -> tuple[float, float]:
    low, high = (float(np.asarray(value).reshape(-1)[0]) for value in pair)
    if not np.isfinite((low, high)).all():
        raise CalibrationFailed(f"activation {name!r} takes values from {low} to {high}", "check the network's weights")
    return low, high


class _One:
    """The inputs of one study, handed out once: onnxruntime's CalibrationDataReader."""

    def __init__(self, arrays: Arrays) -> None:
        self._left: list[Arrays] = [arrays]

    def get_next(self) -> Arrays | None:
        return self._left.pop() if self._left else None


def reaches(
    model: onnx.ModelProto, inputs: Iterable[Arrays], *, threads: int
) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """Reach of each channel of each activation, and the largest magnitude of each.

    The reach of a channel is its largest magnitude in a study, averaged over the studies: one film with metal in it
    counts as one. Activations without a channel axis have a largest magnitude only.
    """
    watched = onnx.shape_inference.infer_shapes(model)
    graph = watched.graph
    names = [name for node in graph.node for name in node.output]
    ranks = {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    names = [name for name in dict.fromkeys(names) if ranks.get(name, 0) >= 1]
    del graph.output[:]
    for name in names:
        kept = ranks[name] > 1
        magnitude, largest = f"{name}/magnitude", f"{name}/largest"
        axes = [axis for axis in range(ranks[name]) if not (kept and axis == 1)]
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(axes, np.int64), f"{name}/axes"))
        graph.node.append(helper.make_node("Abs", [name], [magnitude]))
        graph.node.append(helper.make_node("ReduceMax", [magnitude, f"{name}/axes"], [largest], keepdims=0))
        graph.output.append(helper.make_tensor_value_info(largest, TensorProto.FLOAT, None))
    try:
        session = ort.open_session(watched.SerializeToString(), f"graph {model.graph.name!r}", threads=threads)
    except BadNetwork as error:
        raise CalibrationFailed(error.problem, "correct the graph") from None
    sums: dict[str, NDArray[np.float64]] = {}
    largest_of: dict[str, float] = dict.fromkeys(names, 0.0)
    count = 0
    for arrays in inputs:
        count += 1
        for name, values in zip(names, session.run(None, dict(arrays)), strict=True):
            largest_of[name] = float(np.maximum(largest_of[name], values.max()))  # unlike max, keeps what is no number
            if values.ndim:
                sums[name] = sums.get(name, 0.0) + values.astype(np.float64)
    _check_finite(largest_of)
    return {name: (total / count).astype(np.float32) for name, total in sums.items()}, largest_of


def _check_finite(largest: Mapping[str, float]) -> None:
    for name, value in largest.items():
        if not np.isfinite(value):
            raise CalibrationFailed(f"activation {name!r} reaches {value}", "check the network's weights")
