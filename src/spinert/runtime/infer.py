"""The conductor: load a bundle, read a study, choose its image, run the pipeline, say what made the result."""

from collections.abc import Callable, Sequence
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
from spinert.findings import Finding, Provenance, Result, Study, Vertebra
from spinert.image import Image
from spinert.runtime import dicom, files, pipelines
from spinert.runtime.choice import Opened, open_networks
from spinert.runtime.landmark_findings import LEVEL_UNKNOWN
from spinert.runtime.limits import check_size, check_spacing
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
        self._pipeline = pipelines.load(bundle.manifest.pipeline)
        self._settings = pipelines.settings_of(bundle.manifest)
        self._networks, self.choice, self._warnings = opening(self._pipeline.NETWORKS)

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
            return self.infer_images([dicom.image_of(source, spacing_mm=spacing_mm, force=force)]).result
        return self.infer_files(Path(source), spacing_mm=spacing_mm, force=force).result

    def infer_files(
        self, study: files.StudyFiles | Path, *, spacing_mm: Spacing | None = None, force: bool = False
    ) -> Examined:
        """Read one study and examine it; a path must hold exactly one."""
        stopwatch = Stopwatch()
        with stopwatch.stage("read"):
            images = files.read_study(study, spacing_mm=spacing_mm, force=force)
        return self.infer_images(images, stopwatch)

    def infer_images(self, images: Sequence[Image], stopwatch: Stopwatch | None = None) -> Examined:
        """Examine the one image of a study that the pipeline accepts; `stopwatch` brings the stages before these."""
        stopwatch = stopwatch or Stopwatch()
        image = self.choose(images)
        findings = self._pipeline.run(image, self._networks, self._settings, stopwatch)
        result = Result(
            study=_study_of(image),
            provenance=self._provenance(),
            timings_ms={name: round(ms, 3) for name, ms in stopwatch.ms.items()},
            warnings=(*image.warnings, *_left_out(image, images), *_warnings_of(findings), *self._warnings),
            findings=tuple(findings),
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

    def choose(self, images: Sequence[Image]) -> Image:
        """The one image of a study that the pipeline accepts. Raises BadStudy where there is none, or more."""
        fitting = [image for image in images if self._pipeline.accepts(image)]
        if len(fitting) == 1:
            return fitting[0]
        have = "; ".join(
            f"{image.modality} {image.shape[0]}x{image.shape[1]} view {image.view or 'not stated'}" for image in images
        )
        remedy = "name the file of one" if fitting else "give such an image"
        raise BadStudy(f"{self.bundle.manifest.pipeline} takes {self._pipeline.ACCEPTS}; the study has: {have}", remedy)

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


def _left_out(chosen: Image, images: Sequence[Image]) -> tuple[str, ...]:
    """A makers' own word for a frontal view must not hide that there was a second film to choose from."""
    views = ", ".join(f"view {image.view}" for image in images if image is not chosen)
    return (f"other radiographs of this study were left out: {views}",) if views else ()


def _warnings_of(findings: Sequence[Finding]) -> list[str]:
    """One sentence for levels that are not told, one that names every vertebra flagged for itself, and why."""
    vertebrae = [finding for finding in findings if isinstance(finding, Vertebra)]
    unnamed = sum(v.level is None for v in vertebrae)
    warnings = []
    if unnamed:
        warnings.append(
            f"{unnamed} vertebrae were found, not those that the bundle names: their levels are not told, and no curve "
            "is measured between them"
        )
    flagged = [
        f"{v.level or f'vertebra {number} from the top'} ({', '.join(reasons)})"
        for number, v in enumerate(vertebrae, 1)
        if (reasons := [flag for flag in v.flags if flag != LEVEL_UNKNOWN])
    ]
    if flagged:
        warnings.append(f"not to be relied on without a look at the picture: {'; '.join(flagged)}")
    return warnings
