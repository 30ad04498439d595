"""Interleaved comparison: all sides take turns in one process, so that they share its clock speed, caches and noise."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

Side = Callable[[], object]


class Timing(NamedTuple):
    """Milliseconds of one side: median and extremes over the rounds."""

    median: float
    least: float
    most: float


class Ratio(NamedTuple):
    """Time of a side over that of the first in the same round: median and quartiles. Above 1, the first is faster."""

    median: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lower:.2f}..{self.upper:.2f})"


class Comparison(NamedTuple):
    """`str` of it is a table with a line for each side; ratios are against the first."""

    names: tuple[str, ...]
    timings: tuple[Timing, ...]
    ratios: tuple[Ratio, ...]

    def __str__(self) -> str:
        width = max(map(len, self.names))
        lines = [f"{'':{width}}  {'ms':>9}  {'least':>9}  {'most':>9}  ratio to {self.names[0]} (quartiles)"]
        for name, timing, ratio in zip(self.names, self.timings, self.ratios, strict=True):
            times = "  ".join(f"{value:9.3f}" for value in timing)
            lines.append(f"{name:{width}}  {times}  {ratio if name != self.names[0] else ''}".rstrip())
        return "\n".join(lines)


def interleaved(sides: Mapping[str, Side], *, rounds: int) -> Comparison:
    """Run every side once untimed, then all of them in turn, `rounds` times. The first side is the one to judge."""
    names = tuple(sides)
    for side in sides.values():
        side()
    times: dict[str, list[float]] = {name: [] for name in names}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number in range(rounds):
            # every other round backwards, so that no side always runs in the wake of the same other
            for name in names if number % 2 == 0 else reversed(names):
                times[name].append(_milliseconds(sides[name]))
    finally:
        if collecting:
            gc.enable()
    timings = tuple(Timing(statistics.median(series), min(series), max(series)) for series in times.values())
    first = times[names[0]]
    ratios = tuple(_ratio([t / f for t, f in zip(series, first, strict=True)]) for series in times.values())
    return Comparison(names, timings, ratios)


def _milliseconds(side: Side) -> float:
    begin = time.perf_counter_ns()
    side()
    return (time.perf_counter_ns() - begin) / 1e6


def _ratio(ratios: list[float]) -> Ratio:
    if len(ratios) == 1:
        return Ratio(ratios[0], ratios[0], ratios[0])
    lower, median, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(median, lower, upper)
