"""A TensorRT engine of a shipped bundle on a real device: built, compared, timed. A stage of benchmarks/gpu.py.

    python -m benchmarks.gpu_engines OUT.json --precision P [--bundle NAME] [--dry-run]

Builds the engine of each network in one precision with the TensorRT library that is here; compares its outputs with
those of the fp32 file on onnxruntime's CPU over the bundle's golden inputs; times one item with its copies, with and
without a CUDA graph in turns, and the engine alone on arrays that lie on the device. --dry-run builds, and opens
nothing. A precision that the bundle does not have, or no library, is written down as such and no failure. The cache is
not used: an int8 engine is measured also where it is slower than fp16, and `spinert build` would not keep it.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from spinert.bundle import Bundle, Precision
from spinert.errors import NoBackend, SpinertError
from spinert.kernels import device, native
from spinert.runtime.backends import ort
from spinert.runtime.infer import find_bundle
from spinert.runtime.network import Network
from spinert.runtime.tensorrt import layers, target
from spinert.runtime.tensorrt.build import choose_library, has
from spinert.runtime.tensorrt.compile import Options, compile_network
from spinert.runtime.tensorrt.execution import open_plan
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.measure import medians

RUNS = 200

Report = dict[str, Any]


def golden(bundle: Bundle, network: str) -> dict[str, np.ndarray]:
    name = bundle.manifest.networks[network].golden
    assert name is not None, f"{bundle.name} has no golden inputs for {network}"
    with np.load(bundle.folder / name) as arrays:
        return {key: np.ascontiguousarray(arrays[key]) for key in arrays.files}


def compare(engine: Network, reference: Network, inputs: dict[str, np.ndarray]) -> Report:
    """Largest |difference| of each output, item by item, and the largest value of the reference."""
    items = len(next(iter(inputs.values())))
    worst: dict[str, float] = {}
    largest: dict[str, float] = {}
    for item in range(items):
        one = {name: np.ascontiguousarray(array[item : item + 1]) for name, array in inputs.items()}
        expected = {name: array.copy() for name, array in reference(one).items()}
        for name, array in engine(one).items():
            worst[name] = max(worst.get(name, 0.0), float(np.abs(array - expected[name]).max()))
            largest[name] = max(largest.get(name, 0.0), float(np.abs(expected[name]).max()))
    return {"max_abs_difference": worst, "max_abs": largest, "items": items}


def alone_ms(engine: Network, inputs: dict[str, np.ndarray]) -> float:
    """Median of one item whose input lies on the device, its outputs left there."""
    stream = device.Stream()
    arrays = {name: device.empty((1, *array.shape[1:]), array.dtype, stream) for name, array in inputs.items()}
    for name, array in arrays.items():
        device.upload(np.ascontiguousarray(inputs[name][:1]), array)
    taken = []
    for _ in range(RUNS):
        stream.synchronize()
        begun = time.perf_counter()
        engine(arrays)  # the inputs' stream waits for it
        stream.synchronize()
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken)


def run_engine(bundle: Bundle, network: str, precision: Precision, plan: bytes, library: Library) -> Report:
    path = bundle.network_file(network, precision)
    spec = bundle.manifest.networks[network]
    with_graph, without = (
        open_plan(library, plan, spec, path.name, host_code=False, graphs=graphs) for graphs in (True, False)
    )
    inputs = golden(bundle, network)
    reference = ort.open_network(bundle.network_file(network, "fp32"), spec, threads=1)
    report = compare(with_graph, reference, inputs)
    with_ms, without_ms = medians([with_graph, without], RUNS)
    return {
        **report,
        "provider": with_graph.provider,
        "ms_graph": with_ms,
        "ms_no_graph": without_ms,
        "ms_on_device": alone_ms(with_graph, inputs),
    }


def row_of(bundle: Bundle, network: str, precision: Precision, library: Library, *, dry_run: bool) -> Report:
    """One network, compiled here and not by `spinert build`, which keeps no int8 engine that is slower than fp16."""
    path = bundle.network_file(network, precision)
    row: Report = {}
    try:
        here = target.of(library)
        options = Options(own_gpu=library.portable and here.gpu != target.ANY_GPU)
        spec = bundle.manifest.networks[network]
        compiled = compile_network(library, path.read_bytes(), spec, options, file=path.name)
        found = layers.layers(compiled.report)
        row |= {
            "build_seconds": round(compiled.seconds, 3),
            "plan_bytes": len(compiled.plan),
            "layers": len(found),
            "layer_types": layers.count_types(found),
        }
        if not dry_run:
            row |= run_engine(bundle, network, precision, compiled.plan, library)
    except SpinertError as error:
        row |= {"failed": f"{type(error).__name__}: {error.problem}", "remedy": error.remedy}
    return row


def measure(arguments: argparse.Namespace) -> Report:
    bundle = find_bundle(arguments.bundle)
    if not has(bundle, arguments.precision):
        return {"state": "not here", "reason": f"{bundle.name} has no {arguments.precision} files"}
    try:
        library = choose_library(None)
    except NoBackend as error:
        return {"state": "not here", "reason": f"{error.problem}: {error.remedy}"}
    report: Report = {"state": "done", "library": str(library), "networks": {}}
    for network in bundle.manifest.networks:
        row = row_of(bundle, network, arguments.precision, library, dry_run=arguments.dry_run)
        report["networks"][network] = row
        if "failed" in row:
            report |= {"state": "failed", "reason": row["failed"]}
    if not arguments.dry_run and target.no_device() is None:
        report["device"] = native.cuda().describe(0)[0]
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--precision", required=True)
    parser.add_argument("--bundle", default="cobb")
    parser.add_argument("--dry-run", action="store_true", help="build, and open nothing")
    arguments = parser.parse_args()
    arguments.out.write_text(json.dumps(measure(arguments), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
