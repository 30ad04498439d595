"""The conductor: load a bundle, read a study, choose its image, run the pipeline, say what made the result."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pydicom
from numpy.typing import NDArray

import spinert
from spinert import bundle as bundles
from spinert import kernels
from spinert.bundle import Bundle, Precision
from spinert.errors import BadBundle, BadGeometry, BadStudy
from spinert.findings import Provenance, Result, Study
from spinert.image import Image
from spinert.runtime import dicom, files, notices, pipelines
from spinert.runtime.choice import Opened, open_networks
from spinert.runtime.dicom.kind import REMEDY_FOR_VIEW
from spinert.runtime.dicom.values import label
from spinert.runtime.fusion import Found, Fused, fuse
from spinert.runtime.limits import check_size, check_spacing
from spinert.runtime.members import members_of, networks_by_role, networks_of
from spinert.runtime.stopwatch import Stopwatch
from spinert.runtime.threads import usable_threads

SHIPPED = Path(spinert.__file__).parent / "bundles"

Spacing = tuple[float, float]
Source = str | Path | pydicom.Dataset | NDArray[np.uint8] | NDArray[np.uint16]


class Examined(NamedTuple):
    """The image that was chosen from a study, and what was found in it."""

    image: Image
    result: Result


def shipped() -> tuple[str, ...]:
    """Names of the bundles that come with spinert."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{bundles.MANIFEST}")))


def find_bundle(bundle: str | Path) -> Bundle:
    """Read and check a shipped bundle by its name, or any bundle by its folder. Raises BadBundle."""
    folder = SHIPPED / bundle if str(bundle) in shipped() else Path(bundle)
    if not folder.is_dir():
        raise BadBundle(
            f"no bundle {str(bundle)!r}: neither a shipped one ({', '.join(shipped())}) nor a folder",
            "name one of these or the folder of a bundle",
        )
    return bundles.load(folder)


def load(
    bundle: str | Path = "cobb",
    *,
    threads: int | None = None,
    backend: str | None = None,
    precision: Precision | None = None,
    require_gpu: bool = False,
) -> "Model":
    """Open a shipped bundle by name, or any bundle by its folder, with the best backend that is usable here.

    threads       for the network; by default what the process may really use (affinity and CPU quota)
    backend       a module of `spinert.runtime.backends`, precision one that the bundle has: these or an error
    require_gpu   a GPU or an error, never the CPU in its place
    Raises BadBundle, BadRequest, NoBackend or BadNetwork.
    """
    found = find_bundle(bundle)

    def opening(names: Sequence[str]) -> Opened:
        usable = usable_threads() if threads is None else threads
        return open_networks(
            found, names, threads=usable, backend=backend, precision=precision, require_gpu=require_gpu
        )

    return Model(found, opening)


def infer(source: Source, *, spacing_mm: Spacing | None = None, force: bool = False) -> Result:
    """`load()` the default bundle and infer once. To infer often, keep a model."""
    with load() as model:
        return model.infer(source, spacing_mm=spacing_mm, force=force)


