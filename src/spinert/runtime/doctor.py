"""What this machine offers spinert, as facts; printing them is the command line's."""

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import msgspec
from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

import spinert
from spinert.runtime import backends
from spinert.runtime.tensorrt import cache, lookup
from spinert.runtime.tensorrt import library as libraries
from spinert.runtime.tensorrt.library import Library
from spinert.runtime.threads import usable_threads

PACKAGES = (
    "numpy", "msgspec", "pydicom", "pillow", "onnxruntime", "onnxruntime-gpu", "openvino",
    "pyjpegls", "pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm",
)  # fmt: skip
CODECS_COMMAND = 'pip install "spinert[codecs]"'
SYNTAXES = {
    "RLE": uid.RLELossless,
    "JPEG baseline": uid.JPEGBaseline8Bit,
    "JPEG extended": uid.JPEGExtended12Bit,
    "JPEG lossless": uid.JPEGLosslessSV1,
    "JPEG-LS lossless": uid.JPEGLSLossless,
    "JPEG-LS near-lossless": uid.JPEGLSNearLossless,
    "JPEG 2000 lossless": uid.JPEG2000Lossless,
    "JPEG 2000": uid.JPEG2000,
    "HTJ2K lossless": uid.HTJ2KLossless,
}


class Kernels(msgspec.Struct, frozen=True):
    """Instruction sets: the one in use, those this processor has, those compiled; and CUDA, or why not."""

    active: str
    usable: tuple[str, ...]
    compiled: tuple[str, ...]
    cuda: str


class Backend(msgspec.Struct, frozen=True):
    """`scores` per device; `missing` is None where it is usable, else the reason and the remedy."""

    name: str
    scores: dict[backends.Device, int]
    missing: str | None


class Engine(msgspec.Struct, frozen=True):
    """A TensorRT engine in the cache; `unusable` is None where it can be run here, else the reason."""

    engine: str
    unusable: str | None


class TensorRt(msgspec.Struct, frozen=True):
    """The TensorRT libraries that are installed with their versions, where engines are kept, and those there."""

    libraries: dict[str, str]
    cache: str
    engines: tuple[Engine, ...]


class Codec(msgspec.Struct, frozen=True):
    """A compressed DICOM transfer syntax, what decodes it here, and the command for one that nothing decodes."""

    name: str
    transfer_syntax: str
    decoders: tuple[str, ...]
    remedy: str | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that `spinert doctor` knows."""

    spinert: str
    python: str
    platform: str
    threads: int
    kernels: Kernels | None
    kernels_missing: str | None
    backends: tuple[Backend, ...]
    tensorrt: TensorRt
    packages: dict[str, str | None]
    codecs: tuple[Codec, ...]
    bundles: tuple[str, ...]
    warnings: tuple[str, ...]
    can_infer: bool


def examine() -> Facts:
    """Look at this machine and environment. Opens no network and changes nothing."""
    try:
        kernels, kernels_missing, bundles = _kernels(), None, _bundles()
    except ImportError as error:
        kernels, kernels_missing, bundles = None, f"{error}; rebuild: pip install --force-reinstall .", ()
    found = tuple(Backend(name, backends.load(name).SCORE, backends.load(name).missing()) for name in backends.names())
    packages = {name: _version(name) for name in PACKAGES}
    return Facts(
        spinert=spinert.__version__,
        python=platform.python_version(),
        platform=platform.platform(terse=True) + " " + platform.machine(),
        threads=usable_threads(),
        kernels=kernels,
        kernels_missing=kernels_missing,
        backends=found,
        tensorrt=_tensorrt(),
        packages=packages,
        codecs=tuple(_codec(name, syntax) for name, syntax in SYNTAXES.items()),
        bundles=bundles,
        warnings=_warnings(packages),
        can_infer=kernels is not None and any(backend.missing is None for backend in found),
    )


def to_json(facts: Facts) -> bytes:
    """One line of UTF-8 JSON."""
    return msgspec.json.encode(facts)


def _kernels() -> Kernels:
    from spinert import kernels

    return Kernels(kernels.active_isa(), kernels.usable_isas(), kernels.compiled_isas(), kernels.cuda_status())


def _bundles() -> tuple[str, ...]:
    from spinert.runtime.infer import shipped

    return shipped()


def _tensorrt() -> TensorRt:
    here = [Library(name, libraries.version(name), None) for name in libraries.installed()]
    engines = tuple(Engine(lookup.title(entry), lookup.state(entry, here)) for entry in cache.entries())
    return TensorRt({library.name: library.version for library in here}, str(cache.folder()), engines)


def _codec(name: str, syntax: uid.UID) -> Codec:
    decoder = get_decoder(syntax)
    decoders = tuple(decoder.available_plugins)
    return Codec(name, str(syntax), decoders, None if decoders else CODECS_COMMAND)


def _version(package: str) -> str | None:
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return None


def _warnings(packages: dict[str, str | None]) -> tuple[str, ...]:
    """Both packages install the module `onnxruntime`; whichever came last has overwritten files of the other."""
    if packages["onnxruntime"] and packages["onnxruntime-gpu"]:
        return (
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: "
            "pip uninstall onnxruntime onnxruntime-gpu, then install one of spinert[cpu], spinert[gpu]",
        )
    return ()
