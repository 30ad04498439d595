"""Results with known truth, made by hand from a phantom's tilts: what a perfect network would have given."""

import numpy as np
from numpy.typing import NDArray

from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Finding, Provenance, Result, Side, Study, Vertebra
from spinert.image import Image
from tests import phantoms

PROVENANCE = Provenance(
    spinert="0.1.0",
    bundle="cobb",
    bundle_sha256="3f2a91c40b12" + "0" * 52,
    precision="fp32",
    backend="onnxruntime",
    provider="CPUExecutionProvider",
    isa="avx2",
)
REGIONS = ("proximal_thoracic",) * 5 + ("main_thoracic",) * 6 + ("thoracolumbar_lumbar",) * 6


def curve(
    corners_px: NDArray[np.float64], tilts_deg: NDArray[np.float64], upper: int, lower: int, side: Side | None = None
) -> CobbAngle:
    """The angle between two end vertebrae, its apex where the tilt is least."""
    apex = upper + int(np.argmin(np.abs(tilts_deg[upper : lower + 1])))
    line = np.concatenate([corners_px[upper, :2], corners_px[lower, 2:]])
    return CobbAngle(
        name=REGIONS[apex],
        degrees=float(abs(tilts_deg[upper] - tilts_deg[lower])),
        upper=T1_TO_L5[upper],
        lower=T1_TO_L5[lower],
        apex=T1_TO_L5[apex],
        side=side,
        line_px=tuple(map(tuple, line.tolist())),
    )


def vertebrae(corners_px: NDArray[np.float64], flags: dict[str, tuple[str, ...]] | None = None) -> list[Vertebra]:
    return [
        Vertebra(
            level=level, corners_px=tuple(map(tuple, quad.tolist())), confidence=0.9, flags=(flags or {}).get(level, ())
        )
        for level, quad in zip(T1_TO_L5, corners_px, strict=True)
    ]


def result(image: Image, findings: list[Finding], warnings: tuple[str, ...] = ()) -> Result:
    rows, columns = image.shape
    return Result(
        study=Study(
            study_uid="2.25.1",
            series_uid="2.25.2",
            sop_uid="2.25.3",
            modality=image.modality,
            rows=rows,
            columns=columns,
            spacing_mm=image.spacing_mm,
            spacing_kind=image.spacing_kind,
        ),
        provenance=PROVENANCE,
        timings_ms={"read": 1.0, "network": 2.0},
        warnings=warnings,
        findings=tuple(findings),
    )


def double_curve() -> tuple[NDArray[np.float64], list[CobbAngle], NDArray[np.float64]]:
    """Tilts, curves and corners of 45 degrees thoracic over 38 degrees lumbar, on a film of 2000 x 900 pixels.

    The thoracic curve bulges to the left of the image, which is the patient's right when the row direction is L.
    """
    tilts = np.interp(np.arange(17), [0, 4, 10, 16], [18.0, 22.0, -23.0, 15.0])
    corners = phantoms.spine_corners(tilts, (570.0, 130.0), 1700.0)
    return tilts, [curve(corners, tilts, 4, 10, "right"), curve(corners, tilts, 10, 16, "left")], corners


def examined() -> tuple[Image, Result]:
    """A double curve on a DX film with everything stated."""
    _, curves, corners = double_curve()
    film = phantoms.draw(corners, (2000, 900), np.random.default_rng(3))
    image = Image(
        film.pixels, "DX", spacing_mm=(0.15, 0.15), spacing_kind="detector_plane", orientation=("L", "F"), view="AP"
    )
    angles = AasceAngles(degrees=(45.0, 38.0, 4.0))
    return image, result(image, [*vertebrae(corners), *curves, angles])