class Model:
    """A bundle with its networks opened. Reusable, safe to call from many threads at once, closable."""

    def __init__(self, bundle: Bundle, opening: Callable[[Sequence[str]], Opened]) -> None:
        """`opening` is called once, with the names of the networks, when the bundle has been found to fit."""
        self.bundle = bundle
        self._members = members_of(bundle.manifest)
        self._networks, self.choice, self._warnings = opening(networks_of(bundle.manifest))
        self._roles = [networks_by_role(bundle.manifest, member, self._networks) for member in self._members]

    def infer(self, source: Source, *, spacing_mm: Spacing | None = None, force: bool = False) -> Result:
        """Examine one study: a file, folder or zip, a pydicom Dataset, or a grey array with bone bright.

        spacing_mm   (between rows, between columns); needed for arrays and for PNG and JPEG files
        force        takes a DICOM image against its header: the given spacing, the view, the orientation
        Raises BadRequest for a path that does not exist, BadStudy or BadGeometry where the input is unsafe to measure,
        BadNetwork where the network fails on it.
        """
        if isinstance(source, np.ndarray):
            return self.infer_images([_image_of(source, spacing_mm)]).result
        if isinstance(source, pydicom.Dataset):
            image = dicom.image_of(source, spacing_mm=spacing_mm, force=force)
            return self.infer_images([image], force=force).result
        return self.infer_files(Path(source), spacing_mm=spacing_mm, force=force).result

    def infer_files(
        self, study: files.StudyFiles | Path, *, spacing_mm: Spacing | None = None, force: bool = False
    ) -> Examined:
        """Read one study and examine it; a path must hold exactly one."""
        stopwatch = Stopwatch()
        with stopwatch.stage("read"):
            study = files.only_study(study) if isinstance(study, Path) else study
            images = files.read_study(study, spacing_mm=spacing_mm, force=force)
        with files.naming(study):
            chosen = self._choose(images, force=force)
        return self._examine(images, chosen, stopwatch)

    def infer_images(
        self, images: Sequence[Image], stopwatch: Stopwatch | None = None, *, force: bool = False
    ) -> Examined:
        """Examine the one image of a study that `choose` gives; `stopwatch` brings the stages before these.

        Every member of a bundle examines the same image. One that refuses it is left out with a warning.
        """
        return self._examine(images, self._choose(images, force=force), stopwatch or Stopwatch())

    def _examine(self, images: Sequence[Image], chosen: tuple[int, Image], stopwatch: Stopwatch) -> Examined:
        place, image = chosen
        findings, said = self._find(image, stopwatch)
        result = Result(
            study=_study_of(image),
            provenance=self._provenance(),
            timings_ms={name: round(ms, 3) for name, ms in stopwatch.ms.items()},
            warnings=(
                *image.warnings,
                *_left_out(place, images),
                *notices.not_seen(findings, self.bundle.manifest.class_names),
                *notices.flagged(findings),
                *said,
                *self._warnings,
            ),
            findings=findings,
        )
        return Examined(image, result)

    def close(self) -> None:
        """Release the networks."""
        for network in self._networks.values():
            network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def choose(self, images: Sequence[Image], *, force: bool = False) -> Image:
        """The one image of a study that the bundle accepts. Raises BadStudy where there is none, or more.

        `force` takes one that the header calls a view of another kind, with a warning, where no other fits.
        """
        return self._choose(images, force=force)[1]

    def _choose(self, images: Sequence[Image], *, force: bool) -> tuple[int, Image]:
        """What `choose` gives, and its place among the images: forced, it is none of them."""
        if len({image.identity.patient for image in images if image.identity.patient is not None}) > 1:
            raise BadStudy(
                f"the {len(images)} radiographs of this study are of more than one patient: "
                f"{label('PatientID')} differs, {label('StudyInstanceUID')} does not",
                "find out whose films these are, and name the file of one",
            )
        fitting = [
            (place, image)
            for place, image in enumerate(images)
            if all(pipelines.accepts(member.pipeline, member.settings, image) for member in self._members)
        ]
        if not fitting and force:
            fitting = [(place, _without_view(image)) for place, image in enumerate(images)]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting and len(images) == 1 and images[0].view_stated:
            raise BadStudy(
                f"lateral view: {images[0].view_stated}; {self.bundle.manifest.pipeline} takes {self._takes}",
                REMEDY_FOR_VIEW,
            )
        have = "; ".join(
            f"{image.modality} {image.shape[0]}x{image.shape[1]} view {image.view or 'not stated'}" for image in images
        )
        remedy = "name the file of one" if fitting else "give such an image"
        raise BadStudy(f"{self.bundle.manifest.pipeline} takes {self._takes}; the study has: {have}", remedy)

    @property
    def _takes(self) -> str:
        wanted = []
        for member in self._members:
            views = getattr(member.settings, "views", ())
            wanted.append(member.pipeline.ACCEPTS + (f" (this bundle: {', '.join(views)})" if views else ""))
        return " that is ".join(dict.fromkeys(wanted))

    def _find(self, image: Image, stopwatch: Stopwatch) -> Fused:
        """The findings of the one pipeline, or of all members as the bundle says that they are fused."""
        fusion = self.bundle.manifest.fusion
        if fusion is None:
            ((member, networks),) = zip(self._members, self._roles, strict=True)
            return Fused(tuple(member.pipeline.run(image, networks, member.settings, stopwatch)))
        found: list[Found] = []
        refusals: list[BadStudy] = []
        for member, networks in zip(self._members, self._roles, strict=True):
            try:
                findings = member.pipeline.run(image, networks, member.settings, stopwatch)
                found.append(Found(member.name, tuple(findings)))
            except BadStudy as error:
                refusals.append(error)
                found.append(Found(member.name, (), error.problem))
        if len(refusals) == len(found):
            raise refusals[0]
        with stopwatch.stage("fusion"):
            return fuse(fusion, found, image)

    def _provenance(self) -> Provenance:
        first = next(iter(self._networks.values()))
        return Provenance(
            spinert=spinert.__version__,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            precision=self.choice.precision,
            backend=first.backend,
            provider=first.provider,
            isa=kernels.active_isa(),
        )


def _image_of(pixels: NDArray[np.uint8] | NDArray[np.uint16], spacing_mm: Spacing | None) -> Image:
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise BadStudy(
            f"the array is {pixels.dtype} {list(pixels.shape)}, expected uint8 or uint16 [rows, columns]",
            "pass the stored values of one grey image",
        )
    if spacing_mm is None:
        raise BadGeometry(
            "an array carries no pixel spacing", "pass spacing_mm=(between rows, between columns); (1, 1) if square"
        )
    check_size(*pixels.shape)
    check_spacing(spacing_mm)
    return Image(np.require(pixels, requirements="C"), "OT", spacing_mm=spacing_mm, spacing_kind="given")


def _study_of(image: Image) -> Study:
    return Study(
        study_uid=image.identity.study_uid,
        series_uid=image.identity.series_uid,
        sop_uid=image.identity.sop_uid,
        modality=image.modality,
        rows=image.shape[0],
        columns=image.shape[1],
        spacing_mm=image.spacing_mm,
        spacing_kind=image.spacing_kind,
    )


def _left_out(chosen: int, images: Sequence[Image]) -> tuple[str, ...]:
    """A makers' own word for a frontal view must not hide that there was a second film to choose from."""
    views = ", ".join(f"view {image.view}" for place, image in enumerate(images) if place != chosen)
    return (f"other radiographs of this study were left out: {views}",) if views else ()


def _without_view(image: Image) -> Image:
    """The same as if its header said nothing of the view, nor of directions, which go with the view."""
    warning = f"taken against its header by force, which says view {image.view or 'not stated'}"
    if image.is_lateral:
        stated = image.view_stated or f"view is {image.view}"
        warning = f"taken as frontal by force though the header says lateral view: {stated}"
    return replace(image, view=None, view_stated=None, orientation=None, warnings=(*image.warnings, warning))
