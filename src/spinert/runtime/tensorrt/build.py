"""Build the engines of a bundle into the cache: the only place where an engine is ever built."""

import datetime
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from spinert.bundle import Bundle, NetworkSpec, Precision
from spinert.errors import BadRequest, BuildFailed, DeviceError, NoEngine
from spinert.runtime.golden import read_golden
from spinert.runtime.network import Network
from spinert.runtime.tensorrt import cache, layers, lookup, target
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt.compile import Options, compile_network
from spinert.runtime.tensorrt.execution import EngineNetwork, open_plan
from spinert.runtime.tensorrt.identity import Identity, Sidecar, label
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.tensorrt.measure import medians
from spinert.runtime.tensorrt.progress import Progress
from spinert.runtime.tensorrt.proof import prove

Reference = Callable[[Path, NetworkSpec], Network]
BUILDABLE: tuple[Precision, ...] = ("fp32", "fp16", "int8-trt")


class Engine(NamedTuple):
    """One engine that is in the cache now; `fresh` where it was just built, `unmeasured` says why it was not timed."""

    sidecar: Sidecar
    fresh: bool
    unmeasured: str | None


class Watch(NamedTuple):
    """What is called on the way: with a network and precision at the start of each, with its progress, on waiting."""

    begin: Callable[[str, Precision], None] = lambda _network, _precision: None
    progress: Progress = lambda _share, _left: None
    waiting: Callable[[], None] = lambda: None


def default_precisions(bundle: Bundle) -> tuple[Precision, ...]:
    """fp16 where the bundle has it, else fp32."""
    return ("fp16",) if has(bundle, "fp16") else ("fp32",)


def has(bundle: Bundle, precision: Precision) -> bool:
    """Whether all networks of a bundle have a file of this precision."""
    return all(precision in spec.files for spec in bundle.manifest.networks.values())


def choose_library(name: libraries.Name | None) -> Library:
    """The one of this name, or the first installed one that builds. Raises NoBackend or BuildFailed."""
    if name is not None:
        library = libraries.load(name)
    else:
        installed = libraries.installed()
        library = libraries.load(
            next((each for each in installed if each != "tensorrt_lean"), (*installed, "tensorrt")[0])
        )
    if not library.builds:
        raise BuildFailed(
            f"{library} runs engines and cannot build any",
            f"build where tensorrt is, with --version-compatible, or bring it: {libraries.command('tensorrt')}",
        )
    return library


def build(
    bundle: Bundle,
    precisions: Sequence[str],
    library: Library,
    options: Options,
    watch: Watch,
    *,
    by: str,
    rebuild: bool = False,
    reference: Reference | None = None,
) -> Iterator[Engine]:
    """Each network in each precision, in the order that lets int8-trt be compared with fp16; found ones are kept.

    by          the version of spinert, for the description
    rebuild     build them again though they are there
    reference   opens an fp32 file on the processor, to compare the outputs of the engines with

    With a device here one that is found is opened, and built again where its library refuses it by now; one that was
    not measured on this device is run on the golden inputs, and not kept where it fails `proof.prove`.
    With a device here each engine is timed, and int8-trt is kept only where it is faster than fp16.
    Raises BadRequest for a precision that cannot be built, BuildFailed as `compile_network`, where the cache cannot be
    written to, and where int8-trt is not faster; DeviceError where a device is needed or fails.
    """
    have = [precision for precision in BUILDABLE if has(bundle, precision)]
    if absent := sorted(set(precisions) - set(have)):
        raise BadRequest(
            f"bundle {bundle.name!r} has no {', '.join(absent)} files for a GPU, only: {', '.join(have)}",
            "choose one of these, or make it: spinert calibrate",
        )
    here = target.of(library)
    options = options._replace(own_gpu=library.portable and here.gpu != target.ANY_GPU)
    for precision in [each for each in have if each in precisions]:
        for network in bundle.manifest.networks:
            watch.begin(network, precision)
            with cache.locked(watch.waiting) as box:
                engine = _Work(
                    bundle, network, precision, library, here, options, watch, box, by, rebuild, reference
                ).engine()
            yield engine


