"""From a trained network to a bundle: torch -> ONNX -> compared with onnxruntime -> a folder that the runtime opens.

Only this package imports torch and onnx, and only when it is used.
"""

import datetime
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

import spinert
from spinert import bundle as bundles
from spinert.bundle import Bundle, Manifest, NetworkSpec, Training
from spinert.errors import BadBundle, BadRequest, ExportFailed
from spinert.export import recipes
from spinert.export.from_study import inputs_from_study
from spinert.runtime import golden, pipelines
from spinert.runtime.backends import ort
from spinert.runtime.network import Network

if TYPE_CHECKING:
    from spinert.export.source import Source

PROGRAM_SUFFIX = ".pt2"
MODEL_CARD = "model_card.md"


class Program(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipe would say of a `.pt2` program: where its architecture is, and names in the program's order."""

    recipe: str
    network: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle states besides its network, as `spinert export --describe` reads it from JSON.

    `settings` are those of the pipeline; `data`, `split` and `date` say what the weights were trained on and when.
    """

    name: str
    pipeline: str
    settings: dict[str, Any]
    class_names: tuple[str, ...]
    data: str
    split: str
    date: datetime.date
    program: Program | None = None


class Exported(NamedTuple):
    """The bundle, and how far onnxruntime is from torch on its golden inputs, for each output tensor."""

    bundle: Bundle
    differences: tuple[golden.Difference, ...]


def read_description(path: Path) -> Description:
    """Read a description. Raises BadRequest naming the key that is unknown, missing or of the wrong type."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror}", "name a JSON file that exists") from None
    except msgspec.MsgspecError as error:
        raise BadRequest(f"{path}: {error}", "correct it; `spinert export --help` shows an example") from None


def export_bundle(
    source: str,
    weights: Path | None,
    folder: Path,
    *,
    description: Description,
    model_card: str,
    size: tuple[int, ...] | None = None,
    golden_study: Path | None = None,
) -> Exported:
    """Export a network and write its bundle to `folder`, which appears whole or not at all.

    source      name of a recipe, with `weights` a checkpoint of tensors; or path of a `.pt2` program without `weights`
    model_card  Markdown text
    size        spatial size of a recipe's inputs, (height, width), in place of its own
    golden_study   a synthetic study, from which the pipeline prepares the golden inputs; else they are random blocks
    Raises BadRequest (arguments that do not fit each other) or ExportFailed (what is wrong with network or weights),
    BadStudy or BadGeometry where the pipeline does not take the study.
    """
    _check_request(source, weights, folder, description, model_card, size)
    _check_installed()
    origin = _open(source, weights, description, size)
    return _write(origin, folder, description, model_card, golden_study)


def _check_request(
    source: str,
    weights: Path | None,
    folder: Path,
    description: Description,
    model_card: str,
    size: tuple[int, ...] | None,
) -> None:
    if folder.exists():
        raise BadRequest(f"{folder} exists already", "choose another folder or remove this one")
    if not model_card.strip():
        raise BadRequest(
            "the model card is empty", "state data, split, metrics, date and intended use: no bundle is without a card"
        )
    if not source.endswith(PROGRAM_SUFFIX):
        if source not in recipes.names():
            raise recipes.unknown(source)
        if weights is None:
            raise BadRequest(f"recipe {source!r} is given without weights", "name the checkpoint after the recipe")
        if description.program is not None:
            raise BadRequest(
                f"the description has `program`, but {source!r} is a recipe, which says that itself", "leave it out"
            )
        return
    if weights is not None or size is not None:
        given = f"weights {weights}" if weights is not None else f"size {size}"
        raise BadRequest(f"{source} is given with {given}, but a program carries its own", "leave it out")
    if description.program is None:
        raise BadRequest(
            "the description lacks `program`, and a .pt2 file does not say what its tensors are called",
            'add "program": {"recipe": .., "network": .., "inputs": [..], "outputs": [..]}',
        )


