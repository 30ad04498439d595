"""A bundle's golden inputs through every backend and precision that runs here, compared with fp32 on onnxruntime.

Compared are the tensors, and what the pipeline makes of them in clinical units: over an image made of each golden input
and over studies, where some are given. Networks run on one thread, so that the same machine gives the same answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.bundle import Bundle, Precision
from spinert.errors import BadNetwork, NoBackend, SpinertError
from spinert.image import Image
from spinert.runtime import backends, files, golden, pipelines
from spinert.runtime.choice import PRECISIONS, RUNS, Choice, Opened, candidates, open_as
from spinert.runtime.differences import Differences, Summary, differences, network_pixel_mm, same_vertebrae, summarize
from spinert.runtime.infer import Examined, Model
from spinert.runtime.network import Arrays, Network

REFERENCE = Choice("ort", "cpu", "fp32")
THREADS = 1
_WHITE = 65535


class TensorDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One output tensor over the golden inputs. `relative` is the largest difference over the largest magnitude."""

    network: str
    tensor: str
    largest: float
    rms: float
    relative: float
    tolerated: float
    """What fp32 may differ by."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One backend with one precision. `reason` says why it did not run, `failure` what was wrong when it did."""

    backend: str
    precision: Precision
    provider: str | None = None
    reason: str | None = None
    failure: str | None = None
    tensors: tuple[TensorDifference, ...] = ()
    clinical: Summary | None = None

    @property
    def agrees(self) -> bool:
        """Whether it ran and all was finite and, in fp32, within the tolerance of every tensor.

        Other precisions have a gate of their own, in clinical units, when they are made.
        """
        within = all(each.largest <= each.tolerated for each in self.tensors)
        return self.reason is None and self.failure is None and (within or self.precision != "fp32")


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a bundle. `left_out`: studies that could not be examined, and why."""

    bundle: str
    bundle_sha256: str
    reference: str
    golden_images: int
    studies: int
    left_out: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def agrees(self) -> bool:
        """Whether all that ran agree."""
        return all(row.agrees for row in self.rows if row.reason is None)

    def to_json(self) -> bytes:
        """One line of UTF-8 JSON, with `agrees` for each row and for all."""
        document = msgspec.to_builtins(self)
        for row, builtin in zip(self.rows, document["rows"], strict=True):
            builtin["agrees"] = row.agrees
        return msgspec.json.encode({**document, "agrees": self.agrees})


def verify(
    bundle: Bundle, *, backend: str | None = None, precision: Precision | None = None, studies: Sequence[Path] = ()
) -> Verification:
    """Run and compare; `backend` and `precision` leave only those rows, and only the reference beside them.

    studies   files, folders and zip archives; one that cannot be examined is named and left out
    Raises BadRequest for a backend, precision or path that does not exist, BadBundle where the bundle has no golden
    inputs, NoBackend where the reference cannot run here or nothing of what was asked for.
    """
    candidates(bundle.manifest, backend=backend, precision=precision)  # does what was asked for exist?
    pipelines.settings_of(bundle.manifest)  # and does the bundle fit its pipeline?
    found = files.find_studies(studies)
    names = pipelines.load(bundle.manifest.pipeline).NETWORKS
    inputs = {name: golden.read_golden(bundle, name) for name in names}
    reference = _Run(bundle, REFERENCE, names)
    runs = [_Run(bundle, way, names) for way in _ways(bundle, backend, precision)]
    try:
        if reference.reason is not None:
            raise NoBackend(
                f"the reference, fp32 on onnxruntime, cannot run here: {reference.reason}", "see the reason"
            )
        if all(run.reason is not None for run in runs):
            told = "; ".join(f"{run.way.backend} {run.way.precision}: {run.reason}" for run in runs)
            raise NoBackend(f"nothing of what was asked for runs here: {told}", "bring one of them, or ask for less")
        for run in runs:
            run.compare_tensors(inputs, reference)
        images = _golden_images(inputs)
        for image in images:
            _compare_findings([image], reference, runs)
        left_out = tuple(_compare_studies(found, reference, runs))
    finally:
        for run in (reference, *runs):
            run.close()
    return Verification(
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        reference=f"{REFERENCE.precision} on onnxruntime",
        golden_images=len(images),
        studies=len(found) - len(left_out),
        left_out=left_out,
        rows=tuple(run.row() for run in runs),
    )


class _Run:
    """One row while it is made: the model where it could be opened, and what is known so far."""

    def __init__(self, bundle: Bundle, way: Choice, names: Sequence[str]) -> None:
        self.way = way
        self.networks: Mapping[str, Network] = {}
        self.model: Model | None = None
        self.reason = backends.load(way.backend).missing()
        self.failure: str | None = None
        self.tensors: list[TensorDifference] = []
        self.images: list[Differences] = []
        if self.reason is None:
            try:
                networks = open_as(bundle, names, way, threads=THREADS)
                self.model = Model(bundle, lambda _: Opened(networks, way, ()))
                self.networks = networks
            except SpinertError as error:
                self.reason = error.problem

    def compare_tensors(self, inputs: Mapping[str, Arrays], reference: "_Run") -> None:
        for name, network in self.networks.items():
            try:
                found = golden.compare(inputs[name], reference.networks[name], network)
            except BadNetwork as error:
                self.failure = self.failure or error.problem
                continue
            self.tensors += [
                TensorDifference(
                    network=name,
                    tensor=each.tensor,
                    largest=each.absolute,
                    rms=each.rms,
                    relative=each.absolute / each.magnitude if each.magnitude else 0.0,
                    tolerated=each.tolerated,
                )
                for each in found
            ]

    def compare_findings(self, images: Sequence[Image], want: Examined) -> None:
        if self.model is None or self.failure is not None:
            return
        try:
            got = self.model.infer_images(images).result
        except SpinertError as error:
            self.failure = error.problem
            return
        if not same_vertebrae(want.result.findings, got.findings):
            self.failure = "it finds other vertebrae than the reference"
            return
        pixel_mm = network_pixel_mm(want.image, _size(self.networks))
        self.images.append(differences(want.result.findings, got.findings, want.image, pixel_mm))

    def row(self) -> Row:
        return Row(
            backend=self.way.backend,
            precision=self.way.precision,
            provider=next((network.provider for network in self.networks.values()), None),
            reason=self.reason,
            failure=self.failure,
            tensors=tuple(self.tensors),
            clinical=summarize(self.images) if self.images else None,
        )

    def close(self) -> None:
        if self.model is not None:
            self.model.close()


def _ways(bundle: Bundle, backend: str | None, precision: Precision | None) -> list[Choice]:
    """Every backend with every precision that the bundle has for all its networks, the reference's backend first."""
    networks = bundle.manifest.networks.values()
    have = [each for each in PRECISIONS if all(each in spec.files for spec in networks)]
    scores = {name: backends.load(name).SCORE for name in backends.names()}
    ways = [
        Choice(name, next(iter(scores[name])), each)
        for name in sorted(scores, key=lambda name: (name != REFERENCE.backend, name))
        for each in have
        if backend in (None, name) and precision in (None, each)
    ]
    return [way for way in ways if way.precision in RUNS[way.device]]


