"""Which backend runs which file of a bundle: the best that is usable here, or exactly what was asked for."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from spinert import bundle as bundles
from spinert.bundle import Bundle, Manifest, Precision
from spinert.errors import BadRequest, DeviceError, NoBackend, NoEngine
from spinert.runtime import backends, processor
from spinert.runtime.backends import Device
from spinert.runtime.network import Network

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
FASTEST_FIRST: dict[Device, tuple[Precision, ...]] = {
    # an int8-trt engine exists only where it was measured faster than the fp16 one, see `spinert build`
    "cuda": ("int8-trt", "fp16", "fp32"),
    "cpu": ("fp32",),
}
"""What is tried unasked. On a CPU an int8 file is run only by the backend that the bundle's record names."""
RUNS: dict[Device, tuple[Precision, ...]] = {"cuda": FASTEST_FIRST["cuda"], "cpu": PRECISIONS}
"""What a device runs when it is asked for: a CPU computes the files of a GPU in float32, rounding as they say."""


class Choice(NamedTuple):
    """One way to run a bundle; `backend` is the name of a module of `spinert.runtime.backends`."""

    backend: str
    device: Device
    precision: Precision


class Opened(NamedTuple):
    """The opened networks by name, what was chosen, and what the reader of a result must know of the choice."""

    networks: dict[str, Network]
    choice: Choice
    warnings: tuple[str, ...]


def candidates(
    manifest: Manifest,
    *,
    backend: str | None = None,
    precision: Precision | None = None,
    require_gpu: bool = False,
) -> tuple[Choice, ...]:
    """All ways to run a bundle that fit what was asked, best first; whether they are usable here is not asked yet.

    Raises BadRequest for a backend or precision that does not exist, or that the bundle does not have.
    """
    _check_asked(manifest, backend, precision)
    ways = dict.fromkeys(_ways(manifest, precision, named=backend is not None))
    return tuple(
        way
        for way in ways
        if (backend is None or way.backend == backend)
        and _has(manifest, way.precision)
        and way.precision in RUNS[way.device]
        and (way.device == "cuda" or not require_gpu)
    )


def open_networks(
    bundle: Bundle,
    names: Sequence[str],
    *,
    threads: int,
    backend: str | None = None,
    precision: Precision | None = None,
    require_gpu: bool = False,
) -> Opened:
    """Open these networks of a bundle with the first candidate that is usable here.

    A backend that would have come first and lacks its engine, cannot be loaded, or whose device fails, is told in a
    warning.
    Raises BadRequest as `candidates`, NoEngine with the command where only an engine is missing, NoBackend with the
    reason of each candidate, DeviceError where the device that was asked for fails, BadNetwork where a file is broken.
    """
    ways = candidates(bundle.manifest, backend=backend, precision=precision, require_gpu=require_gpu)
    reasons: dict[str, str] = {}
    warnings: list[str] = []
    lacking: dict[Choice, str] = {}
    for way in ways:
        reason = backends.load(way.backend).missing() or _unproven_here(bundle.manifest, way, asked=backend is not None)
        if reason is None:
            try:
                opened = open_as(bundle, names, way, threads=threads)
            except NoEngine as error:
                lacking[way] = error.problem
            except (NoBackend, DeviceError) as error:
                if isinstance(error, DeviceError) and (require_gpu or backend is not None):
                    raise
                reasons[way.backend] = error.problem
                warnings.append(f"{way.backend} did not run: {error.problem}; {error.remedy}")
            else:
                told = [
                    f"{of.backend} did not run with {of.precision}: {why}; {how}"
                    for of, why, how in _lacking(bundle, lacking)
                    if of.backend != way.backend or of.precision != "int8-trt"  # which is built where it is asked for
                ]
                return Opened(opened, way, tuple(dict.fromkeys((*told, *warnings))))
        else:
            reasons[way.backend] = reason
            if _recorded(bundle.manifest, way):
                warnings.append(f"{way.backend} with {way.precision}, measured fastest on a CPU, did not run: {reason}")
    for _, problem, command in _lacking(bundle, lacking):
        raise NoEngine(problem, command)
    all_reasons = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    asked = " ".join(filter(None, (backend, precision, "on a GPU" if require_gpu else None)))
    raise NoBackend(
        f"no backend can run bundle {bundle.name!r}{f' as asked ({asked})' if asked else ''} here: "
        f"{all_reasons or 'none does so on this kind of device'}",
        "bring one of them, or ask for less" if asked else 'pip install "spinert[cpu]"',
    )


