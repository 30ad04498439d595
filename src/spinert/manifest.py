"""The content of `bundle.json`: what a bundle says of its networks, its pipelines and how their findings are fused.

Every struct refuses keys that it does not know. `check` holds what no single field can say: that each name leads
somewhere. `spinert.bundle` reads and writes it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from spinert.errors import BadBundle

FORMAT_VERSION = 1
MANIFEST = "bundle.json"

Precision = Literal["fp32", "fp16", "int8-cpu", "int8-trt"]


class TensorSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tensor of a network. `shape` has None for the free batch axis; `dtype` is a NumPy name."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        """As in `image float32 [N, 1, 768, 320]`."""
        return f"{self.name} {self.dtype} [{', '.join('N' if size is None else str(size) for size in self.shape)}]"


class NetworkSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network: its tensors and one ONNX file (relative path) for each precision."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    files: dict[Precision, str]
    opset: int
    golden: str | None = None
    """`.npz` with one array for each input: what two runs of the network are compared on."""
    golden_max_abs_difference: float | None = None
    """Largest |onnxruntime - torch| over the golden inputs when the bundle was exported."""


Weight = Annotated[float, msgspec.Meta(gt=0)]
"""What one of several counts beside the others; only the proportions matter."""


class Ensemble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Several networks with equal tensors that a pipeline sees as one, whose outputs are the weighted mean of theirs.

    The mean is of the values as the networks give them: of logits where they give logits. `weights` are one for each
    network, in order; equal where none are given.
    """

    networks: tuple[str, ...]
    weights: tuple[Weight, ...] = ()
    combine: Literal["mean"] = "mean"


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A further pipeline that examines the same image, beside the bundle's own.

    `networks` has, for each role of the pipeline, the network or ensemble of the bundle that plays it; a role that is
    left out is played by the one of its own name. `class_names` are the bundle's where none are given.
    """

    pipeline: str
    networks: dict[str, str] = {}
    settings: dict[str, Any]
    class_names: tuple[str, ...] | None = None


class _Fusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="method"):
    most_degrees_apart: Annotated[float, msgspec.Meta(gt=0, le=180)] = 5.0
    """An angle over which the members differ by more is flagged; readers of Cobb angles differ by 3 to 5 degrees."""


class MeanFusion(_Fusion, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="mean"):
    """Every angle is the weighted mean of the members' angles; one weight each, the bundle's own pipeline first."""

    weights: tuple[Weight, ...] = ()


class VoteFusion(_Fusion, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="vote"):
    """Members vote on the end vertebrae, and every angle is the mean of theirs between the voted ones."""

    side_ratio: Annotated[float, msgspec.Meta(ge=1)]
    """A member with a vertebra that has a side this many times longer than the opposite one has no vote."""


Fusion = MeanFusion | VoteFusion
"""By its key `method`; `spinert.runtime.fusion` says what each does."""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the weights come from.

    With several networks, `recipe` holds the recipe of each in the order of `networks`, joined by ` + `, and
    `weights_sha256` is the SHA-256 of theirs in that order, 64 hexadecimal digits each with nothing between.
    """

    recipe: str
    data: str
    split: str
    date: str
    spinert: str
    weights_sha256: str


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the files of a precision other than fp32 were made, and where the proof lies that they agree with fp32."""

    method: str
    """Such as `percentile 99.999, channels equalized, openvino layout`."""
    calibrated_on: str
    """Number and fingerprint of the studies that gave the ranges; never their names."""
    report: str
    """Relative path of the JSON report of the agreement gate."""
    pictures: tuple[str, ...] = ()
    """Relative paths of its plots."""


class Ranked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to run the bundle on a CPU, as it was measured when the bundle was calibrated."""

    backend: str
    precision: Precision
    milliseconds: float
    """Median of its networks together, on one thread."""
    speedup: float
    """Over fp32 on onnxruntime, measured in turns with it."""
    instructions: tuple[str, ...] = ()
    """What the processor must have, as Linux names it: integer products are summed otherwise without, and the proof
    does not hold there."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The content of `bundle.json`. What has its default is not written."""

    format_version: int
    name: str
    pipeline: str
    networks: dict[str, NetworkSpec]
    ensembles: dict[str, Ensemble] = {}
    """By the role that the pipeline asks for, as it would for a network of this name."""
    settings: dict[str, Any]
    class_names: tuple[str, ...]
    members: dict[str, Member] = {}
    """Further pipelines; the bundle's own is the first member, and its name in this is the bundle's."""
    fusion: Fusion | None = None
    """How the members' findings become one result; there where there are members."""
    provenance: Training
    model_card: str
    variants: dict[Precision, Variant] = {}
    cpu: tuple[Ranked, ...] = ()
    """What to run on a CPU, fastest first; empty where nothing but fp32 was measured."""
    sha256: dict[str, str]
    """Relative path -> SHA-256 of every file in the folder; that of `bundle.json` is of its content without it."""