def _golden_images(inputs: Mapping[str, Arrays]) -> list[Image]:
    """A film from each input that looks like one, [1, 1, height, width] of 0..1."""
    return [
        Image(_film(array[0, 0]), "OT")
        for arrays in inputs.values()
        for array in arrays.values()
        if array.ndim == 4 and array.shape[:2] == (1, 1)
    ]


def _film(values: NDArray[Any]) -> NDArray[np.uint16]:
    film: NDArray[np.uint16] = np.round(np.clip(values, 0.0, 1.0) * _WHITE).astype(np.uint16)
    return film


def _compare_studies(found: Sequence[files.StudyFiles], reference: _Run, runs: Sequence[_Run]) -> Iterator[str]:
    """Yields what is said of each study that could not be examined."""
    for study in found:
        try:
            _compare_findings(files.read_study(study), reference, runs)
        except SpinertError as error:
            yield f"{study.name}: {error.problem}"


def _compare_findings(images: Sequence[Image], reference: _Run, runs: Sequence[_Run]) -> None:
    """Raises what the reference raises; what another raises is its own failure."""
    assert reference.model is not None
    want = reference.model.infer_images(images)
    for run in runs:
        run.compare_findings(images, want)


def _size(networks: Mapping[str, Network]) -> tuple[int, int]:
    """Height and width of what the first network is fed."""
    *_, height, width = next(iter(networks.values())).inputs[0].shape
    assert height is not None
    assert width is not None
    return height, width