def build_command(bundle: Bundle, precision: Precision) -> str:
    """The command that builds the engine which a backend lacks; a bundle that spinert brings goes by its name."""
    shipped = bundle.folder.resolve() == Path(bundles.__file__).resolve().parent / "bundles" / bundle.name
    place = bundle.name if shipped else shlex.quote(str(bundle.folder))
    # an int8-trt engine is kept only where it is faster than the fp16 one, which must be there
    needed = ("fp16", precision) if precision == "int8-trt" else (precision,)
    return " ".join(["spinert build", place, *(f"--precision {each}" for each in needed)])


def _lacking(bundle: Bundle, problems: dict[Choice, str]) -> Iterator[tuple[Choice, str, str]]:
    """Of each backend the engine to build: the fastest that is built without being asked for, int8-trt only alone."""
    for backend in dict.fromkeys(way.backend for way in problems):
        ways = [way for way in problems if way.backend == backend]
        way = next((each for each in ways if each.precision != "int8-trt"), ways[0])
        yield way, problems[way], build_command(bundle, way.precision)


def open_as(bundle: Bundle, names: Sequence[str], way: Choice, *, threads: int) -> dict[str, Network]:
    """Open these networks exactly so, all or none.

    Raises NoEngine where the backend needs an engine that was not built here, NoBackend where it cannot be loaded,
    DeviceError where its device fails, BadNetwork where a file is broken.
    """
    module = backends.load(way.backend)
    opened: dict[str, Network] = {}
    try:
        for name in names:
            spec = bundle.manifest.networks[name]
            opened[name] = module.open_network(bundle.network_file(name, way.precision), spec, threads=threads)
    except BaseException:
        for network in opened.values():
            network.close()
        raise
    return opened


def _ways(manifest: Manifest, precision: Precision | None, *, named: bool) -> Iterator[Choice]:
    for name in backends.of_device("cuda"):
        for each in (precision,) if precision else FASTEST_FIRST["cuda"]:
            yield Choice(name, "cuda", each)
    for record in manifest.cpu:
        if precision in (None, record.precision) and record.backend in backends.names():
            yield Choice(record.backend, "cpu", record.precision)
    for name in backends.of_device("cpu"):
        for each in (precision,) if precision else FASTEST_FIRST["cpu"]:
            if each != "int8-cpu" or named:  # such a file is for one library; another only where it is asked for
                yield Choice(name, "cpu", each)


def _unproven_here(manifest: Manifest, way: Choice, *, asked: bool) -> str | None:
    """Why a recorded way is not taken unasked: the processor lacks what the proof rests on."""
    for record in manifest.cpu:
        lacking = processor.lacks(record.instructions)
        if not asked and lacking and (record.backend, record.precision) == (way.backend, way.precision):
            return f"it was proven on a processor with {' and '.join(lacking)}, which this one lacks"
    return None


def _recorded(manifest: Manifest, way: Choice) -> bool:
    return any((record.backend, record.precision) == (way.backend, way.precision) for record in manifest.cpu)


def _has(manifest: Manifest, precision: Precision) -> bool:
    return all(precision in spec.files for spec in manifest.networks.values())


def _check_asked(manifest: Manifest, backend: str | None, precision: Precision | None) -> None:
    if backend is not None and backend not in backends.names():
        raise BadRequest(f"no backend {backend!r}, only: {', '.join(backends.names())}", "name one of these")
    if precision is not None and precision not in PRECISIONS:
        raise BadRequest(f"no precision {precision!r}, only: {', '.join(PRECISIONS)}", "name one of these")
    if precision is not None and not _has(manifest, precision):
        have = [each for each in PRECISIONS if _has(manifest, each)]
        raise BadRequest(
            f"bundle {manifest.name!r} has no {precision} files, only: {', '.join(have)}",
            f"choose one of these, or make it: spinert calibrate --precision {precision}",
        )
