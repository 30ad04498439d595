"""A network of the default bundle alone: every precision that a CPU backend runs, and torch.

    python -m benchmarks.bench_network [--network coarse] [--bundle cobb] [--threads 1] [--rounds 41] [--smoke]

One golden input in a batch of one. All sides take turns in one process; a ratio is of neighbouring runs, time of the
side over that of the row above the table's line: the first row is what `spinert infer` chooses here. What the numbers
cost is in the bundle: `spinert info` names the report of each precision's agreement with fp32.
"""

import argparse

import torch

from benchmarks.compare import interleaved
from benchmarks.host import host_line
from benchmarks.peer import torch_network
from spinert.errors import SpinertError
from spinert.runtime import backends, choice
from spinert.runtime.golden import read_golden
from spinert.runtime.infer import find_bundle
from spinert.runtime.network import Network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="cobb", help="name or folder of the bundle")
    parser.add_argument("--network", default="coarse", help="coarse or patches")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--smoke", action="store_true", help="two rounds")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    bundle, name = find_bundle(arguments.bundle), arguments.network
    golden = read_golden(bundle, name)
    chosen = choice.open_networks(bundle, (name,), threads=arguments.threads)
    networks: dict[str, Network] = {_name(chosen.choice): chosen.networks[name]}
    for backend in backends.of_device("cpu"):
        for precision in bundle.manifest.networks[name].files:
            way = choice.Choice(backend, "cpu", precision)
            if _name(way) in networks or precision in ("fp16", "int8-trt"):  # for a GPU: a CPU computes them in float32
                continue
            try:
                opened = choice.open_networks(
                    bundle, (name,), threads=arguments.threads, backend=backend, precision=precision
                )
            except SpinertError as error:
                print(f"left out: {_name(way)}: {error.problem}")
                continue
            networks[_name(way)] = opened.networks[name]
    eager = torch_network(bundle, name)
    image = torch.from_numpy(next(iter(golden.values())))

    def in_torch() -> object:
        with torch.inference_mode():
            return eager(image)

    sides = {name: lambda network=network: network(golden) for name, network in networks.items()}
    print(host_line("openvino", "torch"))
    print(f"threads {arguments.threads}, {' '.join(chosen.warnings) or 'the first row is what spinert infer chooses'}")
    print(interleaved({**sides, "torch eager": in_torch}, rounds=2 if arguments.smoke else arguments.rounds))


def _name(way: choice.Choice) -> str:
    return f"{way.precision} on {way.backend}"


if __name__ == "__main__":
    main()