def check(manifest: Manifest) -> None:
    """What `check_names` holds, and every named file stays in the folder and is hashed.

    Raises BadBundle naming what does not.
    """
    _check_paths(manifest)
    check_names(manifest)


def check_names(manifest: Manifest) -> None:
    """There is a network, and every name of one leads to one. Raises BadBundle naming what does not."""
    if not manifest.networks:
        raise BadBundle(f"bundle {manifest.name!r} has no network", "export the bundle again")
    for role, ensemble in manifest.ensembles.items():
        _check_ensemble(manifest, role, ensemble)
    _check_members(manifest)


def _check_paths(manifest: Manifest) -> None:
    listed = set(manifest.sha256)
    used = {MANIFEST, manifest.model_card}
    for spec in manifest.networks.values():
        used.update(spec.files.values())
        if spec.golden is not None:
            used.add(spec.golden)
    for variant in manifest.variants.values():
        used.update((variant.report, *variant.pictures))
    for name in sorted(listed | used):
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise BadBundle(
                f"bundle {manifest.name!r} names {name!r}, which leaves its folder", "use only paths inside the folder"
            )
    if unhashed := sorted(used - listed):
        raise BadBundle(
            f"{MANIFEST} of {manifest.name!r} has no SHA-256 for: {', '.join(unhashed)}", "export the bundle again"
        )


def _check_ensemble(manifest: Manifest, role: str, ensemble: Ensemble) -> None:
    whole = f"ensemble {role!r} of bundle {manifest.name!r}"
    if role in manifest.networks:
        raise BadBundle(f"{whole} has the name of a network", "give one of them another name")
    if unknown := [name for name in ensemble.networks if name not in manifest.networks]:
        raise BadBundle(
            f"{whole} names {_quoted(unknown)}, the bundle has only the networks: {', '.join(manifest.networks)}",
            "name networks of the bundle",
        )
    if len(set(ensemble.networks)) < max(2, len(ensemble.networks)):
        raise BadBundle(
            f"{whole} is of {_quoted(ensemble.networks) or 'no network'}, expected two or more different ones",
            "name each network once",
        )
    _check_weights(f"{whole} has", ensemble.weights, len(ensemble.networks), "networks")
    # a mean over networks that say other things would be a mean of nothing
    first, *others = ensemble.networks
    for other in others:
        for which in ("inputs", "outputs"):
            one, two = (getattr(manifest.networks[name], which) for name in (first, other))
            if one != two:
                raise BadBundle(
                    f"the {which} of {first!r} and {other!r} in {whole} differ: {_tensors(one)} and {_tensors(two)}",
                    "combine networks with equal tensors",
                )
    if whole_numbers := [each for each in manifest.networks[first].outputs if not each.dtype.startswith("float")]:
        raise BadBundle(
            f"{whole} would average {_tensors(whole_numbers)}, whose mean means nothing",
            "combine networks whose outputs are fractions",
        )


def _check_members(manifest: Manifest) -> None:
    if bool(manifest.members) != (manifest.fusion is not None):
        have, lack = ("members", "fusion") if manifest.members else ("fusion", "members")
        raise BadBundle(
            f"bundle {manifest.name!r} has `{have}` and no `{lack}`", "a fusion needs members, and members a fusion"
        )
    if manifest.name in manifest.members:
        raise BadBundle(
            f"a member of bundle {manifest.name!r} has the bundle's own name, which its first member goes by",
            "give the member another name",
        )
    players = {*manifest.networks, *manifest.ensembles}
    for name, member in manifest.members.items():
        if unknown := [each for each in member.networks.values() if each not in players]:
            raise BadBundle(
                f"member {name!r} of bundle {manifest.name!r} names {_quoted(unknown)}, the bundle has only: "
                f"{', '.join([*manifest.networks, *manifest.ensembles])}",
                "name networks or ensembles of the bundle",
            )
    if isinstance(manifest.fusion, MeanFusion):
        count = 1 + len(manifest.members)
        _check_weights(f"the fusion of bundle {manifest.name!r} has", manifest.fusion.weights, count, "members")


def _check_weights(who_has: str, weights: tuple[float, ...], count: int, of: str) -> None:
    if weights and len(weights) != count:
        raise BadBundle(
            f"{who_has} {len(weights)} weights for {count} {of}", f"give one for each of the {of}, or none at all"
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _tensors(specs: Iterable[TensorSpec]) -> str:
    return "; ".join(map(str, specs))
