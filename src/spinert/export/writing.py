"""Torch networks become the files of a bundle: ONNX, golden inputs, the proof that onnxruntime agrees with torch."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

import spinert
from spinert import bundle as bundles
from spinert.bundle import Bundle, Manifest, NetworkSpec, Training
from spinert.errors import BadBundle, BadRequest, ExportFailed
from spinert.export.description import Description
from spinert.export.from_study import inputs_from_study
from spinert.runtime import golden, members
from spinert.runtime.backends import ort
from spinert.runtime.network import Network

if TYPE_CHECKING:
    from spinert.export.source import Source

MODEL_CARD = "model_card.md"


class Exported(NamedTuple):
    """The bundle, and how far onnxruntime is from torch on its golden inputs, for each output tensor.

    With several networks a tensor goes by `NETWORK TENSOR`.
    """

    bundle: Bundle
    differences: tuple[golden.Difference, ...]


def write_networks(
    origins: Sequence["Source"], folder: Path, description: Description, model_card: str, golden_study: Path | None
) -> Exported:
    """Write the bundle of these networks, each compared with torch, to `folder`, whole or not at all.

    Raises as `export.export_bundle`.
    """
    from spinert.export import onnx_graph  # torch and onnx

    specs: dict[str, NetworkSpec] = {}
    files: dict[str, bytes] = {}
    for origin in origins:
        model = onnx_graph.convert(origin.program, network=origin.network, inputs=origin.inputs, outputs=origin.outputs)
        file = f"{origin.network}.fp32.onnx"
        files[file] = model.SerializeToString(deterministic=True)
        specs[origin.network] = NetworkSpec(
            inputs=onnx_graph.specs_of(model.graph.input),
            outputs=onnx_graph.specs_of(model.graph.output),
            files={"fp32": file},
            opset=onnx_graph.OPSET,
            golden=f"{origin.network}.golden.npz",
        )
    manifest = _manifest(origins, specs, description)
    differences: list[golden.Difference] = []
    with _opened(specs, files) as networks:
        if golden_study is None:
            arrays = {name: dict(golden.make_golden(spec.inputs)) for name, spec in specs.items()}
        else:
            arrays = inputs_from_study(golden_study, manifest, networks)
        for origin in origins:
            name = origin.network
            found = golden.compare(arrays[name], origin.reference, networks[name])
            _check(name, found)
            worst = max(each.absolute for each in found)
            specs[name] = msgspec.structs.replace(specs[name], golden_max_abs_difference=worst)
            prefix = f"{name} " if len(origins) > 1 else ""
            differences += [each._replace(tensor=f"{prefix}{each.tensor}") for each in found]
    for name, spec in specs.items():
        assert spec.golden is not None
        files[spec.golden] = golden.encode_golden(arrays[name])
    files[MODEL_CARD] = model_card.encode()
    manifest = msgspec.structs.replace(manifest, networks=specs)
    return Exported(bundles.write(folder, manifest, files), tuple(differences))


@contextmanager
def _opened(specs: Mapping[str, NetworkSpec], files: Mapping[str, bytes]) -> Iterator[dict[str, Network]]:
    """The networks in the runtime's own backend."""
    with tempfile.TemporaryDirectory(prefix="spinert-export-") as scratch, ExitStack() as opened:
        networks: dict[str, Network] = {}
        for name, spec in specs.items():
            path = Path(scratch) / spec.files["fp32"]
            path.write_bytes(files[spec.files["fp32"]])
            networks[name] = ort.open_network(path, spec, threads=1)
            opened.callback(networks[name].close)
        yield networks


def _check(network: str, differences: tuple[golden.Difference, ...]) -> None:
    """Torch against that backend. Raises ExportFailed beyond the tolerance."""
    for each in differences:
        if each.absolute > each.tolerated:
            raise ExportFailed(
                f"network {network!r}: onnxruntime and torch disagree in {each.tensor!r}: {each.candidate:.6g} against "
                f"{each.reference:.6g}, a difference of {each.absolute:.3g} where {each.tolerated:.3g} is tolerated",
                "look for an operator that ONNX defines differently, and for overflow in the weights",
            )


def check_names(description: Description) -> None:
    """Does every network that a description names exist in it? Asked first, because networks take minutes to convert.

    Raises BadRequest naming what does not.
    """
    unknown = NetworkSpec(inputs=(), outputs=(), files={}, opset=0)
    manifest = _unchecked(dict.fromkeys(description.networks, unknown), description, "", "")
    with _as_request():
        bundles.check_names(manifest)


def _manifest(origins: Sequence["Source"], specs: dict[str, NetworkSpec], description: Description) -> Manifest:
    """Raises BadRequest where the description and the pipelines do not fit the networks or each other."""
    recipe = " + ".join(origin.recipe for origin in origins)
    manifest = _unchecked(specs, description, recipe, _sha256_of([origin.weights_sha256 for origin in origins]))
    with _as_request():
        bundles.check_names(manifest)
        members.members_of(manifest)
    return manifest


def _unchecked(specs: dict[str, NetworkSpec], description: Description, recipe: str, weights_sha256: str) -> Manifest:
    return Manifest(
        format_version=bundles.FORMAT_VERSION,
        name=description.name,
        pipeline=description.pipeline,
        networks=specs,
        ensembles=description.ensembles,
        settings=description.settings,
        class_names=description.class_names,
        members=description.members,
        fusion=description.fusion,
        provenance=Training(
            recipe=recipe,
            data=description.data,
            split=description.split,
            date=description.date.isoformat(),
            spinert=spinert.__version__,
            weights_sha256=weights_sha256,
        ),
        model_card=MODEL_CARD,
        sha256={},
    )


@contextmanager
def _as_request() -> Iterator[None]:
    """What is wrong with a bundle that is not there yet is wrong with its description."""
    try:
        yield
    except BadBundle as error:
        raise BadRequest(f"description and network do not fit: {error.problem}", "correct the description") from None


def _sha256_of(weights: Sequence[str]) -> str:
    """As `Training.weights_sha256` says."""
    if len(weights) == 1:
        return weights[0]
    return hashlib.sha256("".join(weights).encode()).hexdigest()
