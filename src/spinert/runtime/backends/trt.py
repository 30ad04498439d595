"""TensorRT on a CUDA device, with whichever of its libraries is installed. Engines are found here, never built.

`spinert build` builds them; see `spinert.runtime.tensorrt`.
"""

from pathlib import Path

from spinert.bundle import NetworkSpec
from spinert.errors import DeviceError, NoBackend, NoEngine, SpinertError
from spinert.runtime.network import Network
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt import target

SCORE = {"cuda": 30}
REMEDY = "build it: spinert build BUNDLE"


def missing() -> str | None:
    """None when a TensorRT library, spinert's CUDA module and a device are here, else what is not. Imports none."""
    if not libraries.installed():
        return (
            f"no TensorRT library is installed: {libraries.command()} "
            '(a GPU server), "spinert[rtx]" (an RTX PC) or "spinert[lean]" (runs engines only)'
        )
    return target.no_device()


def open_network(path: Path, spec: NetworkSpec, *, threads: int) -> Network:
    """Open the engine of an ONNX file that was built on or for this machine; `threads` says nothing to a GPU.

    Each installed library is tried before any error is raised, with the reasons of all: DeviceError where a device
    failed, NoEngine with what differs where none fits, NoBackend where no library can be imported. BadNetwork where the
    engine's tensors are not those of the bundle.
    """
    del threads
    from spinert.runtime.tensorrt.execution import open_plan
    from spinert.runtime.tensorrt.lookup import find

    errors: list[SpinertError] = []
    for name in libraries.installed():
        try:
            library = libraries.load(name)
            found = find(path, library)
            return open_plan(library, found.plan, spec, path.name, host_code=found.host_code, kernels=found.kernels)
        except (NoBackend, DeviceError) as error:
            errors.append(error)
    reasons = "; ".join(dict.fromkeys(each.problem for each in errors))
    for kind in (DeviceError, NoEngine, NoBackend):
        for each in errors:
            if isinstance(each, kind):
                raise kind(reasons, REMEDY if kind is NoEngine else each.remedy)
    raise NoEngine("no TensorRT library is installed", REMEDY)
