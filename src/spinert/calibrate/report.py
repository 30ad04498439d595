"""The proof that goes into a bundle with every variant: a JSON report, and two pictures of it."""

from collections.abc import Sequence

import msgspec

from spinert.bundle import Precision
from spinert.calibrate.agreement import LIMITS, Agreement
from spinert.calibrate.search import Attempt
from spinert.calibrate.sensitivity import Layer
from spinert.findings import DISCLAIMER

SCHEMA = "spinert.calibration/1"


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run the bundle on this processor, one thread: medians in turns with fp32 on onnxruntime."""

    backend: str
    precision: Precision
    milliseconds: float
    speedup: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a variant was made and what it was measured at. `attempts` are in the order in which they were tried."""

    schema: str = SCHEMA
    disclaimer: str = DISCLAIMER
    precision: Precision
    method: str
    calibrated_on: str
    held_out: str
    """Number and fingerprint of the studies; no study is named."""
    refused: int
    processor: str
    versions: dict[str, str]
    limits: dict[str, float]
    chosen: Attempt
    ranking: tuple[Layer, ...]
    """Every layer of the chosen layout quantized alone over the tuning studies, the worst first."""
    attempts: tuple[Attempt, ...]
    """Without their curves and corners, which `chosen` has."""
    timings: tuple[Timing, ...]

    def to_json(self) -> bytes:
        """Indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def limits() -> dict[str, float]:
    """The gate's limits by measure."""
    return {limit.measure: limit.bound for limit in LIMITS}


def brief(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Attempts without what only a plot needs."""
    return tuple(msgspec.structs.replace(each, curves=(), corners_px=()) for each in attempts)


def failure(attempts: Sequence[Attempt]) -> str:
    """What keeps each layout from being written: the last attempt of each, by how much."""
    last = {(each.backend, each.layout): each for each in attempts}
    return "; ".join(
        f"{backend} with the {layout} layout and {len(each.kept_float)} layers float: {', '.join(each.broken)}"
        for (backend, layout), each in last.items()
    )


def rows(agreement: Agreement) -> list[tuple[str, str, str]]:
    """The gate as a table: measure, value, limit."""
    table = []
    for limit in LIMITS:
        words = limit.measure.removesuffix("_degrees").removesuffix("_px").removesuffix("_percent").replace("_", " ")
        sign = "at least" if limit.least else "at most"
        table.append((words, f"{getattr(agreement, limit.measure):.3g}", f"{sign} {limit.bound:g} {limit.unit}"))
    return table