def _check_installed() -> None:
    lacking = [name for name in ("torch", "onnx", "onnxscript") if find_spec(name) is None]
    if lacking:
        raise ExportFailed(f"not installed: {', '.join(lacking)}", 'pip install "spinert[export]"')
    if reason := ort.missing():
        raise ExportFailed("the export cannot be compared with onnxruntime", reason)


def _open(source: str, weights: Path | None, description: Description, size: tuple[int, ...] | None) -> "Source":
    from spinert.export.source import from_program, from_recipe  # torch

    if weights is not None:
        return from_recipe(source, weights, size)
    assert description.program is not None
    return from_program(Path(source), **msgspec.structs.asdict(description.program))


def _write(
    origin: "Source", folder: Path, description: Description, model_card: str, golden_study: Path | None
) -> Exported:
    from spinert.export import onnx_graph  # torch and onnx

    model = onnx_graph.convert(origin.program, network=origin.network, inputs=origin.inputs, outputs=origin.outputs)
    content = model.SerializeToString(deterministic=True)
    inputs = onnx_graph.specs_of(model.graph.input)
    graph_file, golden_file = f"{origin.network}.fp32.onnx", f"{origin.network}.golden.npz"
    spec = NetworkSpec(
        inputs=inputs,
        outputs=onnx_graph.specs_of(model.graph.output),
        files={"fp32": graph_file},
        opset=onnx_graph.OPSET,
        golden=golden_file,
    )
    manifest = _manifest(origin, spec, description)
    with _opened(spec, content) as network:
        arrays = golden.make_golden(inputs)
        if golden_study is not None:
            arrays = inputs_from_study(golden_study, manifest, origin.network, network)
        differences = golden.compare(arrays, origin.reference, network)
    _check(differences)
    spec = msgspec.structs.replace(spec, golden_max_abs_difference=max(each.absolute for each in differences))
    files = {
        graph_file: content,
        golden_file: golden.encode_golden(arrays),
        MODEL_CARD: model_card.encode(),
    }
    manifest = msgspec.structs.replace(manifest, networks={origin.network: spec})
    return Exported(bundles.write(folder, manifest, files), differences)


@contextmanager
def _opened(spec: NetworkSpec, content: bytes) -> Iterator[Network]:
    """The network in the runtime's own backend."""
    with tempfile.TemporaryDirectory(prefix="spinert-export-") as scratch:
        path = Path(scratch) / spec.files["fp32"]
        path.write_bytes(content)
        network = ort.open_network(path, spec, threads=1)
        try:
            yield network
        finally:
            network.close()


def _check(differences: tuple[golden.Difference, ...]) -> None:
    """Torch against that backend. Raises ExportFailed beyond the tolerance."""
    for each in differences:
        if each.absolute > each.tolerated:
            raise ExportFailed(
                f"onnxruntime and torch disagree in {each.tensor!r}: {each.candidate:.6g} against "
                f"{each.reference:.6g}, a difference of {each.absolute:.3g} where {each.tolerated:.3g} is tolerated",
                "look for an operator that ONNX defines differently, and for overflow in the weights",
            )


def _manifest(origin: "Source", spec: NetworkSpec, description: Description) -> Manifest:
    """Raises BadRequest where the description and the pipeline do not fit the network or each other."""
    manifest = Manifest(
        format_version=bundles.FORMAT_VERSION,
        name=description.name,
        pipeline=description.pipeline,
        networks={origin.network: spec},
        settings=description.settings,
        class_names=description.class_names,
        provenance=Training(
            recipe=origin.recipe,
            data=description.data,
            split=description.split,
            date=description.date.isoformat(),
            spinert=spinert.__version__,
            weights_sha256=origin.weights_sha256,
        ),
        model_card=MODEL_CARD,
        sha256={},
    )
    try:
        pipelines.settings_of(manifest)
    except BadBundle as error:
        raise BadRequest(f"description and network do not fit: {error.problem}", "correct the description") from None
    return manifest