class _Work(NamedTuple):
    """One engine to have, while the cache is locked."""

    bundle: Bundle
    network: str
    precision: Precision
    library: Library
    here: target.Target
    options: Options
    watch: Watch
    box: str
    by: str
    rebuild: bool
    reference: Reference | None

    @property
    def spec(self) -> NetworkSpec:
        return self.bundle.manifest.networks[self.network]

    def engine(self) -> Engine:
        path = self.bundle.network_file(self.network, self.precision)
        content = path.read_bytes()
        identity = Identity(
            onnx_sha256=hashlib.sha256(content).hexdigest(),
            precision=self.precision,
            max_batch=self.options.max_batch,
            options=self.options.names(),
            target=self.here,
        )
        entry = cache.find(identity.key)
        sidecar = entry.sidecar if entry is not None else None
        plan = self._stored(sidecar)
        if sidecar is None or plan is None:
            plan, sidecar = self._built(content, identity)
            fresh = True
        elif sidecar.milliseconds is not None and sidecar.measured_on == target.machine():
            return Engine(sidecar, fresh=False, unmeasured=None)
        else:
            fresh = False
        unmeasured = target.no_device()
        kernels = b""
        if unmeasured is None:
            try:
                sidecar, kernels = self._measured(sidecar, plan)
            except BuildFailed:
                if not fresh:
                    cache.withdraw(sidecar)
                raise
            except DeviceError:
                # what was built stays, as if no GPU had been here; but int8-trt is nothing before it was compared
                if fresh and self.precision != "int8-trt":
                    cache.publish(sidecar, plan)
                raise
        if fresh or unmeasured is None:
            cache.publish(sidecar, plan if fresh else None, kernels)
        return Engine(sidecar, fresh, unmeasured)

    def _stored(self, sidecar: Sidecar | None) -> bytes | None:
        """The plan in the cache; None where it is to be built again.

        That is where it is damaged, came from elsewhere with code, or its library refuses it on the device here.
        """
        if sidecar is None or self.rebuild or (sidecar.identity.host_code and sidecar.box != self.box):
            return None
        try:
            plan = cache.plan(sidecar)
        except ValueError:
            return None
        if target.no_device() is None:
            try:
                self._opened(sidecar, plan)
            except NoEngine:
                cache.withdraw(sidecar)
                return None
        return plan

    def _opened(self, sidecar: Sidecar, plan: bytes) -> EngineNetwork:
        return open_plan(self.library, plan, self.spec, sidecar.file, host_code=sidecar.identity.host_code)

    def _built(self, content: bytes, identity: Identity) -> tuple[bytes, Sidecar]:
        timings = f"timings-{hashlib.sha256(msgspec.json.encode(self.here)).hexdigest()[:16]}.bin"
        file = self.bundle.network_file(self.network, self.precision)
        compiled = compile_network(
            self.library,
            content,
            self.spec,
            self.options,
            file=file.name,
            timings=cache.read(timings),
            progress=self.watch.progress,
        )
        if compiled.timings:
            with cache.writing():
                cache.write(timings, compiled.timings)
        found = layers.layers(compiled.report)
        return compiled.plan, Sidecar(
            identity=identity,
            bundle=self.bundle.name,
            network=self.network,
            file=label(file),
            plan_sha256=hashlib.sha256(compiled.plan).hexdigest(),
            plan_bytes=len(compiled.plan),
            layers=len(found),
            layer_types=layers.count_types(found),
            build_seconds=round(compiled.seconds, 3),
            milliseconds=None,
            driver=target.driver(),
            cuda=target.cuda_of_driver(),
            spinert=self.by,
            box=self.box,
            built=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )

    def _measured(self, sidecar: Sidecar, plan: bytes) -> tuple[Sidecar, bytes]:
        """Proved and timed here, int8-trt in turns with the engine that it would replace; and the compiled kernels."""
        try:
            network = self._opened(sidecar, plan)
        except NoEngine as error:
            raise BuildFailed(f"what was built cannot be run here: {error.problem}", "try another library") from None
        difference = self._proved(network, sidecar)
        if self.precision == "int8-trt":
            taken, before = medians([network, self._replaced()])
            if taken >= before:
                raise BuildFailed(
                    f"the int8-trt engine of {sidecar.file} takes {taken:.3f} ms, the fp16 engine {before:.3f} ms: "
                    f"it is {100 * (taken / before - 1):.0f} % slower and is not kept",
                    "use fp16 on this GPU",
                )
        else:
            (taken,) = medians([network])
        kernels = network.compiled()
        sha256 = hashlib.sha256(kernels).hexdigest() if kernels else None
        measured = msgspec.structs.replace(
            sidecar,
            milliseconds=round(taken, 4),
            measured_on=target.machine(),
            difference=difference,
            kernels_sha256=sha256,
        )
        return measured, kernels

    def _proved(self, network: EngineNetwork, sidecar: Sidecar) -> float | None:
        """The difference from fp32, as `prove`; None where the bundle has no golden inputs."""
        if self.spec.golden is None:
            return None
        golden, reference = read_golden(self.bundle, self.network), None
        if self.reference is not None and "fp32" in self.spec.files:
            reference = self.reference(self.bundle.network_file(self.network, "fp32"), self.spec)
        file, most = sidecar.file, self.options.max_batch
        return prove(network, reference, golden, self.spec, self.precision, max_batch=most, file=file)

    def _replaced(self) -> EngineNetwork:
        """The fp16 engine in the cache. Raises BuildFailed where there is none to compare with."""
        if not has(self.bundle, "fp16"):
            raise BuildFailed(
                f"bundle {self.bundle.name!r} has no fp16 file that int8-trt could be compared with",
                "make it: spinert calibrate --precision fp16",
            )
        try:
            found = lookup.find(self.bundle.network_file(self.network, "fp16"), self.library)
        except NoEngine as error:
            raise BuildFailed(
                f"int8-trt is kept only where it is faster than fp16, and {error.problem}",
                "build both: --precision fp16 --precision int8-trt",
            ) from None
        return open_plan(self.library, found.plan, self.spec, found.sidecar.file, host_code=found.host_code)
