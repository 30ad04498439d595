"""A bundle's networks as a model repository of the Triton Inference Server, for sites that serve them from one place.

One model for each network and precision that onnxruntime runs there: `config.pbtxt`, the same ONNX file as version 1,
the golden inputs as warm-up, the model card. What lies before and after a network stays with spinert. The fields are
those of Triton's `model_config.proto`.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spinert.bundle import Bundle, NetworkSpec, Precision, TensorSpec
from spinert.errors import BadRequest, ExportFailed
from spinert.findings import DISCLAIMER
from spinert.runtime import golden

MOST_IMAGES = 8
"""Largest batch that the server makes of waiting requests; memory grows with it."""
KINDS: dict[Precision, str] = {"fp32": "KIND_AUTO", "fp16": "KIND_GPU", "int8-cpu": "KIND_CPU"}
"""Where each precision is served; AUTO is a GPU where there is one. int8-trt is missing: it is for TensorRT alone."""

_TYPES = {
    "float32": "TYPE_FP32",
    "float16": "TYPE_FP16",
    "float64": "TYPE_FP64",
    "uint8": "TYPE_UINT8",
    "int8": "TYPE_INT8",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Repository(NamedTuple):
    """The folder, the names of its models, and the precisions of the bundle that are not served."""

    folder: Path
    models: tuple[str, ...]
    left_out: tuple[Precision, ...]


def write_repository(bundle: Bundle, folder: Path) -> Repository:
    """Write the model repository to `folder`, which appears whole or not at all.

    Raises BadRequest where the folder exists or a name does not serve as a folder's, ExportFailed where a tensor is of
    a type that Triton has not or the folder cannot be written.
    """
    if folder.exists():
        raise BadRequest(f"{folder} exists already", "choose another folder or remove this one")
    files: dict[str, bytes] = {}
    models = list(_models(bundle))
    for name, network, precision in models:
        files |= {f"{name}/{path}": content for path, content in _files(bundle, name, network, precision).items()}
    _write_whole(folder, files)
    have = {precision for spec in bundle.manifest.networks.values() for precision in spec.files}
    return Repository(folder, tuple(name for name, *_ in models), tuple(sorted(have - set(_served(bundle)))))


def _served(bundle: Bundle) -> list[Precision]:
    """Those of KINDS; int8-cpu is left out where it was proven on another library than the one that serves."""
    proven_on = {each.backend for each in bundle.manifest.cpu if each.precision == "int8-cpu"}
    return [each for each in KINDS if each != "int8-cpu" or not proven_on or "ort" in proven_on]


def _models(bundle: Bundle) -> Iterator[tuple[str, str, Precision]]:
    """Name of the model, network, precision; fp32, with which the others are compared, has no suffix."""
    for network, spec in bundle.manifest.networks.items():
        for precision in _served(bundle):
            if precision in spec.files:
                suffix = "" if precision == "fp32" else f"_{precision.replace('-', '_')}"
                name = f"{bundle.name}_{network}{suffix}"
                if not _NAME.fullmatch(name):
                    raise BadRequest(
                        f"{name!r} cannot be the name of a folder and a model",
                        "name bundle and network with A-Z a-z 0-9 _",
                    )
                yield name, network, precision


def _files(bundle: Bundle, name: str, network: str, precision: Precision) -> dict[str, bytes]:
    spec = bundle.manifest.networks[network]
    warm_up = golden.read_golden(bundle, network) if spec.golden else {}
    raw = {tensor.name: f"input{place}.raw" for place, tensor in enumerate(spec.inputs) if tensor.name in warm_up}
    card = f"**{DISCLAIMER.capitalize()}.**\n\n{bundle.model_card()}"
    return {
        "config.pbtxt": _config(bundle, name, spec, precision, raw).encode(),
        "1/model.onnx": bundle.network_file(network, precision).read_bytes(),
        "model_card.md": card.encode(),
        # raw values in row-major order, little-endian as every machine that Triton runs on
        **{f"warmup/{file}": warm_up[tensor].tobytes() for tensor, file in raw.items()},
    }


def _config(bundle: Bundle, name: str, spec: NetworkSpec, precision: Precision, raw: dict[str, str]) -> str:
    batched = all(tensor.shape[:1] == (None,) for tensor in (*spec.inputs, *spec.outputs))
    lines = [
        f"# {DISCLAIMER}",
        f"# bundle {json.dumps(bundle.name)}, SHA-256 {bundle.sha256}, {precision}, ONNX opset {spec.opset}",
        f"name: {json.dumps(name)}",
        'backend: "onnxruntime"',
        'default_model_filename: "model.onnx"',
        f"max_batch_size: {MOST_IMAGES if batched else 0}",
        *(f"input {{ {_tensor(tensor, batched)} }}" for tensor in spec.inputs),
        *(f"output {{ {_tensor(tensor, batched)} }}" for tensor in spec.outputs),
        f"instance_group {{ kind: {KINDS[precision]} count: 1 }}",
    ]
    if batched:
        # no delay: requests that wait already go together, none waits for another
        lines.append("dynamic_batching { }")
    if raw.keys() == {tensor.name for tensor in spec.inputs}:
        lines += [
            "model_warmup {",
            '  name: "golden inputs"',
            "  batch_size: 1",
            *(f"  {_warm_up(tensor, batched, raw[tensor.name])}" for tensor in spec.inputs),
            "}",
        ]
    return "\n".join([*lines, ""])


def _tensor(spec: TensorSpec, batched: bool) -> str:
    return f"name: {json.dumps(spec.name)} {_type_and_dims(spec, batched)}"


def _warm_up(spec: TensorSpec, batched: bool, file: str) -> str:
    value = f"{_type_and_dims(spec, batched)} input_data_file: {json.dumps(file)}"
    return f"inputs {{ key: {json.dumps(spec.name)} value {{ {value} }} }}"


def _type_and_dims(spec: TensorSpec, batched: bool) -> str:
    """With batches the server adds their axis itself; an axis without a size of its own is -1."""
    if spec.dtype not in _TYPES:
        raise ExportFailed(
            f"tensor {spec.name!r} is {spec.dtype}, Triton is given {', '.join(_TYPES)}", "export it as one of these"
        )
    dims = ", ".join(str(-1 if size is None else size) for size in (spec.shape[1:] if batched else spec.shape))
    return f"data_type: {_TYPES[spec.dtype]} dims: [ {dims} ]"


def _write_whole(folder: Path, files: dict[str, bytes]) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        partial.rename(folder)
    except OSError as error:
        raise ExportFailed(
            f"{folder} cannot be written: {error.strerror}", "choose a folder with enough room"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
