"""What spinert found, with units, and the result document around it.

Frozen; a point is (x, y) in pixels of the stored image, (0, 0) being the centre of its top-left pixel; angles are in
degrees. `to_json` writes the schema `spinert.result/1`.
"""

from typing import Literal

import msgspec

SCHEMA = "spinert.result/1"
DISCLAIMER = "research use only: not for clinical use"

LEVELS = tuple(
    [f"C{n}" for n in range(1, 8)] + [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)] + ["S1"]
)
"""Vertebrae from head to foot."""

T1_TO_L5 = LEVELS[LEVELS.index("T1") : LEVELS.index("S1")]

Point = tuple[float, float]
Interval = tuple[float, float]
"""(low, high) of a 95 % interval, in the unit of the value."""
Side = Literal["left", "right"]
Region = Literal["proximal_thoracic", "main_thoracic", "thoracolumbar_lumbar"]


class _Finding(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`flags` names every check that the finding failed; a finding with flags is not to be relied on."""

    flags: tuple[str, ...] = ()


class Vertebra(_Finding, frozen=True, kw_only=True, tag="vertebra"):
    """One vertebra: corners TL, TR, BL, BR as seen in the image, `confidence` 0..1 (the least sure corner's).

    `level` is None where it is not told: the pipeline found more or fewer vertebrae than it can name.
    """

    level: str | None
    corners_px: tuple[Point, Point, Point, Point]
    confidence: float


class CobbAngle(_Finding, frozen=True, kw_only=True, tag="cobb_angle"):
    """One curve, upper end-plate of `upper` to lower end-plate of `lower`.

    `name` is the region of the apex; `side` is the patient's side of the convexity, None where the image does not say
    which side is which. `line_px` holds the two end-plate lines: upper left, upper right, lower left, lower right.
    `degrees_95` is where the true angle lies with 95 % probability, None where the bundle states no spread.
    """

    name: Region
    degrees: float
    degrees_95: Interval | None = None
    upper: str
    lower: str
    apex: str
    side: Side | None
    line_px: tuple[Point, Point, Point, Point]


class AasceAngles(_Finding, frozen=True, kw_only=True, tag="aasce_angles"):
    """The three angles of the AASCE 2019 challenge's rule, ordered by that rule and not by anatomy."""

    degrees: tuple[float, float, float]
    degrees_95: tuple[Interval, Interval, Interval] | None = None


class Midline(_Finding, frozen=True, kw_only=True, tag="midline"):
    """The middle of the spine from head to foot, as a centreline pipeline measures its angles on it."""

    points_px: tuple[Point, ...]


class VertebraCentre(_Finding, frozen=True, kw_only=True, tag="vertebra_centre"):
    """One vertebra by the middle of its body, `confidence` 0..1.

    `centre_mm` is measured from the centre of the image's top-left pixel, None where the image has no spacing.
    """

    level: str
    centre_px: Point
    centre_mm: Point | None
    confidence: float


Finding = Vertebra | CobbAngle | AasceAngles | Midline | VertebraCentre


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """Which image was read: UIDs only, never names. `spacing_mm` is (between rows, between columns)."""

    study_uid: str | None
    series_uid: str | None
    sop_uid: str | None
    modality: str
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None
    spacing_kind: str


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What made the result: versions, the bundle's hash, and what really ran."""

    spinert: str
    bundle: str
    bundle_sha256: str
    precision: str
    backend: str
    provider: str
    isa: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one image. `timings_ms` is per stage, in the order the stages ran."""

    schema: str = SCHEMA
    disclaimer: str = DISCLAIMER
    study: Study
    provenance: Provenance
    timings_ms: dict[str, float]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> bytes:
        """One line of UTF-8 JSON, schema `spinert.result/1`."""
        return msgspec.json.encode(self)


def from_json(document: bytes | str) -> Result:
    """Read what `Result.to_json` wrote. Raises msgspec.ValidationError for another schema or a malformed document."""
    result = msgspec.json.decode(document, type=Result)
    if result.schema != SCHEMA:
        raise msgspec.ValidationError(f"schema is {result.schema!r}, this spinert reads {SCHEMA!r}")
    return result
